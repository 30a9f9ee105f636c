"""Copy mode (key M): a click on a control copies its OSC address instead of operating the control."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent
from PyQt6.QtWidgets import QApplication, QWidget

from .widgets.control import Control

ON = "Click a control to copy its OSC address; M or Esc to finish"
_CLICKS = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick)


class CopyMode(QObject):
    """An event filter that intercepts a window's clicks while copy mode is on.

    `say` receives the text to show while it is on, and an empty string when it is switched off.
    """

    def __init__(self, window: QWidget, say: Callable[[str], None]) -> None:
        super().__init__(window)
        self._window, self._say = window, say
        self.on = False

    def toggle(self) -> None:
        """Switch copy mode on or off."""
        app = QApplication.instance()
        if app is None:
            return
        self.on = not self.on
        if self.on:
            app.installEventFilter(self)
            QGuiApplication.setOverrideCursor(Qt.CursorShape.CrossCursor)
        else:
            app.removeEventFilter(self)
            QGuiApplication.restoreOverrideCursor()
        self._say(ON if self.on else "")

    def end(self) -> None:
        """Switch copy mode off if it is on."""
        if self.on:
            self.toggle()

    def eventFilter(self, a0: QObject | None, a1: QEvent | None) -> bool:
        """Copy the address of a clicked control; Escape switches copy mode off."""
        if isinstance(a1, QKeyEvent) and a1.key() == Qt.Key.Key_Escape and a1.type() == QEvent.Type.KeyPress:
            self.end()
            return True
        if not isinstance(a1, QMouseEvent) or a1.type() not in _CLICKS or not isinstance(a0, QWidget):
            return False
        control = control_at(a0)
        if control is None or a0.window() is not self._window:
            return False
        if a1.type() == QEvent.Type.MouseButtonPress:
            control.copy_address()
            self._say(f"Copied {control.address}   {ON}")
        return True


def control_at(widget: QWidget | None) -> Control | None:
    """The control that contains the widget or is the widget; None if there is none."""
    while widget is not None and not isinstance(widget, Control):
        widget = widget.parentWidget()
    return widget
