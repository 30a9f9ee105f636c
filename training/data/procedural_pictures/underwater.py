"""Under water: blue-green depth, light shafts, caustics on the ground, bubbles that rise."""

from __future__ import annotations

import torch
from torch import Tensor

from .noise import chance, noise, pick, ridges
from .particles import ages, stamp
from .view import View, blur, colour, luma, mix, screen, step


def _bubble(a: Tensor, b: Tensor) -> Tensor:
    r = (a * a + b * b).sqrt()
    rim = torch.exp(-(((r - 0.88) / 0.13) ** 2)) * (0.75 - 0.35 * b)
    gleam = 1.3 * torch.exp(-(((a + 0.35) ** 2 + (b + 0.4) ** 2) / 0.03))
    return rim + gleam + 0.16 * (r < 0.95)


def bubbles(view: View, count: int, radius: float, time_s: float, seed: int) -> Tensor:
    """Rising bubbles [H,W] of about `radius` heights, in a few columns; they wobble, and grow a little on their way."""
    index = torch.arange(count)
    index, age, turn = ages(count, 1.0 / (0.22 + 0.18 * chance(seed, 1, index)), time_s, seed)
    column = view.aspect * (0.08 + 0.84 * chance(seed, 2, index % 5))
    loose = chance(seed, 3, index, turn)
    column = torch.where(chance(seed, 4, index) < 0.65, column + 0.22 * (loose - 0.5), view.aspect * loose)
    y = 1.1 - 1.2 * age
    x = column + 0.016 * torch.sin(9 * age * 1.3 + 6.28 * loose)
    size = radius * (0.45 + chance(seed, 5, index, turn) ** 2) * (0.8 + 0.4 * age)
    return stamp(view.size, x, y, torch.ones(count), size, size * 0.93, 0.0, _bubble, 1.15, brightest=True)


def shafts(view: View, time_s: float, seed: int) -> Tensor:
    """Beams of light [H,W] in 0..1 from a point above the top edge, fading with depth."""
    sun = view.aspect * pick(seed, 3, 0.3, 0.7)
    angle = torch.atan2(view.x - sun, view.y + 0.45)
    beam = noise(seed, angle * 1.1 + 0.015 * time_s, 0.11 * time_s, 1.5)
    fine = noise(seed + 1, angle * 2.6 - 0.02 * time_s, 0.17 * time_s, 1.5)
    light = step(0.6 * beam + 0.4 * fine, 0.42, 0.85)
    return light * torch.exp(-1.5 * view.y) * torch.exp(-((angle / 0.75) ** 2))


def caustics(u: Tensor, v: Tensor, time_s: float, seed: int) -> Tensor:
    """The moving net of light [H,W] that waves throw, in 0..1."""
    bend = 0.12 * noise(seed + 2, u * 0.7 + 0.05 * time_s, v * 0.7, 2.2)
    one = ridges(noise(seed, u + bend, v + 0.06 * time_s, 2.4), 0.16)
    two = ridges(noise(seed + 1, u * 1.2 - 0.05 * time_s, v * 1.2 + bend, 2.4), 0.16)
    return torch.maximum(one, two) ** 2 * 0.7 + (one * two) * 0.9


def underwater_bubbling(view: View, s: float, t: float, seed: int) -> Tensor:
    """The photo as if it lay under water: bent, blue, dim with distance, lit from above."""
    sway = 0.016 * s
    dx = sway * (noise(seed, view.x * 0.6, view.y * 0.8 + 0.13 * t, 2.4) - 0.5) * 2
    dy = sway * (noise(seed + 1, view.x * 0.6 + 0.11 * t, view.y * 0.8, 2.4) - 0.5) * 2
    bent = view.at(view.x + dx, view.y + dy)
    bent = mix(bent, blur(bent, 0.012), 0.7 * s)
    # Red goes first; the bottom of the sea is no brighter than the water before it.
    water = colour(0.02, 0.42, 0.56) * (1.25 - 0.95 * view.y)
    seen = (0.25 * bent + 0.75 * luma(bent)) * colour(0.3, 0.85, 0.9)
    far = 0.38 + 0.3 * view.sky + 0.22 * torch.exp(-(((view.y - view.horizon) / 0.22) ** 2))
    y = mix(bent, mix(seen, water.expand_as(seen), far), 0.97 * s)
    down = (view.y - view.horizon).clamp(min=0.02)
    net = caustics((view.x - view.aspect / 2) * 0.35 / (down + 0.25), 0.32 / (down + 0.12), t, seed + 10)
    y = y * (1 + 1.1 * s * net * step(view.y, view.horizon - 0.02, 0.95))
    surface = caustics((view.x - view.aspect / 2) * 0.5 / (view.y + 0.2), 0.2 / (view.y + 0.14), t * 1.3, seed + 20)
    y = screen(y, s * (0.25 + 0.75 * surface) * step(view.y, 0.24, 0.0) * colour(0.5, 0.85, 0.9))
    y = screen(y, 0.75 * s * shafts(view, t, seed + 30) * colour(0.55, 0.95, 0.95))
    few, many = bubbles(view, 26, 0.03, t, seed + 40), bubbles(view, 110, 0.009, t, seed + 41)
    return screen(y, s * (0.85 * few + 0.6 * many).clamp(max=1) * colour(0.75, 0.97, 1.0))
