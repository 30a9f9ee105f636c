"""The fully connected layer with equalised learning rate, of StyleGAN2 and StyleGAN3."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SQRT2 = math.sqrt(2.0)


class Linear(nn.Module):
    """Fully connected layer with equalised learning rate. [.., in] -> [.., out]."""

    def __init__(self, n_in: int, n_out: int, bias: float = 0.0, lr_mul: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_out, n_in) / lr_mul)
        self.bias = nn.Parameter(torch.full((n_out,), bias / lr_mul))
        self.gain, self.lr_mul = lr_mul / math.sqrt(n_in), lr_mul

    def forward(self, x: Tensor) -> Tensor:
        """Affine map of the last axis."""
        return F.linear(x, self.weight * self.gain, self.bias * self.lr_mul)
