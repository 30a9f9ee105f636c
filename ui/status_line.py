"""The status line at the bottom: the control under the pointer on the left, errors on the right; no dialogs."""

from __future__ import annotations

import time

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QHBoxLayout, QWidget

from sonorama.engine.control.addresses import MIDI_LEARN
from sonorama.engine.ipc.messages import Status

from .formatting import describe, waiting
from .link import Link
from .theme import DIM, MAPPED, MODULATION, RECORD, TEXT, WINDOW
from .widgets.plain_text import plain_tip

KEYS = (
    "Space hold   1-8 scenes, Shift stores   R record   Z freeze   B blackout   T tap tempo   X double it   A auto   "
    "G go   F full screen   M copy addresses   L map MIDI   Ctrl+K search"
)
NARROW = 900
"""Pixels, below which a fault takes the whole line."""
OWN_S = 10.0
"""Seconds for which the panel's own errors are shown."""


class Line(QWidget):
    """One line of text, shortened with an ellipsis; its length never changes the layout."""

    def __init__(self, name: str, colour: str, right: bool = False, ground: str = WINDOW) -> None:
        super().__init__()
        self.text, self.colour, self._ground = "", colour, QColor(ground)
        self.cut = Qt.TextElideMode.ElideRight
        self._side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        self.setAccessibleName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        """Height of one line."""
        return QSize(100, 18)

    def say(self, text: str) -> None:
        """Set the text; repaints only if it changed."""
        if text != self.text:
            self.text = text
            self.setAccessibleDescription(text)
            self.update()

    def say_in(self, text: str, colour: str) -> None:
        """Set the text and its colour `#rrggbb`; repaints only if one of them changed."""
        if colour != self.colour:
            self.colour, self.text = colour, ""
        self.say(text)

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Paint the text, shortened to the width."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._ground)
        painter.setPen(QColor(self.colour))
        words = painter.fontMetrics().elidedText(self.text, self.cut, self.width())
        painter.drawText(self.rect(), int(self._side | Qt.AlignmentFlag.AlignVCenter), words)


class BottomLine(QWidget):
    """The status line: information on the left, errors on the right."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self._path = self._held = ""
        self._own: list[tuple[float, str]] = []
        self._state = ""
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 0, 4, 0)
        row.setSpacing(16)
        self.info, self.faults = Line("control under the pointer", DIM), Line("faults", RECORD, right=True)
        self.info.say(KEYS)
        self.faults.hide()
        row.addWidget(self.info, 3)
        row.addWidget(self.faults, 2)
        link.status_received.connect(self._told)
        link.fault.connect(self.add)
        link.state.connect(self._stated)

    def point_at(self, path: str) -> None:
        """Describe the control of the parameter `path` until another is pointed at."""
        if path in self._link.table:
            self._path = path
            self._describe()

    def hold(self, text: str) -> None:
        """Show `text` instead of the control's description; an empty string ends this."""
        self._held = text
        self._describe()

    def add(self, fault: str) -> None:
        """Show an error of the panel itself for ten seconds."""
        self._own = [*self._own, (time.monotonic(), fault)][-5:]
        self._show()

    def _stated(self, _: bool, text: str) -> None:
        self._state = text
        self._show()

    def _told(self, _: Status) -> None:
        self._describe()
        self._show()

    def _describe(self) -> None:
        status = self._link.status
        if self._held:
            self.info.say_in(self._held, MAPPED)
        elif loading := waiting(status.loading, self._link.values):
            self.info.say_in(loading, MODULATION)
        elif learned := self._link.values.get(MIDI_LEARN):
            self.info.say_in(f"MIDI learn: move the control for {learned}", MAPPED)
        elif not self._path:
            self.info.say_in(KEYS, DIM)
        else:
            param = self._link.table[self._path]
            effective, driver = status.effective.get(self._path), status.drivers.get(self._path, "")
            value, classes = self._link.values[self._path], self._link.classes
            self.info.say_in(describe(param, value, effective, driver, classes), TEXT)

    def _show(self) -> None:
        recent = time.monotonic() - OWN_S
        self._own = [(when, text) for when, text in self._own if when > recent]
        reported = self._link.status.faults if self._link.connected else ()
        lines = [text for text in (self._state, *(text for _, text in reversed(self._own)), *reported) if text]
        count = f"{len(lines)} faults: " if len(lines) > 1 else ""
        self.faults.say(f"\u26a0 {count}{lines[0]}" if lines else "")
        self.faults.setToolTip(plain_tip("\n".join(lines)))
        self.faults.setVisible(bool(lines))  # while hidden, the left line uses the whole width
        self._share()

    def resizeEvent(self, a0: QResizeEvent | None) -> None:
        """Share the width anew."""
        super().resizeEvent(a0)
        self._share()

    def _share(self) -> None:
        """In a narrow window a fault has the whole line."""
        self.info.setVisible(not self.faults.text or self.width() >= NARROW)
