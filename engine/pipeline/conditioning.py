"""The ear: samples in, sound codes out, on fixed grids of sample indices.

E_a is asked every 100 ms of sound, F_a every 250 ms, always about the samples before that point, whatever the
chunks were. Live, batch and replay therefore hear the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..inference.backend import Backend
from ..model.mel import BANDS, ENCODER_COLUMNS, HOP, SOUND_COLUMNS, MelStream, last_columns
from ..units import SAMPLE_RATE, Array

ENCODER_STEP = SAMPLE_RATE // 10
SOUND_STEP = SAMPLE_RATE // 4
REMEMBERED = 8
"""Grid points of E_a that a snapshot keeps; `heard_at` looks back two at most."""
SPARE_COLUMNS = 64
"""Kept beyond F_a's window: its grid point may lie 250 ms back, and a piece of sound is 100 ms long."""


class SoundConditioner:
    """Push mono samples at 44.1 kHz, ask what was heard at a sample index."""

    def __init__(self, backend: Backend, num_ws: int, w_dim: int, begin: int = 0) -> None:
        """begin: the first sample that will be pushed; before it there was silence."""
        self._backend, self._mel = backend, MelStream(begin % HOP)
        self._columns: Array = np.zeros((BANDS, 0), np.float32)
        self._first_column = begin // HOP
        self.samples = begin
        zero = (np.zeros((num_ws, w_dim), np.float32), 0.0)
        # heard[i] belongs to grid point _first_heard + i; nothing was heard at and before the beginning.
        self._heard: deque[tuple[Array, float]] = deque([zero, zero], maxlen=64)
        self._first_heard = begin // ENCODER_STEP - 1
        self._next_sound = begin // SOUND_STEP
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
            self.code = self._backend.embed_sound(self.window(point * SOUND_STEP, SOUND_COLUMNS))
            self._next_sound = point + 1
        if len(self._heard) == self._heard.maxlen:
            self._first_heard += 1
        self._heard.append(self._backend.invert_sound(self.window(sample, ENCODER_COLUMNS), self.code))

    def displacement_at(self, sample: int) -> tuple[Array, float]:
        """E_a [L,W] and presence at a sample index, between the last two grid points before it (a fixed lag of
        100 ms). The index must have been pushed already and be less than five seconds old.
        """
        point, rest = divmod(sample, ENCODER_STEP)
        (a, there_a), (b, there_b) = (self._heard[point + k - self._first_heard] for k in (-1, 0))
        part = np.float32(rest / ENCODER_STEP)
        return (a + part * (b - a)).astype(np.float32), there_a + float(part) * (there_b - there_a)

    def use(self, backend: Backend, num_ws: int, w_dim: int) -> None:
        """Hear with another world's networks from now on; what was heard in the last second is heard again."""
        self._backend = backend
        zero = (np.zeros((num_ws, w_dim), np.float32), 0.0)
        self._heard = deque([zero, zero], maxlen=64)
        point = self.samples // ENCODER_STEP
        self._first_heard = point - 3
        self.code, self._next_sound = None, 0
        for k in (-1, 0):
            if point + k > 0:
                self._evaluate((point + k) * ENCODER_STEP)
            else:
                self._heard.append(zero)

    def snapshot(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything it knows, for `restore`."""
        heard = list(self._heard)[-REMEMBERED:]
        first = self._first_heard + len(self._heard) - len(heard)
        return {
            "numbers": np.array([self.samples, self._first_column, first, self._next_sound], np.int64),
            "columns": self._columns,
            "rest": self._mel.rest,
            "heard": np.stack([code for code, _ in heard]),
            "there": np.array([there for _, there in heard]),
            "code": np.zeros(0, np.float32) if self.code is None else self.code,
        }

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Go on as the one that gave `state`, with the networks of the same world."""
        self.samples, self._first_column, self._first_heard, self._next_sound = state["numbers"].tolist()
        self._columns, self._mel.rest = (np.array(state[name], np.float32) for name in ("columns", "rest"))
        codes, there = np.array(state["heard"], np.float32), state["there"].tolist()
        self._heard = deque(zip(codes, there, strict=True), maxlen=64)
        self.code = np.array(state["code"], np.float32) if len(state["code"]) else None
