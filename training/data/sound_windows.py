"""Causal windows of a log-mel, and where the frames of a clip stand in it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from ...engine.model.mel import HOP
from ...engine.units import SAMPLE_RATE

COLUMNS_HZ = SAMPLE_RATE / HOP
"""Mel columns a second."""


def ending_at(mel: Tensor, column: int, width: int) -> Tensor:
    """Log-mel [128,C] -> its `width` columns that end at `column`, silence before the start: [1,128,width]."""
    window = mel[:, max(0, column - width) : column]
    return F.pad(window, (width - window.shape[1], 0))[None]


def frame_columns(first: int, frames: int, rate: float) -> tuple[int, ...]:
    """Mel columns heard at each of the frames, `rate` a second, of a clip whose first frame has heard `first`."""
    return tuple(first + round(i * COLUMNS_HZ / rate) for i in range(frames))


def random_columns(mel: Tensor, frames: int, rate: float, pick: float) -> tuple[Tensor, tuple[int, ...]]:
    """A stretch of log-mel [128,C], the one at `pick` (0..1) of all: the log-mel up to its end, with silence after a
    sound that is too short, and the columns heard at each frame.
    """
    spare = mel.shape[1] - round(frames * COLUMNS_HZ / rate)
    columns = frame_columns(1 + int(pick * max(1, spare)), frames, rate)
    return F.pad(mel, (0, max(0, columns[-1] - mel.shape[1])))[:, : columns[-1]], columns
