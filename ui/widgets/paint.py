"""Cached colours, control backgrounds and text alignments; combining Qt's enums at each paint event is slow."""

from __future__ import annotations

from functools import lru_cache

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter

from ..theme import CARD, CONTROL

_A = Qt.AlignmentFlag
TOP_LEFT = int(_A.AlignTop | _A.AlignLeft)
BOTTOM_LEFT = int(_A.AlignBottom | _A.AlignLeft)
BOTTOM = int(_A.AlignBottom | _A.AlignHCenter)
MIDDLE_LEFT = int(_A.AlignVCenter | _A.AlignLeft)
MIDDLE_RIGHT = int(_A.AlignVCenter | _A.AlignRight)
CENTRE = int(_A.AlignCenter)


@lru_cache(maxsize=64)
def colour(name: str) -> QColor:
    """The cached colour `#rrggbb`; it must not be modified."""
    return QColor(name)


@lru_cache(maxsize=128)
def ground(width: int, height: int, edge: str) -> QImage:
    """The cached background of a control on a card, with an edge of that colour.

    It is a QImage, which unlike a QPixmap may outlive the QApplication.
    """
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(colour(CARD))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(colour(edge))
    painter.setBrush(colour(CONTROL))
    painter.drawRoundedRect(QRectF(0.5, 0.5, width - 1, height - 1), 4, 4)
    painter.end()
    return image
