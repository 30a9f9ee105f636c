"""Drawn views from under water."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Field
from .scenery import pick, rocks
from .shapes import Rng, discs, ribbon, skyline, strokes


def _bubbles(c: Canvas, rng: Rng) -> None:
    """Columns of bubbles that widen as they rise: a rim, a pale body, a highlight."""
    x, y, r = [], [], []
    for _ in range(int(rng.integers(2, 6))):
        n, foot, at = int(rng.integers(14, 40)), rng.uniform(0.6, 1.05), rng.uniform(0.1, 0.9) * c.aspect
        up = rng.uniform(0, 1, n)
        x.append(at + rng.normal(0, 0.03, n) + 0.09 * up * rng.normal(0, 1, n))
        y.append(foot - up * foot)
        r.append(0.005 + 0.03 * up * rng.uniform(0.1, 1, n) ** 2)
    x, y, r = np.concatenate(x), np.concatenate(y), np.concatenate(r)
    rim = c.cover(discs(x, y, r * 1.1)) - 0.8 * c.cover(discs(x, y, r * 0.78))
    c.paint(c.cover(discs(x, y, r)), (0.6, 0.9, 0.95), 0.3)
    c.paint(np.clip(rim, 0, 1), (0.86, 0.98, 1.0), 0.85)
    c.light(c.cover(discs(x - 0.35 * r, y - 0.35 * r, 0.3 * r)), (1.0, 1.0, 1.0))


def _fish(c: Canvas, rng: Rng, count: int, colour: Field) -> None:
    """A shoal of small fish that swim one way."""
    way = rng.choice([-1, 1])
    x, y = (
        rng.uniform(0.1, 0.9) * c.aspect + rng.normal(0, 0.16, count),
        rng.uniform(0.3, 0.7) + rng.normal(0, 0.07, count),
    )
    s = rng.uniform(0.015, 0.035, count)
    c.paint(c.cover(discs(x, y, s, 0.4)), colour)
    c.paint(c.cover(strokes(x - way * 0.8 * s, y, -way * 0.9 * s, 0, 0.2 * s, 4.0)), colour)


def underwater_bubbling(c: Canvas, rng: Rng, drawn: bool) -> None:
    """Blue-green depth, shafts of light from above, bubbles, weed, fish, sometimes a bottom of sand."""
    deep = pick(rng, (0.02, 0.16, 0.3), (0.02, 0.24, 0.3), (0.03, 0.12, 0.36), (0.04, 0.26, 0.24))
    pale = np.clip(deep * 2 + pick(rng, (0.1, 0.4, 0.45), (0.15, 0.5, 0.5)), 0, 1)
    if drawn:
        c.gradient(pale, deep * 1.4 + 0.05, deep * 0.8)
        if rng.random() < 0.55:
            bottom = rng.uniform(0.78, 0.92)
            c.paint(c.cover([skyline(rng, c.aspect, bottom, 0.03)]), deep + np.array([0.16, 0.2, 0.14]))
            net = 1 - np.abs(c.grain(rng, 1.5, (1.6, 0.6)))
            c.light(np.clip(net - 0.6, 0, 1) * np.clip((c.y - bottom) * 8, 0, 1), (0.6, 0.7, 0.6))
            rocks(c, rng, bottom + 0.05, 0.07, deep + np.array([0.08, 0.06, 0.04]), int(rng.integers(1, 6)))
    else:
        c.rgb = c.blur(c.rgb, rng.uniform(0.006, 0.015))
        c.tone(0.75, 0.9)
        depth = np.clip(c.y, 0, 1)[..., None]
        c.rgb = c.rgb * (pale + (deep - pale) * depth) * 1.2 + 0.45 * (pale + (deep * 0.7 - pale) * depth)
    sun = rng.uniform(-0.2, 1.2) * c.aspect
    x = rng.uniform(0, c.aspect, 9)
    shafts = strokes(x, np.full(9, -0.05), (x - sun) * 0.35, rng.uniform(0.5, 1.1, 9), rng.uniform(0.02, 0.07, 9), 2.5)
    fade = np.clip(1 - c.y, 0, 1)
    c.light(c.blur(c.cover(shafts, rng.uniform(0.3, 1, 9)), 0.015) * fade * 0.5, (0.7, 1.0, 1.0))
    c.light(np.exp(-c.y / 0.08) * np.clip(0.5 + 0.4 * c.grain(rng, 1.3, (2.5, 0.7)), 0, 1), (0.5, 0.6, 0.6))
    for x in rng.uniform(0, c.aspect, int(rng.integers(0, 9))):
        t = np.linspace(0, 1, 14)
        tall = rng.uniform(0.25, 0.7)
        line = np.stack([x + 0.04 * np.sin(7 * t + rng.uniform(0, 6)) * t, 1.05 - tall * t], 1)
        c.paint(c.cover([ribbon(line, 0.035 * (1.1 - t))]), deep * 0.6 + (0.02, 0.08, 0.0))
    if rng.random() < 0.6:
        _fish(c, rng, int(rng.integers(4, 26)), pick(rng, (0.85, 0.55, 0.15), (0.75, 0.8, 0.82), (0.03, 0.1, 0.16)))
    _bubbles(c, rng)
