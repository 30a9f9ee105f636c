"""Rain: streaks at three depths, drops that splash, wet ground and air that hides what is far."""

from __future__ import annotations

import torch
from torch import Tensor

from .clouds import overcast
from .noise import chance, noise, pick
from .particles import ages, stamp
from .view import View, blur, colour, grey, mix, screen, step


def streaks(view: View, count: int, length: float, speed: float, slant: float, time_s: float, seed: int) -> Tensor:
    """Falling drops as lines [H,W]: `length` in heights, `speed` in heights a second, `slant` dx/dy."""
    index, age, turn = ages(count, 1.3 / speed, time_s, seed)
    y = -0.15 + 1.3 * age
    x = (view.aspect + 0.4) * chance(seed, 1, index, turn) - 0.2 + slant * (y - 0.5)
    value = 0.4 + 0.6 * chance(seed, 2, index, turn)
    angle = float(torch.atan2(torch.tensor(1.0), torch.tensor(slant)))
    along = length * (0.7 + 0.6 * chance(seed, 3, index, turn))
    return stamp(view.size, x, y, value, along / 2, torch.full_like(x, 0.0009 + 0.012 * length), angle, reach=2.2)


def rings(view: View, count: int, time_s: float, seed: int, horizon: float) -> Tensor:
    """Drops that hit wet ground: flat rings [H,W] that widen and fade."""
    index, age, turn = ages(count, 0.45, time_s, seed)
    y = horizon + (1 - horizon) * (0.12 + 0.9 * chance(seed, 1, index, turn)) ** 1.2
    x = view.aspect * chance(seed, 2, index, turn)
    radius = 0.055 * (y - horizon) / (1 - horizon) * (0.25 + age)

    def ring(a: Tensor, b: Tensor) -> Tensor:
        return torch.exp(-((((a * a + b * b).sqrt() - 1) / 0.22) ** 2))

    return stamp(view.size, x, y, (1 - age) ** 1.5 * (10 * age).clamp(max=1), radius, radius * 0.32, 0.0, ring, 1.5)


def wet(view: View, picture: Tensor, amount: float, time_s: float, seed: int) -> Tensor:
    """Ground that mirrors what stands above it, smeared downwards and broken by small waves."""
    horizon = view.horizon
    ripple = 0.02 * (noise(seed, view.x * 1.2, (view.y - horizon) * 5 + 0.3 * time_s) - 0.5)
    mirrored = view.at(view.x + ripple, horizon - 0.75 * (view.y - horizon) + 2 * ripple, blur(picture, 0.018))
    puddles = step(noise(seed + 1, view.x * 0.35, (view.y - horizon) * 1.7), 0.42, 0.62)
    mask = step(view.y, horizon + 0.02, horizon + 0.2) * (0.35 + 0.65 * puddles)
    return mix(picture, mirrored * 0.9, amount * mask)


def raining(view: View, s: float, t: float, seed: int) -> Tensor:
    """Grey light, low clouds, fog by depth, wet ground, falling rain."""
    slant = pick(seed, 1, 0.05, 0.2) * (1 if seed % 2 else -1)
    thick, relief = overcast(view, seed, 0.03 * t, 0.5 * t)
    soft = mix(view.photo, blur(view.photo, 0.006), 0.7 * s)
    y = grey(soft, 0.72 * s) * (1 - 0.32 * s) * colour(0.95, 1.0, 1.05)
    lid = (0.42 + 0.34 * (1 - thick)) * (0.75 + 0.25 * relief)
    y = mix(y, lid * colour(0.92, 0.97, 1.03), s * view.sky)
    haze = torch.exp(-((view.y - view.horizon) / 0.2).clamp(min=0)) * (1 - 0.35 * step(view.y, view.horizon, 0.0))
    y = mix(y, colour(0.55, 0.58, 0.61), (0.35 * s + 0.2 * s * s) * haze)
    y = wet(view, y, 0.6 * s, t, seed + 30)
    gusts = 0.6 + 0.8 * noise(seed + 50, view.x * 0.4 - slant * view.y, view.y * 0.25 - 0.6 * t, 2.2)
    fine = streaks(view, 620, 0.045, 1.5, slant, t, seed + 1)
    middle = streaks(view, 260, 0.085, 2.0, slant, t, seed + 2)
    near = streaks(view, 60, 0.17, 2.7, slant, t, seed + 3)
    rain = (0.36 * fine * gusts + 0.5 * middle + 0.5 * near).clamp(max=0.75)
    y = mix(y, colour(0.86, 0.89, 0.92), s * rain)
    return screen(y, 0.45 * s * rings(view, 160, t, seed + 4, view.horizon) * colour(0.85, 0.9, 0.95))
