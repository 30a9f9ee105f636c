"""The tab FLOORS: how far each class of the world shows in the picture even when it is not heard; and which classes
its pictures were not found to show.
"""

from __future__ import annotations

from PyQt6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from sonorama.engine.control.addresses import meaning
from sonorama.engine.control.render_table import MEANING_SLOTS
from sonorama.engine.model.seen_classes import advice

from .formatting import short_name, slot_of
from .layout import GAP, label
from .link import Link
from .played_world import PlayedWorld
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
        self.advice = label("", "dim")
        self.advice.setWordWrap(True)
        self.advice.hide()
        column.addWidget(self.note)
        column.addWidget(self.advice)
        column.addLayout(grid)
        column.addStretch(1)
        link.classes_changed.connect(self._show_classes)
        link.status_received.connect(self._told)
        self._played = PlayedWorld(link)
        self._show_classes()
        self._told()

    def _show_classes(self) -> None:
        """Show a floor for each class."""
        for floor in self.floors:
            floor.setVisible(slot_of(floor.param.path) <= len(self._link.classes))
        self.note.setVisible(not self._link.classes)

    def _told(self, *_: object) -> None:
        """Another world: say which classes its pictures were not found to show, and what to do about it."""
        if not self._played.changed():
            return
        text = advice(self._played.card) if self._played.card is not None else ""
        self.advice.setText(text)
        self.advice.setVisible(bool(text))
