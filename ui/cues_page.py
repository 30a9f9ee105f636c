"""The tab CUES: the cue list with GO, and what can be changed in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QSize, Qt, QTimer
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from sonorama.engine.control import presets
from sonorama.engine.control.addresses import CUE_BACK, CUE_GO, CUE_GOTO, CUE_STOP, scene
from sonorama.engine.control.class_addresses import by_class
from sonorama.engine.control.cues import Cue, show_clock, show_length
from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.messages import Status

from .cue_document import COLUMNS, CueDocument
from .layout import GAP, label
from .link import Link
from .theme import ACCENT, CONTROL, MODULATION, TEXT, WINDOW
from .widgets.control import Control
from .widgets.controls import PushButton, TriggerControl
from .widgets.plain_text import plain_tip

LOOK_MS, ROW_PX = 500, 20
KEYS = tuple(COLUMNS)
FIXED = ("number", "set")
"""Columns that cannot be typed into."""
WIDTHS = {"number": 40, "scene": 46, "set": 60, "morph": 52, "wait": 60, "at": 64, "sound": 64}


class CueTable(Control, QTableWidget):
    """The list. A double-click on a number plays that cue; on another cell it opens the cell for typing."""

    def __init__(self, link: Link) -> None:
        super().__init__(0, len(COLUMNS))
        self.setHorizontalHeaderLabels([*COLUMNS.values()])
        if (rows := self.verticalHeader()) is not None and (head := self.horizontalHeader()) is not None:
            rows.hide()
            rows.setDefaultSectionSize(ROW_PX)
            head.setFixedHeight(ROW_PX)
            head.setSectionResizeMode(KEYS.index("name"), QHeaderView.ResizeMode.Stretch)
        for key, width in WIDTHS.items():
            self.setColumnWidth(KEYS.index(key), width)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        edit = QAbstractItemView.EditTrigger
        self.setEditTriggers(edit.DoubleClicked | edit.EditKeyPressed)
        self.setMinimumHeight(3 * ROW_PX)
        self.cellDoubleClicked.connect(self._double_clicked)
        self.join(link.table[CUE_GOTO], link)

    def sizeHint(self) -> QSize:
        """Three rows and their headings; more where there is room."""
        return QSize(sum(WIDTHS.values()) + 120, 4 * ROW_PX)

    def _double_clicked(self, row: int, column: int) -> None:
        if column == 0:
            self.ask(self.number(row))

    def number(self, row: int) -> int:
        """Number of the cue in a row; 0: there is none."""
        item = self.item(row, 0)
        return int(item.text()) if item is not None else 0

    def fill(self, cues: tuple[Cue, ...]) -> None:
        """Show these cues."""
        self.blockSignals(True)
        self.setRowCount(len(cues))
        for row, cue in enumerate(cues):
            for column, (key, text) in enumerate(zip(KEYS, _texts(cue), strict=True)):
                item = QTableWidgetItem(text)
                if key in FIXED:
                    item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
                if key == "set":
                    sets = "\n".join(f"{path} = {value}" for path, value in [*cue.values.items()][:20])
                    item.setToolTip(plain_tip(sets))
                self.setItem(row, column, item)
        self.blockSignals(False)

    def select(self, number: int) -> None:
        """Select the cue of that number."""
        for row in range(self.rowCount()):
            if self.number(row) == number:
                self.setCurrentCell(row, KEYS.index("name"))

    def mark(self, now: int, following: int) -> None:
        """Mark the cue that was played last and the next one."""
        self.blockSignals(True)
        for row in range(self.rowCount()):
            ground = {now: ACCENT, following: MODULATION}.get(self.number(row), CONTROL)
            if (item := self.item(row, 0)) is not None:
                item.setBackground(QColor(ground))
                item.setForeground(QColor(TEXT if ground == CONTROL else WINDOW))
        self.blockSignals(False)


def _texts(cue: Cue) -> tuple[str, ...]:
    sets = f"{len(cue.values)}" if cue.values else ""
    times = (show_length(cue.morph), show_length(cue.wait), show_clock(cue.at), show_length(cue.sound))
    return str(cue.number), cue.name, str(cue.scene or ""), sets, *times


class CuesPage(QWidget):
    """GO, back and stop; the list; and what changes it. The list is its file, which the show follows."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link, self._document = link, CueDocument(Path())
        self._marked = (0, 0)
        self.table, self.where = CueTable(link), label("", "dim")
        self.table.cellChanged.connect(self._typed)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        row.addLayout(self._transport())
        row.addWidget(self.table, 1)
        row.addLayout(self._edits())
        timer = QTimer(self)
        timer.setInterval(LOOK_MS)
        timer.timeout.connect(self.look)
        timer.start()
        link.status_received.connect(self._told)

    def _transport(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(GAP)
        for column, (path, text) in enumerate(((CUE_GO, "GO"), (CUE_BACK, "BACK"), (CUE_STOP, "STOP"))):
            grid.addWidget(TriggerControl(self._link.table[path], self._link, text=text), 0, column)
        self.where.setMinimumWidth(200)
        grid.addWidget(self.where, 1, 0, 1, 3)
        self.loop = self._switch("loop", "The first cue follows the last")
        self.random = self._switch("random", "The order is random, and no cue follows itself")
        grid.addWidget(self.loop, 2, 0)
        grid.addWidget(self.random, 2, 1)
        grid.setRowStretch(3, 1)
        return grid

    def _switch(self, key: str, tip: str) -> PushButton:
        button = PushButton(key)
        button.setCheckable(True)
        button.setToolTip(tip)
        button.clicked.connect(lambda on: self._edit(lambda: self._document.switch(key, on)))
        return button

    def _edits(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(GAP)
        made = (
            ("add", "Add a cue that recalls the scene that was recalled last, behind the selected one", self.add_scene),
            ("add values", "Add a cue that sets picture and motion as they are now", self.add_values),
            ("up", "Move the selected cue up", lambda: self._move(-1)),
            ("down", "Move the selected cue down", lambda: self._move(1)),
            ("delete", "Delete the selected cue; the ten versions before are kept", self.delete),
        )
        for index, (text, tip, act) in enumerate(made):
            button = PushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, act=act: act())
            grid.addWidget(button, index // 2, index % 2)
        grid.setRowStretch(3, 1)
        return grid

    # -- the file

    def look(self) -> None:
        """Show the list if its file is another than before."""
        path = Path(str(self._link.status.cues.get("file", "")))
        if not path.name or self.table.state() == QAbstractItemView.State.EditingState:
            return
        if path != self._document.path:
            self._document = CueDocument(path)
        try:
            if self._document.read_new():
                self._show()
        except SonoramaError as error:
            self._link.fault.emit(f"{error.message}. {error.hint}")

    def _show(self) -> None:
        cues, selected = self._document.cues, self._selected()
        self.table.fill(cues.cues)
        self.table.select(selected)
        self.loop.setChecked(cues.loop)
        self.random.setChecked(cues.random)
        self.table.mark(*self._marked)

    def _edit(self, edit: Callable[[], int | None]) -> None:
        """Make an edit, and show the list as it is then. What cannot be done is said."""
        number = None
        try:
            if not self._document.path.name:
                raise SonoramaError("There is no show whose cues could be changed", "Start one: sonorama live")
            number = edit()
        except SonoramaError as error:
            self._link.fault.emit(f"{error.message}. {error.hint}")
        self._show()
        if number:
            self.table.select(number)

    # -- edits

    def _selected(self) -> int:
        return self.table.number(self.table.currentRow())

    def add_scene(self) -> None:
        """Add a cue for the scene that was recalled last, or the first one that is stored."""
        status = self._link.status
        number = status.scene or next((slot for slot, stored in enumerate(status.scenes, 1) if stored), 1)
        name = str(self._link.values[scene(number, "name")])
        cue = {"name": name, "scene": number} if name else {"scene": number}
        self._edit(lambda: self._document.add(self._selected(), cue))

    def add_values(self) -> None:
        """Add a cue that sets what a preset would hold."""
        values = by_class(presets.select(self._link.values, self._link.table, "look"), self._link.classes)
        self._edit(lambda: self._document.add(self._selected(), {"set": values}))

    def delete(self) -> None:
        """Delete the selected cue."""
        if number := self._selected():
            self._edit(lambda: self._document.delete(number))

    def _move(self, by: int) -> None:
        if number := self._selected():
            self._edit(lambda: self._document.move(number, by))

    def _typed(self, row: int, column: int) -> None:
        item, number = self.table.item(row, column), self.table.number(row)
        if item is not None and KEYS[column] not in FIXED:
            text = item.text()
            QTimer.singleShot(0, lambda: self._edit(lambda: self._document.change(number, KEYS[column], text)))

    # -- where it is

    def _told(self, status: Status) -> None:
        now, following = (str(status.cues.get(name, "")) for name in ("now", "next"))
        self.where.setText(_where(following, float(status.cues.get("left", -1.0)), bool(status.cues.get("running"))))
        self.where.setToolTip(plain_tip(f"played last: {now or 'none'}\nnext: {following or 'none'}"))
        marked = (_number(now), _number(following))
        if marked != self._marked:
            self._marked = marked
            self.table.mark(*marked)


def _where(following: str, left: float, running: bool) -> str:
    if not following:
        return "no next cue"
    when = (
        f"in {show_length(round(left))}{' s' * (left < 59.5)}"
        if left >= 0
        else "on GO"
        if running
        else "on GO (stopped)"
    )
    return f"next: {following[:20]} {when}"


def _number(text: str) -> int:
    first = text.partition(" ")[0]
    return int(first) if first.isdecimal() else 0
