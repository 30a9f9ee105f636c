"""A source of sound as bad as the file that its argument names says; test_sound.py installs it as a plug-in."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

RATE, BLOCK = 44_100, 441


class OddSource:
    def __init__(self, argument: str) -> None:
        self._mode = Path(argument)
        self.rate, self.channels = RATE, 2
        self._ending = False

    def start(self, write: Callable[[Any, int], None]) -> None:
        match self._mode.read_text():
            case "no channels":
                self.channels = 0
            case "no rate":
                self.rate = 0
            case "raises":
                raise ZeroDivisionError("of the driver")
            case "hangs":
                while self._mode.read_text() == "hangs":
                    time.sleep(0.05)
            case _:
                pass
        self._thread = threading.Thread(target=self._run, args=(write,), daemon=True)
        self._thread.start()

    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._ending = True

    def _run(self, write: Callable[[Any, int], None]) -> None:
        dice, due = np.random.default_rng(0), time.monotonic()
        while not self._ending and (mode := self._mode.read_text()) in ODD:
            block = (dice.standard_normal((2, BLOCK)) * 0.2).astype(np.float32)
            write(ODD[mode](block), time.monotonic_ns())
            due += BLOCK / RATE / (1.3 if mode == "too fast" else 1.0)  # more samples than its rate says
            time.sleep(max(0.0, due - time.monotonic()))


def _broken(block: np.ndarray) -> np.ndarray:
    block[0, ::7], block[1, ::5], block[1, 3] = np.nan, np.inf, -np.inf
    return block


ODD: dict[str, Callable[[Any], Any]] = {
    "fine": lambda block: block,
    "broken": _broken,
    "too fast": lambda block: block,
    "odd shapes": lambda block: block[0],
    "too loud": lambda block: block.astype(np.float64) * 1e300,
    "whole numbers": lambda block: (block * 100).astype(np.int16),
}
