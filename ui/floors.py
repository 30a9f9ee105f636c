"""The tab FLOORS: how far each class of the world shows in the picture even when it is not heard."""

from __future__ import annotations

from PyQt6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from sonorama.engine.control.addresses import meaning
from sonorama.engine.control.render_table import MEANING_SLOTS

from .formatting import short_name, slot_of
from .layout import GAP, label
from .link import Link
from .widgets.slider import FloatControl

COLUMNS, SPACING = 4, 2


class FloorControl(FloatControl):
    """The floor of a class; its caption is the name of the class: `raining floor`."""

    def show_name(self) -> None:
        """Show the name of the class now in the slot."""
        super().show_name()
        self.caption = short_name(self.param.path, self.link.classes)
        self.update()


class Floors(QWidget):
    """A floor for each class of the world."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        column, grid = QVBoxLayout(self), QGridLayout()
        column.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GAP)
        grid.setVerticalSpacing(SPACING)
        self.floors = [FloorControl(link.table[meaning(slot + 1, "floor")], link) for slot in range(MEANING_SLOTS)]
        for index, floor in enumerate(self.floors):
            grid.addWidget(floor, index // COLUMNS, index % COLUMNS)
        for number in range(COLUMNS):
            grid.setColumnStretch(number, 1)
        self.note = label("This world names no classes", "dim")
        column.addWidget(self.note)
        column.addLayout(grid)
        column.addStretch(1)
        link.classes_changed.connect(self._show_classes)
        self._show_classes()

    def _show_classes(self) -> None:
        """Show a floor for each class."""
        for floor in self.floors:
            floor.setVisible(slot_of(floor.param.path) <= len(self._link.classes))
        self.note.setVisible(not self._link.classes)
