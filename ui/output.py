"""The output window of `sonorama view`: the pictures of any frame map, with nothing drawn over them."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication, QKeyEvent
from PyQt6.QtWidgets import QWidget

from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.frame_map import FrameMap

from .key_places import shortcut_at
from .picture import Picture


class Output(Picture):
    """The output window. It keeps the last picture while nobody publishes, and continues when publishing resumes."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, hz=60.0, parent=parent)
        self.setWindowTitle(f"sonorama: {name}")
        self.resize(768, 768)

    def keyPressEvent(self, a0: QKeyEvent | None) -> None:
        """Escape and Q close the window, F toggles full screen."""
        if a0 is None:
            return
        if a0.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Q):
            self.close()
        elif a0.key() == Qt.Key.Key_F or shortcut_at(a0) == "F":
            self.fill_screen(not self.isFullScreen())

    def fill_screen(self, full: bool, display: int | None = None) -> None:
        """Enter full screen on `display` (default: the one it is on) and hide the cursor; or leave full screen.

        Raises:
            SonoramaError: there is no such display.

        """
        if display is not None:
            screens = QGuiApplication.screens()
            if not 0 <= display < len(screens):
                numbers = ", ".join(str(number) for number in range(len(screens)))
                raise SonoramaError(f"There is no display {display}", f"Available displays: {numbers}")
            self.setGeometry(screens[display].geometry() if full else screens[display].availableGeometry())
            if not full:
                self.resize(768, 768)
        if full:
            self.setCursor(Qt.CursorShape.BlankCursor)
            self.showFullScreen()
        else:
            self.unsetCursor()
            self.showNormal()


def run_view(name: str, full_screen: bool, display: int, screenshot: Path | None, after: float) -> int:
    """Show the frame map `name` until the window is closed; return the exit code.

    Raises:
        FrameMapMissing: there is no frame map of that name.
        SonoramaError: there is no display, or not the one asked for.

    """
    FrameMap(name).close()  # raises before a window opens
    from .app import application, run

    app = application()
    window = Output(name)
    window.fill_screen(full_screen, display)
    try:
        return run(app, window, screenshot, after)
    finally:
        window.close_feed()
