"""Procedural scenes: the nine Landscape classes drawn onto real photos.

A stand-in for the paper's landscape videos, made from licensed photos and recordings only: each class has
one picture effect, driven by a strength in 0..1 (the recording's loudness) and a time in seconds. Pictures
are float32 [3,H,W] in 0..1, row 0 on top.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

CLASSES = (
    "thunderstorm",
    "waterfall_burbling",
    "volcano_eruption",
    "squishing_water",
    "wind_noise",
    "fire_crackling",
    "raining",
    "underwater_bubbling",
    "splashing_water",
)


def _rng(seed: int, step: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed((seed * 1_000_003 + step * 7919) % 2**63)


def _colour(r: float, g: float, b: float) -> Tensor:
    return torch.tensor([r, g, b])[:, None, None]


def _luma(x: Tensor) -> Tensor:
    return (x * _colour(0.2126, 0.7152, 0.0722)).sum(0, keepdim=True)


def _mix(x: Tensor, y: Tensor, amount: Tensor | float) -> Tensor:
    return x + (y - x) * amount


def _grey(x: Tensor, amount: float) -> Tensor:
    return _mix(x, _luma(x).expand_as(x), amount)


def _height(x: Tensor) -> Tensor:
    """[1,H,1]: 0 at the top row, 1 at the bottom row."""
    return torch.linspace(0, 1, x.shape[1])[None, :, None]


def cloud(h: int, w: int, seed: int, time_s: float, octaves: tuple[int, ...] = (3, 6, 12)) -> Tensor:
    """Smooth noise [1,h,w] in 0..1 that flows: three octaves, each interpolated between two fields a second."""
    total = torch.zeros(1, h, w)
    for k, cells in enumerate(octaves):
        step, part = divmod(time_s * (1 + k), 1.0)
        a = torch.rand(1, 1, cells, cells, generator=_rng(seed + k, int(step)))
        b = torch.rand(1, 1, cells, cells, generator=_rng(seed + k, int(step) + 1))
        field = F.interpolate(_mix(a, b, 0.5 - 0.5 * math.cos(math.pi * part)), (h, w), mode="bicubic")
        total = total + field[0] / 2**k
    return ((total / sum(0.5**k for k in range(len(octaves))) - 0.5) * 1.8 + 0.5).clamp(0, 1)


def streaks(h: int, w: int, seed: int, time_s: float, density: float, length: int, slant: float) -> Tensor:
    """Falling lines [1,h,w] in 0..1: sparse dots smeared along a slanted column, new ones 15 times a second."""
    step = int(time_s * 15)
    dots = (torch.rand(1, 1, h + length, w, generator=_rng(seed, step)) < density).float()
    lines = F.max_pool2d(dots, (length, 1), stride=1)[:, :, :h]
    shear = torch.tensor([[[1.0, slant, 0.0], [0.0, 1.0, 0.0]]])
    return F.grid_sample(lines, F.affine_grid(shear, [1, 1, h, w], False), align_corners=False)[0]


def blobs(h: int, w: int, seed: int, time_s: float, count: int, rise: float) -> Tensor:
    """Soft discs [1,h,w] in 0..1 that move up by `rise` heights a second (negative: fall)."""
    place = torch.rand(3, count, generator=_rng(seed))
    ys, xs = torch.linspace(0, 1, h)[:, None, None], torch.linspace(0, 1, w)[None, :, None]
    cy = (place[0] - rise * time_s * (0.5 + place[2])) % 1.0
    cx = place[1] + 0.02 * torch.sin(6.28 * (time_s + place[0]))
    radius = 0.008 + 0.03 * place[2]
    d = ((ys - cy) ** 2 + (xs - cx) ** 2).sqrt() / radius
    return (1.2 - d).clamp(0, 1).amax(-1)[None]


def wave(x: Tensor, seed: int, time_s: float, amount: float) -> Tensor:
    """Bend the picture by flowing noise: up to `amount` of its width."""
    _, h, w = x.shape
    shift = torch.stack([cloud(h, w, seed, time_s)[0], cloud(h, w, seed + 31, time_s)[0]], -1) - 0.5
    grid = F.affine_grid(torch.eye(2, 3)[None], [1, 3, h, w], False) + 2 * amount * shift[None]
    return F.grid_sample(x[None], grid, padding_mode="reflection", align_corners=False)[0]


def thunderstorm(x: Tensor, s: float, t: float, seed: int) -> Tensor:
    """Dark blue-grey air, clouds from above, a flash now and then."""
    dark = _grey(x, 0.6 * s) * (1 - 0.62 * s) * _colour(0.88, 0.95, 1.12)
    shade = cloud(x.shape[1], x.shape[2], seed, t * 0.4) * (1 - _height(x))
    dark = dark * (1 - 0.5 * s * shade)
    flash = max(0.0, math.sin(2 * math.pi * (t * 0.9 + (seed % 97) / 97))) ** 24 * s
    return dark + flash * 0.45 * (1 - 0.6 * _height(x)) * _colour(0.85, 0.9, 1.0)


def waterfall_burbling(x: Tensor, s: float, t: float, seed: int) -> Tensor:
    """White falling water in the middle and mist at its foot."""
    _, h, w = x.shape
    centre = 0.3 + 0.4 * ((seed % 89) / 89)
    band = torch.exp(-(((torch.linspace(0, 1, w) - centre) / 0.16) ** 2))[None, None]
    fall = streaks(h, w, seed, t, 0.03, max(3, h // 4), 0.0)
    mist = cloud(h, w, seed + 5, t) * _height(x) ** 2
    y = _mix(x, _colour(0.9, 0.95, 1.0), (0.75 * s * band * (0.45 + 0.55 * fall)).clamp(0, 1))
    return _mix(y, _colour(0.86, 0.92, 0.97), 0.55 * s * mist)


def volcano_eruption(x: Tensor, s: float, t: float, seed: int) -> Tensor:
    """Dark red smoke above, glowing lava below."""
    _, h, w = x.shape
    smoke = cloud(h, w, seed, t) * (1 - 0.4 * _height(x))
    y = _grey(x, 0.5 * s) * (1 - 0.55 * s * (0.4 + smoke)) * _mix(torch.ones(3, 1, 1), _colour(1.35, 0.72, 0.55), s)
    lava = ((cloud(h, w, seed + 9, t * 0.7) - 0.42) * 4).clamp(0, 1) * _height(x) ** 1.5
    return y + s * lava * _colour(1.0, 0.32, 0.05)


def squishing_water(x: Tensor, s: float, t: float, seed: int) -> Tensor:
    """Wet brown mud below, ripples in it."""
    y = wave(x, seed, t * 1.5, 0.05 * s)
    mud = (_height(x) * 1.3).clamp(0, 1) ** 1.5
    wet = _luma(y) * _colour(0.72, 0.56, 0.36) * (0.75 + 0.5 * cloud(x.shape[1], x.shape[2], seed, t))
    return _mix(y, wet, 0.85 * s * mud)


def wind_noise(x: Tensor, s: float, t: float, seed: int) -> Tensor:
    """Everything bends; pale dust blows across."""
    y = wave(x, seed, t * 2, 0.06 * s)
    dust = cloud(x.shape[1], x.shape[2], seed + 3, t * 1.5, (2, 4, 9))
    return _mix(_grey(y, 0.25 * s), _colour(0.86, 0.82, 0.72), 0.45 * s * dust)


def fire_crackling(x: Tensor, s: float, t: float, seed: int) -> Tensor:
    """Warm light, flames from below, sparks."""
    _, h, w = x.shape
    flicker = 0.85 + 0.15 * math.sin(23 * t + seed) * math.sin(7.3 * t)
    y = x * (1 - 0.35 * s) * _mix(torch.ones(3, 1, 1), _colour(1.5, 0.85, 0.45), s) * flicker
    tongues = (cloud(h, w, seed, t * 2.5, (4, 9, 18)) + 1.3 * _height(x) - 1.15).clamp(0, 1) * 1.6
    y = y + s * tongues * _colour(1.0, 0.5, 0.08)
    return y + s * 0.9 * blobs(h, w, seed, t, 10, 0.6) * _colour(1.0, 0.7, 0.25)


def raining(x: Tensor, s: float, t: float, seed: int) -> Tensor:
    """Grey, soft contrast, slanted streaks."""
    _, h, w = x.shape
    y = _mix(_grey(x, 0.85 * s), _colour(0.52, 0.55, 0.58), 0.45 * s)
    lines = streaks(h, w, seed, t, 0.012, max(3, h // 9), 0.12)
    return y + 0.28 * s * lines


def underwater_bubbling(x: Tensor, s: float, t: float, seed: int) -> Tensor:
    """Blue-green depth, light from above, rising bubbles."""
    _, h, w = x.shape
    y = wave(x, seed, t, 0.04 * s)
    deep = (_luma(y) * 0.8 + 0.15) * _colour(0.12, 0.72, 0.82) * (1.15 - 0.6 * _height(x))
    y = _mix(y, deep, 0.9 * s)
    return y + 0.5 * s * blobs(h, w, seed, t, 14, 0.25) * _colour(0.6, 0.95, 1.0)


def splashing_water(x: Tensor, s: float, t: float, seed: int) -> Tensor:
    """Foam and spray thrown up from below, a cool wet light."""
    _, h, w = x.shape
    y = _mix(x, x * _colour(0.85, 1.0, 1.12), s)
    foam = ((cloud(h, w, seed, t * 2, (5, 10, 20)) + 0.9 * _height(x) - 0.95) * 3).clamp(0, 1)
    y = _mix(y, _colour(0.93, 0.97, 1.0), 0.8 * s * foam)
    return y + 0.7 * s * blobs(h, w, seed, t, 24, 0.5) * _colour(0.9, 0.97, 1.0)


EFFECTS: dict[str, Callable[[Tensor, float, float, int], Tensor]] = {
    f.__name__: f
    for f in (
        thunderstorm,
        waterfall_burbling,
        volcano_eruption,
        squishing_water,
        wind_noise,
        fire_crackling,
        raining,
        underwater_bubbling,
        splashing_water,
    )
}


def draw(photo: Tensor, class_id: str, strength: float, time_s: float, seed: int) -> Tensor:
    """Draw one class onto a photo.

    photo [3,H,W] in 0..1 -> the same shape and range. strength 0 leaves the photo as it is.
    KeyError for a class that is not in CLASSES.
    """
    return EFFECTS[class_id](photo, float(strength), float(time_s), int(seed)).clamp(0, 1)
