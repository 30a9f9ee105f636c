"""Grids of pictures, to look at what was made."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from torchvision.utils import make_grid, save_image


def save_grid(pictures: Tensor, path: Path, columns: int = 8) -> None:
    """Pictures [N,3,H,W] in [-1,1] -> one PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_image(make_grid((pictures.clamp(-1, 1) + 1) / 2, columns, padding=2), path)
