"""Texture losses: how much detail there is around a place, not where each blade of grass stands.

L1 and distances of features at the same place are least for a blurred picture where detail cannot be matched place by
place. These compare standard deviations over neighbourhoods instead, of bands of spatial frequency and of backbone
maps (a local form of the style loss of Gatys et al. 2016, its diagonal only).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_LEAST = 1e-4
"""Variance below which two neighbourhoods are both flat; pictures are in [-1,1]."""


def bands(x: Tensor, count: int) -> list[Tensor]:
    """A Laplacian pyramid without its last low-pass, the finest band first: band i is at 1/2^i of the side."""
    out: list[Tensor] = []
    for _ in range(count):
        low = F.avg_pool2d(x, 2)
        out.append(x - F.interpolate(low, x.shape[2:], mode="bilinear"))
        x = low
    return out


def local_deviation(x: Tensor, cell: int) -> Tensor:
    """Standard deviations [B,C,h,w] over squares of `cell` places that overlap by half, of x [B,C,H,W]."""
    cell = min(cell, *x.shape[2:])
    mean, square = (F.avg_pool2d(m, cell, max(1, cell // 2)) for m in (x, x.square()))
    return (square - mean.square()).clamp(min=0).add(_LEAST).sqrt()


def band_texture(fake: Tensor, real: Tensor, count: int = 3, cell: int = 12) -> Tensor:
    """Difference of local deviations of `count` bands, in units of the real picture's mean; near 1 for a flat fake."""
    pairs = zip(bands(fake, count), bands(real, count), strict=True)
    return torch.stack([_relative(a, b, cell) for a, b in pairs]).mean()


def map_texture(fake: list[Tensor], real: list[Tensor], count: int = 2, cell: int = 8) -> Tensor:
    """The same of the finest `count` backbone maps."""
    pairs = zip(fake[:count], real[:count], strict=True)
    return torch.stack([_relative(a, b, cell) for a, b in pairs]).mean()


def _relative(fake: Tensor, real: Tensor, cell: int) -> Tensor:
    """By picture, so that smooth ones count as much as rough ones: grain is seen most in a sky."""
    of_real = local_deviation(real, cell).detach()
    apart = (local_deviation(fake, cell) - of_real).abs()
    return (apart.mean((1, 2, 3)) / of_real.mean((1, 2, 3))).mean()
