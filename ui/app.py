"""Runs a window: display check, fonts, signals, screenshots. An error in a slot is told, and the panel goes on."""

from __future__ import annotations

import gc
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication, QWidget

from sonorama.engine.cli.main import ending_signals
from sonorama.engine.errors import OutputError
from sonorama.engine.ipc.shared_paths import check_name

from .display import display
from .link import link_to

WAKE_MS = 200
"""Python sees signals only while it runs; this often at least."""


def application() -> QApplication:
    """The program's Qt, made once.

    Raises:
        SonoramaError: no display.

    """
    with display():
        there = QApplication.instance()
        app = there if isinstance(there, QApplication) else QApplication(["sonorama"])
    app.setApplicationName("sonorama")
    app.setDesktopFileName("sonorama")
    app.setStyle("Fusion")
    return app


def run_panel(name: str, screenshot: str | None = None, after: float = 2.0) -> int:
    """Open the panel of the show `name` and stay until it is closed; the exit code.

    Raises:
        SonoramaError: no display, a bad name, or a screenshot that cannot be written.

    """
    check_name(name)
    app = application()
    from .window import Window

    link = link_to(name)
    window = Window(link)
    window.setWindowTitle(f"sonorama: {name}")
    link.start()
    window.show()
    return run(app, window, screenshot, after, link.fault.emit)


def run(
    app: QApplication,
    window: QWidget,
    screenshot: str | None,
    after: float,
    fault: Callable[[str], None] | None = None,
) -> int:
    """Play the window until it closes, SIGINT, SIGTERM or SIGHUP comes, or the screenshot is written."""
    ended = [0]

    def stop(number: int, _: FrameType | None) -> None:
        ended[0] = 128 + number
        app.quit()

    before = {number: signal.signal(number, stop) for number in ending_signals()}
    hook, sys.excepthook = sys.excepthook, _told(fault)
    wake = QTimer()
    wake.timeout.connect(lambda: None)
    wake.start(WAKE_MS)
    if screenshot:
        QTimer.singleShot(max(1, round(after * 1000)), app.quit)
    gc.collect()
    gc.freeze()  # all of the panel stays until it ends: nothing to look through again
    try:
        app.exec()
        if screenshot and not ended[0]:
            write_screenshot(window, screenshot)
    finally:
        window.close()
        sys.excepthook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
    return ended[0]


def _told(
    fault: Callable[[str], None] | None,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """Qt ends the process on an exception in a slot, unless somebody takes it."""

    def take(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.stderr.write("".join(traceback.format_exception(kind, error, trace)))
        if fault is not None:
            fault(f"Unexpected {kind.__name__} in the panel: {error}")

    return take


def write_screenshot(window: QWidget, file: str) -> None:
    """A PNG of the window as it stands.

    Raises:
        OutputError: it cannot be written.

    """
    if not window.grab().save(str(Path(file)), "PNG"):
        raise OutputError(f"{file} cannot be written", "Choose a folder that exists and can be written.")
