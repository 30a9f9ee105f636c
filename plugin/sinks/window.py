"""The sink `window[:DISPLAY]`: the picture in full screen on a display.

A child process shows the show's frame map, so that a crash of Qt or an unplugged display cannot affect the show. The
child is restarted if it dies.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys
import weakref
from typing import ClassVar, Literal

from ...engine.control.live_table import WINDOWS, window_address
from ...engine.errors import SonoramaError
from ...engine.plugins.interfaces import Available, Missing, Picture, StreamInfo
from .child import KeptChild, end_with_parent

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
        argument: the display as `sonorama view --display` takes it: its number from 0 (default), name or serial number.

    Raises:
        SonoramaError: there are too many windows, or none can be opened.

    """

    policy: Literal["latest", "every"] = "latest"
    shaped_by = "Set width, height, flip and delay of the window by its parameters: /window/, /window/2/ ..."
    _all: ClassVar[weakref.WeakSet[WindowSink]] = weakref.WeakSet()

    def __init__(self, argument: str = "") -> None:
        if isinstance(lack := probe(), Missing):
            raise SonoramaError(f"No window can be opened: {lack.reason}", lack.how_to_install)
        taken = {one.number for one in self._all}
        free = [number for number in range(1, WINDOWS + 1) if number not in taken]
        if not free:
            raise SonoramaError(f"A show has at most {WINDOWS} windows", "Open others with: sonorama view")
        self.number = free[0]
        self._all.add(self)
        self._display = argument or "0"
        self._command: list[str] = []
        self._child: KeptChild | None = None

    @property
    def about(self) -> str:
        """The display, and how often the window was restarted."""
        restarts = self._child.restarts if self._child else 0
        again = f", restarts: {restarts}" if restarts else ""
        own = f" ({window_address('/window/', self.number)})" if self.number > 1 else ""
        return f"display {self._display}{own}{again}" if self._command else ""

    @property
    def pid(self) -> int:
        """Process ID of the window; 0 if there is none."""
        return self._child.pid if self._child else 0

    def open(self, info: StreamInfo) -> None:
        """Start the window; one that is already open follows changes of size by itself."""
        command = ["view", info.name, "--full-screen", "--display", self._display]
        command += ["--window", str(self.number)] if self.number > 1 else []
        if command != self._command:
            self.close()
            self._all.add(self)
            self._command = command
            self._child = KeptChild(_CHILD, command, "window")

    def send(self, picture: Picture) -> None:
        """Check the window and restart it if it crashed; the picture itself comes through the frame map.

        Raises:
            SinkEnded: the user closed the window, or it fails repeatedly.

        """
        if self._child is not None:
            again = f"Open it again: sonorama {shlex.join(self._command)}"
            crashed = SonoramaError("The window crashed", "Try another display.")
            self._child.check(SonoramaError("The window was closed", again), crashed)

    def close(self) -> None:
        """Close the window."""
        child, self._child, self._command = self._child, None, []
        self._all.discard(self)  # its number is free
        if child is not None:
            child.end()


def main() -> None:
    """The child's entry point: `sonorama view ...` until the sink closes its standard input or dies."""
    end_with_parent()
    from ...engine.cli.main import main as run

    sys.exit(run(sys.argv[1:]))
