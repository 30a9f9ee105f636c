"""Grids of pictures, to look at what was made."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torchvision.utils import make_grid, save_image


def save_grid(pictures: Tensor, path: Path, columns: int = 8) -> None:
    """Pictures [N,3,H,W] in [-1,1] -> one PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_image(make_grid((pictures.clamp(-1, 1) + 1) / 2, columns, padding=2), path)


@torch.no_grad()
def codes_and_mixtures(codes: Tensor, n: int, seed: int = 0) -> Tensor:
    """N codes as they are, then n mixtures of two: [2n,Z]."""
    rng = torch.Generator().manual_seed(seed)
    a, b = (codes[torch.randint(len(codes), (n,), generator=rng)] for _ in range(2))
    part = 0.25 + 0.5 * torch.rand(n, 1, generator=rng)
    return torch.cat([a, part * a + (1 - part) * b])
