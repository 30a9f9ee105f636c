"""The ear: samples in, sound codes out, on fixed grids of sample indices.

E_a is asked every 100 ms of sound, F_a every 250 ms, always about the samples before that point, whatever the
chunks were. Live, batch and replay therefore hear the same.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from .backend import Backend
from .model.mel import BANDS, ENCODER_COLUMNS, HOP, RATE, SOUND_COLUMNS, MelStream, last_columns

Array = npt.NDArray[np.float32]
ENCODER_STEP = RATE // 10
SOUND_STEP = RATE // 4
SPARE_COLUMNS = 64
"""Kept beyond F_a's window: its grid point may lie 250 ms back, and a piece of sound is 100 ms long."""


class Listener:
    """Push mono samples at 44.1 kHz, ask what was heard at a sample index."""

    def __init__(self, backend: Backend, num_ws: int, w_dim: int) -> None:
        self._backend, self._mel = backend, MelStream()
        self._columns: Array = np.zeros((BANDS, 0), np.float32)
        self._first_column = 0
        self.samples = 0
        zero = (np.zeros((num_ws, w_dim), np.float32), 0.0)
        # heard[i] belongs to grid point _first_heard + i; nothing was heard at and before sample 0.
        self._heard: deque[tuple[Array, float]] = deque([zero, zero], maxlen=64)
        self._first_heard = -1
        self._next_sound = 0
        self.code: Array | None = None
        """F_a's newest answer, unit [D]; None before the first 250 ms."""

    def push(self, samples: Array) -> None:
        """Hear more: float32 [n], n up to ENCODER_STEP; evaluates a grid point that is reached."""
        # Column by column: transforms and products of other shapes round differently, and a replay cuts elsewhere.
        first = HOP - self.samples % HOP
        new = [self._mel.push(piece) for piece in np.split(samples, range(first, len(samples), HOP))]
        self._columns = np.concatenate([self._columns, *new], axis=1)
        self.samples += len(samples)
        while (self._first_heard + len(self._heard)) * ENCODER_STEP <= self.samples:
            self._evaluate((self._first_heard + len(self._heard)) * ENCODER_STEP)
        spare = self._columns.shape[1] - SOUND_COLUMNS - SPARE_COLUMNS
        if spare > 0:
            self._columns = self._columns[:, spare:]
            self._first_column += spare

    def window(self, sample: int, width: int) -> Array:
        """The last `width` columns that end at or before `sample`: [BANDS,width]."""
        return last_columns(self._columns, sample // HOP - self._first_column, width)

    def _evaluate(self, sample: int) -> None:
        point = sample // SOUND_STEP
        if point >= self._next_sound or self.code is None:
            self.code = self._backend.hear(self.window(point * SOUND_STEP, SOUND_COLUMNS))
            self._next_sound = point + 1
        if len(self._heard) == self._heard.maxlen:
            self._first_heard += 1
        self._heard.append(self._backend.encode(self.window(sample, ENCODER_COLUMNS), self.code))

    def heard_at(self, sample: int) -> tuple[Array, float]:
        """E_a [L,W] and presence at a sample index, between the last two grid points before it (a fixed lag of
        100 ms). The index must have been pushed already and be less than five seconds old.
        """
        point, rest = divmod(sample, ENCODER_STEP)
        (a, there_a), (b, there_b) = (self._heard[point + k - self._first_heard] for k in (-1, 0))
        part = np.float32(rest / ENCODER_STEP)
        return (a + part * (b - a)).astype(np.float32), there_a + float(part) * (there_b - there_a)
