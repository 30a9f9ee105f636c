"""Squishing water: wet brown mud with foot prints that fill, ripples that run out of them, and wet highlights."""

from __future__ import annotations

import torch
from torch import Tensor

from .clouds import ground_plane
from .noise import chance, noise, pick
from .particles import ages, soft, stamp
from .view import View, blur, colour, grey, luma, mix, screen, step

PACE = 0.9
"""Seconds from one step to the next."""


def prints(view: View, horizon: float, t: float, seed: int) -> tuple[Tensor, Tensor]:
    """Foot prints in mud: depth [H,W] (below 0 pressed in, above 0 squeezed out), and rings of the wet ones [H,W].

    A trail leads away from the eye; every PACE seconds one more is pressed in, and the oldest fills again.
    """
    depth, wave = torch.zeros(view.size), torch.zeros(view.size)
    lane, lean = view.aspect * pick(seed, 1, 0.4, 0.6), pick(seed, 2, -0.35, 0.35)
    for k in range(8):
        # Where print k lies is fixed; when it was made goes round.
        away = 0.26 * 0.78**k
        y = 0.95 - (0.95 - horizon - 0.07) * (1 - 0.76**k)
        near = (y - horizon) / (1 - horizon)
        x = lane + lean * (0.95 - y) + (0.11 if k % 2 else -0.11) * near
        age = ((t / PACE + pick(seed, 3, 0, 8) - k) % 8) * PACE
        press = min(1.0, age / 0.22) * (1 - max(0.0, age - 8 * PACE + 1.0))
        a, b = (view.x - x) / (0.085 * near), (view.y - y) / (0.062 * near + 0.2 * away * 0.0)
        sole = ((a / 0.8) ** 2 + ((b - 0.15) / 1.0) ** 2).sqrt()
        heel = ((a / 0.62) ** 2 + ((b - 1.35) / 0.5) ** 2).sqrt()
        r = torch.minimum(sole, heel)
        depth = depth - 1.1 * press * step(r, 1.12, 0.72) + 0.6 * press * torch.exp(-(((r - 1.3) / 0.22) ** 2))
        far = (((view.x - x) / near) ** 2 + ((view.y - y - 0.02 * near) / near * 2.2) ** 2).sqrt()
        ring = torch.sin(70 * (far - 0.3 * age)) * torch.exp(-(((far - 0.3 * age) / 0.1) ** 2))
        wave = wave + ring * max(0.0, 1 - age / 2.2) * min(1.0, age / 0.15)
    return depth, wave


def spatter(view: View, horizon: float, t: float, seed: int) -> Tensor:
    """Drops of mud [H,W] that fly up at every step."""
    index, age, turn = ages(60, 0.7, t, seed)
    y0 = horizon + (1 - horizon) * (0.35 + 0.6 * chance(seed, 1, index, turn))
    x = view.aspect * (0.3 + 0.4 * chance(seed, 2, index, turn)) + 0.3 * (chance(seed, 3, index, turn) - 0.5) * age
    y = y0 - 0.5 * chance(seed, 4, index, turn) * (age - age * age)
    size = 0.003 + 0.005 * chance(seed, 5, index, turn)
    return stamp(view.size, x, y, 1.6 * (1 - age) * (9 * age).clamp(max=1), size, shape=soft).clamp(0, 1)


def squishing_water(view: View, s: float, t: float, seed: int) -> Tensor:
    """The ground turns to mud: a height field lit from the sky, glossy where it is wet."""
    horizon = view.horizon - 0.02
    u, v, _ = ground_plane(view, horizon)
    ooze = 0.025 * t
    lumps = noise(seed, u * 0.34, v * 0.5, 2.1)
    clods = noise(seed + 1, u * 0.9 + 0.05 * lumps, v * 1.3 + 0.0 * ooze, 1.7)
    grain = noise(seed + 2, u * 2.4, v * 3.2, 1.4)
    near = ((view.y - horizon) / (1 - horizon)).clamp(0.02, 1)
    pressed, ring = prints(view, horizon, t, seed + 5)
    swim = 0.04 * torch.sin(9 * v + 6.28 * noise(seed + 4, u * 0.4, v * 0.4 - ooze) + 2.2 * t)
    level = 0.85 * lumps + 0.34 * clods + 0.1 * grain + 0.34 * pressed
    water = step(level, 0.58, 0.46)
    level = torch.maximum(level, torch.full_like(level, 0.47)) + (0.05 * ring + 0.02 * swim) * (0.3 + 0.7 * water)
    padded = torch.cat([level[:1], level[:-1]]), torch.cat([level[:, :1], level[:, :-1]], 1)
    step_ = view.size[0] / 256
    dy, dx = (level - padded[0]) * step_, (level - padded[1]) * step_
    light = (1.0 + 5.0 * dy - 3.5 * dx).clamp(0.25, 1.9)
    brown = mix(colour(0.30, 0.19, 0.10), view.ground * colour(0.9, 0.62, 0.38), 0.25)
    mud = brown * (0.62 + 0.55 * clods) * light * (1 - 0.35 * water)
    sky = view.at(
        view.x + 0.6 * dx, (horizon - 0.55 * (view.y - horizon) + 0.9 * dy).clamp(min=0), blur(view.photo, 0.03)
    )
    bounce = 0.5 * grey(sky, 0.35) + 0.5 * luma(sky).clamp(min=0.35) * colour(0.95, 0.97, 1.0)
    mud = mix(mud, bounce * colour(0.88, 0.8, 0.7), (0.16 + 0.42 * water) * (1.15 - 0.5 * near))
    gloss = ((dy - 0.035 - 0.02 * grain) * 16).clamp(0, 1) ** 1.5 * (0.5 + 0.5 * water.clamp(min=0.4))
    mud = screen(mud, 0.85 * gloss * colour(0.95, 0.95, 0.92))
    start = horizon + (0.45 - 0.45 * s) * (1 - horizon)
    ragged = view.y + 0.05 * (noise(seed + 6, view.x * 0.8, 0.3, 1.6) - 0.5)
    y = mix(grey(view.photo, 0.25 * s) * (1 - 0.15 * s), mud, step(ragged, start, start + 0.05))
    return mix(y, brown * 0.55, 0.95 * s * spatter(view, horizon, t, seed + 7))
