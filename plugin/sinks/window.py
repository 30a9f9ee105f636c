"""`window[:DISPLAY]`: the picture over a whole display. A child process shows the show's frame map, so that neither
Qt nor a display that is pulled can hurt the show; one that dies is started again.
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
from collections import deque
from typing import Literal

from ...engine.errors import SonoramaError
from ...engine.log.children import relay
from ...engine.plugins.interfaces import Available, Missing, Picture, SinkEnded, StreamInfo

PAUSE_S = 1.0
"""Between two starts."""
SHORT_S = 10.0
"""A window that lives no longer than this did not work."""
STARTS = 3
"""So many short lives in a row, and it is not started again."""
_END_S = 3.0
_CHILD = "from sonorama.plugin.sinks.window import main; main()"


def probe() -> Available | Missing:
    """Whether there is Qt, and a display."""
    if importlib.util.find_spec("PyQt6") is None:
        return Missing("PyQt6 is missing", "Install it: pip install pyqt6")
    if sys.platform.startswith("linux") and not any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    ):
        return Missing("there is no display", "Start it from a desktop, or set DISPLAY, such as: export DISPLAY=:0")
    return Available("full screen, in a process of its own")


class WindowSink:
    """Keeps `sonorama view SHOW --full-screen` running on a display.

    Args:
        argument: number of the display, 0 (or nothing) is the first.

    Raises:
        SonoramaError: not a number.

    """

    policy: Literal["latest", "every"] = "latest"

    def __init__(self, argument: str = "") -> None:
        if argument and not (argument.isascii() and argument.isdigit()):
            raise SonoramaError(
                f"{argument!r} is no display", "Give its number, such as --sink window:1; 0 is the first."
            )
        if isinstance(lack := probe(), Missing):
            raise SonoramaError(f"No window can be opened: {lack.reason}", lack.how_to_install)
        self._display = int(argument or 0)
        self._command: list[str] = []
        self._child: _Child | None = None
        self._short, self._restarts = 0, 0
        self._again_at = 0.0

    @property
    def about(self) -> str:
        """Which display, and how often it was started again."""
        again = f", started again {self._restarts} times" if self._restarts else ""
        return f"display {self._display}{again}" if self._command else ""

    @property
    def pid(self) -> int:
        """Process number of the window; 0 without one."""
        return self._child.pid if self._child else 0

    def open(self, info: StreamInfo) -> None:
        """Start the window; one that is there follows another size by itself."""
        command = ["view", info.name, "--full-screen", "--display", str(self._display)]
        if command != self._command:
            self.close()
            self._command = command
            self._child = _Child(command)

    def send(self, picture: Picture) -> None:
        """See whether the window is there; the picture itself comes through the frame map.

        Raises:
            SinkEnded: it was closed by hand, or does not work.

        """
        if self._child is not None and self._child.code() is not None:
            self._mourn(self._child)
        if self._child is None and self._command and time.monotonic() >= self._again_at:
            self._child = _Child(self._command)
            self._restarts += 1

    def _mourn(self, child: _Child) -> None:
        """Decide what the end of a window means."""
        code, last, age = child.code(), child.end(), time.monotonic() - child.started
        self._child, self._again_at = None, time.monotonic() + PAUSE_S
        if code == 0:
            raise SinkEnded("The window was closed", f"Open it again: sonorama {' '.join(self._command)}")
        self._short = self._short + 1 if age < SHORT_S else 1
        if self._short >= STARTS:
            message, hint = [*last, f"The window died with code {code}", "Try another display."][:2]
            raise SinkEnded(message, hint)

    def close(self) -> None:
        """End the window."""
        child, self._child, self._command = self._child, None, []
        if child is not None:
            child.end()


class _Child:
    """One window."""

    def __init__(self, arguments: list[str]) -> None:
        self.started = time.monotonic()
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _CHILD, *arguments],
            stdin=pipe,
            stdout=subprocess.DEVNULL,
            stderr=pipe,
            start_new_session=True,  # Ctrl-C is for the show
        )
        self.pid = self._process.pid
        self._last: deque[str] = deque(maxlen=2)
        assert self._process.stderr is not None  # noqa: S101 (it was asked for)
        self._reader = relay(self._process.stderr, "window", said=self._last.append)

    def code(self) -> int | None:
        """Exit code; None while it lives."""
        return self._process.poll()

    def end(self) -> list[str]:
        """End it, whatever it does; its last two lines."""
        process = self._process
        assert process.stdin is not None  # noqa: S101 (it was asked for)
        process.stdin.close()  # tells it to go
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reader.join(1.0)
        return list(self._last)


def main() -> None:
    """The child: `sonorama view ...`, until the sink that holds its standard input is gone."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    from ...engine.cli.main import main as run

    sys.exit(run(sys.argv[1:]))


def _leave_with_parent() -> None:
    os.read(0, 1)
    with contextlib.suppress(OSError):
        os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_END_S)
    os._exit(143)
