"""Fire: tongues of flame that rise from the ground, embers, sparks and smoke, in a dusk that the fire lights."""

from __future__ import annotations

import torch
from torch import Tensor

from .clouds import mist
from .noise import chance, noise, pick
from .particles import ages, soft, stamp
from .view import View, blur, colour, grey, mix, screen, step


def flames(
    view: View, base: Tensor, height: float, scale: float, time_s: float, seed: int, fade: float = 0.0
) -> Tensor:
    """Heat [H,W] in 0..1 of a row of flames: 0 nothing, 0.3 red rim, 1 core.

    base [1,W]: where they stand, in heights; height: of the tallest; scale: width of a tongue.
    """
    up = (base - view.y) / height
    u, v = view.x / scale, view.y / scale
    sway = 0.5 * (noise(seed + 1, u * 0.12, v * 0.07 + 0.2 * time_s) - 0.5) * up.clamp(0, 1) * scale * 3
    u = (view.x + sway) / scale
    tall = 0.35 + 0.75 * noise(seed + 2, u * 0.11 + 0.07 * time_s, 0.15 * time_s, 1.8)
    tongue = noise(seed + 3, u * 0.26, v * 0.075 + 0.24 * time_s, 1.9)
    lick = noise(seed + 4, u * 0.62 + 0.12 * tongue, v * 0.21 + 0.55 * time_s, 1.8)
    body = 0.62 * tongue + 0.38 * lick
    rest = 1 - up / tall
    heat = rest.clamp(max=0.86) + (body - 0.52) * (0.75 + 1.3 * up.clamp(0, 1))
    return (heat * 1.1).clamp(0, 1) * step(up, -0.16 - fade, 0.02)


def blackbody(heat: Tensor) -> Tensor:
    """Colour [3,H,W] of glowing gas: dark red, orange, yellow, nearly white."""
    return torch.stack([(heat * 2.6), (heat * 1.55 - 0.2) * 1.05, heat * 1.5 - 0.9]).clamp(0, 1) ** 1.1


def burn(picture: Tensor, heat: Tensor) -> Tensor:
    """A picture behind flames: they cover it where they are hot and shine where they are not."""
    cover = step(heat, 0.08, 0.42)
    return screen(mix(picture, picture * 0.1, cover), blackbody(heat) * step(heat, 0.02, 0.25))


def sparks(view: View, base: float, count: int, time_s: float, seed: int, spread: tuple[float, float]) -> Tensor:
    """Glowing specks [H,W] that rise, swirl and go out; they start between the two x of `spread`."""
    index, age, turn = ages(count, 1.1 + 1.3 * chance(seed, 1, torch.arange(count)), time_s, seed)
    fast = 0.35 + 0.6 * chance(seed, 2, index, turn)
    phase = 6.28 * chance(seed, 3, index, turn)
    x = spread[0] + (spread[1] - spread[0]) * chance(seed, 4, index, turn)
    x = x + 0.05 * torch.sin(phase + 5 * age) + 0.12 * age * (chance(seed, 5, index, turn) - 0.5)
    y = base - 0.9 * fast * (age + 0.25 * age * age)
    angle = 1.57 + 0.5 * torch.cos(phase + 5 * age)
    size = 0.0022 + 0.003 * chance(seed, 6, index, turn) ** 2
    return stamp(view.size, x, y, 1.3 * (1 - age) * (age * 12).clamp(max=1), size * 2.2, size, angle, soft)


def fire_crackling(view: View, s: float, t: float, seed: int) -> Tensor:
    """Dusk, a burning row before a smaller one, smoke above, light on everything near."""
    centre = view.aspect * pick(seed, 1, 0.35, 0.65)
    flicker = float(0.8 + 0.2 * noise(seed + 90, 0.9 * t, 0.5, 1.4))
    reach = ((view.x - centre) / (view.aspect * (0.25 + 0.3 * s) * pick(seed, 2, 0.55, 1.2))) ** 2
    front = 1.0 + 0.02 * noise(seed + 8, view.x * 0.9, 0.1) + 0.28 * reach
    back = 0.5 * view.horizon + 0.5 + 0.05 * noise(seed + 9, view.x * 0.7, 0.4) + 0.2 * reach
    near = flames(view, front, 0.2 + 0.55 * s, 0.26, t, seed)
    far = flames(view, back, 0.12 + 0.28 * s, 0.12, t, seed + 20, 0.9) * step(near, 0.6, 0.1)
    dusk = grey(view.photo, 0.35 * s) * (1 - 0.62 * s) * colour(1.0, 0.86, 0.8)
    lit = blur((near + 0.6 * far).clamp(0, 1), 0.12) + 0.35 * blur(near, 0.35)
    y = dusk + view.photo.clamp(0.06, 1) * lit * flicker * s * colour(1.25, 0.55, 0.16)
    smoke = step(mist(view, seed + 40, t, 0.22, 1.3), 0.35, 0.8) * step(view.y, 0.95, 0.25)
    y = mix(y, colour(0.2, 0.13, 0.1) + 0.5 * lit * colour(0.7, 0.3, 0.1), 0.62 * s * smoke)
    y = burn(burn(y, far), near)
    y = screen(y, 0.5 * s * blur(near, 0.05) * colour(1.0, 0.45, 0.1))
    glow = sparks(view, 0.92, 70, t, seed, (0.1 * view.aspect, 0.9 * view.aspect)) * s
    return y + glow * colour(1.0, 0.62, 0.2)
