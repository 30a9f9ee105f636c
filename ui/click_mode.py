"""Click modes: a click on a control copies its OSC address (key M) or maps a MIDI control to it (key L)."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent
from PyQt6.QtWidgets import QApplication, QWidget

from .widgets.control import Control
from .widgets.controls import SlotControl

COPY = "Click a control to copy its OSC address; M or Esc to finish"
MAP = "Click a control, then move a knob, fader or pad; L or Esc to finish"
NO_MIDI = "No MIDI: start the show with --bridge midi"
_CLICKS = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick)

Act = Callable[[Control, QWidget], str]
"""What a click on a control does: the control, and the widget of it that was clicked -> what to say."""


class ClickMode(QObject):
    """An event filter that intercepts a window's clicks while it is on.

    Args:
        window: whose clicks.
        say: receives the text to show while it is on, and an empty string when it is switched off.
        text: says what to do.
        act: what a click does.

    """

    switched = pyqtSignal(bool)

    def __init__(self, window: QWidget, say: Callable[[str], None], text: str, act: Act) -> None:
        super().__init__(window)
        self._window, self._say, self._text, self._act = window, say, text, act
        self.on = False

    def toggle(self) -> None:
        """Switch it on or off; switching it on ends the window's other mode."""
        app = QApplication.instance()
        if app is None:
            return
        if not self.on:
            for other in self._window.findChildren(ClickMode):
                other.end()
        self.on = not self.on
        if self.on:
            app.installEventFilter(self)
            QGuiApplication.setOverrideCursor(Qt.CursorShape.CrossCursor)
        else:
            app.removeEventFilter(self)
            QGuiApplication.restoreOverrideCursor()
        self._say(self._text if self.on else "")
        self.switched.emit(self.on)

    def end(self) -> None:
        """Switch it off if it is on."""
        if self.on:
            self.toggle()

    def eventFilter(self, a0: QObject | None, a1: QEvent | None) -> bool:
        """Act on a clicked control; Escape switches the mode off."""
        if isinstance(a1, QKeyEvent) and a1.key() == Qt.Key.Key_Escape and a1.type() == QEvent.Type.KeyPress:
            self.end()
            return True
        if not isinstance(a1, QMouseEvent) or a1.type() not in _CLICKS or not isinstance(a0, QWidget):
            return False
        control = control_at(a0)
        if control is None or a0.window() is not self._window:
            return False
        if a1.type() == QEvent.Type.MouseButtonPress:
            self._say(f"{self._act(control, a0)}   {self._text}")
        return True


def copy_address(control: Control, _: QWidget) -> str:
    """Copy the OSC address of a control."""
    control.copy_address()
    return f"Copied {control.address}"


def map_midi(control: Control, clicked: QWidget) -> str:
    """Map the MIDI control that is moved next: to the control, or to the slot of it that was clicked."""
    if "midi_ports" not in control.link.status.bridges:
        return NO_MIDI
    number = ""
    if isinstance(control, SlotControl):
        number = next((f"{n}" for n, button in enumerate(control.buttons, 1) if button is clicked), "1")
    control.learn_midi(number)
    return f"MIDI learn: move the control for {control.address} {number}".rstrip()


def control_at(widget: QWidget | None) -> Control | None:
    """The control that contains the widget or is the widget; None if there is none."""
    while widget is not None and not isinstance(widget, Control):
        widget = widget.parentWidget()
    return widget
