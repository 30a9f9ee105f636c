"""Layout helpers: titled groups, captioned controls and grids."""

from __future__ import annotations

from collections.abc import Iterable

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from sonorama.engine.control.parameters import Parameter

from .formatting import caption
from .link import Link
from .theme import BAR_PX
from .widgets.controls import control_for

GAP = 6


def label(text: str, role: str) -> QLabel:
    """A label of plain text with one of the style sheet's roles, e.g. `title`, `dim`, `caption`."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    return made


class Card(QFrame):
    """A titled group of controls; add its content to the layout `body`."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(8, 4, 8, 6)
        self.body.setSpacing(GAP)
        self.title = QHBoxLayout()
        self.title.setSpacing(GAP)
        self.title.addWidget(label(title, "title"))
        self.title.addStretch(1)
        self.body.addLayout(self.title)


def captioned(param: Parameter, link: Link) -> QWidget:
    """The parameter's control; choices and text fields, which show no name of their own, get a label beside them."""
    control = control_for(param, link)
    if param.kind not in ("choice", "text"):
        return control
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    row.addWidget(label(caption(param.path), "dim"))
    row.addWidget(control, 1)
    box.setFixedHeight(BAR_PX)
    return box


def grid(params: Iterable[Parameter], link: Link, columns: int) -> QGridLayout:
    """A grid layout of the parameters' controls, filled row by row."""
    made = QGridLayout()
    made.setSpacing(GAP)
    for number, param in enumerate(params):
        made.addWidget(captioned(param, link), number // columns, number % columns)
    for column in range(columns):
        made.setColumnStretch(column, 1)
    return made
