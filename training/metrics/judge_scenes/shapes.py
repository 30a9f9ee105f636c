"""Outlines for the canvas: discs, strokes, ribbons, broken lines, skylines, piles of balls."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .canvas import Canvas, Colour, Field

Rng = np.random.Generator


def discs(x: npt.ArrayLike, y: npt.ArrayLike, r: npt.ArrayLike, flat: float = 1.0, sides: int = 14) -> Field:
    """Discs [N,sides,2] about (x, y) [N]; flat: height over width."""
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    x, y, r = (np.atleast_1d(np.asarray(v, np.float32))[:, None] for v in (x, y, r))
    return np.stack([x + r * np.cos(turn), y + flat * r * np.sin(turn)], 2).astype(np.float32)


def strokes(
    x: npt.ArrayLike, y: npt.ArrayLike, dx: npt.ArrayLike, dy: npt.ArrayLike, width: npt.ArrayLike, tip: float = 1.0
) -> Field:
    """Straight strokes [N,4,2] from (x, y) by (dx, dy), all [N]; tip: width at the end over that at the start."""
    x, y, dx, dy, width = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(v, np.float32)) for v in (x, y, dx, dy, width))
    )
    length = np.hypot(dx, dy) + 1e-6
    across = np.stack([-dy / length, dx / length], 1) * width[:, None] / 2
    a = np.stack([x, y], 1)
    b = a + np.stack([dx, dy], 1)
    return np.stack([a + across, b + across * tip, b - across * tip, a - across], 1).astype(np.float32)


def ribbon(line: Field, width: npt.ArrayLike) -> Field:
    """The outline [2K,2] of a line [K,2] of some width, a number or [K]."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-6
    across = np.stack([-along[:, 1], along[:, 0]], 1) * np.broadcast_to(width, len(line))[:, None] / 2
    return np.concatenate([line + across, (line - across)[::-1]]).astype(np.float32)


def broken(rng: Rng, a: tuple[float, float], b: tuple[float, float], rough: float, depth: int = 5) -> Field:
    """A line [2^depth + 1, 2] from a to b whose middles are displaced again and again, by `rough` of its length."""
    line = np.array([a, b])
    for _ in range(depth):
        step = np.diff(line, axis=0)
        across = np.stack([-step[:, 1], step[:, 0]], 1) * rng.normal(0, rough, (len(step), 1))
        middle = (line[1:] + line[:-1]) / 2 + across
        line = np.insert(line, np.arange(1, len(line)), middle, axis=0)
    return line


def skyline(rng: Rng, aspect: float, level: float, relief: float, rough: float = 0.5) -> Field:
    """A ridge across the picture at about `level`, closed below the lower edge [K,2]; relief: height of its peaks."""
    heights = np.array([0.0, 0.0])
    size = relief
    for _ in range(6):
        middle = (heights[1:] + heights[:-1]) / 2 + rng.normal(0, size, len(heights) - 1)
        heights = np.insert(heights, np.arange(1, len(heights)), middle)
        size *= rough
    x = np.linspace(-0.05, aspect + 0.05, len(heights))
    top = np.stack([x, level - heights], 1)
    return np.concatenate([top, [[aspect + 0.05, 1.2], [-0.05, 1.2]]])


def blob(rng: Rng, x: float, y: float, r: float, flat: float = 1.0, rough: float = 0.18, sides: int = 22) -> Field:
    """An uneven round outline [sides,2]."""
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    waves = sum(rng.normal(0, rough / k) * np.sin(k * turn + rng.uniform(0, 6.28)) for k in range(2, 6))
    return np.stack([x + r * (1 + waves) * np.cos(turn), y + flat * r * (1 + waves) * np.sin(turn)], 1)


def pile(c: Canvas, x: Field, y: Field, r: Field, sun: tuple[float, float] = (-0.5, -0.8)) -> tuple[Field, Field]:
    """Balls lying before one another, as clouds, smoke or foliage are: mask and brightness, [H,W] in 0..1."""
    mask, bright = np.zeros((c.h, c.w), np.float32), np.zeros((c.h, c.w), np.float32)
    for px, py, pr in zip(x, y, r, strict=True):
        top, bottom = (int(np.clip((py + s * pr) * c.h + k, 0, c.h)) for s, k in ((-1, 0), (1, 1)))
        left, right = (int(np.clip((px + s * pr) * c.h + k, 0, c.w)) for s, k in ((-1, 0), (1, 1)))
        dx, dy = (c.x[:, left:right] - px) / pr, (c.y[top:bottom] - py) / pr
        high = 1 - dx * dx - dy * dy
        inside = np.clip(high * pr * c.h * 0.5, 0, 1)
        lit = np.clip(0.45 + 0.55 * (sun[0] * dx + sun[1] * dy) + 0.25 * np.clip(high, 0, 1), 0, 1)
        part = slice(top, bottom), slice(left, right)
        mask[part] = np.maximum(mask[part], inside)
        bright[part] += inside * (lit - bright[part])
    return mask, bright


def puff(c: Canvas, balls: tuple[Field, Field, Field], dark: Colour, pale: Colour, soft: float = 0.006) -> None:
    """Paint a pile of balls (x, y, r), dark where it lies in shadow and pale where the sun is."""
    mask, bright = pile(c, *balls)
    a, b = np.asarray(dark, np.float32), np.asarray(pale, np.float32)
    c.paint(c.blur(mask, soft), a + (b - a) * c.blur(bright, soft)[..., None])
