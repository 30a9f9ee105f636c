"""Wind: grass and trees that bend, leaves and sheets of dust that fly, clouds that run."""

from __future__ import annotations

import torch
from torch import Tensor

from .clouds import overcast
from .noise import chance, noise, pick
from .particles import ages, stamp
from .view import View, blur, colour, grey, mix, step


def gust(view: View, way: float, t: float, seed: int) -> Tensor:
    """How hard it blows [H,W] in 0..1: fronts that run across the picture in the direction `way` (-1 or 1)."""
    return noise(seed, view.x * 0.22 - way * 0.3 * t, view.y * 0.3 + 0.02 * t, 2.2)


def bent(view: View, way: float, blow: Tensor, s: float, t: float, seed: int) -> Tensor:
    """The photo leaning with the wind, more the higher above the ground it stands and the harder it blows."""
    flutter = noise(seed, view.x * 1.6 - way * 0.9 * t, view.y * 1.6, 1.8) - 0.5
    lean = s * (0.03 * blow + 0.02 * flutter * blow) * (1 - 0.7 * view.sky)
    smear = view.at(view.x - way * lean, view.y + 0.15 * lean * flutter)
    for k in (1, 2, 3):
        smear = smear + view.at(view.x - way * (lean + 0.011 * k * s * blow), view.y)
    return smear / 4


def grass(view: View, way: float, s: float, t: float, seed: int) -> tuple[Tensor, Tensor]:
    """Tall blades at the lower edge, bent over: brightness [H,W] and cover [H,W]."""
    count, joints = 230, torch.linspace(0, 1, 36)
    index = torch.arange(count)
    root = (view.aspect + 0.5) * chance(seed, 1, index) - 0.25
    tall = (0.12 + 0.2 * chance(seed, 2, index)) * (0.5 + 0.6 * s)
    blow = noise(seed + 9, root * 0.35 - way * 0.45 * t, index * 0.003 + 0.1 * t, 2.0)
    bow = way * s * (0.55 + 1.1 * blow + 0.25 * chance(seed, 3, index))
    x = root[:, None] + tall[:, None] * bow[:, None] * joints**1.8
    y = 1.03 - tall[:, None] * (joints - 0.28 * (bow.abs()[:, None] * joints) ** 2 * 0.8).clamp(min=-1)
    width = (0.0055 * (1.05 - joints)).expand_as(x)
    tone = (0.35 + 0.65 * chance(seed, 4, index))[:, None] * (0.6 + 0.5 * joints)
    flat = [p.flatten() for p in (x, y, tone.expand_as(x), width)]
    cover = stamp(view.size, flat[0], flat[1], torch.ones_like(flat[0]), flat[3], brightest=True)
    light = stamp(view.size, flat[0], flat[1], flat[2], flat[3], brightest=True)
    return light, step(cover, 0.25, 0.7)


def leaves(view: View, way: float, count: int, size: float, t: float, seed: int) -> Tensor:
    """Leaves [H,W] in 0..1 that tumble across with the wind."""
    index = torch.arange(count)
    index, age, turn = ages(count, 1.3 + 0.9 * chance(seed, 1, index), t, seed)
    along = age * (view.aspect + 0.3) - 0.15
    x = along if way > 0 else view.aspect - along
    lift = chance(seed, 2, index, turn)
    y = 0.05 + 0.9 * lift + 0.09 * torch.sin(5 * age + 6.28 * lift) - 0.1 * age
    spin = 6.28 * chance(seed, 3, index, turn) + 14 * age
    wide = size * (0.6 + 0.8 * chance(seed, 4, index, turn))

    def leaf(a: Tensor, b: Tensor) -> Tensor:
        return ((1 - a.abs().clamp(max=1) ** 1.7 - b.abs()) * 4).clamp(0, 1)

    flat = 0.25 + 0.35 * torch.sin(spin * 0.7).abs()
    return stamp(
        view.size, x, y, torch.ones(count), wide, wide * flat, 0.5 * torch.sin(spin) + way * 0.3, leaf, 1.1, True
    )


def wind_noise(view: View, s: float, t: float, seed: int) -> Tensor:
    """The photo bends, dust runs over it in sheets, grass and leaves show which way."""
    way = 1.0 if seed % 2 else -1.0
    blow = gust(view, way, t, seed)
    y = grey(bent(view, way, blow, s, t, seed + 10), 0.3 * s)
    thick, relief = overcast(view, seed + 20, way * 0.25 * t, 0.3 * t)
    torn = noise(seed + 24, view.x * 0.22 - way * 0.28 * t, view.y * 1.5 + 0.1 * view.x, 1.7)
    run = step(0.5 * thick + 0.5 * torn, 0.42, 0.68)
    y = mix(y, (0.66 + 0.24 * relief) * colour(0.93, 0.93, 0.95), 0.75 * s * view.sky * run)
    low = step(view.y, view.horizon - 0.25, 0.95)
    sheet = noise(seed + 30, view.x * 0.3 - way * 0.62 * t, view.y * 1.5 + 0.12 * way * view.x, 1.6)
    thread = noise(seed + 31, view.x * 0.5 - way * 1.1 * t, view.y * 5.5 + 0.3 * way * view.x, 1.4)
    dust = step(0.55 * sheet + 0.45 * thread, 0.42, 0.85) * (0.35 + 0.65 * low) * (0.4 + 0.8 * blow)
    sand = mix(colour(0.80, 0.70, 0.54), view.ground, 0.3)
    y = mix(y, sand, (0.18 * s * low + 0.85 * s * dust).clamp(max=0.85))
    light, cover = grass(view, way, s, t, seed + 40)
    blade = mix(colour(0.42, 0.38, 0.17), view.ground * 1.1, 0.35)
    y = mix(y, blade * (0.35 + 0.95 * light), cover * min(1.0, 1.5 * s))
    far, near = leaves(view, way, 46, 0.013, t, seed + 50), leaves(view, way, 12, 0.03, t, seed + 60)
    near = blur(near, 0.003)
    y = mix(y, colour(0.38, 0.22, 0.08), 0.9 * far * min(1.0, 1.3 * s))
    return mix(y, colour(0.50, 0.27, 0.07), near * min(1.0, 1.3 * s))
