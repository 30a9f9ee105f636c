"""The top bar, always visible: the show's state and figures, master fader, recording, freeze, blackout and panic."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from sonorama.engine.control.addresses import ENGINE_WORLD, OUT_BLACKOUT, OUT_FREEZE, OUT_MASTER, OUT_PANIC, OUT_RECORD
from sonorama.engine.ipc.messages import Hello, Status
from sonorama.engine.units import EXACT

from .formatting import short_name
from .layout import GAP, Card
from .link import Link
from .played_world import PlayedWorld
from .status_line import Line
from .theme import ACCENT, CARD, DIM, TEXT
from .widgets.controls import SwitchControl, TriggerControl
from .widgets.plain_text import plain_tip
from .widgets.slider import FloatControl

SWITCHES = (
    (OUT_RECORD, "REC", "record"),
    (OUT_FREEZE, "FREEZE", "freeze"),
    (OUT_BLACKOUT, "BLACKOUT", "alarm"),
)
FRAME_RATE = "frames/s"
LINE_PX = 60
"""Pixels, at which names of worlds and inputs can be told apart."""
RECORD_DELAY = 5
"""Status messages to wait for a requested recording to start, which it does with the next picture, before warning."""


class Readout(QWidget):
    """A figure with its name below. An exclamation mark and the accent colour mark a bad value."""

    def __init__(self, name: str, width: int) -> None:
        super().__init__()
        self.name, self.text, self.bad = name, "\u2013", False
        self.setAccessibleName(name)
        self.setFixedSize(width, 33)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def show_text(self, text: str, bad: bool = False) -> None:
        """Set the figure; repaints only if it changed."""
        text = f"{text} !" if bad else text
        if (text, bad) != (self.text, self.bad):
            self.text, self.bad = text, bad
            self.setAccessibleDescription(text)
            self.update()

    def rename(self, name: str) -> None:
        """Set the name; repaints only if it changed."""
        if name != self.name:
            self.name = name
            self.setAccessibleName(name)
            self.update()

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Paint the figure above its name."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(CARD))
        centre = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
        font = self.font()
        font.setPixelSize(14)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(ACCENT if self.bad else TEXT))
        painter.drawText(QRect(0, 0, self.width(), 19), int(centre), self.text)
        font.setPixelSize(10)
        font.setBold(False)
        painter.setFont(font)
        painter.setPen(QColor(DIM))
        name = painter.fontMetrics().elidedText(self.name, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(QRect(0, 18, self.width(), 14), int(centre), name)


def _width(widget: QWidget) -> int:
    """The least width of a widget, which a fixed size sets."""
    return widget.minimumWidth() or widget.minimumSizeHint().width()


class TopBar(Card):
    """Connection state, world and source, figures, master fader and four buttons."""

    def __init__(self, link: Link) -> None:
        super().__init__("")
        self._link, self._played, self._licence = link, PlayedWorld(link), ""
        self.body.removeItem(self.title)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        self.body.setContentsMargins(8, 6, 8, 6)
        self.body.addLayout(row)
        self.live = QLabel()
        self.live.setFixedSize(86, 26)
        self.live.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.world, self.source = Line("world", TEXT, ground=CARD), Line("sound source", DIM, ground=CARD)
        self.source.cut = Qt.TextElideMode.ElideMiddle  # the end of a path is its file name
        where = QVBoxLayout()
        where.setSpacing(0)
        where.addWidget(self.world)
        where.addWidget(self.source)
        self.fps, self.delay = Readout(FRAME_RATE, 88), Readout("latency", 84)
        self.late, self.restarts, self.osc = Readout("late", 44), Readout("restarts", 48), Readout("OSC", 52)
        self._received = self._unwritten = 0
        row.addWidget(self.live)
        row.addLayout(where, 1)
        for figure in (self.fps, self.delay, self.late, self.restarts, self.osc):
            row.addWidget(figure)
        self.buttons: dict[str, QPushButton] = {}
        self._add_buttons(row, link)
        self._spared = (self.late, self.restarts, self.osc, self.delay, self.world, self.source, self.master, self.fps)
        link.status_received.connect(self._told)
        link.hello_received.connect(self._arrived)
        link.state.connect(self._state)
        self._state(link.connected, "")
        self._arrived(link.hello)

    def minimumSizeHint(self) -> QSize:
        """Room for the connection and the four buttons; the figures give way."""
        return QSize(self._needed(()), super().minimumSizeHint().height())

    def resizeEvent(self, a0: QResizeEvent | None) -> None:
        """Show as many figures as there is room for; the four buttons and the connection always."""
        super().resizeEvent(a0)
        left: tuple[QWidget, ...] = self._spared
        while left and self._needed(left) > self.width():
            left = left[1:]
        for widget in self._spared:
            widget.setVisible(widget in left)

    def _needed(self, spared: Sequence[QWidget]) -> int:
        """Width in pixels of what is always shown and of these."""
        always = (self.live, *self.buttons.values())
        lines = [widget for widget in spared if isinstance(widget, Line)]
        widths = [_width(widget) for widget in (*always, *spared) if widget not in lines] + [LINE_PX] * bool(lines)
        margins = self.body.contentsMargins()
        return margins.left() + margins.right() + sum(widths) + GAP * len(widths)

    def _add_buttons(self, row: QHBoxLayout, link: Link) -> None:
        self.master = FloatControl(link.table[OUT_MASTER], link)
        self.master.setFixedSize(112, 28)
        row.addWidget(self.master)
        for path, text, tone in SWITCHES:
            self._add_button(row, SwitchControl(link.table[path], link, text=text), tone)
        self._add_button(row, TriggerControl(link.table[OUT_PANIC], link, text="PANIC"), "alarm")
        self._rec_tip = self.buttons[OUT_RECORD].toolTip()

    def _add_button(self, row: QHBoxLayout, button: SwitchControl | TriggerControl, tone: str) -> None:
        button.setProperty("tone", tone)
        button.setProperty("shape", "big")
        button.setAccessibleName(short_name(button.param.path))
        self.buttons[button.param.path] = button
        row.addWidget(button)

    def _state(self, connected: bool, _: str) -> None:
        self.live.setText("LIVE" if connected else "NO SHOW")
        self.live.setProperty("role", "live" if connected else "away")
        for control in (self.master, *self.buttons.values()):
            control.setEnabled(connected)
        if not connected:
            for figure in (self.fps, self.delay, self.late, self.restarts, self.osc):
                figure.show_text("\u2013")
        if (style := self.live.style()) is not None:
            style.polish(self.live)

    def _arrived(self, hello: Hello) -> None:
        self._show_world(hello.world, self._link.status.source)

    def _show_world(self, world: str, source: str) -> None:
        world = str(self._link.values.get(ENGINE_WORLD) or world)
        self.world.say(world)
        if self._played.changed():
            self._licence = self._played.licence
        self.world.setToolTip(plain_tip(f"{world}\nLicence: {self._licence}" if self._licence else world))
        self.source.say(source)
        self.source.setToolTip(plain_tip(source))

    def _told(self, status: Status) -> None:
        self._show_world("", status.source)
        slow = status.target_fps > 0 and status.fps < 0.9 * status.target_fps
        self.fps.show_text(f"{status.fps:.1f}/{status.target_fps:.0f}", slow)
        self._show_precision(status.precision)
        self.delay.show_text(f"{status.delay_ms:.0f} ms" if status.delay_ms else "\u2013")
        self.late.show_text(str(status.late))
        self.restarts.show_text(str(status.restarts), status.restarts > 0)
        activity = " \u2022" if status.osc_received > self._received else ""
        self._received = status.osc_received
        port = status.osc_port or self._link.hello.osc_port
        self.osc.show_text(f"{port}{activity}" if port else "\u2013")
        self._show_recording(status.recording)

    def _show_precision(self, precision: str) -> None:
        """Name a precision below the frame rate if pictures are not painted exactly."""
        self.fps.rename(FRAME_RATE if precision in ("", EXACT) else f"{FRAME_RATE}, {precision}")
        self.fps.setToolTip(f"Pictures are painted in precision {precision}" if precision else "")

    def _show_recording(self, on: bool) -> None:
        """Warn on the button if recording is switched on but no file is being written."""
        self._unwritten = self._unwritten + 1 if self._link.values[OUT_RECORD] and not on else 0
        failed = self._unwritten > RECORD_DELAY
        self.buttons[OUT_RECORD].setText("NO FILE" if failed else "REC")
        self.buttons[OUT_RECORD].setToolTip("Recording failed: see the status line" if failed else self._rec_tip)
