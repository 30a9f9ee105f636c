"""What paints the frames of a film: the narrow seam between writing files and the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from ..engine.params import Value


class Stage(Protocol):
    """A world ready to play.

    Attributes:
        world: its name.
        version: of the world.
        sha256: of the world's file.
        size: (width, height) of its frames.
        device: what it runs on, such as "cpu" or "cuda".

    """

    world: str
    version: str
    sha256: str
    size: tuple[int, int]
    device: str

    def frames(self, blocks: Iterable[np.ndarray], n_frames: int) -> Iterator[np.ndarray]:
        """Paint float32 [height, width, 3] in 0..1 from mono 44.1 kHz blocks: exactly `n_frames` of them."""
        ...


StageMaker = Callable[[str, "Mapping[str, Value]", Fraction, str], Stage]


def world_stage(world: str, values: Mapping[str, Value], fps: Fraction, device: str) -> Stage:
    """Load a world (name or path) and make it ready to play; imports the model only now.

    Args:
        world: name of an installed world, or a path.
        values: address -> value, for the whole film.
        fps: frames a second.
        device: auto, cpu or cuda.

    Raises:
        WorldError: an unknown, damaged or foreign world.

    """
    raise NotImplementedError
