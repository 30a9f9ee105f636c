"""Drawn wind: over grass, sand and snow."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Field
from .scenery import crowns, grass, hills, pick
from .shapes import Rng, discs, ribbon, strokes

LEAVES = ((0.72, 0.36, 0.08), (0.8, 0.6, 0.12), (0.45, 0.2, 0.08), (0.4, 0.5, 0.15))


def _bent_tree(c: Canvas, rng: Rng, way: float) -> None:
    """A tree whose trunk and crown are pressed to one side."""
    x, y, s = rng.uniform(0.2, 0.8) * c.aspect, rng.uniform(0.78, 0.92), rng.uniform(0.5, 0.85)
    t = np.linspace(0, 1, 12)
    trunk = np.stack([x + way * 0.45 * s * t * t, y - 0.7 * s * t], 1)
    c.paint(c.cover([ribbon(trunk, 0.05 * s * (1.15 - t))]), (0.2, 0.13, 0.09))
    tip, green = trunk[-1], pick(rng, (0.2, 0.32, 0.12), (0.3, 0.36, 0.14))
    if rng.random() < 0.5:
        u = np.linspace(0, 1, 9)
        for lift in np.linspace(-0.35, 0.35, 7):
            frond = np.stack(
                [tip[0] + way * 0.45 * s * u, tip[1] + lift * s * u * (0.4 + u) * 0.8 - 0.1 * s * np.sin(3 * u)], 1
            )
            c.paint(
                c.cover([ribbon(frond, 0.05 * s * np.sin(np.pi * np.clip(u + 0.1, 0, 1)))]),
                green * rng.uniform(0.6, 1.3),
            )
    else:
        for k in range(4):
            crowns(
                c, rng, tip[0] + way * 0.13 * s * k, tip[1] + 0.02 * k, s * (0.2 - 0.03 * k), green * 0.5, green * 1.5
            )


def _flying(c: Canvas, rng: Rng, way: float, count: int) -> None:
    """Leaves in the air, smeared along the wind."""
    for colour in LEAVES:
        n = count // len(LEAVES) + 1
        x, y, s = rng.uniform(0, c.aspect, n), rng.uniform(0.05, 0.95, n), rng.uniform(0.012, 0.03, n)
        smear = strokes(x, y, -way * 3.5 * s, rng.normal(0, 0.8, n) * s, 0.7 * s, 0.3)
        c.paint(c.cover(smear, np.full(n, 0.5)), colour, 0.7)
        c.paint(c.cover(discs(x, y, s, 0.55, 7)), colour)


def _gusts(c: Canvas, rng: Rng, way: float, colour: Field, low: float, high: float, strong: float) -> None:
    """Long soft streaks of dust or snow that run along the wind, between two heights."""
    lines, t = [], np.linspace(0, 1, 18)
    for _ in range(34):
        long = rng.uniform(0.4, 1.3)
        x, y = rng.uniform(-0.5, c.aspect), rng.uniform(low, high)
        wave = 0.025 * np.sin(rng.uniform(2, 6) * t + rng.uniform(0, 6.28))
        lines.append(
            ribbon(
                np.stack([x + long * t, y + wave - way * 0.05 * t], 1),
                rng.uniform(0.006, 0.03) * np.sin(np.pi * t) + 0.001,
            )
        )
    c.paint(c.blur(c.cover(lines, rng.uniform(0.3, 1, 34)), 0.006), colour, strong)
    veil = np.clip(0.4 + 0.45 * c.grain(rng, 1.7, (5.0, 0.8)), 0, 1) * np.clip((c.y - low) / 0.2, 0, 1)
    c.paint(veil * np.clip((high + 0.2 - c.y) / 0.2, 0, 1), colour, 0.7 * strong)


def _dunes(c: Canvas, rng: Rng, way: float, sand: Field) -> None:
    """Dunes with a lit and a shaded side; sand is torn off their crests."""
    for k in range(int(rng.integers(2, 5))):
        level, t = 0.42 + 0.17 * k + rng.uniform(-0.04, 0.04), np.linspace(-0.1, 1.1, 40)
        peak = rng.uniform(0.2, 0.8)
        ridge = level - 0.16 * np.exp(-np.abs(t - peak) / 0.28) - 0.02 * np.sin(9 * t + k)
        top = np.stack([t * c.aspect, ridge], 1)
        c.paint(c.cover([np.concatenate([top, [[1.2 * c.aspect, 1.2], [-0.2, 1.2]]])]), sand * (0.95 - 0.06 * k))
        lee = t >= peak if way > 0 else t <= peak
        edge = top[lee] if way > 0 else top[lee][::-1]
        foot = edge + np.stack([np.zeros(len(edge)), np.linspace(0.02, 0.3, len(edge))], 1)
        c.paint(c.blur(c.cover([np.concatenate([edge, foot[::-1]])]), 0.006), sand * 0.6, 0.75)
        y, long = ridge.min() + rng.uniform(-0.01, 0.02, 16), way * rng.uniform(0.15, 0.6, 16)
        torn = strokes(np.full(16, peak * c.aspect), y, long, rng.normal(-0.03, 0.03, 16), 0.02, 1.8)
        c.paint(c.blur(c.cover(torn, np.full(16, 0.25)), 0.012), np.clip(sand * 1.2, 0, 1), 0.9)


def wind_noise(c: Canvas, rng: Rng, drawn: bool) -> None:
    """What wind does: bent grass and trees, flying leaves, sand off dunes, driven snow."""
    way, kind = float(rng.choice([-1, 1])), rng.integers(3)
    sand = pick(rng, (0.82, 0.64, 0.42), (0.86, 0.74, 0.54), (0.74, 0.52, 0.36))
    if drawn:
        c.gradient(
            pick(rng, (0.5, 0.66, 0.84), (0.68, 0.72, 0.76), (0.8, 0.76, 0.68)),
            pick(rng, (0.85, 0.87, 0.88), (0.9, 0.84, 0.74)),
        )
        if kind == 0:
            _dunes(c, rng, way, sand)
        elif kind == 1:
            hills(c, rng, 0.62, (0.42, 0.46, 0.2), (0.6, 0.66, 0.56), 0.05)
        else:
            hills(c, rng, 0.6, (0.86, 0.9, 0.95), (0.68, 0.75, 0.85), 0.12)
    else:
        c.tone(rng.uniform(0.1, 0.4), rng.uniform(0.85, 1.0), (1.0, 0.98, 0.92))
    if kind == 0:
        _gusts(c, rng, way, np.clip(sand * 1.1, 0, 1), 0.3, 1.0, rng.uniform(0.5, 0.9))
    elif kind == 2:
        _gusts(c, rng, way, np.array([0.95, 0.97, 1.0]), 0.15, 1.0, rng.uniform(0.5, 0.9))
        n, long = 260, rng.uniform(0.015, 0.06, 260)
        flakes = strokes(rng.uniform(0, c.aspect, n), rng.uniform(0, 1, n), way * long, 0.25 * long, 0.007)
        c.paint(c.cover(flakes), (1.0, 1.0, 1.0), 0.85)
    else:
        if rng.random() < 0.75:
            _bent_tree(c, rng, way)
        straw = ((0.5, 0.5, 0.2), (0.64, 0.58, 0.28), (0.34, 0.4, 0.16), (0.75, 0.68, 0.4))
        grass(c, rng, (0.85, 1.15), rng.uniform(0.22, 0.4), way * rng.uniform(1.0, 1.8), straw, 420)
        _gusts(c, rng, way, np.array([0.93, 0.92, 0.88]), 0.1, 0.75, rng.uniform(0.25, 0.5))
    if kind == 1 or rng.random() < 0.25:
        _flying(c, rng, way, int(rng.integers(14, 44)))
