"""Drawn volcanoes: a cone, its ash, fountains and streams of lava, crust with glowing cracks."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Field
from .scenery import pick
from .shapes import Rng, broken, puff, ribbon, skyline, strokes


def _cone(rng: Rng, aspect: float, foot: float) -> tuple[Field, float, float, float]:
    """Outline of a volcano, and x, y and width of its crater."""
    x, top, mouth = rng.uniform(0.22, 0.78) * aspect, rng.uniform(0.28, 0.52), rng.uniform(0.07, 0.13)
    t = np.linspace(0, 1, 16)
    half = mouth / 2 + rng.uniform(0.5, 0.75) * t**1.35
    rough = rng.normal(0, 0.008, (2, 16))
    left, right = np.stack([x - half, top + (foot - top) * t], 1), np.stack([x + half, top + (foot - top) * t], 1)
    left[:, 0] += rough[0]
    right[:, 0] += rough[1]
    dip = np.array([[x, top + 0.02]])
    return np.concatenate([left[::-1], dip, right]), x, top, mouth


def _lava(c: Canvas, lines: list[Field]) -> None:
    """Glowing rock where the outlines are: red at the rims, yellow within, light around it."""
    mask = c.cover(lines)
    c.light(c.blur(mask, 0.05), (1.1, 0.25, 0.05))
    c.paint(mask, (0.93, 0.22, 0.03))
    c.paint(np.clip(c.blur(mask, 0.012) * 2.2 - 1.1, 0, 1), (1.0, 0.68, 0.15))


def _fountain(c: Canvas, rng: Rng, x: float, y: float, strong: float) -> None:
    """Molten rock thrown out of the crater along parabolas."""
    n = 260
    vx, vy, t = rng.normal(0, 0.16, n) * strong, rng.uniform(0.4, 1.25, n) * strong, rng.uniform(0.05, 0.9, n)
    px, py, fall = x + vx * t, y - vy * t + 0.62 * t * t, -vy + 1.24 * t
    alive = py < y + 0.25
    marks = strokes(px, py, 0.03 * vx, 0.03 * fall, rng.uniform(0.006, 0.016, n))[alive]
    mask = c.cover(marks)
    c.light(c.blur(mask, 0.04) * 2, (1.0, 0.28, 0.05))
    c.paint(mask, (1.0, 0.5, 0.1))
    c.paint(c.cover(marks[::3]), (1.0, 0.85, 0.4))


def _ash(c: Canvas, rng: Rng, x: float, y: float, lean: float, glow: float) -> None:
    """A column of ash that widens and leans with the wind, lit from below."""
    t = np.sort(rng.uniform(0, 1, 70))[::-1]
    r = 0.04 + 0.15 * t
    balls = x + lean * t * t + rng.normal(0, 0.4, 70) * r, y + 0.02 - (y + 0.15) * t, r * rng.uniform(0.6, 1.1, 70)
    pale = np.array([0.5, 0.46, 0.44]) * rng.uniform(0.6, 1.2)
    puff(c, balls, pale * 0.35, pale, 0.006)
    lit = np.exp(-((c.x - x) ** 2 + (c.y - y) ** 2) / 0.03)
    c.light(lit * glow, (1.0, 0.35, 0.1))


def _field(c: Canvas, rng: Rng, level: float) -> None:
    """Black crust in the foreground with glowing cracks and a stream."""
    c.paint(c.cover([skyline(rng, c.aspect, level, 0.02)]), (0.09, 0.07, 0.07))
    cracks = []
    for _ in range(int(rng.integers(5, 11))):
        y = level + (1 - level) * rng.uniform(0.1, 1)
        x = rng.uniform(0, c.aspect)
        line = broken(rng, (x, y), (x + rng.normal(0, 0.35), y + rng.uniform(0.02, 0.25)), 0.16)
        cracks.append(ribbon(line, rng.uniform(0.008, 0.035) * (y - level + 0.1) * 2))
    if rng.random() < 0.6:
        stream = broken(rng, (rng.uniform(0.3, 0.7) * c.aspect, level), (rng.uniform(0, 1) * c.aspect, 1.1), 0.09)
        cracks.append(ribbon(stream, np.linspace(0.02, 0.22, len(stream))))
    _lava(c, cracks)


def volcano_eruption(c: Canvas, rng: Rng, drawn: bool) -> None:
    """A cone with an ash column, lava on its flanks and a fountain above it; crust with glowing cracks before it."""
    foot, day = rng.uniform(0.75, 0.95), rng.random() < 0.35
    if drawn and day:
        c.gradient((0.42, 0.5, 0.6), pick(rng, (0.72, 0.7, 0.68), (0.8, 0.62, 0.5)))
    elif drawn:
        c.gradient((0.06, 0.04, 0.08), pick(rng, (0.4, 0.1, 0.06), (0.22, 0.08, 0.12)))
    else:
        c.tone(rng.uniform(0.4, 0.7), 0.7 if day else rng.uniform(0.3, 0.5), (1.12, 0.88, 0.8))
    if drawn and rng.random() < 0.2:
        return _field(c, rng, rng.uniform(0.15, 0.45))
    outline, x, top, mouth = _cone(rng, c.aspect, foot)
    _ash(c, rng, x, top, rng.normal(0, 0.4), 0.5 if day else 1.0)
    rock = pick(rng, (0.17, 0.14, 0.14), (0.22, 0.17, 0.15), (0.12, 0.1, 0.12)) * (1.3 if day else 0.8)
    c.paint(c.cover([outline]), np.clip(rock * (1 + 0.25 * c.grain(rng, 1.2))[..., None], 0, 1))
    streams = []
    for _ in range(int(rng.integers(2, 6))):
        side = rng.normal(0, 0.3)
        line = broken(rng, (x + side * mouth, top + 0.02), (x + side, top + (foot - top) * rng.uniform(0.5, 1)), 0.06)
        streams.append(ribbon(line, np.linspace(0.02, rng.uniform(0.015, 0.05), len(line))))
    _lava(c, streams)
    if rng.random() < 0.8:
        _fountain(c, rng, x, top + 0.02, rng.uniform(0.6, 1.1))
    if drawn or rng.random() < 0.6:
        _field(c, rng, foot - 0.02)
    return None
