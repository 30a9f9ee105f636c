"""The meaning mixer: for each class of the world its score, a fader for its amount, and switches for mute and solo."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from sonorama.engine.control.addresses import meaning
from sonorama.engine.control.parameters import Parameter
from sonorama.engine.control.render_table import MEANING_SLOTS
from sonorama.engine.ipc.messages import Status

from .formatting import class_name
from .link import Link
from .status_line import Line
from .theme import ACCENT_FILL, BAR_PX, CARD, CONTROL, DIM, HOVER, TEXT
from .widgets.controls import SwitchControl
from .widgets.paint import MIDDLE_LEFT, MIDDLE_RIGHT, colour
from .widgets.plain_text import plain_tip
from .widgets.slider import FloatControl

SPACING = 2
FEWEST_ROWS = 3
"""Rows that are visible however small the window is."""
NARROWEST = 250
"""Pixels, at which most names of classes are readable."""
BOLD = 2
"""Classes whose names may be bold: those with at least half of the best score."""


class ClassScore(QWidget):
    """Name and score of a class over a bar; dim while the class is silent, because it is muted or another is soloed."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.score, self.bold, self.silent = "", -1.0, False, False
        self._measure()
        self.setFixedHeight(BAR_PX)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def show_score(self, name: str, score: float, bold: bool, silent: bool) -> None:
        """Show a score 0..1, or -1 for none; repaints only if something changed."""
        score = round(score, 2)
        if (name, score, bold, silent) == (self.name, self.score, self.bold, self.silent):
            return
        if name != self.name:
            self.setAccessibleName(f"{name} score")
            self.setToolTip(plain_tip(name))
        self.name, self.score, self.bold, self.silent = name, score, bold, silent
        self.setAccessibleDescription(self.number or "no sound")
        self.update()

    @property
    def number(self) -> str:
        """The score as text; empty for none."""
        return f"{self.score:.2f}" if self.score >= 0 else ""

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Paint bar, name and score."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour(CONTROL))
        bar = QRectF(0, 0, self.width() * max(0.0, self.score), self.height())
        painter.fillRect(bar, colour(HOVER if self.silent else ACCENT_FILL))
        painter.setPen(colour(DIM if self.silent else TEXT))
        if self.bold:
            painter.setFont(self._bold)
        words = QRect(5, 0, self.width() - 10, self.height())
        painter.drawText(words, MIDDLE_RIGHT, self.number)
        painter.drawText(words, MIDDLE_LEFT, self._shown(painter.fontMetrics(), words.width()))

    def _shown(self, metrics: QFontMetrics, room: int) -> str:
        """The name, shortened to the room beside the score; the tooltip has all of it."""
        wanted = (self.name, self.bold, room)
        if wanted != self._fitted:
            self._fitted = wanted
            room -= metrics.horizontalAdvance("0.00") + 5
            self._cut = metrics.elidedText(self.name, Qt.TextElideMode.ElideRight, room)
        return self._cut

    def changeEvent(self, a0: QEvent | None) -> None:
        """Measure the name again after a change of font."""
        super().changeEvent(a0)
        self._measure()

    def _measure(self) -> None:
        self._bold = self.font()
        self._bold.setBold(True)
        self._fitted, self._cut = ("", False, 0), ""


class ClassFader(FloatControl):
    """The amount of a class. In a list that can be scrolled, the wheel changes it only while it has the focus."""

    def __init__(self, param: Parameter, link: Link, area: QScrollArea) -> None:
        super().__init__(param, link)
        self.caption = ""  # the name is beside it
        self._area = area
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(56)

    def wheelEvent(self, e: QWheelEvent | None) -> None:
        """Change the value, or leave the wheel to the list."""
        bar = self._area.verticalScrollBar()
        if e is not None and not self.hasFocus() and bar is not None and bar.maximum() > 0:
            e.ignore()
        else:
            super().wheelEvent(e)


class ClassRow(QWidget):
    """Score, fader, mute and solo of the class in one slot."""

    def __init__(self, slot: int, link: Link, area: QScrollArea) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(3)
        self.score = ClassScore()
        self.mute = SwitchControl(link.table[meaning(slot, "mute")], link, text="M")
        self.solo = SwitchControl(link.table[meaning(slot, "solo")], link, text="S")
        row.addWidget(self.score, 9)
        row.addWidget(ClassFader(link.table[meaning(slot, "amount")], link, area), 4)
        for button in (self.mute, self.solo):
            button.setProperty("shape", "tiny")
            row.addWidget(button)


class ClassMixer(QScrollArea):
    """One row for each class of the world, in the order of its slots. It scrolls where there is no room for all."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link = link
        self.setAccessibleName("meaning mixer")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setWidgetResizable(True)
        if (bar := self.verticalScrollBar()) is not None:
            bar.setSingleStep(BAR_PX + SPACING)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        self.rows = [ClassRow(slot, link, self) for slot in range(1, MEANING_SLOTS + 1)]
        for row in self.rows:
            column.addWidget(row)
            row.mute.toggled.connect(self._show_scores)
            row.solo.toggled.connect(self._show_scores)
        column.addStretch(1)
        self.setWidget(inner)
        for transparent in (inner, self.viewport()):
            if transparent is not None:
                transparent.setAutoFillBackground(False)
        link.classes_changed.connect(self._show_classes)
        link.status_received.connect(self._told)
        self._scores = link.status.class_scores
        self._show_classes()

    def sizeHint(self) -> QSize:
        """Room for all classes."""
        return QSize(200, self._height(self.used))

    def minimumSizeHint(self) -> QSize:
        """Room for three classes."""
        return QSize(NARROWEST, self._height(min(FEWEST_ROWS, self.used)))

    def resizeEvent(self, a0: QResizeEvent | None) -> None:
        """Show whole rows only."""
        spare = (self.height() + SPACING) % (BAR_PX + SPACING)
        self.setViewportMargins(0, 0, 0, spare if self.height() < self._height(self.used) else 0)
        super().resizeEvent(a0)

    @property
    def used(self) -> int:
        """How many slots have a class."""
        return min(len(self._link.classes), len(self.rows))

    @staticmethod
    def _height(rows: int) -> int:
        return max(0, rows * (BAR_PX + SPACING) - SPACING)

    def bring(self, control: QWidget | None) -> None:
        """Scroll to the row of a control, if it is one of the mixer's."""
        if control is not None and self.isAncestorOf(control):
            self.ensureWidgetVisible(control, 0, 0)

    def _show_classes(self) -> None:
        """Another world: show a row for each of its classes."""
        for slot, row in enumerate(self.rows, 1):
            row.setVisible(slot <= self.used)
        self.setMaximumHeight(self._height(self.used))
        self.updateGeometry()
        self._show_scores()

    def _told(self, status: Status) -> None:
        if status.class_scores != self._scores:
            self._scores = status.class_scores
            self._show_scores()

    def _show_scores(self) -> None:
        rows = self.rows[: self.used]
        scores = [self._scores[index] if index < len(self._scores) else -1.0 for index in range(len(rows))]
        best = sorted(scores, reverse=True)[:BOLD]
        solo = any(row.solo.isChecked() for row in rows)
        for row, name, score in zip(rows, self._link.classes, scores, strict=False):
            bold = score in best and score > 0 and score >= best[0] / 2
            silent = row.mute.isChecked() or (solo and not row.solo.isChecked())
            row.score.show_score(class_name(name), score, bold, silent)


class HeardLine(Line):
    """What is heard and has no slot, such as `I hear: speech 0.71`; empty while a class has the best score."""

    def __init__(self, link: Link) -> None:
        super().__init__("heard besides the classes", TEXT, right=True, ground=CARD)
        self._link = link
        self.setFixedHeight(15)
        link.status_received.connect(self._told)
        self._told(link.status)

    def _told(self, status: Status) -> None:
        if not status.scores:
            self.say("no sound yet")
            return
        label, score = status.scores[0]
        slots = self._link.classes[:MEANING_SLOTS]
        self.say("" if label in slots else f"I hear: {class_name(label)} {score:.2f}")
