"""The scene buttons and the transition settings, and the page of the scenes' names and colours."""

from __future__ import annotations

from PyQt6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from sonorama.engine.control.addresses import SCENE_MORPH, SCENE_RECALL, SCENE_STORE, scene
from sonorama.engine.ipc.messages import SCENES, Status

from .layout import GAP, Card, label
from .link import Link
from .scene_button import SceneButton
from .thumbnails import Thumbnails
from .widgets.controls import SlotControl, control_for


class Scenes(Card):
    """The scene buttons, click to recall, Shift+click to store, and the time of scene transitions."""

    def __init__(self, link: Link) -> None:
        super().__init__("")
        self.body.removeItem(self.title)
        self.row = QHBoxLayout()
        self.row.setSpacing(GAP)
        self.body.addLayout(self.row)
        self.buttons: list[SceneButton] = []
        self.slots = SlotControl(
            link.table[SCENE_RECALL], link, shifted=link.table[SCENE_STORE], button_for=lambda n: self._button(n, link)
        )
        self.row.addWidget(self.slots, 3)
        self.row.addWidget(control_for(link.table[SCENE_MORPH], link), 1)
        self.thumbnails = Thumbnails(link, lambda number, picture: self.buttons[number - 1].show_picture(picture), self)
        link.status_received.connect(self._told)

    def _button(self, number: int, link: Link) -> SceneButton:
        self.buttons.append(SceneButton(number, link))
        return self.buttons[-1]

    def _told(self, status: Status) -> None:
        for button, stored in zip(self.buttons, status.scenes, strict=False):
            if button.stored != stored:
                button.show_stored(stored)


class SceneLabels(QWidget):
    """Name and colour of every scene."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(GAP)
        for number in range(1, SCENES + 1):
            grid.addWidget(label(f"SCENE {number}", "caption"), 0, number)
            for row, path in enumerate((scene(number, "name"), scene(number, "colour")), 1):
                grid.addWidget(control_for(link.table[path], link), row, number)
            grid.setColumnStretch(number, 1)
        grid.setRowStretch(3, 1)
