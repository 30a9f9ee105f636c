"""Waterfall: a column of white water over a rock ledge, mist at its foot, a pool below."""

from __future__ import annotations

import torch
from torch import Tensor

from .clouds import mist
from .noise import chance, noise, pick
from .particles import ages, soft, stamp
from .view import View, blur, colour, luma, mix, screen, step


def cliff(view: View, centre: float, ledge: float, foot: float, seed: int) -> tuple[Tensor, Tensor]:
    """Rock in the photo's own colours: picture [3,H,W] and cover [H,W]; its top edge is lowest at the fall."""
    side = (view.x - centre).abs()
    edge = (
        ledge
        - pick(seed, 6, 0.05, 0.2) * step(side, 0.08, 0.45)
        + 0.12 * (noise(seed, view.x * 0.35, 0.3) - 0.5) * step(side, 0.1, 0.3)
    )
    edge = (
        edge + 0.05 * (noise(seed + 1, view.x * 1.4, 0.7, 1.4) - 0.5) + pick(seed, 7, 0.1, 0.6) * step(side, 0.45, 1.3)
    )
    cover = step(view.y - edge, -0.008, 0.008) * step(view.y, foot + 0.08, foot - 0.02)
    blocks = noise(seed + 2, view.x * 0.9 + 0.2 * view.y, view.y * 0.35, 1.5)
    cracks = noise(seed + 3, view.x * 2.3, view.y * 0.9, 1.3)
    stone = 0.6 * blocks + 0.4 * cracks
    own = view.at(view.x, view.horizon + (1 - view.horizon) * (0.1 + 0.8 * (view.y - ledge).clamp(0, 1)))
    tone = 0.45 * luma(own) + 0.55 * 0.36
    rock = (
        mix(tone * colour(0.92, 0.9, 0.86), own * 0.8, 0.45)
        * (0.35 + 0.75 * stone)
        * view.relief(stone, 4.0).clamp(0.3, 1.8)
    )
    moss = step(noise(seed + 4, view.x * 0.8, view.y * 0.6), 0.55, 0.8) * 0.5
    rock = mix(rock, rock * colour(0.75, 1.1, 0.5), moss)
    return rock * (1 - 0.35 * torch.exp(-((side / 0.25) ** 2))), cover


def column(
    view: View, centre: float, ledge: float, foot: float, width: float, t: float, seed: int
) -> tuple[Tensor, Tensor]:
    """Falling water: brightness [H,W] and cover [H,W]. It speeds up as it falls, so streaks grow long."""
    fallen = (view.y - ledge).clamp(min=0)
    clock = (fallen + 0.02).sqrt() * 0.75 - 0.62 * t
    half = width * (0.75 + 0.55 * fallen)
    across = (view.x - centre - 0.02 * (noise(seed + 6, 0.4, clock * 0.6) - 0.5)) / half
    thread = noise(seed, across * width * 4.2, clock * 0.55, 1.3)
    strand = noise(seed + 1, across * width * 1.9, clock * 0.42, 1.5)
    clump = noise(seed + 2, across * width * 1.1, clock * 0.9, 1.8)
    white = 0.4 * thread + 0.35 * strand + 0.25 * clump
    ragged = 1 - across.abs() + 0.75 * (strand - 0.5) * (0.4 + fallen)
    cover = (
        step(ragged, -0.02, 0.3) * step(view.y, ledge - 0.012, ledge + 0.012) * step(view.y, foot + 0.06, foot - 0.02)
    )
    return (0.52 + 0.62 * white) * (1 - 0.18 * across.abs()), cover * (0.72 + 0.28 * step(white, 0.3, 0.6))


def pool(view: View, picture: Tensor, centre: float, foot: float, t: float, seed: int) -> Tensor:
    """Water below the fall [3,h,W] that mirrors `picture` [3,H,W], with rings running out from its foot."""
    down = (view.y - foot).clamp(min=0.005)
    away = (((view.x - centre) * 0.8).square() + (down * 3.2).square()).sqrt()
    wavy = torch.sin(40 * away - 7 * t + 5 * noise(seed, view.x * 0.7, view.y * 2.5)) * torch.exp(-2.2 * away)
    rough = noise(seed + 1, view.x * 0.8 / (down + 0.15), 0.35 / (down + 0.1) + 0.15 * t, 1.6) - 0.5
    shift = 0.012 * wavy + 0.035 * rough
    mirrored = view.at(view.x + shift, foot - 0.9 * down + 2 * shift, blur(picture, 0.008))
    water = mix(mirrored * 0.62, colour(0.10, 0.27, 0.29) + 0.1 * wavy, 0.42) + 0.12 * (rough + 0.3 * wavy).clamp(min=0)
    foam = step(noise(seed + 2, view.x * 1.4, down * 6 - 0.35 * t, 1.4), 0.55, 0.75) * torch.exp(-7 * away)
    return mix(water, colour(0.88, 0.94, 0.95), (1.4 * foam).clamp(max=0.9))


def droplets(view: View, centre: float, foot: float, width: float, t: float, seed: int) -> Tensor:
    """Spray [H,W] thrown up where the water hits."""
    index, age, turn = ages(150, 0.8, t, seed)
    x = centre + width * 2.4 * (chance(seed, 1, index, turn) - 0.5) + 0.3 * (chance(seed, 2, index, turn) - 0.5) * age
    y = foot - 0.28 * chance(seed, 3, index, turn) * (1.6 * age - 1.7 * age * age) * 2
    return stamp(view.size, x, y, (1 - age) * (8 * age).clamp(max=1), torch.full_like(x, 0.0035), shape=soft)


def waterfall_burbling(view: View, s: float, t: float, seed: int) -> Tensor:
    """Cliff, falling water, pool and mist, on the photo's own horizon."""
    centre = view.aspect * pick(seed, 1, 0.28, 0.72)
    ledge, foot = pick(seed, 2, 0.12, 0.3), pick(seed, 3, 0.68, 0.8)
    width = pick(seed, 4, 0.13, 0.21) * (0.45 + 0.7 * s)
    rock, cover = cliff(view, centre, ledge, foot, seed + 10)
    y = mix(view.photo, rock.clamp(0, 1), cover)
    white, fall = column(view, centre, ledge, foot, width, t, seed + 20)
    y = mix(y, white * colour(0.93, 0.98, 1.02), fall)
    small = centre + pick(seed, 5, 0.22, 0.34) * (1 if seed % 2 else -1)
    white, fall = column(view, small, ledge + 0.02, foot, width * 0.28, t, seed + 30)
    y = mix(y, white * colour(0.9, 0.96, 1.0), 0.85 * fall * cover)
    low, first = view.below(foot - 0.01)
    water = pool(low, y.clamp(0, 1), centre, foot, t, seed + 40)
    y[:, first:] = mix(y[:, first:], water, step(low.y, foot - 0.006, foot + 0.012))
    spread = torch.exp(-(((view.x - centre) / (0.2 + 2.2 * width)) ** 2) - ((view.y - foot + 0.02) / 0.14) ** 2)
    veil = spread * (0.35 + 1.0 * mist(view, seed + 50, t, 0.12, 1.6))
    y = mix(y, colour(0.9, 0.94, 0.96), (0.95 * s * veil).clamp(0, 0.92))
    return screen(y, 0.8 * s * droplets(view, centre, foot, width, t, seed + 60).clamp(max=1) * colour(1, 1, 1))
