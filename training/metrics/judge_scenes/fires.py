"""Drawn fires: a camp fire, a line of fire across the land, a hearth."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Field
from .scenery import firs, hills, pick
from .shapes import Rng, discs, puff, ribbon, skyline, strokes

LAYERS = (
    (1.0, (0.62, 0.09, 0.02)),
    (0.82, (0.93, 0.3, 0.04)),
    (0.6, (1.0, 0.6, 0.12)),
    (0.36, (1.0, 0.88, 0.45)),
)
"""Size and colour of the sheaths of a flame, from the outside."""


def _tongues(rng: Rng, x: Field, y: Field, high: Field, wide: Field) -> list[tuple[Field, Field]]:
    """Spines [15,2], from the foot to the tip, and widths [15] of flames."""
    t = np.linspace(0, 1, 15)
    found = []
    for px, py, h, w in zip(x, y, high, wide, strict=True):
        sway = w * (0.55 * np.sin(rng.uniform(3, 6) * t + rng.uniform(0, 6.28)) * t + rng.normal(0, 0.45) * t * t)
        body = np.sin(np.pi * np.clip(0.2 + 0.8 * t**0.75, 0, 1)) * (1 - 0.35 * t)
        found.append((np.stack([px + sway, py - h * t], 1), w * body))
    return found


def flames(c: Canvas, rng: Rng, x: Field, y: Field, high: Field, wide: Field) -> Field:
    """Paint flames that stand at (x, y); where they are [H,W]."""
    spines, whole = _tongues(rng, x, y, high, wide), np.zeros((c.h, c.w), np.float32)
    for size, colour in LAYERS:
        parts = [ribbon(foot + (line - foot) * (1, size), width * size) for line, width in spines for foot in line[:1]]
        mask = c.blur(c.cover(parts), 0.006)
        whole = np.maximum(whole, mask)
        c.paint(mask, colour, 0.93)
    return whole


def _sparks(c: Canvas, rng: Rng, x: tuple[float, float], y: float, count: int) -> None:
    """Short glowing lines that rise."""
    up = rng.exponential(0.25, count)
    at = rng.uniform(*x, count) + rng.normal(0, 0.15, count) * up
    long = rng.uniform(0.006, 0.025, count)
    c.light(c.cover(strokes(at, y - up, rng.normal(0, 0.5, count) * long, -long, 0.005)), (1.0, 0.65, 0.2))


def _campfire(c: Canvas, rng: Rng) -> Field:
    """Crossed logs and the fire on them."""
    x, y, s = rng.uniform(0.35, 0.65) * c.aspect, rng.uniform(0.78, 0.9), rng.uniform(0.7, 1.2)
    n = 9
    foot = x + s * rng.normal(0, 0.08, n)
    near = np.exp(-(((foot - x) / (0.12 * s)) ** 2))
    logs = strokes(x + s * np.array([-0.24, 0.24, -0.18]), y + s * np.array([0.05, 0.06, 0.0]),
                   s * np.array([0.44, -0.42, 0.38]), s * np.array([-0.08, -0.1, 0.05]), 0.055 * s, 0.85)  # fmt: skip
    c.paint(c.cover(logs), (0.16, 0.08, 0.05))
    whole = flames(c, rng, foot, np.full(n, y), s * (0.14 + 0.42 * near) * rng.uniform(0.7, 1.2, n),
                   s * rng.uniform(0.09, 0.17, n))  # fmt: skip
    c.paint(c.cover(logs[:1]), (0.22, 0.1, 0.06))
    ember = discs(x + s * rng.normal(0, 0.1, 30), y + s * rng.uniform(-0.01, 0.06, 30), 0.012 * s)
    c.light(c.cover(ember), (0.9, 0.3, 0.05))
    _sparks(c, rng, (x - 0.12 * s, x + 0.12 * s), y - 0.2 * s, int(rng.integers(15, 60)))
    return whole


def _front(c: Canvas, rng: Rng, drawn: bool) -> Field:
    """A line of fire across the land, smoke over it, trees before it."""
    y, n = rng.uniform(0.7, 0.97), int(rng.integers(14, 30))
    x = rng.uniform(-0.05, c.aspect + 0.05, n)
    m = 40
    up = rng.uniform(0.1, 0.95, m)
    puff(
        c,
        (rng.uniform(0, c.aspect, m) + 0.2 * up, y - up, 0.06 + 0.12 * up),
        (0.1, 0.06, 0.06),
        (0.42, 0.24, 0.16),
        0.025,
    )
    whole = flames(c, rng, x, y + rng.normal(0, 0.02, n), rng.uniform(0.12, 0.5, n), rng.uniform(0.07, 0.2, n))
    if drawn:
        c.paint(c.cover([skyline(rng, c.aspect, y + 0.01, 0.02)]), (0.07, 0.04, 0.03))
        firs(c, rng, y + 0.03, (0.05, 0.03, 0.02), int(rng.integers(3, 12)), 0.45)
    _sparks(c, rng, (0, c.aspect), y - 0.15, 60)
    return whole


def _hearth(c: Canvas, rng: Rng) -> Field:
    """A fire that fills the picture, between the stones of a hearth."""
    n, low = 13, rng.uniform(0.88, 1.0)
    x = np.linspace(0.12, 0.88, n) * c.aspect + rng.normal(0, 0.03, n)
    logs = strokes(rng.uniform(0, 0.4, 3) * c.aspect, low - 0.03, 0.5 * c.aspect, rng.normal(0, 0.05, 3), 0.1)
    c.paint(c.cover(logs), (0.13, 0.06, 0.04))
    whole = flames(c, rng, x, np.full(n, low), rng.uniform(0.35, 0.85, n), rng.uniform(0.12, 0.24, n))
    if rng.random() < 0.6:
        stone, wide = pick(rng, (0.32, 0.17, 0.12), (0.3, 0.27, 0.24)), 0.11
        rows = np.arange(0, 1.1, 0.1)
        for x0 in (0.0, c.aspect - wide):
            bricks = strokes(np.full(len(rows), x0), rows, wide, 0, 0.085)
            c.paint(c.cover(bricks), stone)
        c.paint(c.cover(strokes(np.arange(0, c.aspect, 0.22), 0.045, 0.2, 0, 0.085)), stone)
    return whole


def fire_crackling(c: Canvas, rng: Rng, drawn: bool) -> None:
    """Flames, embers, sparks and the warm light that they throw on a dark place."""
    if drawn:
        night = pick(rng, (0.06, 0.06, 0.12), (0.1, 0.06, 0.05), (0.04, 0.06, 0.08), spread=0.02)
        c.gradient(night, night * 1.6, night * 1.2 + (0.06, 0.03, 0.0))
        hills(c, rng, 0.62, night * 0.6 + (0.03, 0.015, 0), night * 1.2, 0.06)
        if rng.random() < 0.5:
            firs(c, rng, 0.68, night * 0.5, 14, 0.4)
    else:
        c.tone(rng.uniform(0.2, 0.6), rng.uniform(0.25, 0.55), (1.15, 0.85, 0.7))
    kind = rng.random()
    before = c.rgb.copy()
    whole = _campfire(c, rng) if kind < 0.45 else _front(c, rng, drawn) if kind < 0.75 or not drawn else _hearth(c, rng)
    shine = c.blur(whole, 0.16) * 0.8 + c.blur(whole, 0.05) * 0.5
    c.rgb = np.clip(c.rgb + before * shine[..., None] * np.array([2.6, 1.2, 0.5], np.float32), 0, 1)
    c.light(shine * 0.5, (0.9, 0.35, 0.08))
