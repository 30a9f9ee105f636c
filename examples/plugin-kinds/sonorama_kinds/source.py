"""`--source metronome:BPM`: a click on every beat, to see how a picture follows a rhythm."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.interfaces import Samples

BLOCK = 1024


class Metronome:
    """Clicks of 5 ms, mono at 48 kHz."""

    rate, channels = 48_000, 1

    def __init__(self, argument: str) -> None:
        try:
            self._bpm = float(argument or 120)
        except ValueError:
            self._bpm = 0.0
        if not 20 <= self._bpm <= 400:
            raise SonoramaError(f"{argument} is no tempo", "Say: --source metronome:120 (20 to 400)")
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, write: Callable[[Samples, int], None]) -> None:
        """Begin to click."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._run, args=(write,), name="metronome", daemon=True)
        self._thread.start()

    def _run(self, write: Callable[[Samples, int], None]) -> None:
        begun, period = time.monotonic_ns(), round(self.rate * 60 / self._bpm)
        for sent in range(0, 1 << 60, BLOCK):
            due = begun + (sent + BLOCK) * 1_000_000_000 // self.rate
            if self._stopped.wait(max(0.0, (due - time.monotonic_ns()) / 1e9)):
                return
            at = (sent + np.arange(BLOCK)) % period
            write(np.where(at < 240, 0.8 * np.sin(at * 0.3), 0.0).astype(np.float32)[None], due)

    def alive(self) -> bool:
        """Whether it clicks."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Fall silent."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(2.0)
