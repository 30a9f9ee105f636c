"""Contact sheets of the procedural pictures: every class on several photos, and every class at several times."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.io import decode_image
from torchvision.utils import make_grid, save_image

from ....engine.errors import InputError, OutputError
from .scenes import CLASSES, draw


def read_photo(path: Path, height: int, width: int) -> Tensor:
    """The middle of a photo at the given shape, float32 [3,height,width] in 0..1."""
    x = decode_image(str(path)).float()[None, :3] / 255
    scale = max(height / x.shape[2], width / x.shape[3])
    full = max(height, round(x.shape[2] * scale)), max(width, round(x.shape[3] * scale))
    x = F.interpolate(x, full, mode="bicubic", antialias=True)[0].clamp(0, 1)
    top, left = (full[0] - height) // 2, (full[1] - width) // 2
    return x[:, top : top + height, left : left + width]


def by_photo(photos: list[Tensor], strength: float) -> Tensor:
    """Photos [3,H,W] of one shape -> one picture [3,...]: a row a class, a column a photo, seed and time."""
    rows = [draw(x, k, strength, 1.7 + 3.1 * i, 11 + i) for k in CLASSES for i, x in enumerate(photos)]
    return make_grid(torch.stack(rows), len(photos), padding=2)


def by_time(photo: Tensor, strength: float, seed: int = 5, step_s: float = 0.12, columns: int = 6) -> Tensor:
    """A photo [3,H,W] -> one picture [3,...]: a row a class, columns `step_s` seconds apart."""
    rows = [draw(photo, k, strength, 3.3 + step_s * i, seed) for k in CLASSES for i in range(columns)]
    return make_grid(torch.stack(rows), columns, padding=2)


def write_sheets(
    photos: list[Path], out: Path, strength: float = 0.8, size: tuple[int, int] = (256, 448)
) -> tuple[Path, Path]:
    """Write `out`/photos.png (classes by photos) and `out`/times.png (classes on the first photo by time).

    size: (H, W) of a picture. Returns both paths. InputError without photos, OutputError if a file is there already.
    """
    if not photos:
        raise InputError("no photos to draw on", "Give at least one.")
    paths = out / "photos.png", out / "times.png"
    for path in paths:
        if path.exists():
            raise OutputError(f"{path} is there already", "Give another folder, or take it away first.")
    out.mkdir(parents=True, exist_ok=True)
    read = [read_photo(p, *size) for p in photos]
    save_image(by_photo(read, strength), paths[0])
    save_image(by_time(read[0], strength), paths[1])
    return paths
