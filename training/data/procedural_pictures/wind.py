"""Wind: grass and trees that bend, leaves and sheets of dust that fly, clouds that run."""

from __future__ import annotations

import torch
from torch import Tensor

from .noise import chance, noise
from .particles import ages, stamp
from .tree import blades, tree
from .view import View, blur, colour, grey, mix, step


def bent(view: View, way: float, blow: Tensor, s: float, t: float, seed: int) -> Tensor:
    """The photo leaning with the wind, most where it blows hardest, and smeared along it."""
    flutter = noise(seed, view.x * 1.6 - way * 0.9 * t, view.y * 1.6, 1.8) - 0.5
    lean = s * blow * (0.03 + 0.02 * flutter) * (1 - 0.7 * view.sky)
    smear = view.at(view.x - way * lean, view.y + 0.15 * lean * flutter)
    return (smear + view.at(view.x - way * (lean + 0.018 * s * blow), view.y)) / 2


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
        return ((1 - a * a - b.abs()) * 4).clamp(0, 1)

    flat = 0.25 + 0.35 * torch.sin(spin * 0.7).abs()
    return stamp(
        view.size, x, y, torch.ones(count), wide, wide * flat, 0.5 * torch.sin(spin) + way * 0.3, leaf, 1.1, True
    )


def dust(view: View, way: float, blow: Tensor, t: float, seed: int) -> Tensor:
    """Sand and dust [H,W] in 0..1: long threads in sheets that run with the wind, thickest near the ground."""
    low = step(view.y, view.horizon - 0.3, 0.9)
    wavy = view.y + 0.03 * noise(seed, view.x * 0.3 - way * 0.4 * t, 0.2, 2.2)
    sheet = noise(seed + 1, view.x * 0.28 - way * 0.62 * t, wavy * 1.1, 2.0)
    thread = noise(seed + 2, view.x * 0.2 - way * 0.9 * t, wavy * 5.0, 1.4)
    hair = noise(seed + 3, view.x * 0.45 - way * 1.5 * t, wavy * 13.0, 1.3)
    lines = step(0.5 * thread + 0.5 * hair, 0.5, 0.82) * step(sheet, 0.25, 0.75)
    return (lines * (0.5 + 0.5 * low) + 0.5 * low * sheet * sheet) * (0.45 + 0.75 * blow)


def wind_noise(view: View, s: float, t: float, seed: int) -> Tensor:
    """The photo bends, dust runs over it in sheets; grass, a tree and leaves show which way."""
    way = 1.0 if seed % 2 else -1.0
    blow = noise(seed, view.x * 0.22 - way * 0.3 * t, view.y * 0.3 + 0.02 * t, 2.2)
    y = grey(bent(view, way, blow, s, t, seed + 10), 0.3 * s)
    torn = noise(seed + 20, view.x * 0.16 - way * 0.2 * t, view.y * 0.9 + 0.15 * way * view.x, 1.7)
    wisps = noise(seed + 21, view.x * 0.32 - way * 0.33 * t, view.y * 3.0 + 0.4 * way * view.x, 1.5)
    y = mix(y, colour(0.90, 0.90, 0.92), 0.8 * s * view.sky * step(0.6 * torn + 0.4 * wisps, 0.4, 0.75))
    sand = mix(colour(0.84, 0.75, 0.60), view.ground, 0.25)
    y = mix(y, sand, (0.95 * s * dust(view, way, blow, t, seed + 30)).clamp(max=0.85))
    shown = min(1.0, 1.4 * s)
    wood, foliage = tree(view, way, s, t, seed + 70)
    y = mix(y, colour(0.12, 0.09, 0.06), wood * shown)
    green = mix(colour(0.24, 0.30, 0.09), view.ground * 0.9, 0.25)
    y = mix(y, green * (0.3 + 0.9 * foliage), step(foliage, 0.12, 0.4) * shown)
    light, cover = blades(view, way, s, t, seed + 40)
    y = mix(y, mix(colour(0.46, 0.42, 0.18), view.ground * 1.1, 0.3) * (0.3 + 0.95 * light), cover * shown)
    far, near = leaves(view, way, 46, 0.013, t, seed + 50), leaves(view, way, 10, 0.03, t, seed + 60)
    y = mix(y, colour(0.38, 0.22, 0.08), 0.9 * far * shown)
    return mix(y, colour(0.50, 0.27, 0.07), blur(near, 0.003) * shown)
