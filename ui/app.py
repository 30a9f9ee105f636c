"""Qt application: display check, signals, screenshots. An exception in a Qt slot is reported and does not end it."""

from __future__ import annotations

import gc
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType

from PyQt6.QtCore import QBuffer, QByteArray, QIODevice, QTimer
from PyQt6.QtWidgets import QApplication, QWidget

from sonorama.engine.cli.main import ending_signals
from sonorama.engine.errors import OutputError
from sonorama.engine.files.atomic import write_bytes
from sonorama.engine.ipc.shared_paths import check_name

from .display import display
from .link import link_to

log = logging.getLogger(__name__)
WAKE_MS = 200
"""Milliseconds between wake-ups of the interpreter, which handles signals only while Python code runs."""


def application() -> QApplication:
    """The process's only QApplication, created at the first call.

    Raises:
        SonoramaError: there is no display, or a library that Qt needs is missing.

    """
    with display():
        existing = QApplication.instance()
        app = existing if isinstance(existing, QApplication) else QApplication(["sonorama"])
    app.setApplicationName("sonorama")
    app.setDesktopFileName("sonorama")
    app.setStyle("Fusion")
    return app


def run_panel(
    name: str, screenshot: Path | None = None, after: float = 2.0, opened: Callable[[], None] | None = None
) -> int:
    """Open the panel of the show `name` and return its exit code once it is closed.

    With `screenshot`, write a PNG of the window there after `after` seconds, and close it. `opened` is called once
    there is a display to open it on.

    Raises:
        SonoramaError: no display, a bad name, or a screenshot that cannot be written.

    """
    check_name(name)
    app = application()
    if opened is not None:
        opened()
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
    screenshot: Path | None,
    after: float,
    fault: Callable[[str], None] | None = None,
) -> int:
    """Run Qt's event loop until the window closes, SIGINT, SIGTERM or SIGHUP arrives, or the screenshot is written.

    Returns the exit code: 0, or 128 + the signal's number. `fault` is called with a line for each unexpected exception.
    """
    ended = [0]

    def stop(number: int, _: FrameType | None) -> None:
        ended[0] = 128 + number
        app.quit()

    before = {number: signal.signal(number, stop) for number in ending_signals()}
    hook, sys.excepthook = sys.excepthook, _report_exceptions(fault)
    wake = QTimer()
    wake.timeout.connect(lambda: None)
    wake.start(WAKE_MS)
    replace = screenshot is not None and screenshot.exists()  # the command line has allowed it
    if screenshot:
        QTimer.singleShot(max(1, round(after * 1000)), app.quit)
    gc.collect()
    gc.freeze()  # the panel's objects live until it ends, so the collector need not scan them again
    try:
        app.exec()
        if screenshot and not ended[0]:
            write_screenshot(window, screenshot, replace)
    finally:
        window.close()
        sys.excepthook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
    return ended[0]


def _report_exceptions(
    fault: Callable[[str], None] | None,
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """An excepthook that logs the traceback: without one, PyQt aborts the process on an exception in a slot."""

    def take(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("Unexpected %s in the window", kind.__name__, exc_info=(kind, error, trace))
        if fault is not None:
            fault(f"Unexpected {kind.__name__} in the panel: {error}")

    return take


def write_screenshot(window: QWidget, file: Path, replace: bool) -> None:
    """Write a PNG of the window; without `replace` never over a file that is there.

    Raises:
        OutputError: the file cannot be written, or there is no picture of the window.

    """
    data, buffer = QByteArray(), QBuffer()
    buffer.setBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not window.grab().save(buffer, "PNG"):
        raise OutputError("No picture can be taken of the window", "Make the window smaller, or try again.")
    write_bytes(file, data.data(), new=not replace)
