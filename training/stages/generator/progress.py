"""What a training run leaves beside its checkpoints, to look at."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.io import encode_jpeg
from torchvision.utils import make_grid

from ....engine.files.atomic import write_bytes
from ....engine.model.generator import Generator
from ....engine.model.seed_bank import seed_to_z
from ...data.photos import CLEAN, PictureSet
from .fast_synthesis import paint
from .trainer import GeneratorTrainer

SEEDS = 64
PSI = 0.7


@torch.no_grad()
def paint_codes(generator: Generator, z: Tensor, side: int, psi: float = 1.0) -> Tensor:
    """Pictures [N,3,H,W] in [-1,1] of codes z [N,Z], without noise, on the CPU."""
    device = generator.mapping.w_avg.device
    chunks = [paint(generator.synthesis, generator.mapping(c.to(device), psi), side)[1] for c in z.split(8)]
    return torch.cat(chunks).clamp(-1, 1).cpu()


def seed_codes(anchors: Tensor, count: int, first: int = 1) -> Tensor:
    """Codes [N,Z] of seeds as the engine makes them."""
    table = anchors.cpu().numpy()
    return torch.from_numpy(np.stack([seed_to_z(s, table.shape[1], table) for s in range(first, first + count)]))


def save_jpeg(pictures: Tensor, path: Path, columns: int = 8) -> None:
    """Pictures [N,3,H,W] in [-1,1] -> one sheet."""
    sheet = (make_grid((pictures + 1) / 2, columns, padding=2) * 255).round().to(torch.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, bytes(encode_jpeg(sheet, 92).numpy()))


class Progress:
    """Sheets below `folder`/grids: 64 seeds at psi 0.7, and photos above what their codes give."""

    def __init__(self, folder: Path, data: PictureSet, seconds: float) -> None:
        self.folder, self.data, self.seconds = folder / "grids", data, seconds
        clean = torch.nonzero((data.class_id == CLEAN) & data.whole & ~data.held)[:, 0]
        self.shown = clean[:: max(1, len(clean) // 32)][:32].cpu()
        self._last, self._phase = -seconds, -1

    def __call__(self, trainer: GeneratorTrainer) -> None:
        """Write both sheets if the last ones are old, or of another phase."""
        if time.monotonic() - self._last < self.seconds and trainer.phase == self._phase and not trainer.done:
            return
        self._last, self._phase = time.monotonic(), trainer.phase
        self.write(trainer)

    def write(self, trainer: GeneratorTrainer) -> None:
        """Write both sheets, named by size and pictures so far."""
        side = trainer.now.side
        name = f"p{trainer.phase}_{side:04d}_{trainer.images:07d}"
        made = paint_codes(trainer.average, seed_codes(trainer.anchors, SEEDS), side, PSI)
        save_jpeg(made, self.folder / f"seeds_{name}.jpg")
        real = self.data.at(self.shown, side).cpu()
        fake = paint_codes(trainer.average, self.data.codes[self.shown], side)
        rows = [x for r, f in zip(real.split(8), fake.split(8), strict=True) for x in (r, f)]
        save_jpeg(torch.cat(rows), self.folder / f"codes_{name}.jpg")
