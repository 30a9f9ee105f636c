"""The sink `window[:DISPLAY]`: the picture in full screen on a display.

A child process shows the show's frame map, so that a crash of Qt or an unplugged display cannot affect the show. The
child is restarted if it dies.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from typing import ClassVar, Literal

from ...engine.control.live_table import WINDOWS, window_address
from ...engine.errors import SonoramaError
from ...engine.log.children import relay
from ...engine.plugins.interfaces import Available, Missing, Picture, SinkEnded, StreamInfo

PAUSE_S = 1.0
"""Seconds between two starts."""
SHORT_S = 10.0
"""A window that ran for fewer seconds than this counts as a failed start."""
STARTS = 3
"""Failed starts in a row after which it is not started again."""
_END_S = 3.0
_CHILD = "from sonorama.plugin.sinks.window import main; main()"


def probe() -> Available | Missing:
    """Whether Qt is installed and there is a display."""
    if importlib.util.find_spec("PyQt6") is None:
        return Missing("PyQt6 is missing", "Install it: pip install pyqt6")
    if sys.platform.startswith("linux") and not any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    ):
        return Missing("there is no display", "Start it from a desktop, or set DISPLAY, such as: export DISPLAY=:0")
    return Available("full screen, in a process of its own")


class WindowSink:
    """Runs `sonorama view SHOW --full-screen` on a display, and restarts it if it crashes.

    Each window of a process has a number of its own: the first follows the parameters `/window/`, the second
    `/window/2/` and so on.

    Args:
        argument: number of the display; 0 (default) is the first.

    Raises:
        SonoramaError: it is not a number, there are too many windows, or none can be opened.

    """

    policy: Literal["latest", "every"] = "latest"
    shaped_by = "Set width, height, flip and delay of the window by its parameters: /window/, /window/2/ ..."
    _all: ClassVar[weakref.WeakSet[WindowSink]] = weakref.WeakSet()

    def __init__(self, argument: str = "") -> None:
        if argument and not (argument.isascii() and argument.isdigit()):
            raise SonoramaError(
                f"{argument!r} is not a display", "Give its number, such as --sink window:1; 0 is the first."
            )
        if isinstance(lack := probe(), Missing):
            raise SonoramaError(f"No window can be opened: {lack.reason}", lack.how_to_install)
        taken = {one.number for one in self._all}
        free = [number for number in range(1, WINDOWS + 1) if number not in taken]
        if not free:
            raise SonoramaError(f"A show has at most {WINDOWS} windows", "Open others with: sonorama view")
        self.number = free[0]
        self._all.add(self)
        self._display = int(argument or 0)
        self._command: list[str] = []
        self._child: _Child | None = None
        self._short, self._restarts = 0, 0
        self._again_at = 0.0

    @property
    def about(self) -> str:
        """The display, and how often the window was restarted."""
        again = f", restarted {self._restarts} times" if self._restarts else ""
        own = f" ({window_address('/window/', self.number)})" if self.number > 1 else ""
        return f"display {self._display}{own}{again}" if self._command else ""

    @property
    def pid(self) -> int:
        """Process ID of the window; 0 if there is none."""
        return self._child.pid if self._child else 0

    def open(self, info: StreamInfo) -> None:
        """Start the window; one that is already open follows changes of size by itself."""
        command = ["view", info.name, "--full-screen", "--display", str(self._display)]
        command += ["--window", str(self.number)] if self.number > 1 else []
        if command != self._command:
            self.close()
            self._command = command
            self._child = _Child(command)

    def send(self, picture: Picture) -> None:
        """Check the window and restart it if it crashed; the picture itself comes through the frame map.

        Raises:
            SinkEnded: the user closed the window, or it fails repeatedly.

        """
        if self._child is not None and self._child.code() is not None:
            self._check_exit(self._child)
        if self._child is None and self._command and time.monotonic() >= self._again_at:
            self._child = _Child(self._command)
            self._restarts += 1

    def _check_exit(self, child: _Child) -> None:
        """Decide by its exit code and age whether an ended window is restarted."""
        code, last, age = child.code(), child.end(), time.monotonic() - child.started
        self._child, self._again_at = None, time.monotonic() + PAUSE_S
        if code == 0:
            raise SinkEnded("The window was closed", f"Open it again: sonorama {' '.join(self._command)}")
        self._short = self._short + 1 if age < SHORT_S else 1
        if self._short >= STARTS:
            message, hint = [*last, f"The window crashed (exit code {code})", "Try another display."][:2]
            raise SinkEnded(message, hint)

    def close(self) -> None:
        """Close the window."""
        child, self._child, self._command = self._child, None, []
        if child is not None:
            child.end()


class _Child:
    """The child process of one window."""

    def __init__(self, arguments: list[str]) -> None:
        self.started = time.monotonic()
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _CHILD, *arguments],
            stdin=pipe,
            stdout=subprocess.DEVNULL,
            stderr=pipe,
            start_new_session=True,  # Ctrl-C must reach only the show
        )
        self.pid = self._process.pid
        self._last: deque[str] = deque(maxlen=2)
        assert self._process.stderr is not None  # noqa: S101 (it was asked for)
        self._reader = relay(self._process.stderr, "window", said=self._last.append)

    def code(self) -> int | None:
        """Exit code; None while it is running."""
        return self._process.poll()

    def end(self) -> list[str]:
        """End the child, by force if necessary; returns its last two lines of output."""
        process = self._process
        assert process.stdin is not None  # noqa: S101 (it was asked for)
        process.stdin.close()  # tells the child to exit
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reader.join(1.0)
        return list(self._last)


def main() -> None:
    """The child's entry point: `sonorama view ...` until the sink closes its standard input or dies."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    from ...engine.cli.main import main as run

    sys.exit(run(sys.argv[1:]))


def _leave_with_parent() -> None:
    os.read(0, 1)
    with contextlib.suppress(OSError):
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_END_S)
    os._exit(143)
