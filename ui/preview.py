"""The panel's picture: what leaves the show, and in words why there is none."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from .link import Link
from .picture import Picture
from .status import Status


class Preview(Picture):
    """Follows the frame map that the show names, 30 times a second."""

    def __init__(self, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(hz=30.0, parent=parent)
        self._link = link
        self.setAccessibleName("preview")
        self.setMinimumSize(200, 150)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        link.arrived.connect(self._arrived)
        link.told.connect(self._told)
        link.state.connect(lambda *_: self.say(self._why()))
        if link.hello:
            self._arrived(link.hello)

    def _arrived(self, hello: dict[str, Any]) -> None:
        self.follow(str(hello.get("frame_map") or hello.get("name") or ""))

    def _told(self, _: Status) -> None:
        self.say(self._why())

    def look(self) -> None:
        """A new picture may end what the note says."""
        before = self.slot
        super().look()
        if self.note and self.slot is not before:
            self.say(self._why())

    def _why(self) -> str:
        if not self._link.connected:
            return self._link.says or "No show"
        if self.image is None or not self.feed.alive():
            return "No frames yet" if self.image is None else "No frames: this is the last one"
        if not self._link.status.renderer_pid:
            return "Renderer restarting: this is the last frame"
        return ""


class FullScreen(Picture):
    """The preview alone on the screen; F or Escape ends it. The shortcuts of the panel go on."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(name, hz=60.0, parent=parent)
        self.setWindowFlag(Qt.WindowType.Window)
        self.setWindowTitle("sonorama")
        self.setCursor(Qt.CursorShape.BlankCursor)

    def keyPressEvent(self, a0: QKeyEvent | None) -> None:
        """F and Escape."""
        if a0 is not None and a0.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F):
            self.close()
