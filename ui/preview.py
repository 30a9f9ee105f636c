"""The panel's preview of the show's output, with a note when no frames arrive."""

from __future__ import annotations

from typing import Any

import numpy as np
from PyQt6.QtCore import QEvent, QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QDragEnterEvent, QDropEvent, QImage, QKeyEvent, QPainter
from PyQt6.QtWidgets import QSizePolicy, QWidget

from sonorama.engine.control.addresses import LOOK_PHOTO
from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.frame_map import FrameSlot
from sonorama.engine.ipc.messages import Hello, Status

from .kept_files import accept_file
from .link import Link
from .output import Output
from .photo_drop import keep_photo
from .picture import Picture, letterbox, screen_format
from .widgets.scaling import Scaler

SNAP = 0.9
"""A picture that fills at least this part of the available width is not scaled: that is sharper and faster."""


class Preview(Picture):
    """Shows the connected show's frame map, polled 30 times a second."""

    def __init__(self, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(hz=30.0, parent=parent)
        self._link = link
        self._scaler = Scaler()
        self.setAccessibleName("preview")
        self.setAcceptDrops(True)
        self.setMinimumSize(200, 150)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        link.hello_received.connect(self._arrived)
        link.status_received.connect(self._told)
        link.state.connect(lambda *_: self.say(self._why()))
        if link.hello.name:
            self._arrived(link.hello)

    def _arrived(self, hello: Hello) -> None:
        self.follow(hello.frame_map or hello.name)

    def _told(self, _: Status) -> None:
        self.say(self._why())

    def taken(self, slot: FrameSlot) -> None:
        """Update the note, which a new picture may make obsolete."""
        if self.note:
            self.say(self._why())

    def draw(self, painter: QPainter, image: QImage) -> QRect:
        """Paint the image at low cost: doubled or halved, then unsmoothed scaling, or none if the size is close.

        Returns the rectangle it covers.
        """
        native = screen_format(image)
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

    def dragEnterEvent(self, a0: QDragEnterEvent | None) -> None:
        """Welcome one file; what it holds is seen when it is dropped."""
        accept_file(a0)

    def dropEvent(self, a0: QDropEvent | None) -> None:
        """Have the show invert the photo and play its code."""
        if (path := accept_file(a0)) is None:
            return
        try:
            self._link.post(LOOK_PHOTO, keep_photo(path))
        except SonoramaError as error:
            self._link.fault.emit(f"{error.message}. {error.hint}")

    def _why(self) -> str:
        if not self._link.connected:
            return self._link.problem or "No show"
        if self.image is None or not self.feed.alive():
            return "No frames yet" if self.image is None else "No new frames: this is the last one"
        status = self._link.status
        if not status.renderer_pid or (status.frame and not status.fps):
            return "Renderer restarting: this is the last frame"
        return ""


class FullScreen(Output):
    """The show's picture for the audience, opened by the panel; F or Escape closes it. The panel's shortcuts keep
    working.
    """

    def event(self, a0: QEvent | None) -> bool:
        """Pass shortcuts by the place of the key on to the panel, which handles them before those by character."""
        if isinstance(a0, QKeyEvent) and a0.type() == QEvent.Type.ShortcutOverride:
            panel = self.parentWidget()
            return panel is not None and panel.event(a0)
        return super().event(a0)

    def keyPressEvent(self, a0: QKeyEvent | None) -> None:
        """Close on F or Escape."""
        if a0 is not None and a0.key() in (Qt.Key.Key_Escape, Qt.Key.Key_F):
            self.leave()
