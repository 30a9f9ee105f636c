"""The modulators' page: source, target and depth of all of them, and the other parameters of the selected one.

A modulator's number can be dragged onto any continuous control, which becomes its target.
"""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import QByteArray, QMimeData, Qt
from PyQt6.QtGui import QDrag, QMouseEvent
from PyQt6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from sonorama.engine.control.addresses import ModulatorName, modulator
from sonorama.engine.control.parameters import Parameter

from .layout import GAP, captioned, label
from .link import Link
from .widgets.control import MODULATOR_MIME
from .widgets.controls import control_for
from .widgets.slider import FloatControl

FIRST: dict[ModulatorName, tuple[int, int]] = {"source": (65, 0), "target": (92, 7), "depth": (40, 0)}
"""The parameters shown for every modulator: minimum width in pixels, and stretch factor."""
COLUMNS, SPACING, COLUMN_SPACING = 4, 2, 6


class Handle(QPushButton):
    """The button with a modulator's number: click to show its details, drag onto a control to make that its target."""

    def __init__(self, number: int) -> None:
        super().__init__(str(number))
        self.number = number
        self.setCheckable(True)
        self.setProperty("shape", "tiny")
        self.setFixedWidth(26)
        self.setAccessibleName(f"modulator {number}")
        self.setToolTip(f"Modulator {number}: click to show all its settings, drag onto a control to modulate that")

    def mouseMoveEvent(self, a0: QMouseEvent | None) -> None:
        """Start the drag once the pointer leaves the button."""
        if a0 is None or not a0.buttons() & Qt.MouseButton.LeftButton or self.rect().contains(a0.position().toPoint()):
            return
        self.setDown(False)
        data = QMimeData()
        data.setData(MODULATOR_MIME, QByteArray(str(self.number).encode()))
        drag = QDrag(self)
        drag.setMimeData(data)
        drag.exec(Qt.DropAction.CopyAction)


def modulator_numbers(table: Mapping[str, Parameter]) -> list[int]:
    """The numbers of the modulators in the table, ascending from 1."""
    return sorted({int(path.split("/")[2]) for path in table if path.startswith("/moves/")})


class Modulators(QWidget):
    """All modulators in columns, and the details of the selected one below."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        cells = QHBoxLayout()
        cells.setSpacing(COLUMN_SPACING)
        columns = [self._column() for _ in range(COLUMNS)]
        for grid in columns:
            cells.addLayout(grid, 1)
        self.details = QStackedLayout()
        self.handles = QButtonGroup(self)
        for index, number in enumerate(modulator_numbers(link.table)):
            handle = Handle(number)
            self.handles.addButton(handle, index)
            self._add(columns[index % COLUMNS], index // COLUMNS + 1, number, handle, link)
            self.details.addWidget(self._details(number, link))
        column.addLayout(cells)
        column.addLayout(self.details)
        self.handles.idToggled.connect(lambda index, on: self.details.setCurrentIndex(index) if on else None)
        self.reveal("/moves/1")

    def _column(self) -> QGridLayout:
        """An empty column of modulators with its headings."""
        grid = QGridLayout()
        grid.setSpacing(SPACING)
        for column, (name, (_, stretch)) in enumerate(FIRST.items(), 1):
            grid.addWidget(label(name, "caption"), 0, column)
            grid.setColumnStretch(column, stretch)
        return grid

    def _add(self, grid: QGridLayout, row: int, number: int, handle: Handle, link: Link) -> None:
        grid.addWidget(handle, row, 0)
        for column, (name, (width, stretch)) in enumerate(FIRST.items(), 1):
            control = control_for(link.table[modulator(number, name)], link)
            control.setMinimumWidth(width)
            if not stretch:
                control.setMaximumWidth(width)
            if isinstance(control, FloatControl):
                control.caption = ""  # the column has a heading
            grid.addWidget(control, row, column)

    def _details(self, number: int, link: Link) -> QWidget:
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(label(f"MODULATOR {number}", "title"))
        for path, param in link.table.items():
            if path.startswith(f"/moves/{number}/") and path.rpartition("/")[2] not in FIRST:
                row.addWidget(captioned(param, link), 1)
        return page

    def reveal(self, path: str) -> None:
        """Show the details of the modulator that the parameter `path` belongs to."""
        button = self.handles.button(int(path.split("/")[2]) - 1)
        if button is not None:
            button.setChecked(True)
