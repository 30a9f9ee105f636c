"""Eight moves: what drives each, what it moves and how far; the rest of the chosen one in a row below.

A move's number can be dragged onto any continuous control.
"""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import QByteArray, QMimeData, Qt
from PyQt6.QtGui import QDrag, QMouseEvent
from PyQt6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from sonorama.engine.control.parameters import Parameter

from .layout import GAP, captioned, label
from .link import Link
from .widgets.control import MOVE_MIME
from .widgets.controls import control_for
from .widgets.slider import FloatControl

FIRST = {"source": (56, 0), "target": (96, 5), "depth": (46, 2)}
"""What every move shows, under a heading: least width, and its part of what is left."""
ACROSS, SPACE, BETWEEN = 4, 3, 8


class Handle(QPushButton):
    """A move's number: click to see all of it, drag onto a control to move that."""

    def __init__(self, number: int) -> None:
        super().__init__(str(number))
        self.number = number
        self.setCheckable(True)
        self.setProperty("shape", "tiny")
        self.setFixedWidth(26)
        self.setAccessibleName(f"move {number}")
        self.setToolTip(f"Move {number}: click for all of it, drag it onto a control to move that")

    def mouseMoveEvent(self, a0: QMouseEvent | None) -> None:
        """Begin the drag."""
        if a0 is None or not a0.buttons() & Qt.MouseButton.LeftButton or self.rect().contains(a0.position().toPoint()):
            return
        self.setDown(False)
        data = QMimeData()
        data.setData(MOVE_MIME, QByteArray(str(self.number).encode()))
        drag = QDrag(self)
        drag.setMimeData(data)
        drag.exec(Qt.DropAction.CopyAction)


def move_numbers(table: Mapping[str, Parameter]) -> list[int]:
    """Numbers of the moves in the table."""
    return sorted({int(path.split("/")[2]) for path in table if path.startswith("/moves/")})


class Moves(QWidget):
    """All moves, and the details of one."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        cells = QHBoxLayout()
        cells.setSpacing(BETWEEN)
        columns = [self._column() for _ in range(ACROSS)]
        for grid in columns:
            cells.addLayout(grid, 1)
        self.details = QStackedLayout()
        self.handles = QButtonGroup(self)
        for index, number in enumerate(move_numbers(link.table)):
            handle = Handle(number)
            self.handles.addButton(handle, index)
            self._add(columns[index % ACROSS], index // ACROSS + 1, number, handle, link)
            self.details.addWidget(self._details(number, link))
        column.addLayout(cells)
        column.addLayout(self.details)
        self.handles.idToggled.connect(lambda index, on: self.details.setCurrentIndex(index) if on else None)
        self.reveal("/moves/1")

    def _column(self) -> QGridLayout:
        """Moves below each other, under a heading."""
        grid = QGridLayout()
        grid.setSpacing(SPACE)
        for place, (name, (_, stretch)) in enumerate(FIRST.items(), 1):
            grid.addWidget(label(name, "caption"), 0, place)
            grid.setColumnStretch(place, stretch)
        return grid

    def _add(self, grid: QGridLayout, row: int, number: int, handle: Handle, link: Link) -> None:
        grid.addWidget(handle, row, 0)
        for place, (name, (least, stretch)) in enumerate(FIRST.items(), 1):
            control = control_for(link.table[f"/moves/{number}/{name}"], link)
            control.setMinimumWidth(least)
            if not stretch:
                control.setMaximumWidth(least)
            if isinstance(control, FloatControl):
                control.caption = ""  # the heading says it
            grid.addWidget(control, row, place)

    def _details(self, number: int, link: Link) -> QWidget:
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(label(f"MOVE {number}", "title"))
        for path, param in link.table.items():
            if path.startswith(f"/moves/{number}/") and path.rpartition("/")[2] not in FIRST:
                row.addWidget(captioned(param, link), 1)
        return page

    def reveal(self, path: str) -> None:
        """Bring the details of that address to the front."""
        button = self.handles.button(int(path.split("/")[2]) - 1)
        if button is not None:
            button.setChecked(True)
