"""Squishing water: wet brown mud with foot prints that fill, ripples that run out of them, and wet highlights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .noise import chance, noise, pick
from .particles import soft, stamp
from .view import View, blur, colour, grey, luma, mix, screen, step

PACE = 0.8
"""Seconds from one step to the next."""
STEPS = 7
"""Foot prints that can be seen."""
FLOOD = 0.32
"""Level up to which water stands."""


@dataclass(frozen=True)
class Print:
    """A foot print: its middle in heights, how near it is (1 at the lower edge), its age in seconds."""

    x: float
    y: float
    near: float
    age: float


def trail(view: View, horizon: float, t: float, seed: int) -> list[Print]:
    """A walk away from the eye; every PACE seconds another print is pressed in, and the oldest fills again."""
    lane, lean = view.aspect * pick(seed, 1, 0.42, 0.58), pick(seed, 2, -0.5, 0.5)
    prints = []
    for k in range(STEPS):
        y = horizon + (0.88 - horizon) * 0.68**k + 0.02
        near = (y - horizon) / (1 - horizon)
        side = 1 if k % 2 else -1
        age = ((t / PACE + pick(seed, 3, 0, STEPS) - k) % STEPS) * PACE
        prints.append(Print(lane + lean * (0.9 - y) + 0.2 * side * near, y, near, age))
    return prints


def _one(p: Print, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Depth, rings and nearness of one print, at x, y in heights from its middle divided by how near it is."""
    life = STEPS * PACE
    press = min(1.0, p.age / 0.2) * min(1.0, max(0.0, (life - p.age) / 1.2))
    a, b = x / 0.15, y / 0.15
    ball = (a / (0.82 - 0.12 * b)).square() + ((b + 0.35) / 0.95).square()
    heel = (a / 0.6).square() + ((b - 0.95) / 0.48).square()
    r = torch.minimum(ball, heel).sqrt()
    inside = step(r, 1.2, 0.7)
    tread = 0.3 * inside * torch.sin(15 * b + 3 * a * a)
    depth = press * (tread - 1.7 * inside + 0.5 * torch.exp(-((r - 1.35) / 0.3).square()))
    front = (x * x + (1.6 * y).square()).sqrt() - 0.1 - 0.22 * p.age
    ring = torch.sin(60 * front) * torch.exp(-(front / 0.09).square())
    lane = torch.exp(-(x / 0.34).square() - (y / 0.3).square())
    return depth, ring * max(0.0, 1 - p.age / 2.2) * min(1.0, p.age / 0.15), lane


def pressed(view: View, prints: list[Print]) -> tuple[Tensor, Tensor, Tensor]:
    """Of foot prints, all [H,W]: depth (pressed in below 0), rings that run out, nearness of the trail."""
    depth, wave, lane = (torch.zeros(view.size) for _ in range(3))
    for p in prints:
        rows = ((view.y[:, 0] - p.y).abs() < 0.6 * p.near).nonzero()[:, 0]
        cols = ((view.x[0] - p.x).abs() < 0.85 * p.near).nonzero()[:, 0]
        if not len(rows) or not len(cols):
            continue
        part = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1)
        d, r, n = _one(p, (view.x[:, part[1]] - p.x) / p.near, (view.y[part[0]] - p.y) / p.near)
        depth[part] += d
        wave[part] += r
        lane[part] = torch.maximum(lane[part], n)
    return depth, wave, lane


def spatter(view: View, prints: list[Print], seed: int) -> Tensor:
    """Drops of mud [H,W] that fly up at a step: none before, none half a second after."""
    total = torch.zeros(view.size)
    for p in prints:
        age = p.age / 0.55
        if age >= 1:
            continue
        index = torch.arange(40)
        way = chance(seed, 1, index) - 0.5
        x = p.x + p.near * (0.12 * (chance(seed, 2, index) - 0.5) + 0.9 * way * age)
        y = p.y - p.near * (0.9 * (0.2 + chance(seed, 3, index)) * (age - age * age) - 0.05 * age)
        size = p.near * (0.005 + 0.009 * chance(seed, 4, index) ** 2)
        total = total + stamp(
            view.size, x, y, torch.full_like(x, 1.8 * min(1.0, 8 * age) * (1 - age)), size * 1.4, size, shape=soft
        )
    return total.clamp(0, 1)


def slopes(level: Tensor, height: int) -> tuple[Tensor, Tensor]:
    """How a height field rises to the right and downwards: two [H,W], for a step of 1/256 of the picture's `height`."""
    scale = height / 256
    right, down = torch.zeros_like(level), torch.zeros_like(level)
    right[:, 1:], down[1:] = (level[:, 1:] - level[:, :-1]) * scale, (level[1:] - level[:-1]) * scale
    return right, down


def mud(view: View, horizon: float, prints: list[Print], t: float, seed: int) -> Tensor:
    """Wet ground [3,H,W]: a height field lit from the sky, flooded where low, glossy where it faces the light."""
    near = ((view.y - horizon) / (1 - horizon)).clamp(0, 1)
    # The eye looks down on it: less steep a perspective than the photo's, and no fine grain far away.
    v = 0.5 / (near + 0.28)
    u = (view.x - view.aspect / 2) * v
    lumps = noise(seed, u * 0.5, v * 0.6, 2.1)
    clods = noise(seed + 1, u * 1.5 + 0.1 * lumps, v * 1.5, 2.2)
    grain = noise(seed + 2, u * 3.6, v * 3.4, 1.8)
    depth, ring, lane = pressed(view, prints)
    level = 0.5 * lumps + (0.05 + 0.4 * near) * clods + 0.16 * near * grain + 0.13 * depth + 0.14 * lane
    water = step(level, FLOOD + 0.05, FLOOD - 0.03)
    swim = 0.012 * torch.sin(26 * v + 6.28 * noise(seed + 4, u * 0.5, v * 0.5, 2.2) + 2.4 * t)
    level = level.clamp(min=FLOOD) + water * (0.05 * ring + swim) * near
    dx, dy = slopes(level * (0.25 + 0.75 * near), view.photo.shape[1])
    brown = mix(colour(0.29, 0.18, 0.095), view.ground * colour(0.95, 0.62, 0.36), 0.2)
    light = (1.0 + 14.0 * dy - 10.0 * dx).clamp(0.25, 2.0) * (1 - 0.4 * (-depth).clamp(0, 1))
    earth = brown * ((0.55 + 0.5 * clods + 0.2 * grain) * light)
    soft_photo = blur(view.photo, 0.02)
    sky = view.at(view.x + 1.5 * dx, (horizon - 0.55 * (view.y - horizon) + 2.5 * dy).clamp(min=0), soft_photo)
    bounce = mix(grey(sky, 0.3), luma(sky).clamp(min=0.45) * colour(1.0, 0.97, 0.92), 0.4)
    puddle = mix(brown * 0.5, bounce * colour(0.92, 0.82, 0.7), 0.75 - 0.3 * near)
    gloss = step(dy - 0.6 * dx + 0.012 * (grain - 0.5), 0.012, 0.05) * (0.75 - 0.35 * water)
    return screen(mix(earth, puddle, 0.88 * water), 0.8 * gloss * colour(1.0, 0.97, 0.92))


def squishing_water(view: View, s: float, t: float, seed: int) -> Tensor:
    """The photo's ground turns to mud from the lower edge on; somebody walks through it."""
    horizon = min(view.horizon, 0.46)
    prints = trail(view, horizon, t, seed + 5)
    y = grey(view.photo, 0.3 * s) * (1 - 0.15 * s)
    start = horizon + (0.45 - 0.5 * s) * (1 - horizon)
    low, first = view.below(min(start, horizon) - 0.04)
    ragged = low.y + 0.05 * (noise(seed + 6, low.x * 0.8, 0.3, 1.6) - 0.5)
    y[:, first:] = mix(y[:, first:], mud(low, horizon, prints, t, seed), step(ragged, start, start + 0.012))
    return mix(y, colour(0.14, 0.09, 0.05), 0.95 * s * spatter(view, prints, seed + 7))
