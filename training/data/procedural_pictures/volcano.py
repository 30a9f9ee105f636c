"""Volcano: a dark cone with a fountain of lava, glowing flows down its slope, a smoke plume under a red sky."""

from __future__ import annotations

import torch
from torch import Tensor

from .clouds import ground_plane, plume
from .noise import chance, noise, pick, ridges
from .particles import ages, soft, stamp
from .view import View, blur, colour, grey, mix, screen, step


def glow(heat: Tensor) -> Tensor:
    """Colour [3,H,W] of lava: dark red, orange, yellow."""
    return torch.stack([heat * 1.9, heat * heat * 0.85, heat**4 * 0.35]).clamp(0, 1)


def cone(view: View, centre: float, top: float, base: float, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """A mountain: shade [H,W], cover [H,W], and the slope coordinate [H,W]: -1 at its left edge, 1 at its right."""
    down = (view.y - top).clamp(min=0)
    rough = 0.05 * (noise(seed, view.x * 0.5, view.y * 0.9, 1.5) - 0.5) * (down / 0.1).clamp(max=1)
    half = 0.08 + 1.0 * down**1.12 + rough * 1.2
    side = (view.x - centre) / half
    rim = top + 0.012 * (noise(seed + 1, view.x * 2, 0.2, 1.4) - 0.5)
    cover = (
        step(1 - side.abs(), -0.01 / 0.3, 0.01 / 0.3)
        * step(view.y - rim, -0.004, 0.004)
        * step(view.y, base + 0.05, base)
    )
    gullies = noise(seed + 2, side * 0.7 + 0.1 * down, down.sqrt() * 0.55, 1.4)
    grain = noise(seed + 3, view.x * 1.6, view.y * 1.6, 1.3)
    stone = 0.65 * gullies + 0.35 * grain
    return (0.07 + 0.16 * stone) * view.relief(stone, 3.5).clamp(0.3, 2), cover, side


def flows(view: View, side: Tensor, top: float, t: float, seed: int, width: float) -> Tensor:
    """Heat [H,W] in 0..1 of lava running down the cone: three winding streams under a dark crust that drifts down."""
    down = (view.y - top).clamp(min=0)
    clock = (down + 0.01).sqrt() * 1.3 - 0.16 * t
    heat = torch.zeros_like(side)
    for k in range(3):
        bed = (k - 1) * 0.42 + pick(seed, 20 + k, -0.12, 0.12)
        bed = bed * (0.35 + 1.1 * down.sqrt()) + 0.3 * (noise(seed + k, 0.2 + 0.3 * k, down * 1.2, 1.7) - 0.5)
        wide = width * (1.2 if k == 1 else 0.75) * (0.8 + 0.5 * noise(seed + 5, down * 1.5, 0.1 * k))
        heat = torch.maximum(heat, (1 - ((side - bed) / wide) ** 2).clamp(min=0))
    crust = noise(seed + 8, side * 1.5, clock * 0.9, 1.5)
    crack = ridges(noise(seed + 9, side * 1.1, clock * 0.7, 1.7), 0.2)
    return heat.sqrt() * (0.45 + 0.4 * crust + 0.35 * crack)


def field(view: View, start: float, centre: float, t: float, seed: int) -> tuple[Tensor, Tensor]:
    """A lava field towards the eye: heat [H,W] and cover [H,W]: dark plates that drift apart on glowing melt."""
    u, v, below = ground_plane(view, start - 0.1)
    flow = v + 0.035 * t
    bend = 0.15 * (noise(seed + 3, u * 0.4, flow * 0.4, 2.2) - 0.5)
    plates = noise(seed, u * 0.42 + bend, flow * 0.62, 1.7)
    crack = torch.maximum(ridges(plates, 0.085), 0.8 * ridges(noise(seed + 1, u * 0.9, flow * 1.2 + bend, 1.7), 0.07))
    melt = step(noise(seed + 2, u * 0.3, flow * 0.4, 2.0), 0.6, 0.95)
    heat = (0.85 * crack + melt * (0.2 + 0.5 * noise(seed + 5, u * 1.3, flow * 1.7, 1.6))).clamp(0, 1)
    river = (view.x - centre).abs() - 0.12 - 1.3 * (view.y - start).clamp(min=0)
    river = river + 0.2 * (noise(seed + 4, view.x * 0.6, view.y * 0.6) - 0.5)
    return heat, step(river, 0.06, -0.04) * step(view.y, start - 0.01, start + 0.03) * below


def fountain(view: View, centre: float, top: float, height: float, t: float, seed: int) -> Tensor:
    """Lava thrown out of the crater: glowing streaks [H,W] on ballistic paths."""
    index, age, turn = ages(240, 1.5, t, seed)
    up = height * (0.3 + 0.7 * chance(seed, 1, index, turn))
    out = 0.34 * (chance(seed, 2, index, turn) + chance(seed, 3, index, turn) - 1)
    x, y = centre + out * age, top - 4 * up * (age - age * age)
    angle = torch.atan2(-4 * up * (1 - 2 * age), out)
    size = 0.003 + 0.004 * chance(seed, 4, index, turn) ** 2
    return stamp(
        view.size,
        x,
        y,
        1.4 * (1 - 0.75 * age) * (20 * age).clamp(max=1) * (9 * (1 - age)).clamp(max=1),
        size * 2.6,
        size,
        angle,
        soft,
    )


def volcano_eruption(view: View, s: float, t: float, seed: int) -> Tensor:
    """The cone stands on the photo's horizon; what was land before it lies in red light."""
    centre, top = view.aspect * pick(seed, 1, 0.32, 0.68), pick(seed, 2, 0.32, 0.42)
    base = max(0.7, view.horizon + 0.12)
    fire = torch.exp(-((((view.x - centre) / 0.5) ** 2) + ((view.y - top) / 0.38) ** 2))
    y = grey(view.photo, 0.6 * s) * (1 - 0.68 * s)
    y = mix(y, y * colour(1.5, 0.72, 0.55), s)
    sky = colour(0.26, 0.10, 0.08) * (0.6 + 0.8 * step(view.y, 0, 0.6)) + 0.5 * fire * colour(0.9, 0.28, 0.08)
    y = mix(y, sky, 0.85 * s * torch.maximum(view.sky, 0.6 * step(view.y, view.horizon, 0.2)))
    smoke, relief = plume(view, seed + 10, centre, top + 0.02, t, 0.085, pick(seed, 3, -0.5, 0.5), 0.34)
    hot = torch.exp(-((top - view.y).clamp(min=0) / 0.16)) * torch.exp(-(((view.x - centre) / 0.2) ** 2))
    tone = relief * colour(0.27, 0.24, 0.24) * 0.85 + hot * relief * colour(0.95, 0.36, 0.1)
    y = mix(y, tone, s**0.5 * 0.96 * smoke)
    shade, cover, side = cone(view, centre, top, base, seed + 20)
    heat = flows(view, side, top, t, seed + 30, 0.08 + 0.1 * s) * cover
    y = mix(y, shade * colour(1.0, 0.8, 0.72) + 0.25 * fire * colour(0.5, 0.13, 0.03), cover)
    low, first = view.below(base - 0.02)
    molten, river = field(low, base, centre, t, seed + 40)
    y[:, first:] = mix(y[:, first:], (0.05 + 0.05 * molten) * colour(1.0, 0.8, 0.75), 0.9 * river)
    heat[first:] = torch.maximum(heat[first:], molten * river)
    y = mix(y, glow(heat), step(heat, 0.1, 0.45))
    light = heat + 1.2 * fountain(view, centre, top, 0.1 + 0.22 * s, t, seed + 50)
    y = screen(y, glow(light.clamp(0, 1.1)) * step(light, 0.15, 0.6))
    halo = blur(light.clamp(max=1.3), 0.035) + 0.8 * blur(light.clamp(max=1.3), 0.12)
    return screen(y, 0.7 * s * halo * colour(1.0, 0.36, 0.08))
