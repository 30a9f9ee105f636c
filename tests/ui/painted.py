"""What sliders and boxes of words really show: words and marks, as rectangles in their widgets."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from PyQt6.QtCore import QRect, QRectF
from PyQt6.QtGui import QPainter, QPolygonF
from PyQt6.QtWidgets import QComboBox, QStyle, QStyleOptionComboBox

from sonorama.ui.widgets import slider
from sonorama.ui.widgets.slider import FloatControl


@dataclass
class Seen:
    """Of one painting."""

    words: dict[str, QRectF] = field(default_factory=dict)
    marks: list[QRectF] = field(default_factory=list)


def painted(control: FloatControl, monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Paint it, and note what is painted where."""
    seen = Seen()

    class Noting(QPainter):
        def drawText(self, *args: Any) -> None:  # noqa: N802  # pyright: ignore[reportIncompatibleMethodOverride]
            left, base, text = args
            metrics = self.fontMetrics()
            box = QRectF(left, base - metrics.ascent(), metrics.horizontalAdvance(text), metrics.height())
            if text:
                seen.words[text] = box
            super().drawText(*args)

        def fillRect(self, *args: Any) -> None:  # noqa: N802  # pyright: ignore[reportIncompatibleMethodOverride]
            seen.marks.append(self.transform().mapRect(QRectF(args[0])))
            super().fillRect(*args)

        def drawPolygon(self, *args: Any) -> None:  # noqa: N802  # pyright: ignore[reportIncompatibleMethodOverride]
            seen.marks.append(self.transform().mapRect(QPolygonF(args[0]).boundingRect()))
            super().drawPolygon(*args)

    with monkeypatch.context() as patch:
        patch.setattr(slider, "QPainter", Noting)
        control.grab()
    return seen


def shown(box: QComboBox) -> tuple[str, QRect]:
    """The word that it paints, and the room for it."""
    option = QStyleOptionComboBox()
    box.initStyleOption(option)
    style = box.style()
    assert style is not None
    field = QStyle.SubControl.SC_ComboBoxEditField
    return option.currentText or "", style.subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, box)
