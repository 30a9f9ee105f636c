"""The channel strips of the levels coarse, mid and fine: faders and switches; seeds and codes are on a tab below."""

from __future__ import annotations

from PyQt6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from sonorama.engine.units import LEVELS

from .formatting import caption
from .layout import GAP, Card, label
from .link import Link
from .widgets.controls import SwitchControl, control_for
from .widgets.slider import FloatControl


class Strip(QFrame):
    """The strip of one level: a fader for its amount, bars for the other values, and its switches."""

    def __init__(self, level: str, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(f"{level} strip")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(label(level.upper(), "dim"))
        own = [p for path, p in link.table.items() if level in path.split("/")[2:3] and not path.startswith("/moves")]
        amount = next(p for p in own if p.path.endswith("/amount"))
        column.addWidget(FloatControl(amount, link, upright=True), 1)
        switches = [p for p in own if p.kind == "switch"]
        for param in own:
            if param is not amount and param.kind == "float":
                column.addWidget(control_for(param, link))
        row = QHBoxLayout()
        row.setSpacing(4)
        for param in switches:
            button = SwitchControl(param, link, text=caption(param.path)[0].upper())
            button.setProperty("shape", "tiny")
            row.addWidget(button, 1)
        column.addLayout(row)


def motion_card(link: Link) -> Card:
    """The MOTION card: three strips, and the motion parameters common to all levels."""
    card = Card("MOTION")
    for path, param in link.table.items():
        if path.startswith("/motion/") and path.count("/") == 2:
            card.title.addWidget(label(caption(path), "dim"))
            card.title.addWidget(control_for(param, link))
    strips = QGridLayout()
    strips.setSpacing(GAP + 2)
    for column, level in enumerate(LEVELS):
        strips.addWidget(Strip(level, link), 0, column)
        strips.setColumnStretch(column, 1)
    card.body.addLayout(strips, 1)
    return card
