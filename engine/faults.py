"""Recent faults: one line of each kind, shown for a while. Any thread may note and read them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

SHOWN_S = 15.0


class Faults:
    """Lines about what is wrong; a kind that is noted again replaces its line and stays."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lines: dict[str, tuple[float, str]] = {}
        self._clock, self._lock = clock, threading.Lock()
        self.count = 0
        """How many were noted."""

    def note(self, kind: str, line: str, error: BaseException | None = None) -> None:
        """Something is wrong.

        Args:
            kind: takes the place of the line of the same kind before.
            line: one line for users: what is wrong, and what it means for them.
            error: whose traceback goes to the log; logging never waits, and cuts down what comes in every frame.

        """
        if error is not None:
            logging.getLogger(f"sonorama.fault.{kind}").error("%s", line, exc_info=error)
        with self._lock:
            self.count += 1
            self._lines[kind] = (self._clock(), line)

    def clear(self, kind: str) -> None:
        """It is no longer wrong."""
        with self._lock:
            self._lines.pop(kind, None)

    def recent(self) -> list[str]:
        """Lines of the last SHOWN_S seconds, newest last."""
        with self._lock:
            now = self._clock()
            self._lines = {kind: said for kind, said in self._lines.items() if now - said[0] < SHOWN_S}
            return [line for _, line in sorted(self._lines.values())]
