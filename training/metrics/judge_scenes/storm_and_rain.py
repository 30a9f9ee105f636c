"""Drawn thunderstorms and rain."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Field
from .scenery import firs, haze, hills, pick, water
from .shapes import Rng, broken, discs, puff, ribbon, skyline, strokes


def _clouds(c: Canvas, rng: Rng, mood: Field, low: float, rows: int) -> None:
    """A dark ceiling of clouds whose underside hangs down to about `low`."""
    veil = np.clip((low - c.y) / 0.25, 0, 1) * np.ones_like(c.x)
    c.paint(veil, mood * 0.7, 0.9)
    for k in range(rows):
        n = 26
        y = low * (k + 0.2) / rows + rng.uniform(-0.08, 0.05, n)
        balls = rng.uniform(-0.1, c.aspect + 0.1, n), y, rng.uniform(0.05, 0.15, n)
        puff(c, balls, mood * rng.uniform(0.35, 0.6), mood * rng.uniform(1.2, 2.0), 0.014)


def _bolt(c: Canvas, rng: Rng, top: float, foot: float) -> None:
    """Lightning from a height to another: a broken trunk, forks that thin out, and the light around it."""
    x = rng.uniform(0.12, 0.88) * c.aspect
    trunk = broken(rng, (x, top), (x + rng.normal(0, 0.15), foot), 0.11)
    lines = [ribbon(trunk, np.linspace(rng.uniform(0.011, 0.018), 0.006, len(trunk)))]
    for _ in range(int(rng.integers(2, 7))):
        at = trunk[rng.integers(3, 26)]
        way = rng.choice([-1, 1]) * rng.uniform(0.08, 0.3)
        fork = broken(rng, (at[0], at[1]), (at[0] + way, at[1] + rng.uniform(0.08, 0.3)), 0.13, 4)
        lines.append(ribbon(fork, np.linspace(0.007, 0.003, len(fork))))
    mask = c.cover(lines)
    c.light(c.blur(mask, 0.13), (2.0, 1.9, 3.0))
    c.light(c.blur(mask, 0.025), (1.2, 1.3, 2.2))
    c.paint(np.clip(mask * 1.5, 0, 1), (1.0, 0.98, 1.0))


def thunderstorm(c: Canvas, rng: Rng, drawn: bool) -> None:
    """A dark sky, hanging clouds, forked lightning, sometimes rain below in the distance."""
    mood = pick(rng, (0.13, 0.14, 0.26), (0.2, 0.16, 0.3), (0.2, 0.25, 0.26), (0.25, 0.28, 0.33), (0.1, 0.12, 0.17))
    horizon = rng.uniform(0.66, 0.86)
    if drawn:
        c.gradient(mood * 0.6, mood * 1.2, np.clip(mood * rng.uniform(1.5, 2.4) + (0.08, 0.05, 0.0), 0, 1))
    else:
        c.tone(rng.uniform(0.4, 0.8), rng.uniform(0.3, 0.55), mood / mood.mean())
    _clouds(c, rng, mood, rng.uniform(0.3, 0.55), 3)
    if rng.random() < 0.4:
        x = rng.uniform(0, c.aspect)
        curtain = np.array([[x - 0.2, 0.35], [x + 0.2, 0.35], [x + 0.3, horizon + 0.03], [x - 0.05, horizon + 0.03]])
        c.paint(c.blur(c.cover([curtain]), 0.03), mood * 1.4, 0.5)
    for _ in range(rng.choice([1, 1, 2, 2, 3]) if rng.random() < 0.92 else 0):
        _bolt(c, rng, rng.uniform(0.05, 0.35), horizon if drawn else rng.uniform(0.55, 0.9))
    if not drawn:
        return
    kind = rng.integers(4)
    if kind == 0:
        water(c, rng, horizon, mood * 0.35, mood * 0.9, 0.35)
    elif kind == 1:
        x = np.cumsum(rng.uniform(0.05, 0.14, 30)) - 0.1
        high = rng.uniform(0.03, 0.16, 30)
        c.paint(c.cover(strokes(x, np.full(30, 1.1), np.zeros(30), horizon - 1.1 - high, 0.11)), mood * 0.25)
        lit = rng.uniform(0, c.aspect, 40), rng.uniform(horizon, 0.98, 40)
        c.light(c.cover(discs(*lit, 0.005)), (0.9, 0.7, 0.3))
    else:
        c.paint(c.cover([skyline(rng, c.aspect, horizon, 0.05)]), mood * 0.28)
        firs(c, rng, horizon + 0.03, mood * 0.2, int(rng.integers(0, 16)), 0.1)


def _drops(c: Canvas, rng: Rng, lean: float) -> None:
    """Streaks of falling water, the near ones longer, wider and brighter."""
    for n, long, wide, strong in ((260, 0.07, 0.0035, 0.4), (110, 0.14, 0.005, 0.6), (34, 0.24, 0.008, 0.65)):
        size = long * rng.uniform(0.6, 1.3, n)
        marks = strokes(rng.uniform(-0.2, c.aspect + 0.2, n), rng.uniform(-0.2, 1, n), lean * size, size, wide)
        c.paint(c.cover(marks, strong * rng.uniform(0.4, 1, n)), (0.84, 0.88, 0.93))


def _rings(c: Canvas, rng: Rng, level: float, count: int) -> None:
    """Rings and small crowns where drops meet wet ground."""
    t = rng.uniform(0.05, 1, count)
    x, y, r = (
        rng.uniform(0, c.aspect, count),
        level + (1 - level) * t,
        (0.012 + 0.05 * t) * rng.uniform(0.5, 1.2, count),
    )
    ring = np.clip(c.cover(discs(x, y, r, 0.35)) - c.cover(discs(x, y, r * 0.72, 0.33)), 0, 1)
    c.paint(ring, (0.88, 0.91, 0.95), 0.65)
    up = strokes(
        np.repeat(x, 3), np.repeat(y, 3), np.tile([-0.5, 0.05, 0.5], count) * np.repeat(r, 3), -np.repeat(r, 3), 0.004
    )
    c.paint(c.cover(up), (0.93, 0.95, 0.98), 0.7)


def _pane(c: Canvas, rng: Rng) -> None:
    """A window with drops on it, and runs of water, before whatever is there, out of focus."""
    c.rgb = c.blur(c.rgb, 0.025)
    behind = c.rgb[::-1].copy()
    n = 150
    x, y, r = rng.uniform(0, c.aspect, n), rng.uniform(0, 1, n), 0.006 + 0.022 * rng.uniform(0, 1, n) ** 3
    runs = [
        ribbon(broken(rng, (a, b), (a + rng.normal(0, 0.02), b + rng.uniform(0.15, 0.5)), 0.04, 4), 0.012)
        for a, b in zip(rng.uniform(0, c.aspect, 7), rng.uniform(-0.1, 0.6, 7), strict=True)
    ]
    c.paint(c.cover(runs), np.clip(behind * 1.15 + 0.08, 0, 1), 0.7)
    c.paint(c.cover(discs(x, y, r, 1.15)), np.clip(behind * 0.75, 0, 1), 0.9)
    c.paint(c.cover(discs(x, y + 0.3 * r, 0.75 * r)), np.clip(behind * 1.3 + 0.12, 0, 1), 0.8)
    c.light(c.cover(discs(x - 0.3 * r, y - 0.4 * r, 0.25 * r)), (0.9, 0.9, 0.9))


def _umbrella(c: Canvas, rng: Rng) -> None:
    """Somebody under an umbrella, seen from behind."""
    x, y, s = rng.uniform(0.25, 0.75) * c.aspect, rng.uniform(0.4, 0.5), rng.uniform(0.7, 1.1)
    dark = (0.1, 0.1, 0.13)
    c.paint(c.cover(strokes([x - 0.035 * s, x + 0.035 * s], y + 0.3 * s, 0, 0.22 * s, 0.04 * s, 0.8)), dark)
    c.paint(
        c.cover(strokes(x, y + 0.1 * s, 0, 0.24 * s, 0.13 * s, 1.35)), pick(rng, (0.25, 0.2, 0.2), (0.15, 0.2, 0.3))
    )
    c.paint(c.cover(discs(x, y + 0.07 * s, 0.04 * s)), dark)
    turn = np.linspace(np.pi, 2 * np.pi, 15)
    dome = np.stack([x + 0.22 * s * np.cos(turn), y + 0.04 * s + 0.17 * s * np.sin(turn)], 1)
    c.paint(c.cover([dome]), pick(rng, (0.75, 0.12, 0.12), (0.85, 0.7, 0.1), (0.12, 0.25, 0.5), (0.1, 0.1, 0.1)))


def raining(c: Canvas, rng: Rng, drawn: bool) -> None:
    """Grey and wet: streaks, rings on the ground, a street at night, an umbrella, or drops on a window."""
    grey = pick(rng, (0.5, 0.53, 0.57), (0.4, 0.44, 0.48), (0.6, 0.62, 0.63), (0.26, 0.29, 0.35), spread=0.02)
    level = rng.uniform(0.5, 0.7)
    if drawn:
        c.gradient(grey * 0.8, grey * 1.05, grey * 1.1)
        kind = rng.integers(3)
        if kind == 0:
            hills(c, rng, level - 0.1, grey * (0.5, 0.62, 0.52), grey * 0.9, 0.1)
        elif kind == 1:
            x, high = np.cumsum(rng.uniform(0.12, 0.25, 16)) - 0.15, rng.uniform(0.2, 0.5, 16)
            c.paint(c.cover(strokes(x, np.full(16, level), np.zeros(16), -high, 0.2)), grey * 0.6)
        else:
            c.paint(c.cover([skyline(rng, c.aspect, level - 0.05, 0.04)]), grey * 0.65)
            firs(c, rng, level, grey * (0.4, 0.5, 0.42), 14, 0.25)
        water(c, rng, level, grey * 0.6, grey * 0.95, 0.3)
        if kind == 1 and grey.mean() < 0.5:
            for x in rng.uniform(0, c.aspect, 5):
                lamp = c.cover(discs(x, level - 0.2, 0.012)) + 0.8 * c.cover(strokes(x, level + 0.02, 0, 0.4, 0.025))
                c.light(c.blur(lamp, 0.008) + 2 * c.blur(lamp, 0.05), pick(rng, (1.0, 0.75, 0.35), (0.9, 0.3, 0.25)))
    else:
        c.tone(rng.uniform(0.5, 0.85), rng.uniform(0.5, 0.8), (0.96, 1.0, 1.05))
        haze(c, rng, grey, rng.uniform(0.3, 0.6), 0.4, 0.6)
    if rng.random() < 0.22:
        return _pane(c, rng)
    if rng.random() < 0.4:
        _umbrella(c, rng)
    _rings(c, rng, level + 0.04, int(rng.integers(20, 70)))
    return _drops(c, rng, rng.uniform(-0.35, 0.35))
