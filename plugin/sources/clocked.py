"""Base class of sources that generate or read sound and deliver it in real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np

from ...engine.errors import SonoramaError
from ...engine.units import Samples

LATE_NS = 500_000_000
"""Delay in nanoseconds, e.g. after the computer slept, beyond which the source skips ahead instead of catching up."""


class ClockedSource:
    """A SoundSource that delivers an iterator's blocks in real time, from its own thread.

    Args:
        rate: sample rate in Hz.
        channels: number of channels.
        blocks: called at every start; returns an iterator of float32 [channels, n], any n, finite or infinite.

    Attributes:
        given: samples delivered since the start.

    """

    def __init__(self, rate: int, channels: int, blocks: Callable[[], Iterator[Samples]]) -> None:
        self.rate = rate
        self.channels = channels
        self._blocks = blocks
        self.given = 0
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, write: Callable[[Samples, int], None]) -> None:
        """Start from the first block."""
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, args=(write,), name="sound-paced", daemon=True)
        self._thread.start()

    def alive(self) -> bool:
        """Whether it is still delivering sound."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Stop the thread; may be called twice."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(2.0)

    def _run(self, write: Callable[[Samples, int], None]) -> None:
        began, self.given = time.monotonic_ns(), 0
        try:
            for block in self._small(self._blocks()):
                self.given += block.shape[1]
                due = began + self.given * 1_000_000_000 // self.rate
                wait = due - time.monotonic_ns()
                if wait < -LATE_NS:
                    began -= wait
                    due -= wait
                elif self._ending.wait(max(0, wait) / 1e9):
                    return
                write(block, due)
        except (SonoramaError, OSError):
            return  # the file became unreadable: `alive` is False from now on

    def _small(self, blocks: Iterator[Samples]) -> Iterator[Samples]:
        """Split the sound into blocks of at most 10 ms."""
        n = max(1, self.rate // 100)
        for block in blocks:
            for start in range(0, block.shape[1], n):
                yield np.ascontiguousarray(block[:, start : start + n])
