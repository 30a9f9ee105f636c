"""Pixel losses between pictures [B,3,H,W] in [-1,1]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def l1_at(a: Tensor, b: Tensor, factor: int) -> Tensor:
    """Mean absolute difference after averaging squares of `factor` px."""
    return F.avg_pool2d(a - b, factor).abs().mean()


def weighted_l1(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute difference, weighted by px [B or 1,1,H,W]."""
    return ((a - b).abs() * weight).mean()


def border_weight(height: int, width: int, outer: int, factor: float) -> Tensor:
    """[1,1,H,W]: `factor` on the outer px, 1 inside."""
    weight = torch.full((1, 1, height, width), factor)
    weight[:, :, outer : height - outer, outer : width - outer] = 1.0
    return weight
