"""What several drawn pictures share: skies, hills, trees, water surfaces, haze."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Colour, Field
from .shapes import Rng, blob, discs, puff, skyline, strokes


def pick(rng: Rng, *colours: tuple[float, float, float], spread: float = 0.03) -> Field:
    """One of the colours [3], not quite the same each time."""
    return np.clip(np.array(colours[rng.integers(len(colours))]) + rng.normal(0, spread, 3), 0, 1).astype(np.float32)


def hills(c: Canvas, rng: Rng, level: float, near: Colour, far: Colour, relief: float = 0.1) -> None:
    """Ridges one behind another down to the lower edge, the far ones in the colour `far`."""
    count = int(rng.integers(2, 5))
    for k in range(count):
        share = (k + 1) / count
        colour = np.asarray(far) + (np.asarray(near) - np.asarray(far)) * share
        mask = c.cover([skyline(rng, c.aspect, level + 0.5 * (1 - level) * k / count, relief * (1.2 - share), 0.55)])
        shade = 1 + 0.12 * c.grain(rng, 1.2, (1.5, 1.0))
        c.paint(mask, np.clip(colour * shade[..., None], 0, 1))


def firs(c: Canvas, rng: Rng, level: float, colour: Colour, count: int, high: float = 0.16) -> None:
    """Conifers that stand about a level."""
    for x in rng.uniform(0, c.aspect, count):
        y, h = level + rng.uniform(-0.02, 0.04), high * rng.uniform(0.5, 1.2)
        parts = [
            np.array([[x - h * s, y - h * (t - 0.45)], [x, y - h * t], [x + h * s, y - h * (t - 0.45)]])
            for s, t in ((0.3, 0.55), (0.22, 0.8), (0.14, 1.0))
        ]
        c.paint(c.cover(parts), colour)


def crowns(c: Canvas, rng: Rng, x: float, y: float, size: float, dark: Colour, pale: Colour) -> None:
    """A bush or the crown of a tree: a pile of small balls."""
    n = 26
    turn, way = rng.uniform(0, 6.28, n), size * np.sqrt(rng.uniform(0, 1, n))
    puff(c, (x + way * np.cos(turn), y + 0.7 * way * np.sin(turn), size * rng.uniform(0.18, 0.4, n)), dark, pale, 0.004)


def water(c: Canvas, rng: Rng, level: float, near: Colour, far: Colour, choppy: float = 0.5) -> None:
    """Water from a level to the lower edge, with short light and dark strokes that grow towards the eye."""
    depth = np.clip((c.y - level) / (1 - level), 0, 1)[..., None]
    c.paint((c.y > level) * np.ones_like(c.x), np.asarray(far) + (np.asarray(near) - np.asarray(far)) * depth)
    for sign in (1, -1):
        n = 130
        t = rng.uniform(0.01, 1, n) ** 1.6
        y, long = level + (1 - level) * t, (0.02 + 0.16 * t) * rng.uniform(0.4, 1.3, n)
        marks = discs(rng.uniform(0, c.aspect, n), y, long / 2, 0.12, 8)
        mask = c.cover(marks, choppy * rng.uniform(0.2, 1, n))
        c.paint(mask, np.asarray(far) * 1.25 + 0.12 if sign > 0 else np.asarray(near) * 0.6, 0.7)


def rocks(c: Canvas, rng: Rng, y: float, size: float, colour: Colour, count: int) -> None:
    """Boulders with a lit upper side, near the height y."""
    for x in rng.uniform(0, c.aspect, count):
        r, at = size * rng.uniform(0.5, 1.3), y + rng.uniform(-0.3, 0.5) * size
        c.paint(c.cover([blob(rng, x, at, r, 0.7, 0.12, 11)]), np.asarray(colour) * 0.6)
        c.paint(c.cover([blob(rng, x - 0.1 * r, at - 0.16 * r, 0.72 * r, 0.55, 0.14, 9)]), np.asarray(colour) * 1.15)


def grass(
    c: Canvas, rng: Rng, y: tuple[float, float], high: float, lean: float, colours: tuple[Colour, ...], count: int
) -> None:
    """Blades that stand between two heights, bent by `lean` (sideways over upwards)."""
    for colour in colours:
        n = count // len(colours)
        x, foot = rng.uniform(-0.1, c.aspect + 0.1, n), rng.uniform(*y, n)
        tall = high * rng.uniform(0.5, 1.2, n)
        bent = tall * lean * rng.uniform(0.6, 1.3, n)
        lower = strokes(x, foot, 0.3 * bent, -0.55 * tall, 0.012 * high / 0.2, 0.7)
        upper = strokes(x + 0.3 * bent, foot - 0.55 * tall, 0.7 * bent, -0.4 * tall, 0.009 * high / 0.2, 0.1)
        c.paint(c.cover(np.concatenate([lower, upper])), colour)


def haze(c: Canvas, rng: Rng, colour: Colour, amount: float, level: float = 0.5, spread: float = 0.3) -> None:
    """Mist about a level, thicker and thinner in places."""
    veil = np.exp(-(((c.y - level) / spread) ** 2)) * np.clip(0.75 + 0.25 * c.grain(rng, 1.8, (2.0, 1.0)), 0, 1.2)
    c.paint(veil, colour, amount)
