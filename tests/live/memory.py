"""How much memory a playing show takes."""

import random
import threading
import time
from pathlib import Path

import numpy as np

from sonorama.engine.control.live_table import SHOW

from .stage import LiveShow

MOVED = [path for path, param in SHOW.items() if param.kind == "float" and path.startswith(("/motion", "/look"))]


def own_mb(pid: int) -> float:
    """Memory that is a process's own; what it shares with others, such as the sample ring, has a fixed size."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1000


class Memory:
    """Plays on a show by OSC, and looks at its memory and its renderer's once a second, from a thread.

    Args:
        show: to play on.
        seconds: after which the show is ended; None: it goes on until `close`.

    """

    def __init__(self, show: LiveShow, seconds: float | None = None) -> None:
        self._show, self._begun, self._seconds = show, time.monotonic(), seconds
        self.rows: list[tuple[float, float, float]] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        dice, renderer = random.Random(1), self._show.playing()
        while not self._ending.wait(1.0):
            for _ in range(20):
                self._show.set(dice.choice(MOVED), dice.random())
            passed = time.monotonic() - self._begun
            self.rows.append((passed, own_mb(self._show.process.pid), own_mb(renderer)))
            if self._seconds is not None and passed > self._seconds:
                self._show.process.terminate()
                return

    def close(self) -> None:
        self._ending.set()
        self._thread.join()

    def slopes(self, after: float) -> tuple[float, float]:
        """MB a minute of show and renderer after so many seconds: the median over all pairs at least 20 s apart."""
        times, *kinds = np.array([row for row in self.rows if row[0] > after]).T
        early, late = np.nonzero(times[None, :] - times[:, None] >= 20.0)
        over = (times[late] - times[early]) / 60
        return tuple(float(np.median((kind[late] - kind[early]) / over)) for kind in kinds)  # pyright: ignore[reportReturnType]
