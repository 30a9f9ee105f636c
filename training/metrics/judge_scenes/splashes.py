"""Drawn splashes: breaking waves, spray, crowns of water."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Field
from .scenery import pick, rocks, water
from .shapes import Rng, blob, discs, puff, skyline, strokes

WHITE = (0.95, 0.97, 1.0)


def _burst(c: Canvas, rng: Rng, x: float, y: float, size: float) -> None:
    """Water thrown up: a fan of drops on parabolas, tongues, and a cloud of spray."""
    n = 32
    turn = rng.uniform(-1.1, 1.1, n)
    way = size * rng.uniform(0.1, 0.75, n)
    puff(
        c,
        (x + way * np.sin(turn), y - way * np.cos(turn) * 0.9, size * rng.uniform(0.06, 0.17, n)),
        (0.66, 0.76, 0.82),
        WHITE,
        0.018,
    )
    m = 16
    turn = np.linspace(-1.05, 1.05, m) + rng.normal(0, 0.06, m)
    reach = size * rng.uniform(0.6, 1.15, m)
    tongues = strokes(
        x + 0.25 * size * np.sin(turn), np.full(m, y), reach * np.sin(turn), -reach * np.cos(turn), 0.13 * size, 0.12
    )
    c.paint(c.blur(c.cover(tongues), 0.004), WHITE, 0.9)
    k = 170
    turn, reach = rng.normal(0, 0.75, k), size * rng.uniform(0.3, 1.6, k)
    px, py = x + reach * np.sin(turn), y - reach * np.cos(turn) * rng.uniform(0.7, 1, k)
    c.paint(c.cover(discs(px, py, size * rng.uniform(0.007, 0.032, k), 1.2, 8)[py < y + 0.05]), WHITE, 0.95)


def _crown(c: Canvas, rng: Rng, x: float, y: float, size: float) -> None:
    """The crown that a drop or a stone throws up, seen from near, and the rings around it."""
    for k in (2.6, 1.9, 1.3):
        ring = c.cover(discs(x, y + 0.1 * size, k * size, 0.3, 30)) - c.cover(
            discs(x, y + 0.1 * size, (k - 0.17) * size, 0.28, 30)
        )
        c.paint(np.clip(ring, 0, 1), WHITE, 0.5)
    m = 17
    turn = np.linspace(0, 2 * np.pi, m, endpoint=False)
    bx, by = x + size * 0.8 * np.cos(turn), y + size * 0.24 * np.sin(turn)
    lift = size * rng.uniform(0.7, 1.3, m)
    spikes = strokes(bx, by, 0.35 * size * np.cos(turn), -lift, 0.22 * size, 0.25)
    c.paint(c.cover([blob(rng, x, y - 0.2 * size, 0.9 * size, 0.5, 0.06)]), (0.62, 0.76, 0.84), 0.9)
    c.paint(c.cover(spikes), (0.82, 0.9, 0.95), 0.9)
    tips = discs(bx + 0.4 * size * np.cos(turn), by - lift * rng.uniform(1.05, 1.5, m), 0.085 * size)
    c.paint(c.cover(tips), WHITE)


def _breaker(c: Canvas, rng: Rng, y: float, size: float, sea: Field) -> None:
    """A wave that breaks across the picture: a dark face, a white crest, foam in front."""
    face = skyline(rng, c.aspect, y, size * 0.3, 0.45)[:-2]
    crest = face[:, 1] - size * np.sin(np.linspace(0, np.pi, len(face)) * rng.uniform(0.8, 1.2)) ** 2
    outline = np.concatenate([np.stack([face[:, 0], crest], 1), np.stack([face[::-1, 0], face[::-1, 1] + 0.1], 1)])
    c.paint(c.cover([outline]), sea * 0.85 + (0.0, 0.06, 0.06))
    n = 130
    at = rng.integers(0, len(face), n)
    foam = (
        face[at, 0] + rng.normal(0, 0.02, n),
        crest[at] + rng.uniform(-0.4, 0.9, n) * size * 0.45,
        size * rng.uniform(0.1, 0.26, n),
    )
    puff(c, foam, (0.74, 0.82, 0.86), WHITE, 0.008)
    k = 70
    at = rng.integers(0, len(face), k)
    c.paint(
        c.cover(discs(face[at, 0], crest[at] - size * rng.exponential(0.5, k), size * rng.uniform(0.01, 0.05, k))),
        WHITE,
    )


def splashing_water(c: Canvas, rng: Rng, drawn: bool) -> None:
    """The sea that breaks and throws up spray, or a crown of water seen from near."""
    sea = pick(rng, (0.1, 0.32, 0.42), (0.08, 0.24, 0.36), (0.2, 0.4, 0.42), (0.2, 0.28, 0.33))
    level, close = rng.uniform(0.3, 0.55), rng.random() < 0.3
    if drawn and close:
        c.gradient(sea * 1.6, sea * 1.1, sea * 0.7)
        water(c, rng, rng.uniform(-0.1, 0.3), sea * 0.7, sea * 1.7, 0.5)
    elif drawn:
        c.gradient(
            pick(rng, (0.45, 0.65, 0.88), (0.65, 0.7, 0.76), (0.5, 0.55, 0.65)),
            pick(rng, (0.85, 0.88, 0.9), (0.95, 0.82, 0.7)),
        )
        water(c, rng, level, sea * 0.85, sea * 1.5, 0.6)
    else:
        level = rng.uniform(0.5, 0.68)
        water(c, rng, level, sea * 0.85, sea * 1.5, 0.6)
    if close:
        return _crown(c, rng, rng.uniform(0.35, 0.65) * c.aspect, rng.uniform(0.62, 0.78), rng.uniform(0.13, 0.24))
    for k in range(int(rng.integers(1, 4))):
        _breaker(c, rng, level + 0.14 + 0.2 * k, rng.uniform(0.07, 0.13) + 0.05 * k, sea)
    if rng.random() < 0.85:
        x, y = rng.uniform(0.2, 0.8) * c.aspect, rng.uniform(0.72, 0.92)
        if rng.random() < 0.6:
            rocks(c, rng, y - 0.03, 0.1, (0.2, 0.18, 0.17), 3)
        _burst(c, rng, x, y, rng.uniform(0.3, 0.55))
    n = 40
    foam = rng.uniform(0, c.aspect, n), rng.uniform(0.86, 1.0, n), rng.uniform(0.015, 0.06, n)
    return c.paint(c.blur(c.cover(discs(*foam, 0.35)), 0.006), WHITE, 0.8)
