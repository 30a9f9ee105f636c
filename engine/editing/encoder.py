"""The encoder of inversion: from a picture's descriptor to style codes by ridge regression, in one step.

It is fitted once for a world, on the pictures of some of its own seeds, and kept in the cache folder. On `shore` it
halves the pixel error of the best seed of the bank (docs/editing.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import OutputError
from ..files.atomic import replacing, tensors_into
from ..files.folders import cache_folder
from ..model.backbone import descriptor
from .inversion import Inverter

SEEDS, FIRST = 256, 10_000
"""How many pictures it is fitted on; the first seed lies beyond the bank."""
SIDE, BATCH, LARGEST = 64, 8, 4.0
RIDGE = 3.0
"""Weight of |P|^2, times the root of the descriptor's length. Measured on 8 photos with `shore`: from 1 to 10 alike."""


@dataclass(frozen=True)
class RidgeEncoder:
    """Descriptor -> W. mean, std [F]: of the descriptors; matrix [F,W] and offset [W]: in units of sigma_w."""

    mean: Tensor
    std: Tensor
    matrix: Tensor
    offset: Tensor

    @torch.no_grad()
    def codes(self, inverter: Inverter, pictures: Tensor) -> Tensor:
        """Style codes [B,L,W], the same W in all of them, of pictures [B,3,H,W] in -1..1."""
        x = ((described(inverter, pictures) - self.mean) / self.std).clamp(-LARGEST, LARGEST)
        w = inverter.w_avg + (x @ self.matrix + self.offset) * inverter.w_std
        return w[:, None].repeat(1, inverter.world.card.num_ws, 1)


@torch.no_grad()
def described(inverter: Inverter, pictures: Tensor) -> Tensor:
    """Descriptors [B,F] of pictures in -1..1, all seen at the same size."""
    height, width = inverter.generator.config.shape(min(SIDE, inverter.side))
    x = F.interpolate(pictures, (height, width), mode="bicubic", antialias=True).clamp(-1, 1)
    return descriptor(inverter.backbone(x), x)


def load_encoder(inverter: Inverter, progress: Callable[[int, int], None] | None = None) -> RidgeEncoder:
    """The encoder of a world: kept from before, or fitted now, which takes some seconds.

    progress: called with (pictures painted, pictures in all).
    """
    path = cache_folder() / "encoders" / f"{inverter.world.card.content[:32]}-{SEEDS}-1.safetensors"
    return _read(path) or _fitted(inverter, path, progress)


def fit(x: Tensor, y: Tensor, ridge: float = RIDGE) -> RidgeEncoder:
    """The ridge regression of y [N,W] on descriptors x [N,F]."""
    mean, std, offset = x.mean(0), x.std(0) + 1e-6, y.mean(0)
    x = ((x - mean) / std).clamp(-LARGEST, LARGEST)
    damped = x @ x.T + ridge * x.shape[1] ** 0.5 * torch.eye(len(x))
    return RidgeEncoder(mean, std, x.T @ torch.linalg.solve(damped, y - offset), offset)


@torch.no_grad()
def _fitted(inverter: Inverter, path: Path, progress: Callable[[int, int], None] | None) -> RidgeEncoder:
    w = inverter.seeds(range(FIRST, FIRST + SEEDS))
    rows = []
    for chunk in w.split(BATCH):
        rows.append(described(inverter, inverter.paint(chunk, min(SIDE, inverter.side)).clamp(-1, 1)))
        if progress is not None:
            progress(len(rows) * BATCH, SEEDS)
    made = fit(torch.cat(rows), (w[:, 0] - inverter.w_avg) / inverter.w_std)
    _keep(made, path)
    return made


def _read(path: Path) -> RidgeEncoder | None:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        tensors = {name: torch.from_numpy(x) for name, x in load_file(path).items()}
        return RidgeEncoder(**tensors)
    except (SafetensorError, OSError, ValueError, TypeError):
        return None  # not made yet, or damaged: it is made again


def _keep(made: RidgeEncoder, path: Path) -> None:
    from safetensors.numpy import save_file

    tensors: dict[str, np.ndarray] = {name: value.numpy() for name, value in vars(made).items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part, tensors_into(path):
            save_file(tensors, part)
    except (OSError, OutputError):
        return  # a cache: the next inversion fits it again
