"""Splashing water: waves that run towards the eye with crests of foam, and spray where they meet rocks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .noise import chance, noise, pick
from .particles import ages, soft, stamp
from .view import View, blur, colour, mix, step

ROWS = 7
"""Waves between the horizon and the eye."""
RATE = 0.5
"""Waves that arrive in a second."""


@dataclass(frozen=True)
class Surface:
    """Which wave is seen at a pixel, all [H,W]: its number (by which it keeps its shape); near, 0 at the horizon and 1
    at the lower edge; below, the distance under its crest, and tall, its height, both in heights.
    """

    number: Tensor
    near: Tensor
    below: Tensor
    tall: Tensor


def surface(view: View, horizon: float, t: float, seed: int, rough: float) -> Surface:
    """Waves behind each other, each hiding the foot of the next one behind; they come nearer and grow with time."""
    arrived = math.floor(t * RATE)
    part = t * RATE - arrived
    flat = torch.zeros(view.size)
    # Behind the last one lies the next to come, still flat.
    number, near, below, tall = flat + arrived + 1, flat + 1e-3, view.y - horizon + flat, flat + 2e-3
    for k in range(ROWS + 1):
        p = (k + part) / ROWS
        own = arrived - k
        high = (0.05 + 0.16 * rough) * p**1.15 * min(1.0, 6 * p)
        hump = noise(seed, view.x * 0.16 / (0.12 + p) + 0.37 * own, 0.29 * own + 0.05 * t, 2.1)
        ripple = noise(seed + 1, view.x * 0.9 / (0.15 + p) + 0.61 * own, 0.17 * own + 0.1 * t, 1.7)
        crest = horizon + (1.22 - horizon) * p**1.7 - high * (0.1 + 0.95 * hump + 0.16 * ripple)
        under = view.y - crest
        over = under > 0
        number = torch.where(over, own, number)
        near, tall = torch.where(over, max(p, 1e-3), near), torch.where(over, max(high, 2e-3), tall)
        below = torch.where(over, under, below)
    return Surface(number, near, below, tall)


def sea(view: View, horizon: float, t: float, seed: int, rough: float) -> Tensor:
    """The surface [3,H,W]: clear water under the crests, dark faces, foam that tumbles down them."""
    wave = surface(view, horizon, t, seed, rough)
    d = wave.below / (wave.tall * 1.6)
    scale = 1 / (0.1 + wave.near)
    u, shift = view.x * 0.5 * scale, 0.377 * wave.number
    rows = wave.below * 1.6 * scale - 0.1 * t
    chop = noise(seed + 2, u + shift, rows + shift, 1.6)
    lace = noise(seed + 3, u * 1.7 + 0.06 * chop + shift, rows * 1.5, 1.5)
    fine = noise(seed + 4, u * 3.2 + shift, rows * 3.2, 1.6)
    slope = torch.exp(-1.6 * d)
    shiver = 0.03 * (chop - 0.5)
    mirrored = view.at(
        view.x + shiver, (horizon - 0.5 * (view.y - horizon) + shiver).clamp(min=0.01), blur(view.photo, 0.03)
    )
    deep = mix(colour(0.02, 0.17, 0.24), view.air * colour(0.25, 0.5, 0.6), 0.35)
    water = mix(
        deep,
        mirrored * colour(0.75, 0.85, 0.92),
        (0.22 + 0.5 * (1 - slope) * chop + 0.25 * (1 - wave.near)).clamp(0, 0.8),
    )
    water = water * (0.8 + 0.5 * (chop - 0.5)) * view.relief(0.75 * chop + 0.25 * fine, 1.1).clamp(0.7, 1.35)
    clear = torch.exp(-(((d - 0.1) / 0.22) ** 2)) * (0.4 + 0.6 * wave.near)
    water = water + 0.42 * clear * colour(0.08, 0.62, 0.56)
    breaks = noise(seed + 5, view.x * 0.2 * scale + shift + 0.03 * t, shift + 0.06 * t, 2.2)
    breaks = step(breaks, 0.72 - 0.5 * rough, 0.95 - 0.5 * rough)
    cap = step(d - 0.75 * breaks * (0.25 + 0.9 * lace) - 0.05, 0.08, -0.08)
    strings = step(lace - 0.3 * d + 0.22 * breaks, 0.6, 0.8) * torch.exp(-0.5 * d)
    foam = torch.maximum(cap * (0.25 + 0.75 * breaks), 0.7 * strings) * (0.72 + 0.4 * fine)
    bright = (0.76 + 0.28 * fine) * view.relief(0.6 * lace + 0.4 * fine, 1.0).clamp(0.75, 1.15)
    return mix(water, bright * colour(0.94, 0.98, 1.0), foam.clamp(0, 1) * step(view.y, horizon, horizon + 0.03))


def rock(view: View, x0: float, y0: float, wide: float, seed: int) -> tuple[Tensor, Tensor]:
    """A wet dark rock that stands in the water: shade [H,W] and cover [H,W]."""
    a, b = (view.x - x0) / wide, (view.y - y0) / (0.62 * wide)
    edge = noise(seed, view.x * 0.9, view.y * 0.9, 1.6) - 0.5
    cover = step(1 - (a * a + b.clamp(max=0) ** 2).sqrt() + 0.55 * edge, 0.0, 0.08) * step(b, 0.3, 0.1)
    stone = noise(seed + 1, view.x * 1.5, view.y * 1.1, 1.4)
    return (0.06 + 0.15 * stone + 0.1 * (-b).clamp(0, 1)) * view.relief(stone, 4.0).clamp(0.3, 2.2), cover


def splash(view: View, x0: float, y0: float, tall: float, t: float, seed: int) -> tuple[Tensor, Tensor]:
    """Spray that leaps up at (x0, y0), brightness and cover [H,W] in 0..1: torn sheets and drops on ballistic paths."""
    index = torch.arange(620)
    index, age, turn = ages(620, 0.7 + 0.5 * chance(seed, 9, index), t, seed)
    swell = 0.6 + 0.4 * math.sin(2 * math.pi * t * RATE + pick(seed, 1, 0, 6.28))
    fan = chance(seed, 3, index, turn) + chance(seed, 4, index, turn) - 1
    up = 4 * tall * swell * (1 - 0.55 * fan * fan) * (0.15 + 0.85 * chance(seed, 2, index, turn))
    out = 1.5 * tall * fan
    x = x0 + 0.5 * tall * (chance(seed, 5, index, turn) - 0.5) + out * age
    y = y0 - up * (age - age * age)
    sheet = chance(seed, 6, index) < 0.25
    size = torch.where(sheet, 0.022 * tall + 0.05 * tall * age, 0.0022 + 0.005 * chance(seed, 7, index, turn) ** 3)
    value = torch.where(sheet, 0.55, 1.5) * (1 - age) * (9 * age).clamp(max=1)
    angle = torch.atan2(-up * (1 - 2 * age), out)
    veil = stamp(view.size, x[sheet], y[sheet], value[sheet], size[sheet] * 2.2, size[sheet], angle[sheet], soft, 2.2)
    drops = stamp(view.size, x[~sheet], y[~sheet], value[~sheet], size[~sheet] * 1.8, size[~sheet], angle[~sheet], soft)
    torn = noise(seed + 1, view.x * 1.7, view.y * 1.7 + 0.6 * t, 1.4)
    white = 0.66 + 0.22 * torn * view.relief(torn, 2.0).clamp(0.6, 1.5) + 0.2 * drops.clamp(0, 1)
    return white, (1 - torch.exp(-veil * (0.15 + 1.5 * torn)) + drops).clamp(0, 1)


def splashing_water(view: View, s: float, t: float, seed: int) -> Tensor:
    """A sea from the photo's horizon on, waves with foam, two rocks where it splashes."""
    horizon = min(view.horizon, 0.5)
    shore = horizon + (0.5 - 0.55 * s) * (1 - horizon)
    y = view.photo * mix(torch.ones(3, 1, 1), colour(0.88, 0.97, 1.06), s)
    low, first = view.below(min(horizon, shore) - 0.02)
    y[:, first:] = mix(y[:, first:], sea(low, horizon, t, seed, s), step(low.y, shore - 0.003, shore + 0.006))
    haze = torch.exp(-(((view.y - horizon) / 0.03) ** 2))
    y = mix(y, colour(0.8, 0.87, 0.9), 0.3 * s * haze)
    side = 1 if seed % 2 else -1
    for k, (off, low, wide) in enumerate(((-0.26, 0.74, 0.12), (0.27, 0.88, 0.17))):
        x0 = view.aspect * (0.5 + side * off + pick(seed, 10 + k, -0.06, 0.06))
        y0 = horizon + (low - 0.5) * 2 * (1 - horizon)
        white, spray = splash(view, x0, y0, wide * (1.1 + 2.0 * s), t, seed + 60 + 7 * k)
        shade, cover = rock(view, x0, y0, wide, seed + 80 + 7 * k)
        y = mix(y, shade * colour(0.9, 0.95, 1.0), cover)
        y = mix(y, white * colour(0.95, 0.99, 1.02), 0.96 * spray)
    return y
