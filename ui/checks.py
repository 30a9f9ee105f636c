"""The window checks of `sonorama doctor`: Qt and the displays. They run in a child process, because Qt may abort it."""

from __future__ import annotations

import os
import sys

from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.interfaces import Finding

_HEADLESS = "A show also runs without a display and sends its pictures to sinks."


def windows() -> list[Finding]:
    """Whether Qt loads, its version, and the displays it can open windows on with their sizes."""
    try:
        from PyQt6.QtCore import qVersion
        from PyQt6.QtGui import QGuiApplication
    except ImportError as error:
        return [Finding("Qt", False, f"cannot be loaded: {error}", "See the libraries above, or: pip install pyqt6")]
    from .display import display

    qt = Finding("Qt", True, qVersion() or "")
    try:
        with display():
            app = QGuiApplication(sys.argv[:1])
            system = f"{app.platformName()} {os.environ.get('WAYLAND_DISPLAY') or os.environ.get('DISPLAY', '')}"
            screens = [(one.name(), one.size()) for one in app.screens()]
    except SonoramaError as error:
        return [qt, Finding("displays", False, error.message, f"{error.hint} {_HEADLESS}")]
    sizes = ", ".join(f"{name} {size.width()}x{size.height()}" for name, size in screens)
    return [qt, Finding("displays", bool(screens), f"{system.strip()}: {sizes}", _HEADLESS)]
