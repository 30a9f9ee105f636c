"""The panel's picture: what leaves the show, and in words why there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
from PyQt6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QImage, QKeyEvent, QPainter
from PyQt6.QtWidgets import QSizePolicy, QWidget

from sonorama.engine.ipc.frame_map import FrameSlot
from sonorama.engine.ipc.messages import Hello, Status

from .link import Link
from .picture import Picture, letterbox
from .widgets.scaling import Scaler

SNAP = 0.9
"""A picture that fills so much of its place is left at its own size: sharper, and a plain copy."""


class Preview(Picture):
    """Follows the frame map that the show names, 30 times a second."""

    def __init__(self, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(hz=30.0, parent=parent)
        self._link = link
        self._scaler = Scaler()
        self.setAccessibleName("preview")
        self.setMinimumSize(200, 150)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        link.arrived.connect(self._arrived)
        link.told.connect(self._told)
        link.state.connect(lambda *_: self.say(self._why()))
        if link.hello.name:
            self._arrived(link.hello)

    def _arrived(self, hello: Hello) -> None:
        self.follow(hello.frame_map or hello.name)

    def _told(self, _: Status) -> None:
        self.say(self._why())

    def taken(self, slot: FrameSlot) -> None:
        """A new picture may end what the note says."""
        if self.note:
            self.say(self._why())

    def draw(self, painter: QPainter, image: QImage) -> QRect:
        """Paint it cheaply: doubled or halved, the rest without smoothing; at its own size if that is near."""
        native = image.convertToFormat(QImage.Format.Format_RGB32)  # the screen's own order, while it is small
        width, height = native.width(), native.height()
        bits: Any = native.constBits()
        bits.setsize(native.sizeInBytes())
        packed = np.frombuffer(bits, np.uint32).reshape(height, width)
        box = letterbox(width, height, self.rect())
        packed = self._scaler.near(packed, box.width() / width)
        height, width = packed.shape
        if SNAP * box.width() <= width <= box.width():
            box = QRect(box.center() - QPoint((width - 1) // 2, (height - 1) // 2), QSize(width, height))
        pixels: Any = packed.data
        painter.drawImage(box, QImage(pixels, width, height, 4 * width, QImage.Format.Format_RGB32))
        return box

    def _why(self) -> str:
        if not self._link.connected:
            return self._link.says or "No show"
        if self.image is None or not self.feed.alive():
            return "No frames yet" if self.image is None else "No frames: this is the last one"
        status = self._link.status
        if not status.renderer_pid or (status.frame and not status.fps):
            return "Renderer restarting: this is the last frame"
        return ""


class FullScreen(Picture):
    """The preview alone on the screen; F or Escape ends it. The shortcuts of the panel go on."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(name, hz=60.0, parent=parent)
        self.setWindowFlag(Qt.WindowType.Window)
        self.setWindowTitle("sonorama")
        self.setCursor(Qt.CursorShape.BlankCursor)

    def event(self, a0: QEvent | None) -> bool:
        """Keys that the panel takes by their place are taken here too."""
        if isinstance(a0, QKeyEvent) and a0.type() == QEvent.Type.ShortcutOverride:
            panel = self.parentWidget()
            return panel is not None and panel.event(a0)
        return super().event(a0)

    def keyPressEvent(self, a0: QKeyEvent | None) -> None:
        """F and Escape."""
        if a0 is not None and a0.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F):
            self.close()
