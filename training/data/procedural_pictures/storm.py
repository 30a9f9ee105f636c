"""Thunderstorm: dark clouds, lightning that branches, its light on clouds and ground."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from .clouds import overcast
from .noise import noise, pick
from .particles import stamp
from .view import View, blur, colour, grey, mix, screen, step


def _path(start: Tensor, end: Tensor, rough: float, rng: torch.Generator) -> Tensor:
    """A jagged line [65,2] between two points by midpoint displacement."""
    points = torch.stack([start, end])
    sway = rough * float((end - start).norm())
    for _ in range(6):
        middle = (points[1:] + points[:-1]) / 2
        middle[:, 0] += sway * torch.randn(len(middle), generator=rng)
        middle[:, 1] += 0.3 * sway * torch.randn(len(middle), generator=rng)
        points = torch.cat([torch.stack([points[:-1], middle], 1).flatten(0, 1), points[-1:]])
        sway *= 0.54
    return points


@lru_cache(maxsize=16)  # a strike is drawn in many frames
def bolt(top: tuple[float, float], foot: tuple[float, float], seed: int) -> tuple[tuple[Tensor, float], ...]:
    """Lightning from `top` to `foot` (x, y in heights): lines [K,2] with their strength, the stem first, then branches.

    Every branch begins on a line before it, so that the whole is connected.
    """
    rng = torch.Generator().manual_seed(seed % 2**63)
    stem = _path(torch.tensor(top), torch.tensor(foot), 0.11, rng)
    lines = [(stem, 1.0)]
    for k in range(9):
        parent, strength = lines[0] if k < 6 else lines[1 + k - 6]
        at = int(torch.randint(6, 50, (1,), generator=rng))
        side = 1.0 if k % 2 else -1.0
        down = 0.1 + 0.22 * float(torch.rand(1, generator=rng))
        step_ = torch.tensor([side * down * (0.5 + 0.7 * float(torch.rand(1, generator=rng))), down])
        if k >= 6:
            step_ = step_ * 0.55
        lines.append((_path(parent[at], parent[at] + step_, 0.13, rng), 0.5 * strength))
    return tuple(lines)


def drawn(view: View, lines: Sequence[tuple[Tensor, float]]) -> Tensor:
    """Lines as light [H,W] in 0..1, thinner towards the end of a branch."""
    xs, ys, values, widths = [], [], [], []
    for points, strength in lines:
        a, b = points[:-1, None], points[1:, None]
        dense = (a + (b - a) * torch.linspace(0, 1, 7)[:-1, None]).flatten(0, 1)
        fade = 1 - torch.linspace(0, 1, len(dense)) * (0.0 if strength == 1.0 else 0.75)
        xs.append(dense[:, 0])
        ys.append(dense[:, 1])
        values.append(fade * min(1.0, 0.45 + 0.55 * strength))
        widths.append(0.0048 * strength**0.7 * fade)
    x, y, value, width = (torch.cat(p) for p in (xs, ys, values, widths))
    return stamp(view.size, x, y, value, width, brightest=True)


def _flash(age: float) -> float:
    """Light of a strike, `age` seconds old: at once bright, two flickers, then an afterglow that dies within 1.2 s."""
    if not 0 <= age < 1.2:
        return 0.0
    flicker = 0.75 + 0.25 * math.cos(2 * math.pi * age / 0.13) * math.exp(-4 * age)
    return flicker * (0.45 * math.exp(-age / 0.12) + 0.55 * (1 - age / 1.2))


def strikes(view: View, time_s: float, seed: int) -> tuple[Tensor, Tensor, float]:
    """The strikes of this moment: channels [H,W], the light around them [H,W], and the light of all [0..1]."""
    line, near, total = torch.zeros(view.size), torch.zeros(view.size), 0.0
    for slot in range(2):
        when = time_s / 1.5 + 0.5 * slot + pick(seed, 7, 0, 1)
        number = math.floor(when)
        own = seed * 31 + number * 2 + slot
        light = _flash((when - number) * 1.5 - pick(own, 1, 0, 0.2))
        if light <= 0:
            continue
        x = view.aspect * pick(own, 2, 0.15, 0.85)
        foot = (x + pick(own, 3, -0.25, 0.25), view.horizon + pick(own, 4, 0.08, 0.26))
        top = (x, pick(own, 5, 0.02, 0.12))
        line = torch.maximum(line, light * drawn(view, bolt(top, foot, own)))
        near = near + light * torch.exp(-(((view.x - x) / 0.4) ** 2) - ((view.y - 0.16) / 0.28) ** 2)
        total = max(total, light)
    return line, near, total


def thunderstorm(view: View, s: float, t: float, seed: int) -> Tensor:
    """Heavy clouds over a dark land, rain curtains far away, lightning."""
    thick, relief = overcast(view, seed, 0.02 * t, t)
    line, near, total = strikes(view, t, seed)
    dark = grey(view.photo, 0.55 * s) * (1 - 0.6 * s) * colour(0.86, 0.95, 1.12)
    dark = dark * (1 + 0.8 * s * total * step(view.y, view.horizon - 0.1, 1.0))
    # Clouds close over the sky that was found, and hang into the upper part of any picture.
    lid = torch.maximum(view.sky * step(view.y, view.horizon + 0.15, view.horizon), step(view.y, 0.42, 0.1))
    lid = (lid + 0.5 * (noise(seed + 5, view.x * 0.8, view.y * 0.8) - 0.5) * lid * (1 - lid) * 4).clamp(0, 1)
    body = (0.05 + 0.62 * (1 - thick).square() + 0.12 * step(view.y, 0, view.horizon)) * relief
    lit = (near * (0.25 + 0.9 * (1 - thick)) * relief).clamp(0, 2)
    clouds = body * colour(0.50, 0.56, 0.66) + 0.75 * lit * colour(0.72, 0.74, 1.0)
    y = mix(dark, clouds, s * lid)
    curtain = noise(seed + 6, view.x * 1.5 - view.y * 0.35 + 0.02 * t, view.y * 0.12 - 0.3 * t, 1.6)
    veil = torch.exp(-(((view.y - view.horizon + 0.06) / 0.12) ** 2)) * curtain
    y = mix(y, colour(0.30, 0.34, 0.42) * (1 + 0.8 * total), 0.5 * s * veil)
    glow = 0.9 * blur(line, 0.012) * 3 + 0.8 * blur(line, 0.05) * 4
    light = line * 1.4 * colour(1, 1, 1) + glow.clamp(max=0.85) * colour(0.62, 0.6, 1.0)
    return screen(y, s**0.7 * light)
