"""A backend that can also paint in lower precision, on any machine: a stand-in for a processor with bfloat16.

Its pictures are those of ONNX Runtime, in `bf16` rounded as bfloat16 rounds, and exact ones may take as long as
ROUNDING_SLOW_S says. Shows find it as the plug-in that `install` writes.
"""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sonorama.engine.inference.backend import open_backend
from sonorama.engine.inference.precision import open_in, with_early_exit
from sonorama.engine.model.world_file import World
from sonorama.engine.units import EXACT, Array

NAME, SLOW, EARLY, EXACT_ONLY = "rounding", "ROUNDING_SLOW_S", "ROUNDING_EARLY", "ROUNDING_EXACT_ONLY"


class RoundingBackend:
    """Both precisions of G. formats: what it claims to have; each paints as bf16 does. opened: what was opened."""

    name = NAME

    def __init__(self, world: World, threads: int = 1, painters: int = 1) -> None:
        self._inner = open_backend(world, "ort", threads, painters)
        self.painters = self._inner.painters
        self.embed_sound, self.invert_sound = self._inner.embed_sound, self._inner.invert_sound
        self.step_rnn, self.map_latent = self._inner.step_rnn, self._inner.map_latent
        self.formats: tuple[str, ...] = () if os.environ.get(EXACT_ONLY) else ("bf16",)
        self.opened: list[str] = []

    def synthesize(self, ws: Array) -> Array:
        """Exact, and slow."""
        time.sleep(float(os.environ.get(SLOW, "0")))
        return self._inner.synthesize(ws)

    def fast_precisions(self) -> tuple[str, ...]:
        """See FastBackend."""
        return self.formats

    def open_fast(self, precision: str) -> Callable[[Array], Array]:
        """See FastBackend."""
        self.opened.append(precision)
        return lambda ws: bf16(self._inner.synthesize(bf16(ws)))

    def can_leave_early(self) -> bool:
        """See EarlyExitBackend: where ROUNDING_EARLY is set."""
        return bool(os.environ.get(EARLY))

    def open_early(self, precision: str) -> Callable[[Array], Array]:
        """See EarlyExitBackend."""
        self.opened.append(f"early {precision}")
        inner = open_in(self._inner, with_early_exit(EXACT)).synthesize
        return inner if precision == EXACT else lambda ws: bf16(inner(bf16(ws)))


def bf16(x: Array) -> Array:
    """Rounded to the nearest number that bfloat16 has, ties to even."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).view(np.float32)


def install(folder: Path) -> None:
    """Make it a plug-in for processes that have the folder on their path."""
    shutil.copy(__file__, folder / "rounding_backend.py")
    info = folder / "rounding_backend-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rounding-backend\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[sonorama.backends]\n{NAME} = rounding_backend:RoundingBackend\n")
