"""The scene buttons: click to recall, Shift+click to store; a dot marks stored scenes. Also the transition settings."""

from __future__ import annotations

from PyQt6.QtWidgets import QHBoxLayout

from sonorama.engine.control.addresses import SCENE_RECALL, SCENE_STORE
from sonorama.engine.ipc.messages import Status

from .layout import GAP, Card
from .link import Link
from .widgets.controls import SlotControl, control_for


class Scenes(Card):
    """The scene buttons and the parameters of scene transitions."""

    def __init__(self, link: Link) -> None:
        super().__init__("SCENES")
        self.row = QHBoxLayout()
        self.row.setSpacing(GAP)
        self.body.addLayout(self.row)
        self.slots = SlotControl(link.table[SCENE_RECALL], link, shifted=link.table[SCENE_STORE])
        for number, button in enumerate(self.slots.buttons, 1):
            button.setProperty("shape", "big")
            button.setMinimumWidth(30)
            button.setToolTip(f"Scene {number}: click or press {number} to recall, with Shift to store")
        self.row.addWidget(self.slots, 3)
        for path, param in link.table.items():
            if path.startswith("/scene/") and path not in (SCENE_RECALL, SCENE_STORE):
                self.row.addWidget(control_for(param, link), 1)
        self._stored: tuple[bool, ...] = ()
        link.status_received.connect(self._told)

    def _told(self, status: Status) -> None:
        if status.scenes == self._stored:
            return
        self._stored = status.scenes
        for number, (button, stored) in enumerate(zip(self.slots.buttons, status.scenes, strict=False), 1):
            button.setText(f"{number} \u2022" if stored else str(number))
            button.setAccessibleDescription("stored" if stored else "empty")
            button.setProperty("stored", stored)
            if (style := button.style()) is not None:
                style.polish(button)
