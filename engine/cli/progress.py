"""Progress of a long task and the time left: a bar on a terminal, occasional lines in a log."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..errors import ValueRefused

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

INTERVAL = "SONORAMA_PROGRESS"
"""Environment variable for programs that read the lines: seconds between two of them."""
_interruption: list[type[KeyboardInterrupt]] = []


def note_interruption(kind: type[KeyboardInterrupt] | None) -> None:
    """Record that a signal asked the command to end; None clears the record."""
    _interruption[:] = [] if kind is None else [kind]


def raise_interruption() -> None:
    """Raise KeyboardInterrupt if a signal asked to end and a library has swallowed or replaced its exception."""
    if _interruption:
        raise _interruption[0]


class Progress:
    """Context manager to be called with (done, total) during the task; writes to stderr.

    Raises:
        ValueRefused: the environment variable SONORAMA_PROGRESS is no number of seconds.

    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._line_every_s = _line_every_s()
        self._bar: Bar | None = None
        self._first: tuple[float, int] | None = None
        self._last_line = 0.0

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task(self._title, total=None)
            self._bar.start()
        return self

    def __call__(self, done: int, total: int) -> None:
        """Say that `done` of `total` steps are finished.

        Raises:
            KeyboardInterrupt: a signal has asked to end, and a library has swallowed the exception that it raised.

        """
        raise_interruption()
        with contextlib.suppress(OSError):  # the terminal may have gone, the task goes on
            self._tell(done, total)

    def _tell(self, done: int, total: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)
            return
        now = time.monotonic()
        if self._first is None:  # the pace is that of the steps, not of the loading before the first
            self._first, self._last_line = (now, done), now
        elif now - self._last_line >= self._line_every_s:
            begun, at = self._first
            left = (now - begun) * (total - done) / max(1, done - at)
            sys.stderr.write(f"{self._title}: {done} of {total}, {left:.0f} s left\n")
            self._last_line = now

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            with contextlib.suppress(OSError):
                self._bar.stop()


def _line_every_s() -> float:
    text = os.environ.get(INTERVAL) or "5"
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ValueRefused(f"{INTERVAL} is {text[:40]!r}, no number of seconds", "Set it to seconds, such as 0.5.")
    return seconds


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))
