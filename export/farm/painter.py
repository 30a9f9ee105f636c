"""What a worker of a farm does: it loads the world once and paints segments."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...engine.inference.backend import open_backend
from ...engine.model.world_file import load_world
from ...engine.units import Array


class Painter:
    """A world on a device of this machine, for one picture at a time.

    Args:
        world: its file.
        device: auto, cpu, cuda ...; see `open_backend`.

    Raises:
        SonoramaError: the world or the device cannot be used here.

    """

    def __init__(self, world: Path, device: str) -> None:
        self._backend = open_backend(load_world(world), device, threads=1, painters=1)

    def paint(self, codes: Array) -> Array:
        """Style codes [n,L,W] -> pictures float32 [n,H,W,3] in 0..1."""
        return np.stack([self._backend.synthesize(w) for w in codes])
