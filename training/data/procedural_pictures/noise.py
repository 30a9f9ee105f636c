"""Smooth random fields that tile the plane, and random numbers by hashing, both functions of a seed alone.

Tiles are made once and then sampled at moving coordinates, so that whatever is drawn from them flows without jumps.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

SIZE = 256
"""Side of a tile in texels, whatever the picture's size: a seed draws the same at 64 px and at 512 px."""

TILES = 8
"""Different tiles of each slope; a seed takes one of them at a place of its own."""


@lru_cache(maxsize=128)
def tile(number: int, slope: float = 1.8) -> Tensor:
    """Periodic noise [1,1,SIZE+1,SIZE+1], uniform in 0..1; amplitude falls as frequency^-slope.

    1.2 is grainy, 1.8 like clouds, 2.4 soft. The last row and column repeat the first, for interpolation.
    """
    white = torch.randn(SIZE, SIZE, generator=torch.Generator().manual_seed(number))
    fy, fx = torch.fft.fftfreq(SIZE)[:, None] * SIZE, torch.fft.rfftfreq(SIZE)[None] * SIZE
    f = (fx**2 + fy**2).sqrt()
    # Below two waves a tile the repetition would show as one large blot.
    weight = torch.where(f < 2, 0.0, f.clamp(min=1) ** -slope)
    field = torch.fft.irfft2(torch.fft.rfft2(white) * weight, s=(SIZE, SIZE))
    uniform = 0.5 + 0.5 * torch.erf(field / (field.std() * 2**0.5))
    return F.pad(uniform[None, None], (0, 1, 0, 1), mode="circular")


def _wrapped(x: Tensor | float, shift: float) -> Tensor:
    x = torch.as_tensor(x, dtype=torch.float32) + shift
    return x.sub_(x.floor()).mul_(2).sub_(1)


def noise(seed: int, u: Tensor | float, v: Tensor | float, slope: float = 1.8) -> Tensor:
    """A smooth random field at (u, v), in tiles, of any shapes that broadcast -> that shape, in 0..1.

    A tile holds some four clumps a side, and repeats. slope: see `tile`.
    """
    u, v = _wrapped(u, pick(seed, 901, 0, 1)), _wrapped(v, pick(seed, 902, 0, 1))
    shape = torch.broadcast_shapes(u.shape, v.shape)
    grid = torch.empty(*shape, 2)
    grid[..., 0], grid[..., 1] = u, v
    field = F.grid_sample(
        tile(seed % TILES, slope),
        grid.view(1, -1, shape[-1] if shape else 1, 2),
        padding_mode="border",
        align_corners=True,
    )
    return field.view(shape)


def ridges(field: Tensor, width: float) -> Tensor:
    """Thin bright lines where a field in 0..1 crosses its middle; `width` in the field's units."""
    return (1 - (field - 0.5).abs() / width).clamp(0, 1)


def chance(seed: int, channel: int, index: Tensor, turn: Tensor | int = 0) -> Tensor:
    """Uniform numbers in 0..1 hashed from (seed, channel, index, turn); index and turn integer tensors."""
    mask = 0xFFFFFFFF
    x = (index * 374761393 + turn * 668265263 + channel * 2246822519 + (seed % 2**31) * 3266489917) & mask
    x = ((x ^ (x >> 13)) * 1274126177) & mask
    x = ((x ^ (x >> 16)) * 2654435761) & mask
    return (x ^ (x >> 15)).double().div(2**32).float()


def pick(seed: int, channel: int, low: float, high: float) -> float:
    """One number in low..high that is a property of the seed: `chance` of index 0, without tensors."""
    mask = 0xFFFFFFFF
    x = (channel * 2246822519 + (seed % 2**31) * 3266489917) & mask
    x = ((x ^ (x >> 13)) * 1274126177) & mask
    x = ((x ^ (x >> 16)) * 2654435761) & mask
    return low + (high - low) * (x ^ (x >> 15)) / 2**32
