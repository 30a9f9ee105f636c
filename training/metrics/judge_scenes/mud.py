"""Drawn mud: puddles, boot prints, ruts and boots."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Field
from .scenery import grass, hills, pick
from .shapes import Rng, blob, discs, ribbon, skyline, strokes


def _puddle(c: Canvas, rng: Rng, x: float, y: float, r: float, flat: float, mud: Field, sky: Field) -> None:
    """Standing water with a dark wet rim, and the sky in it."""
    state = rng.integers(1 << 30)

    def outline(size: float, dy: float = 0.0) -> list[Field]:
        return [blob(np.random.default_rng(state), x, y + dy, size, flat, 0.2)]

    c.paint(c.blur(c.cover(outline(1.25 * r)), 0.018), mud * 0.5, 0.8)
    inside = c.cover(outline(r))
    # The far side mirrors the bank, the near side the sky; ripples run across.
    shine = np.clip(0.75 + 0.6 * (c.y - y) / (r * flat + 1e-3) + 0.07 * c.grain(rng, 1.5, (4.0, 0.5)), 0.15, 1)
    c.paint(inside, mud * 0.4 + (sky - mud * 0.4) * shine[..., None])


def _print(c: Canvas, x: float, y: float, size: float, turn: float, mud: Field, sky: Field) -> None:
    """A boot's print: sole and heel pressed in, bars of its tread, a raised rim, a little water."""
    cos, sin = np.cos(turn), np.sin(turn)

    def placed(shape: Field) -> Field:
        return shape @ np.array([[cos, sin * 0.75], [-sin, cos * 0.75]]) * size + (x, y)

    sole, heel = discs(0, -0.25, 0.42, 1.5)[0], discs(0, 0.75, 0.34, 1.0)[0]
    grown = [placed(s * 1.16 - s.mean(0) * 0.16) for s in (sole, heel)]
    c.paint(c.cover([g - (0.012, 0.014) for g in grown]), np.clip(mud * 1.55, 0, 1), 0.8)
    c.paint(c.cover([placed(sole), placed(heel)]), mud * 0.38)
    bars = strokes(np.full(6, -0.32), np.array([-0.75, -0.5, -0.25, 0.0, 0.65, 0.88]), 0.64, 0.0, 0.1)
    c.paint(c.cover([placed(b) for b in bars]), mud * 0.85)
    c.paint(c.cover([placed(discs(0.1, 0.05, 0.2, 0.7)[0])]), sky, 0.6)


def _boots(c: Canvas, rng: Rng, mud: Field) -> None:
    """Rubber boots that stand in the mud, soiled to the ankle, with splats around them."""
    colour = pick(rng, (0.9, 0.75, 0.1), (0.15, 0.35, 0.2), (0.75, 0.12, 0.12), (0.15, 0.25, 0.5))
    x, y, s = rng.uniform(0.25, 0.7) * c.aspect, rng.uniform(0.72, 0.88), rng.uniform(0.8, 1.25)
    for dx, dy in ((0.0, 0.0), (0.21 * s, 0.04)):
        at, low = x + dx, y + dy
        c.paint(c.blur(c.cover(discs(at + 0.05 * s, low + 0.01, 0.15 * s, 0.35)), 0.008), mud * 0.35)
        c.paint(c.cover(strokes(at, low - 0.4 * s, 0.01, 0.38 * s, 0.15 * s, 0.85)), colour)
        c.paint(c.cover(discs(at + 0.06 * s, low - 0.035 * s, 0.115 * s, 0.5)), colour)
        c.paint(
            c.cover(strokes(at - 0.045 * s, low - 0.38 * s, 0.01, 0.28 * s, 0.02 * s)),
            np.clip(colour * 1.5 + 0.1, 0, 1),
            0.7,
        )
        c.paint(c.cover([blob(rng, at + 0.04 * s, low + 0.01, 0.16 * s, 0.38, 0.22)]), mud * 0.75)
    n = 60
    turn, way = rng.normal(0, 1.0, n), 0.25 * s * rng.uniform(0.3, 1.3, n)
    drops = discs(x + 0.1 + way * np.sin(turn), y - way * np.cos(turn) * 0.7, rng.uniform(0.004, 0.014, n))
    c.paint(c.cover(drops), mud * 0.7)


def squishing_water(c: Canvas, rng: Rng, drawn: bool) -> None:
    """Wet mud: puddles that mirror the sky, boot prints, ruts of wheels, boots."""
    mud = pick(rng, (0.4, 0.28, 0.18), (0.33, 0.25, 0.19), (0.46, 0.35, 0.22), (0.27, 0.2, 0.15), spread=0.015)
    sky = pick(rng, (0.72, 0.78, 0.84), (0.6, 0.66, 0.72), (0.8, 0.78, 0.74))
    level = rng.uniform(0.3, 0.5) if not drawn else rng.choice([-0.2, 0.2, 0.35])
    if drawn:
        c.gradient(sky, sky * 0.97)
        if level > 0:
            hills(c, rng, level - 0.06, (0.3, 0.36, 0.2), (0.5, 0.55, 0.5), 0.05)
    clods = 0.14 * c.grain(rng, 1.6, (1.6, 0.8)) + 0.04 * c.grain(rng, 0.8)
    relief = np.gradient(c.blur(clods, 0.012), axis=0) * 10
    ground = np.clip(mud * (1 + clods - relief)[..., None], 0, 1)
    c.paint(c.blur(c.cover([skyline(rng, c.aspect, level, 0.015)]), 0.004), ground)
    c.light(np.clip(relief * 1.2 - 0.25, 0, 1) * np.clip((c.y - level) * 6, 0, 1), sky * 0.8)
    if rng.random() < 0.45:
        centre, foot = rng.uniform(0.3, 0.7) * c.aspect, rng.uniform(-0.6, 0.6)
        for side in (-0.22, 0.22):
            t = np.linspace(0, 1, 20)
            line = np.stack([centre + foot * t * t + side * (0.25 + t), max(level, 0) + (1.05 - max(level, 0)) * t], 1)
            c.paint(c.blur(c.cover([ribbon(line, 0.02 + 0.12 * t)]), 0.005), mud * 0.5, 0.85)
            c.paint(c.cover([ribbon(line + np.array([0.02, 0.0]), 0.008 + 0.04 * t)]), mud * 0.4 + sky * 0.5, 0.8)
    top = max(level, 0.0)
    for _ in range(int(rng.integers(1, 5))):
        t = rng.uniform(0.2, 1)
        y = top + (1 - top) * t
        _puddle(
            c,
            rng,
            rng.uniform(0, c.aspect),
            y,
            (0.08 + 0.3 * t) * rng.uniform(0.6, 1.3),
            rng.uniform(0.2, 0.3),
            mud,
            sky,
        )
    turn, x = rng.normal(0, 0.5), rng.uniform(0.25, 0.7) * c.aspect
    for k in range(int(rng.integers(2, 6))):
        t = 1 - 0.2 * k
        y = top + (0.93 - top) * t
        _print(c, x + 0.13 * t * (-1) ** k + turn * 0.3 * k * t, y, 0.13 * t + 0.03, turn, mud, sky)
    if rng.random() < 0.4:
        _boots(c, rng, mud)
    if level > 0 and rng.random() < 0.6:
        grass(c, rng, (level - 0.02, level + 0.05), 0.08, 0.1, ((0.25, 0.34, 0.12), (0.36, 0.4, 0.18)), 160)
