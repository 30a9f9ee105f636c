"""Child processes of sinks: started again if they crash, ended with the show, whatever happens to it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import IO

from ...engine.errors import SonoramaError
from ...engine.log.children import relay
from ...engine.plugins.interfaces import SinkEnded

PAUSE_S = 1.0
"""Seconds between two starts."""
SHORT_S = 10.0
"""A child that ran for fewer seconds than this counts as a failed start."""
STARTS = 3
"""Failed starts in a row after which it is not started again."""
END_S = 3.0
"""Seconds that a child may take to end."""


class KeptChild:
    """A child process that is started again if it crashes.

    Args:
        code: Python code that it runs.
        arguments: its `sys.argv` from 1.
        source: what it is called in the log.
        told: called in a thread with each line of its standard output; None: it writes none.

    """

    def __init__(self, code: str, arguments: list[str], source: str, told: Callable[[str], None] | None = None) -> None:
        self._make = lambda: _Child(code, arguments, source, told)
        self._child: _Child | None = self._make()
        self._short = self.restarts = 0
        self._again_at = 0.0

    @property
    def pid(self) -> int:
        """Process ID; 0 while there is none."""
        return self._child.pid if self._child else 0

    def check(self, closed: SonoramaError, crashed: SonoramaError) -> None:
        """Start it again if it crashed. Called with every picture.

        Args:
            closed: what to say if it has ended by itself.
            crashed: what to say if it fails repeatedly and says nothing about it.

        Raises:
            SinkEnded: it has ended by itself, or fails repeatedly; with its own last two lines if it said something.

        """
        if self._child is not None and self._child.code() is not None:
            self._check_exit(self._child, closed, crashed)
        if self._child is None and time.monotonic() >= self._again_at:
            self._child = self._make()
            self.restarts += 1

    def _check_exit(self, child: _Child, closed: SonoramaError, crashed: SonoramaError) -> None:
        """Decide by its exit code and age whether an ended child is restarted."""
        code, last, age = child.code(), child.end(), time.monotonic() - child.started
        self._child, self._again_at = None, time.monotonic() + PAUSE_S
        if code == 0:
            raise SinkEnded(closed.message, closed.hint)
        self._short = self._short + 1 if age < SHORT_S else 1
        if self._short >= STARTS:
            message, hint = [*last, f"{crashed.message} (exit code {code})", crashed.hint][:2]
            raise SinkEnded(message, hint)

    def end(self) -> None:
        """End it; may be called twice."""
        child, self._child = self._child, None
        if child is not None:
            child.end()


class _Child:
    """One child process."""

    def __init__(self, code: str, arguments: list[str], source: str, told: Callable[[str], None] | None) -> None:
        self.started = time.monotonic()
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", code, *arguments],
            stdin=pipe,
            stdout=subprocess.DEVNULL if told is None else pipe,
            stderr=pipe,
            start_new_session=True,  # Ctrl-C must reach only the show
        )
        self.pid = self._process.pid
        self._last: deque[str] = deque(maxlen=2)
        assert self._process.stderr is not None  # noqa: S101 (it was asked for)
        self._readers = [relay(self._process.stderr, source, said=self._last.append)]
        if told is not None and (out := self._process.stdout) is not None:
            reader = threading.Thread(target=_read_lines, args=(out, told), name=f"{source}-says", daemon=True)
            reader.start()
            self._readers.append(reader)

    def code(self) -> int | None:
        """Exit code; None while it is running."""
        return self._process.poll()

    def end(self) -> list[str]:
        """End the child, by force if necessary; returns its last two lines of output."""
        process = self._process
        assert process.stdin is not None  # noqa: S101 (it was asked for)
        process.stdin.close()  # tells the child to exit
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for reader in self._readers:
            reader.join(1.0)
        return list(self._last)


def _read_lines(out: IO[bytes], told: Callable[[str], None]) -> None:
    with out:
        for line in out:
            told(line.decode(errors="replace").strip())


def end_with_parent() -> None:
    """In a child: end it when its standard input closes, as it does when the show ends or dies."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    os.read(0, 1)
    with contextlib.suppress(OSError):
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_S)
    os._exit(143)
