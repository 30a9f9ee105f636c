"""Paints a slider's level: accent colour along one edge for the base value, blue along the other for the modulated."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QPainter, QPolygonF

from ..theme import ACCENT, ACCENT_FILL, DIM, HOVER, LINE, MODULATION
from .paint import colour

EDGE = 2.0
"""Thickness of the coloured edge in pixels."""
ARROW = 4.5
STRIP = 5
"""Thickness in pixels of a horizontal bar, below its text."""


@dataclass(frozen=True)
class Marks:
    """Positions 0..1 along a control.

    Attributes:
        zero: start of the fill.
        base: base value, end of the fill.
        default: default value, a small mark.
        effective: modulated value; None while nothing modulates the control.
        alive: whether the control is enabled.

    """

    zero: float
    base: float
    default: float
    effective: float | None
    alive: bool


def track_width(width: float) -> float:
    """Width in pixels of an upright fader's track; its text stands beside it."""
    return min(44.0, 0.42 * width)


def paint_level(painter: QPainter, box: QRectF, marks: Marks, upright: bool) -> None:
    """Paint into `box` from left to right; or `upright`, from bottom to top in the left part of the box."""
    painter.save()
    if upright:  # the same drawing, rotated: x points up, and the accent edge is on the left
        width = track_width(box.width())
        painter.translate(box.left() + width, box.bottom())
        painter.rotate(-90)
        painter.scale(1, -1)
        _paint(painter, box.height(), width, marks, cap=width)
    else:
        painter.translate(box.topLeft())
        _paint(painter, box.width(), box.height(), marks, cap=box.height())
    painter.restore()


def _paint(painter: QPainter, length: float, thick: float, marks: Marks, cap: float) -> None:
    """Paint along x: the base value's edge at y = `thick`, the modulated value's at y = 0. The base ends in a `cap`."""
    begin, end = sorted((marks.zero * length, marks.base * length))
    painter.fillRect(QRectF(begin, 0, end - begin, thick), colour(ACCENT_FILL if marks.alive else HOVER))
    ink = colour(ACCENT if marks.alive else LINE)
    rest = min(max(marks.default * length, 1.0), length - 1.0)
    painter.fillRect(QRectF(rest - 0.5, thick - EDGE - 2, 1, 2), colour(DIM))
    painter.fillRect(QRectF(begin, thick - EDGE, end - begin, EDGE), ink)
    at = min(max(marks.base * length, 1.5), length - 1.5)
    painter.fillRect(QRectF(at - 1.5, thick - cap, 3, cap), ink)
    if marks.effective is not None and marks.alive:
        _paint_effective(painter, length, thick, marks.base, marks.effective)


def _paint_effective(painter: QPainter, length: float, thick: float, base: float, effective: float) -> None:
    blue = colour(MODULATION)
    begin, end = sorted((base * length, effective * length))
    painter.fillRect(QRectF(begin, 0, end - begin, EDGE), blue)
    at = min(max(effective * length, ARROW), length - ARROW)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(blue)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.drawPolygon(QPolygonF([QPointF(at - ARROW, 0), QPointF(at + ARROW, 0), QPointF(at, min(2 * ARROW, thick))]))
