"""The tab INPUT: the inputs of this computer by name, the channels of each with a meter, and the choice of both."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from PyQt6.QtCore import QProcess, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QHideEvent, QMouseEvent, QPainter, QPaintEvent, QShowEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from sonorama.engine.control.addresses import SOUND_CHANNELS, SOUND_INPUT

from .formatting import caption
from .layout import GAP, label
from .link import Link
from .theme import ACCENT, BAR_PX, CARD, CONTROL, DIM, LIVE, RECORD, TEXT, WINDOW
from .widgets.controls import OpenChoice, PushButton, TextControl
from .widgets.paint import CENTRE, MIDDLE_LEFT, colour
from .widgets.plain_text import plain_tip

PROGRAM = ("-P", "-m", "sonorama.plugin.sources.inputs", "--levels")
CHANNEL_PX, METER_PX, NAME_PX, MOST_CHANNELS = 28, 7, 330, 32
LOUD = 0.98
"""Peak from which a channel counts as overdriven."""
STARTED_WITH = "as the show was started"
LOOPBACK = () if sys.platform == "darwin" else (("loopback", "loopback: what this computer plays"),)
"""macOS has none."""
NOTHING = "There is no sound input on this computer" + ("; what it plays itself is under loopback" if LOOPBACK else "")


class InputRow(QWidget):
    """An input: its name, and a meter for each of its channels. A click on the name chooses it, on a channel that too.

    Signals:
        chosen: spec of the input.
        toggled: spec of the input, number of the channel from 1.

    """

    chosen = pyqtSignal(str)
    toggled = pyqtSignal(str, int)

    def __init__(self, said: Mapping[str, object]) -> None:
        super().__init__()
        self.spec = str(said.get("spec"))
        name, identity = str(said.get("name")), str(said.get("id") or "")
        self.name = f"{name}  ({identity})" if identity else name
        self.channels = min(int(str(said.get("channels") or 0)), MOST_CHANNELS)
        self.peaks: tuple[float, ...] = ()
        self.picked: tuple[int, ...] = ()
        self.playing = False
        self.setAccessibleName(f"input {self.name}")
        self.setToolTip(plain_tip(f"{self.name}\nClick the name to choose it, a number to choose that channel"))
        self.setFixedHeight(BAR_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        """Room for the name and all channels."""
        return QSize(NAME_PX + CHANNEL_PX * self.channels, BAR_PX)

    def minimumSizeHint(self) -> QSize:
        """The same."""
        return self.sizeHint()

    def show_levels(self, peaks: Sequence[float]) -> None:
        """Show the peaks 0..1 of the channels; none if it gives no sound."""
        if tuple(peaks) != self.peaks:
            self.peaks = tuple(peaks)
            self.update()

    def show_choice(self, playing: bool, picked: Sequence[int]) -> None:
        """Show whether it is chosen, and which of its channels, from 1."""
        if (playing, tuple(picked)) != (self.playing, self.picked):
            self.playing, self.picked = playing, tuple(picked)
            self.setAccessibleDescription("chosen" if playing else "")
            self.update()

    def channel_at(self, x: float) -> int:
        """The number of the channel at `x`, from 1; 0 for the name and beside them."""
        channel = int((x - NAME_PX) // CHANNEL_PX) + 1
        return channel if x >= NAME_PX and channel <= self.channels else 0

    def mousePressEvent(self, a0: QMouseEvent | None) -> None:
        """Choose."""
        if a0 is None or a0.button() != Qt.MouseButton.LeftButton:
            return
        if channel := self.channel_at(a0.position().x()):
            self.toggled.emit(self.spec, channel)
        elif a0.position().x() < NAME_PX:
            self.chosen.emit(self.spec)

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Paint the name and a bar with a number for each channel."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour(CARD))
        words = QRect(0, 0, NAME_PX - GAP, self.height())
        painter.fillRect(words, colour(ACCENT if self.playing else CONTROL))
        painter.setPen(colour(WINDOW if self.playing else TEXT))
        text = painter.fontMetrics().elidedText(self.name, Qt.TextElideMode.ElideMiddle, words.width() - 12)
        painter.drawText(words.adjusted(6, 0, -6, 0), MIDDLE_LEFT, text)
        for index in range(self.channels):
            self._paint_channel(painter, index)

    def _paint_channel(self, painter: QPainter, index: int) -> None:
        box = QRect(NAME_PX + index * CHANNEL_PX, 0, CHANNEL_PX - 2, self.height())
        painter.fillRect(box, colour(CONTROL))
        peak = self.peaks[index] if index < len(self.peaks) else 0.0
        high = round(box.height() * min(1.0, peak) ** 0.5)
        bar = QRect(box.left(), box.height() - high, METER_PX - 1, high)
        painter.fillRect(bar, colour(RECORD if peak >= LOUD else LIVE))
        picked = self.playing and index + 1 in self.picked
        number = box.adjusted(METER_PX, 0, 0, 0)
        if picked:
            painter.fillRect(number, colour(ACCENT))
        painter.setPen(colour(WINDOW if picked else TEXT if peak > 0 else DIM))
        painter.drawText(number, CENTRE, str(index + 1))


class InputsPage(QWidget):
    """The inputs, found and metered by a process of its own while the page is in sight."""

    def __init__(self, link: Link, program: Sequence[str] = PROGRAM) -> None:
        super().__init__()
        self._link, self._program = link, list(program)
        self.rows: list[InputRow] = []
        self._process: QProcess | None = None
        self.input = OpenChoice(link.table[SOUND_INPUT], link, away="not connected")
        self.input.offer([("", STARTED_WITH), *LOOPBACK])
        self.channels = TextControl(link.table[SOUND_CHANNELS], link)
        self.channels.setPlaceholderText("1,2")
        self.note = label("", "dim")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        for path, control, stretch in ((SOUND_INPUT, self.input, 3), (SOUND_CHANNELS, self.channels, 1)):
            row.addWidget(label(caption(path), "dim"))
            row.addWidget(control, stretch)
        again = PushButton("look again")
        again.setToolTip("Look for inputs that were connected meanwhile")
        again.clicked.connect(self.look)
        row.addWidget(again)
        column.addLayout(row)
        column.addWidget(self._list(), 1)
        link.watch_many((SOUND_INPUT, SOUND_CHANNELS), lambda *_: self._show_choice())

    def _list(self) -> QScrollArea:
        area, inner = QScrollArea(), QWidget()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidgetResizable(True)
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addWidget(self.note)
        self._column.addStretch(1)
        area.setWidget(inner)
        for transparent in (inner, area.viewport()):
            if transparent is not None:
                transparent.setAutoFillBackground(False)
        area.setMinimumHeight(BAR_PX)
        return area

    # -- the process that knows the inputs ------------------------------------------------------------------------

    def look(self) -> None:
        """Look for inputs, and meter them."""
        self.leave()
        process = self._process = QProcess(self)
        process.readyReadStandardOutput.connect(self._read)
        self.note.setText("looking for inputs \u2026")
        self.note.setVisible(not self.rows)
        process.start(sys.executable, self._program)

    def leave(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.readyReadStandardOutput.disconnect(self._read)
            process.closeWriteChannel()
            process.kill()
            process.waitForFinished(1000)
            process.deleteLater()

    def showEvent(self, a0: QShowEvent | None) -> None:
        """Look while in sight."""
        super().showEvent(a0)
        self.look()

    def hideEvent(self, a0: QHideEvent | None) -> None:
        """An input that nobody looks at is closed."""
        super().hideEvent(a0)
        self.leave()

    def _read(self) -> None:
        while self._process is not None and self._process.canReadLine():
            try:
                said = json.loads(self._process.readLine().data())
            except ValueError:
                continue
            if isinstance(said, list):
                self._list_inputs([one for one in said if isinstance(one, dict)])
            elif isinstance(said, dict):
                for row in self.rows:
                    row.show_levels(said.get(row.spec, ()))

    def _list_inputs(self, inputs: Sequence[Mapping[str, object]]) -> None:
        for row in self.rows:
            row.deleteLater()
        self.rows = [InputRow(one) for one in inputs]
        for index, row in enumerate(self.rows):
            row.chosen.connect(lambda spec: self._link.post(SOUND_INPUT, spec))
            row.toggled.connect(self._toggle)
            self._column.insertWidget(index, row)
        self.note.setText(NOTHING)
        self.note.setVisible(not self.rows)
        self.input.offer([("", STARTED_WITH), *((row.spec, row.name) for row in self.rows), *LOOPBACK])
        self._show_choice()

    # -- the choice -----------------------------------------------------------------------------------------------

    def _picked(self) -> list[int]:
        words = str(self._link.values[SOUND_CHANNELS]).split(",")
        return [int(word) for word in words if word.isdecimal()]

    def _show_choice(self) -> None:
        chosen, picked = self._link.values[SOUND_INPUT], self._picked()
        for row in self.rows:
            row.show_choice(row.spec == chosen, picked or range(1, min(2, row.channels) + 1))

    def _toggle(self, spec: str, channel: int) -> None:
        """Add or leave out a channel; of another input, it is the only one at first."""
        if spec != self._link.values[SOUND_INPUT]:
            picked = {channel}
            self._link.post(SOUND_INPUT, spec)
        else:
            picked = set(self._picked()) ^ {channel}
        self._link.post(SOUND_CHANNELS, ",".join(map(str, sorted(picked))))
