"""Meters of the analysed sound: levels, onset and beat, mel spectrum, tempo and loudness."""

from __future__ import annotations

import math

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from sonorama.engine.control.parameters import Value
from sonorama.engine.control.sound_table import DRUMS
from sonorama.engine.ipc.messages import MEL_BANDS, Status
from sonorama.engine.model.mel import mel_position
from sonorama.engine.pipeline.modulators import PHRASE_BARS

from ..link import Link
from ..theme import ACCENT, CARD, CONTROL, DIM, LIVE, MODULATION, TEXT, WINDOW
from .paint import BOTTOM, MIDDLE_LEFT, MIDDLE_RIGHT, colour

LEVELS = ("level", "bass", "mid", "high")
LAMPS = ("onset", *DRUMS)
CHANGES = ("build", "drop")


class Meter(QWidget):
    """Base class of a meter, painted from the newest status message."""

    def __init__(self, link: Link, name: str, height: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.status = link.status
        self.setAccessibleName(name)
        self.setMinimumHeight(height)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        link.status_received.connect(self.take)

    def take(self, status: Status) -> None:
        """Show a new status message."""
        self.status = status
        self.update()

    def begin(self) -> QPainter:
        """A painter, with the background filled in the card's colour."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour(CARD))
        return painter

    def small(self) -> QFont:
        """The font of captions."""
        font = self.font()
        font.setPixelSize(10)
        return font


class LevelMeters(Meter):
    """Bars for the level, three frequency bands and a build-up, lamps for onset, drums, drop and beat.

    A ring in the lamp of a drum is its gate: weaker hits do not count.
    """

    def __init__(self, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(link, "levels", 46, parent)
        self._gates = dict[str, float]()
        link.watch_many([f"/sound/{drum}/gate" for drum in DRUMS], self._set_gate)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setMaximumHeight(110)

    def _set_gate(self, path: str, value: Value) -> None:
        self._gates[path.split("/")[2]] = float(value)
        self.update()

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Paint columns of equal width."""
        painter = self.begin()
        names = (*LEVELS, *LAMPS, *CHANGES, "beat")
        width, font = self.width() / len(names), self.small()
        while font.pixelSize() > 8 and QFontMetrics(font).horizontalAdvance("onset") > width - 3:
            font.setPixelSize(font.pixelSize() - 1)
        painter.setFont(font)
        for column, name in enumerate(names):
            box = QRectF(column * width, 0, width, self.height())
            painter.setPen(colour(DIM))
            painter.drawText(box, BOTTOM, name)
            inner = box.adjusted(4, 1, -4, -15)
            if name in LEVELS or name == "build":
                self._bar(painter, inner, min(1.0, max(0.0, float(getattr(self.status, name)))))
            elif name != "beat":
                self._lamp(painter, inner, float(getattr(self.status, name)), MODULATION, self._gates.get(name))
            else:
                beat = (1.0 - self.status.beat) ** 2 if self.status.bpm else 0.0
                self._lamp(painter, inner, beat, LIVE)

    def _bar(self, painter: QPainter, box: QRectF, value: float) -> None:
        painter.fillRect(box, colour(CONTROL))
        painter.fillRect(box.adjusted(0, box.height() * (1 - value), 0, 0), colour(ACCENT))

    def _lamp(self, painter: QPainter, box: QRectF, value: float, ink: str, ring: float | None = None) -> None:
        """Paint a disc whose size shows the value 0..1, so that it can be read without colour vision, and a ring."""
        radius = min(box.width(), box.height()) / 2
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour(CONTROL))
        painter.drawEllipse(box.center(), radius, radius)
        painter.setBrush(colour(ink))
        grown = radius * min(1.0, max(0.0, value)) ** 0.5
        painter.drawEllipse(box.center(), grown, grown)
        if ring:
            painter.setPen(colour(DIM))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(box.center(), radius * ring**0.5, radius * ring**0.5)
        painter.restore()


def _ramp() -> list[int]:
    """256 colours from the background to the accent colour, as RGB32."""
    ground, full = QColor(WINDOW), QColor(ACCENT)
    parts = [(ground.red(), full.red()), (ground.green(), full.green()), (ground.blue(), full.blue())]
    mixed = ((round(low + (high - low) * i / 255) for low, high in parts) for i in range(256))
    return [0xFF000000 | red << 16 | green << 8 | blue for red, green, blue in mixed]


class Mel(Meter):
    """Scrolling mel spectrogram of the last seconds: one column for each status message, low bands at the bottom. Bars
    at the right show the bands in which the drums are heard.
    """

    COLUMNS = 120
    MARK = 3
    """Width of a drum's bar in pixels."""

    def __init__(self, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(link, "spectrum of the last seconds", 24, parent)
        self._ramp = _ramp()
        self._image = QImage(self.COLUMNS, MEL_BANDS, QImage.Format.Format_RGB32)
        self._image.fill(QColor(WINDOW))
        self._next = 0
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._edges = dict[str, float]()
        link.watch_many([f"/sound/{drum}/{edge}" for drum in DRUMS for edge in ("low", "high")], self._set_edge)

    def _set_edge(self, path: str, value: Value) -> None:
        self._edges[path] = mel_position(float(value))
        self.update()

    def bands(self) -> dict[str, QRectF]:
        """Where the band of each drum is painted, in pixels."""
        boxes = {}
        for place, drum in enumerate(DRUMS, 1):
            low, high = sorted(self._edges[f"/sound/{drum}/{edge}"] for edge in ("low", "high"))
            left, height = self.width() - place * (self.MARK + 1), max(1.0, (high - low) * self.height())
            boxes[drum] = QRectF(left, self.height() * (1 - high), self.MARK, height)
        return boxes

    def take(self, status: Status) -> None:
        """Add a column."""
        for band, value in enumerate(status.mel):
            self._image.setPixel(self._next, MEL_BANDS - 1 - band, self._ramp[int(value * 255)])
        self._next = (self._next + 1) % self.COLUMNS
        super().take(status)

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Paint the columns, which are stored in a ring, oldest first."""
        painter = QPainter(self)
        width = self.width() / self.COLUMNS
        old = self.COLUMNS - self._next
        left = QRectF(0, 0, old * width, self.height())
        painter.drawImage(left, self._image, QRectF(self._next, 0, old, MEL_BANDS))
        if self._next:
            right = QRectF(old * width, 0, self._next * width, self.height())
            painter.drawImage(right, self._image, QRectF(0, 0, self._next, MEL_BANDS))
        for box in self.bands().values():
            painter.fillRect(box, colour(MODULATION))


class Tempo(Meter):
    """Tempo in beats per minute with the confidence in it, the bar of the phrase, and loudness in dBFS."""

    def __init__(self, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(link, "tempo and loudness", 18, parent)
        self.setFixedHeight(18)

    def take(self, status: Status) -> None:
        """Repaint if the figures changed."""
        if _figures(status) != _figures(self.status):
            super().take(status)

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Paint the tempo on the left and the loudness on the right."""
        painter = self.begin()
        painter.setPen(colour(TEXT))
        painter.drawText(self.rect(), MIDDLE_LEFT, self.told())
        loud = f"{self.status.db:.0f} dBFS" if self.status.db > -100 else "silence"
        painter.drawText(self.rect(), MIDDLE_RIGHT, loud)

    def told(self) -> str:
        """Tempo, confidence in it, and bar of the phrase."""
        tempo = f"{self.status.bpm:.1f} BPM" if self.status.bpm else "no beat"
        tempo += f", {self.status.confidence:.0%} sure" if self.status.confidence else ""
        return tempo + (f", bar {bar} of {PHRASE_BARS}" if (bar := _bar(self.status)) else "")


def _figures(status: Status) -> tuple[float, ...]:
    """What Tempo shows, rounded as it is shown."""
    return round(status.bpm, 1), round(status.confidence, 2), round(status.db), _bar(status)


def _bar(status: Status) -> int:
    """The bar of the phrase, from 1; 0 without a beat."""
    return math.floor(status.phrase * PHRASE_BARS + 1e-6) % PHRASE_BARS + 1 if status.bar else 0
