"""What a training run leaves beside its checkpoints, to look at."""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path

import torch
from torch import Tensor
from torchvision.io import encode_jpeg
from torchvision.utils import make_grid

from ....engine.files.atomic import write_bytes
from ....engine.model.generator import Generator
from ...data.photos import CLEAN, PictureSet
from ...event_log import EventLog
from ...metrics.distance import HeldOutPhotos, PictureDistances, too_few
from .diversity import paint_codes, seed_codes
from .mixtures import MIXING, TRUNCATION
from .plan import GeneratorPlan
from .trainer import GeneratorTrainer

log = logging.getLogger(__name__)
SEEDS = 64


def save_jpeg(pictures: Tensor, path: Path, columns: int = 8) -> tuple[bytes, tuple[int, int]]:
    """Pictures [N,3,H,W] in [-1,1] -> one sheet; the file's content, and its height and width."""
    sheet: Tensor = (make_grid((pictures + 1) / 2, columns, padding=2) * 255).round().to(torch.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    jpeg = encode_jpeg(sheet, 92)
    assert isinstance(jpeg, Tensor)  # noqa: S101
    content = jpeg.numpy().tobytes()
    write_bytes(path, content)
    return content, (sheet.shape[1], sheet.shape[2])


@torch.no_grad()
def distances(
    generator: Generator, anchors: Tensor, photos: HeldOutPhotos, count: int, psi: float, mixing: float
) -> PictureDistances:
    """Of the pictures of the first `count` seeds at full resolution."""
    made = []
    for z in seed_codes(anchors, count, mixing=mixing).split(8):
        x = paint_codes(generator, z, generator.config.size, psi)
        made.append(((x + 1) * 127.5).round().to(torch.uint8))
    return photos.compare(torch.cat(made).to(generator.mapping.w_avg.device))


class Progress:
    """Sheets below `folder`/grids (64 seeds as they are played, photos above what their codes give), and at full
    resolution a line of distances in `folder`/measures.jsonl; each at its own interval. Both go into `events` too.
    """

    def __init__(self, folder: Path, data: PictureSet, plan: GeneratorPlan, events: EventLog | None = None) -> None:
        self.folder, self.data, self.plan, self.events = folder, data, plan, events
        clean = torch.nonzero((data.class_id == CLEAN) & data.whole & ~data.held)[:, 0]
        self.shown = clean[:: max(1, len(clean) // 32)][:32].cpu()
        self._drawn: tuple[float, int] | None = None
        self._measured = time.monotonic()
        self._photos: HeldOutPhotos | None = None

    def __call__(self, trainer: GeneratorTrainer) -> None:
        """What is due."""
        now = time.monotonic()
        if self._drawn is None or now - self._drawn[0] > self.plan.grid_s or self._drawn[1] != trainer.phase:
            self._drawn = (now, trainer.phase)
            self.draw(trainer)
        if trainer.now.windows and (now - self._measured > self.plan.measure_s or trainer.done):
            self._measured = now
            self.measure(trainer)

    def draw(self, trainer: GeneratorTrainer) -> None:
        """Write both sheets, named by phase, size and pictures so far."""
        side, name = trainer.painted, f"p{trainer.phase}_{trainer.painted:04d}_{trainer.images:07d}"
        made = paint_codes(trainer.average, seed_codes(trainer.anchors, SEEDS, mixing=MIXING), side, TRUNCATION)
        self._sheet("seeds", name, made, trainer.images)
        real = self.data.at(self.shown, side).cpu()
        fake = paint_codes(trainer.average, self.data.codes[self.shown], side)
        rows = [x for r, f in zip(real.split(8), fake.split(8), strict=True) for x in (r, f)]
        self._sheet("codes", name, torch.cat(rows), trainer.images)

    def _sheet(self, kind: str, name: str, pictures: Tensor, images: int) -> None:
        content, size = save_jpeg(pictures, self.folder / "grids" / f"{kind}_{name}.jpg")
        if self.events is not None:
            self.events.picture(f"{kind} phase {name[1]}", content, size, images)

    def measure(self, trainer: GeneratorTrainer) -> None:
        """Append distances as played and at psi 0.7, of `measure_seeds` seeds, where there are photos enough."""
        if why := too_few(self.data):
            log.warning("no distances to photos: %s", why)
            return
        self._photos = self._photos or HeldOutPhotos(trainer.data, trainer.backbone)
        line: dict[str, object] = {"phase": trainer.phase, "images": trainer.images}
        for psi in (TRUNCATION, 0.7):
            found = distances(trainer.average, trainer.anchors, self._photos, self.plan.measure_seeds, psi, MIXING)
            line[f"psi {psi}"] = found.table()
            if self.events is not None:
                kinds = {"whole": found.whole.mean, "patch": found.patch.mean, "nearest": found.nearest}
                self.events.scalars(f"distances psi {psi} phase {trainer.phase}", kinds, trainer.images)
        with (self.folder / "measures.jsonl").open("a") as file:
            file.write(json.dumps(line).replace("NaN", "null") + "\n")  # intervals of too few seeds
        log.info("distances %s", line)
