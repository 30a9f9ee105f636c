"""The card of the world that a show plays, where this computer has the world."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QSizePolicy

from sonorama.engine.control.addresses import ENGINE_WORLD
from sonorama.engine.errors import WorldError, one_line
from sonorama.engine.model.world_file import Card, find_world, read_card

from .link import Link
from .widgets.plain_text import plain_tip


class PlayedWorld:
    """Reads the card anew when the show's world changes.

    Attributes:
        card: None where the world is not here, as with a show of another computer.

    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._name: str | None = None
        self.card: Card | None = None

    def changed(self) -> bool:
        """Whether another world plays than when this was asked last."""
        name = str(self._link.values.get(ENGINE_WORLD) or "")
        if name == self._name:
            return False
        self._name = name
        try:
            self.card = read_card(find_world(name))
        except WorldError:
            self.card = None
        return True

    @property
    def licence(self) -> str:
        """Of the world, in a line; empty where it is not known."""
        return "" if self.card is None else one_line(self.card.licence)


class LicenceLine(QLabel):
    """The licence of the world, which whoever shows its pictures has to know."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._played = PlayedWorld(link)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)  # a long one is in the tooltip
        link.status_received.connect(self._told)
        self._told()

    def _told(self, *_: object) -> None:
        if self._played.changed():
            self.setText(f"Licence of the world: {self._played.licence}" if self._played.licence else "")
            self.setToolTip(plain_tip(self.text()))
