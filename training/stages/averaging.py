"""Exponential moving averages of networks, which are what is kept of a training."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def average_in(mean: nn.Module, now: nn.Module, decay: float, step: int) -> None:
    """One step of the average of all parameters; faster at the start, so that the first ones do not linger."""
    decay = min(decay, (1 + step) / (10 + step))
    for a, b in zip(mean.parameters(), now.parameters(), strict=True):
        a.lerp_(b, 1 - decay)
