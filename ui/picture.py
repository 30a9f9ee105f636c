"""A widget that shows the newest picture of a frame map, letterboxed on black."""

from __future__ import annotations

import time
from typing import Any

from PyQt6.QtCore import QRect, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QColor, QImage, QPainter, QPaintEvent, QRegion
from PyQt6.QtWidgets import QWidget

from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.frame_map import FrameMap, FrameSlot
from sonorama.engine.units import Pixels

from .theme import ACCENT, CARD

RETRY_S = 0.5
"""Seconds between attempts to open a frame map that does not exist yet."""


def screen_format(image: QImage) -> QImage:
    """The image in the screen's pixel format, in which Qt scales it in a half to a third of the time."""
    return image.convertToFormat(QImage.Format.Format_RGB32)


class FrameFeed:
    """Reads the frame map `name`; waits for it if it does not exist yet, and follows restarts of its owner."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._map: FrameMap | None = None
        self._out: Pixels | None = None
        self._count = 0
        self._try_at = 0.0

    def poll(self) -> FrameSlot | None:
        """The newest frame, or None if there is no new one. Its pixels are valid until the next call."""
        frames = self._map = self._map or self._open()
        if frames is None:
            return None
        if not frames.generation:  # closed: the next owner counts from 0 again
            self._count = 0
            return None
        if frames.count == self._count:
            return None
        slot = frames.newest(self._out)
        if slot is not None:
            self._out, self._count = slot.pixels, slot.count
        return slot

    def _open(self) -> FrameMap | None:
        if not self.name or time.monotonic() < self._try_at:
            return None
        self._try_at = time.monotonic() + RETRY_S
        try:
            return FrameMap(self.name)
        except SonoramaError:
            return None

    def alive(self) -> bool:
        """Whether the map's owner is running."""
        return self._map is not None and self._map.owner_alive()

    def close(self) -> None:
        """Close the frame map."""
        if self._map is not None:
            self._map.close()
            self._map = None


def letterbox(width: int, height: int, inside: QRect) -> QRect:
    """The largest rectangle with the aspect ratio `width`:`height`, centred in `inside`."""
    scale = min(inside.width() / width, inside.height() / height)
    w, h = round(width * scale), round(height * scale)
    return QRect(inside.left() + (inside.width() - w) // 2, inside.top() + (inside.height() - h) // 2, w, h)


class Picture(QWidget):
    """Shows a frame map, polled `hz` times a second, with the text `note` over the picture's top edge.

    Signals:
        closed: it was closed as a window.

    """

    closed = pyqtSignal()

    def __init__(self, name: str = "", hz: float = 30.0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.feed = FrameFeed(name)
        self.image: QImage | None = None
        self.slot: FrameSlot | None = None
        self.note = ""
        self._box = QRect()
        self._laid: tuple[int, int, QSize] | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.poll)
        self._timer.start(max(1, round(1000 / hz)))

    def follow(self, name: str) -> None:
        """Switch to the frame map `name`; the last picture stays until the new map has one."""
        if name != self.feed.name:
            self.feed.close()
            self.feed = FrameFeed(name)

    def poll(self) -> None:
        """Show the newest picture if there is a new one. Does nothing while the widget is hidden."""
        if not self.isVisible():
            return
        slot = self.next_picture()
        if slot is None:
            return
        height, width = slot.pixels.shape[:2]
        # Alpha is always 255, and a format without it is painted faster.
        pixels: Any = slot.pixels.data  # PyQt accepts any buffer, but its type hints only bytes
        self.image = QImage(pixels, width, height, 4 * width, QImage.Format.Format_RGBX8888)
        self.slot = slot
        self.taken(slot)
        if (width, height, self.size()) == self._laid:
            self.update(self._box)
            return
        self._laid = (width, height, self.size())
        self.update()

    def next_picture(self) -> FrameSlot | None:
        """The picture to show next, or None if there is no new one."""
        return self.feed.poll()

    def taken(self, slot: FrameSlot) -> None:
        """Called after each new picture; for subclasses."""

    def draw(self, painter: QPainter, image: QImage) -> QRect:
        """Paint the image with smooth scaling; returns the rectangle it covers."""
        box = letterbox(image.width(), image.height(), self.rect())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        as_it_is = box.size() * self.devicePixelRatioF() == image.size()
        painter.drawImage(box, image if as_it_is else screen_format(image))
        return box

    def closeEvent(self, a0: QCloseEvent | None) -> None:
        """Say that the user closed it."""
        super().closeEvent(a0)
        self.closed.emit()

    def say(self, note: str) -> None:
        """Set the note shown over the picture; an empty string removes it."""
        if note != self.note:
            self.note = note
            self.update()

    def close_feed(self) -> None:
        """Stop polling and close the frame map."""
        self._timer.stop()
        self.feed.close()

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Paint the picture, black borders and the note."""
        painter = QPainter(self)
        if self.image is not None:
            self._box = self.draw(painter, self.image)
            painter.setClipRegion(QRegion(self.rect()).subtracted(QRegion(self._box)))
        painter.fillRect(self.rect(), Qt.GlobalColor.black)
        painter.setClipping(False)
        if self.note:
            how = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
            room = QRect(8, 0, self.width() - 16, self.height())
            high = painter.fontMetrics().boundingRect(room, how, self.note).height()
            band = QRect(0, 0, self.width(), max(26, high + 10))
            painter.fillRect(band, QColor(CARD))
            painter.setPen(QColor(ACCENT))
            painter.drawText(band.adjusted(8, 0, -8, 0), how, self.note)
