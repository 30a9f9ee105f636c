"""Drawn waterfalls: white water over a face of rock."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Field
from .scenery import crowns, firs, pick, rocks, water
from .shapes import Rng, blob, broken, discs, puff, ribbon, skyline, strokes

WHITE = (0.95, 0.97, 1.0)


def _curtain(c: Canvas, rng: Rng, x: float, top: float, foot: float, wide: float) -> None:
    """Falling water: a pale sheet that widens, of many strands that run down it, and spray where it lands."""
    t = np.linspace(0, 1, 12)
    spread = wide * (0.75 + 0.35 * t)
    edge = np.cumsum(rng.normal(0, 0.008, (2, 12)), 1)
    left, right = (
        np.stack([x - spread / 2 + edge[0], top + (foot - top) * t], 1),
        np.stack([x + spread / 2 + edge[1], top + (foot - top) * t], 1),
    )
    sheet = c.cover([np.concatenate([left, right[::-1]])])
    c.paint(c.blur(sheet, 0.006), (0.74, 0.82, 0.88), 0.9)
    for colour, share, strong in (((0.5, 0.6, 0.68), 0.4, 0.5), (WHITE, 1.0, 0.9)):
        n = int(220 * wide * share) + 14
        at, begin = rng.uniform(-0.48, 0.48, n), rng.uniform(0, 0.9, n) ** 1.3 - 0.06
        long = rng.uniform(0.15, 0.6, n) * (foot - top)
        marks = strokes(
            x + at * wide * (0.8 + 0.3 * begin), top + begin * (foot - top), at * wide * 0.12, long, 0.008, 1.4
        )
        c.paint(c.cover(marks, rng.uniform(0.4, 1, n)) * np.clip(c.blur(sheet, 0.01) * 1.6, 0, 1), colour, strong)
    n = 34
    spray = x + rng.normal(0, 0.5, n) * wide, foot - np.abs(rng.normal(0, 0.04, n)), rng.uniform(0.02, 0.06, n)
    puff(c, spray, (0.8, 0.86, 0.9), WHITE, 0.02)
    c.light(c.blur(c.cover(discs(x, foot, 0.6 * wide, 0.4)), 0.05), (0.5, 0.53, 0.56))


def _wall(c: Canvas, rng: Rng, lip: float, foot: float, stone: Field) -> None:
    """A face of rock with cracks and ledges, from its lip down to the water."""
    c.paint(
        c.cover([skyline(rng, c.aspect, lip, 0.03)]),
        np.clip(stone * (1 + 0.22 * c.grain(rng, 1.1, (0.6, 1.6)))[..., None], 0, 1),
    )
    for _ in range(26):
        x, y, r = rng.uniform(0, c.aspect), rng.uniform(lip, foot), rng.uniform(0.03, 0.1)
        c.paint(c.cover([blob(rng, x, y, r, 1.6, 0.25, 8)]), stone * rng.uniform(0.5, 1.4), 0.6)
    cracks = [
        ribbon(broken(rng, (x, y), (x + rng.normal(0, 0.04), y + rng.uniform(0.08, 0.25)), 0.08, 4), 0.007)
        for x, y in zip(rng.uniform(0, c.aspect, 22), rng.uniform(lip, foot, 22), strict=True)
    ]
    c.paint(c.cover(cracks), stone * 0.35, 0.8)


def waterfall_burbling(c: Canvas, rng: Rng, drawn: bool) -> None:
    """White water over a face of rock into a pool: one fall, several beside one another, or steps."""
    lip, foot = rng.uniform(0.12, 0.3), rng.uniform(0.72, 0.86)
    green = pick(rng, (0.16, 0.3, 0.12), (0.22, 0.33, 0.14), (0.1, 0.22, 0.12))
    pool = pick(rng, (0.2, 0.36, 0.38), (0.16, 0.26, 0.3), (0.28, 0.42, 0.44))
    stone = pick(rng, (0.34, 0.32, 0.29), (0.24, 0.24, 0.24), (0.42, 0.35, 0.28))
    middle = c.aspect / 2
    if drawn:
        c.gradient(pick(rng, (0.55, 0.7, 0.85), (0.75, 0.8, 0.84)), (0.85, 0.89, 0.9))
        firs(c, rng, lip + 0.02, green * 0.8, 18, 0.2)
        _wall(c, rng, lip, foot, stone)
    else:
        seen = np.clip(c.rgb[: c.h // 2].mean((0, 1)) * 0.35 + stone * 0.5, 0, 1)
        middle, half = rng.uniform(0.35, 0.65) * c.aspect, rng.uniform(0.3, 0.55)
        face = c.cover([blob(rng, middle, 0.52, half, 1.05, 0.1, 26)])
        c.paint(c.blur(face, 0.01), np.clip(seen * (1 + 0.25 * c.grain(rng, 1.1, (0.6, 1.6)))[..., None], 0, 1))
    kind = rng.integers(3)
    if drawn:
        middle = rng.uniform(0.3, 0.7) * c.aspect
    if kind == 0:
        _curtain(c, rng, middle, lip, foot, rng.uniform(0.12, 0.3))
    elif kind == 1:
        for k in range(int(rng.integers(2, 5))):
            _curtain(c, rng, middle + 0.28 * (k - 1), lip + rng.uniform(-0.02, 0.08), foot, rng.uniform(0.08, 0.24))
    else:
        steps = int(rng.integers(2, 4))
        for k in range(steps):
            y0, y1 = lip + (foot - lip) * k / steps, lip + (foot - lip) * (k + 1) / steps
            _curtain(c, rng, middle + rng.normal(0, 0.06), y0, y1, rng.uniform(0.16, 0.26) + 0.12 * k)
    water(c, rng, foot, pool * 0.7, pool * 1.4, 0.55)
    c.paint(c.blur(c.cover(discs(middle, foot + 0.02, rng.uniform(0.25, 0.45), 0.16)), 0.02), WHITE, 0.85)
    rocks(c, rng, 0.93, 0.07, stone * 0.8, int(rng.integers(3, 9)))
    for x in rng.choice([0.02, 0.1, 0.9, 0.98], 3 if drawn else 1) * c.aspect:
        crowns(c, rng, x, rng.uniform(0.5, 0.95), rng.uniform(0.08, 0.2), green * 0.5, green * 1.6)
