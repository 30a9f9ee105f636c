"""Splashing water: waves that run towards the eye with crests of foam, and spray that leaps up."""

from __future__ import annotations

import torch
from torch import Tensor

from .noise import bump, chance, noise, pick
from .particles import ages, soft, stamp
from .view import View, blur, colour, mix, step


def swell(view: View, horizon: float, t: float, seed: int) -> tuple[Tensor, Tensor]:
    """Waves in perspective: phase [H,W] in 0..1 from crest to crest (0 just passed), and size [H,1] of a wave in heights.

    The crests come nearer with time: at a fixed row the phase grows.
    """
    down = (view.y - horizon).clamp(min=0.004)
    row = torch.log(down + 0.035) * 2.1
    bend = noise(seed, view.x * 0.28 / (0.35 + down), row * 0.16 - 0.06 * t, 2.0) - 0.5
    crook = noise(seed + 1, view.x * 0.9 / (0.35 + down), row * 0.3 - 0.1 * t, 1.8) - 0.5
    phase = row + 1.1 * bend + 0.28 * crook - 0.42 * t
    return phase - phase.floor(), 0.02 + 0.34 * down


def sea(view: View, horizon: float, t: float, seed: int, rough: float) -> Tensor:
    """The surface [3,H,W]: dark wave faces, light backs, crests of foam with streaks trailing behind them."""
    phase, size = swell(view, horizon, t, seed)
    down = (view.y - horizon).clamp(min=0.004)
    # Ahead of a crest (phase near 1 is about to be reached from below) the face is steep and dark.
    u, v = view.x * 0.8 / (0.12 + down), 0.5 / (0.12 + down) + 0.12 * t
    chop = noise(seed + 2, u, v, 1.5)
    fine = noise(seed + 3, u * 2.3 + 0.04 * t, v * 2.6, 1.4)
    light = 0.45 + 0.55 * phase**1.5 + 0.35 * (chop - 0.5) + 0.25 * (fine - 0.5)
    light = light * bump(0.6 * chop + 0.4 * fine, 2.0).clamp(0.5, 1.6)
    shift = 0.05 * (chop - 0.5) + 0.02 * (phase - 0.5)
    mirrored = view.at(view.x + shift, (horizon - 0.6 * down + shift).clamp(min=0), blur(view.photo, 0.03))
    deep = mix(colour(0.03, 0.20, 0.28), view.air * colour(0.35, 0.62, 0.7), 0.3)
    water = mix(deep * 1.5 * light, mirrored * (0.4 + 0.5 * light), 0.25 + 0.35 * torch.exp(-5 * down))
    translucent = torch.exp(-(((phase - 0.9) / 0.09) ** 2)) * step(down, 0.05, 0.3)
    water = water + 0.35 * translucent * colour(0.12, 0.5, 0.45)
    edge = phase + 0.10 * (fine - 0.5)
    breaking = step(
        noise(seed + 4, view.x * 0.55 / (0.3 + down), (torch.log(down + 0.035) * 2.1 - 0.42 * t) * 0.3, 2.0),
        0.62 - 0.45 * rough,
        0.85 - 0.45 * rough,
    )
    crest = step(edge, 0.9, 0.97) + step(edge, 0.16, 0.0)
    trail = step(noise(seed + 5, u * 1.3, v * 1.2, 1.4), 0.5 + 0.3 * phase, 0.8) * step(phase, 0.75, 0.0)
    foam = (crest * breaking * (0.55 + 0.6 * fine) + 0.8 * trail * (0.3 + 0.7 * breaking)).clamp(0, 1)
    bright = (0.72 + 0.3 * fine) * bump(fine, 1.5).clamp(0.75, 1.25)
    return mix(water, bright * colour(0.95, 0.98, 1.0), foam * step(down, 0.0, 0.05))


def splash(view: View, x0: float, y0: float, tall: float, t: float, seed: int) -> Tensor:
    """Spray [H,W] in 0..1 that leaps up again and again at (x0, y0): a ragged body and drops on ballistic paths."""
    index = torch.arange(420)
    index, age, turn = ages(420, 0.75 + 0.5 * chance(seed, 9, index), t, seed)
    burst = 0.55 + 0.45 * torch.sin(6.28 * (t / 1.7 + chance(seed, 1, index * 0)))
    up = tall * burst * (0.25 + 0.75 * chance(seed, 2, index, turn)) * 4
    out = 1.1 * tall * (chance(seed, 3, index, turn) + chance(seed, 4, index, turn) - 1)
    x = x0 + 0.25 * tall * (chance(seed, 5, index, turn) - 0.5) + out * age * 1.4
    y = y0 - up * (age - age * age)
    big = chance(seed, 6, index) < 0.3
    size = torch.where(big, 0.05 * tall + 0.05 * tall * age, 0.004 + 0.006 * chance(seed, 7, index, turn))
    value = torch.where(big, 0.4, 1.0) * (1 - age) ** 0.7 * (10 * age).clamp(max=1)
    angle = torch.atan2(-up * (1 - 2 * age), out * 1.4)
    cloud = stamp(view.size, x[big], y[big], value[big], size[big] * 1.5, size[big] * 0.8, angle[big], soft, 2.2)
    drops = stamp(view.size, x[~big], y[~big], value[~big], size[~big] * 1.7, size[~big], angle[~big], soft)
    grain = noise(seed + 1, view.x * 2.2, view.y * 2.2 + 0.5 * t, 1.3)
    return (cloud * (0.35 + 1.1 * grain) + drops).clamp(0, 1)


def splashing_water(view: View, s: float, t: float, seed: int) -> Tensor:
    """A sea from the photo's horizon on, waves with foam, two places where it splashes."""
    horizon = view.horizon
    shore = horizon + (0.55 - 0.55 * s) * (1 - horizon)
    y = view.photo * mix(torch.ones(3, 1, 1), colour(0.88, 0.97, 1.06), s)
    cover = step(view.y, shore - 0.003, shore + 0.006)
    y = mix(y, sea(view, horizon, t, seed, s).clamp(0, 1), cover)
    haze = torch.exp(-(((view.y - horizon) / 0.05) ** 2))
    y = mix(y, colour(0.85, 0.9, 0.93), 0.35 * s * haze)
    for k, tall in enumerate((0.3, 0.2)):
        x0 = view.aspect * pick(seed, 10 + k, 0.15 + 0.45 * k, 0.4 + 0.45 * k)
        spray = splash(view, x0, 0.92 - 0.16 * k, tall * (0.4 + 0.75 * s), t, seed + 60 + 7 * k)
        y = mix(y, colour(0.95, 0.98, 1.0), 0.95 * spray)
    return y
