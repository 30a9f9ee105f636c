"""Applies the output controls recorded in a take to the pictures of its replay.

Each class is called for every frame of the film in order, because output controls depend on the previous pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache

import numpy as np

from ..engine.control.addresses import OUT_FIT
from ..engine.picture.effects import PictureEffects
from ..engine.picture.output_controls import OutputControls, lifted
from ..engine.picture.scale import output_size, scaler
from ..engine.picture.to_rgba8 import rgba8
from ..engine.pipeline.frame_pipeline import FrameResult
from ..engine.units import Pixels

ReplayOutput = Callable[[FrameResult, np.ndarray | None, int], np.ndarray | None]
"""(frame result, picture or None for the previous one, index in the film, below 0 before it) -> the film's frame."""


class Bare:
    """Omits the output controls: float32 [H,W,3] in 0..1 from the network, scaled to the film's size."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._last: np.ndarray | None = None

    def __call__(self, _step: FrameResult, picture: np.ndarray | None, _index: int) -> np.ndarray | None:
        """See ReplayOutput."""
        if picture is not None:
            self._last = self._fitted(picture)
        return self._last

    def _fitted(self, picture: np.ndarray) -> np.ndarray:
        """The picture at the film's size; scaled as 8 bits if it has another."""
        size = picture.shape[1], picture.shape[0]
        return picture if size == self._size else _float(scaler(size, self._size)(rgba8(picture)))


class Finished:
    """Applies the output controls in 8 bits; frames that they do not change stay float32 in full depth."""

    def __init__(self, size: tuple[int, int], fps: Fraction) -> None:
        self._bare, self._finish, self._dt = Bare(size), OutputControls(*size), float(1 / fps)
        self._effects = PictureEffects()

    def __call__(self, step: FrameResult, picture: np.ndarray | None, index: int) -> np.ndarray | None:
        """See ReplayOutput."""
        bare = self._bare(step, None if picture is None else self._with_effects(step, picture), index)
        if bare is None:
            return None
        pixels = rgba8(bare)
        out = self._finish.apply(pixels, lifted(step.values, step.lift), index * self._dt, self._dt)
        return bare if np.array_equal(out, pixels) else _float(out)

    def _with_effects(self, step: FrameResult, picture: np.ndarray) -> np.ndarray:
        """The picture itself where there are none, in full depth."""
        pixels = rgba8(picture)
        out = self._effects.apply(pixels, step.values, step.sample)
        return picture if out is pixels else _float(out)


class AsItLeft:
    """Processes pictures as the show does, so that frames are bit-identical to its output: uint8 [H,W,3]."""

    def __init__(self, size: tuple[int, int], fps: Fraction) -> None:
        self._size, self._finish, self._dt = size, OutputControls(*size), float(1 / fps)
        self._effects = PictureEffects()
        self._pixels: Pixels | None = None
        self._scaler = lru_cache(maxsize=4)(scaler)

    def __call__(self, step: FrameResult, picture: np.ndarray | None, index: int) -> np.ndarray | None:
        """See ReplayOutput."""
        if picture is not None:
            inset = step.instrument.world.card.inset
            own = self._effects.apply(rgba8(picture), step.values, step.sample)
            size, fit = output_size(step.values, step.instrument.size), str(step.values.get(OUT_FIT, "cover"))
            painted = self._scaled(own, size, inset, fit)
            self._pixels = self._scaled(painted, self._size)
        return self._finish.apply(self._pixels, lifted(step.values, step.lift), index * self._dt, self._dt)[..., :3]

    def _scaled(self, pixels: Pixels, size: tuple[int, int], inset: int = 0, fit: str = "cover") -> Pixels:
        return self._scaler((pixels.shape[1], pixels.shape[0]), size, inset, fit)(pixels)


def _float(pixels: Pixels) -> np.ndarray:
    return pixels[..., :3].astype(np.float32) / np.float32(255)
