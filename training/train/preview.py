"""The preview of a training: a film that goes through seeds and ends where it began."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import av
import torch
import torch.nn.functional as F
from torch import Tensor

from ...engine.files.atomic import replacing
from ...engine.model.generator import Generator
from ..stages.generator.mixtures import MIXING, TRUNCATION
from ..stages.generator.progress import paint_codes, seed_codes
from ..stages.generator.trainer import GeneratorTrainer

PREVIEW = "preview.mp4"
RATE, STATIONS, BETWEEN = 25, 8, 20
LEAST = 256
"""Height in px that smaller pictures are enlarged to."""


def loop_codes(anchors: Tensor, stations: int = STATIONS, between: int = BETWEEN) -> Tensor:
    """Codes [stations x between,Z] on the way through the first seeds and back to the first; all of length sqrt(Z)."""
    z = seed_codes(anchors, stations, mixing=MIXING)
    ahead = torch.cat([z[1:], z[:1]])
    t = torch.linspace(0, 1, between + 1)[:-1]
    t = (t * t * (3 - 2 * t))[None, :, None]
    way = (1 - t) * z[:, None] + t * ahead[:, None]
    return F.normalize(way.flatten(0, 1), dim=1) * z.shape[1] ** 0.5


def write_preview(generator: Generator, anchors: Tensor, side: int, path: Path) -> None:
    """Paint the loop at `side` px of height and write it as H.264; never half a film under its name."""
    high, wide = generator.config.shape(side)
    size = max(1, LEAST // high) * high, max(1, LEAST // high) * wide
    with replacing(path) as part, av.open(str(part), "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=Fraction(RATE), options={"crf": "18", "preset": "superfast"})
        stream.height, stream.width = size
        stream.pix_fmt = "yuv420p"
        for some in loop_codes(anchors).split(16):
            pictures = F.interpolate(paint_codes(generator, some, side, TRUNCATION), size, mode="bilinear")
            for pixels in ((pictures + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous():
                film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels.numpy(), "rgb24")))
        film.mux(stream.encode())


class Preview:
    """Called with the trainer at its checkpoints; writes the film at each size, and every `every_s` seconds."""

    def __init__(self, folder: Path, every_s: float) -> None:
        self._path, self._every_s = folder / PREVIEW, every_s
        self._written: tuple[float, int] | None = None

    def __call__(self, trainer: GeneratorTrainer) -> None:
        """Write it if it is due."""
        now, side = time.monotonic(), trainer.painted
        if self._written is None or now - self._written[0] > self._every_s or self._written[1] != side or trainer.done:
            self._written = (now, side)
            write_preview(trainer.average, trainer.anchors, side, self._path)
