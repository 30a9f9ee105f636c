"""Reads the thumbnails of scenes, which the show writes, while the panel runs; what is damaged is no picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QBuffer, QObject, QTimer
from PyQt6.QtGui import QImageReader, QPixmap

from sonorama.engine.control.scenes import SLOTS, thumbnail_file
from sonorama.engine.errors import SonoramaError

from .link import Link

LOOK_MS = 500
MOST_BYTES, MOST_PX = 1 << 18, 1024
"""Larger files and pictures are none of ours."""


class Thumbnails(QObject):
    """Looks for thumbnails that are new or gone, twice a second.

    Args:
        link: whose show's scenes they are.
        show: called with the number of a scene, from 1, and its picture, or None.

    """

    def __init__(self, link: Link, show: Callable[[int, QPixmap | None], None], parent: QObject) -> None:
        super().__init__(parent)
        self._link, self._show = link, show
        self._seen: dict[int, tuple[str, int, int] | None] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()

    def look(self) -> None:
        """Read what is new."""
        for slot in range(1, SLOTS + 1):
            try:
                file = thumbnail_file(self._link.hello.name, slot)
                facts = file.stat()
                now = (str(file), facts.st_mtime_ns, facts.st_size)
            except (OSError, SonoramaError):
                file, now = None, None
            if now != self._seen.get(slot):
                self._seen[slot] = now
                self._show(slot, None if file is None else read_picture(file))


def read_picture(file: Path) -> QPixmap | None:
    """The picture in a small file; None where there is none."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError:
        return None
    buffer = QBuffer()
    buffer.setData(data)
    reader = QImageReader(buffer)
    size = reader.size()
    if len(data) > MOST_BYTES or not (0 < size.width() <= MOST_PX and 0 < size.height() <= MOST_PX):
        return None
    image = reader.read()
    return None if image.isNull() else QPixmap.fromImage(image)
