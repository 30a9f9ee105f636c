"""The tab BLEND: the blend surface with its cursor and points, and the settings of the selected point."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from sonorama.engine.control.addresses import BLEND_AMOUNT, BLEND_FOCUS, BLEND_X, BLEND_Y, BlendName, blend
from sonorama.engine.control.parameters import Value
from sonorama.engine.control.render_table import BLEND_POINTS

from .kept_files import accept_file
from .layout import GAP, captioned, grid, label
from .link import Link
from .point_sound import SoundButton, put_sound
from .theme import ACCENT, CARD, CONTROL, DIM, LINE, MODULATION, TEXT
from .widgets.paint import BOTTOM, CENTRE, MIDDLE_LEFT, colour

NUMBERS = range(1, BLEND_POINTS + 1)
POINT_PX, CURSOR_PX, STEP = 9.0, 6.0, 0.02
LONGEST = 14
"""Characters of a text, a code or a sound beside its point."""
FIRST_ROW: tuple[BlendName, ...] = ("take", "hear", "seed", "x", "y")
SECOND_ROW: tuple[BlendName, ...] = ("text", "code", "sound", "scene")
_ARROWS = {
    Qt.Key.Key_Left: (-STEP, 0.0),
    Qt.Key.Key_Right: (STEP, 0.0),
    Qt.Key.Key_Up: (0.0, -STEP),
    Qt.Key.Key_Down: (0.0, STEP),
}


class _Axis:
    """One coordinate of the cursor, as asked for and as modulated."""

    def __init__(self, path: str, plane: Plane) -> None:
        self.path, self._plane = path, plane
        self.value, self.effective = 0.0, 0.0
        self._modulated = False

    def show_value(self, value: Value) -> None:
        """The value that was asked for."""
        self.value = float(value)
        if not self._modulated:
            self.effective = self.value
        self._plane.update()

    def show_effective(self, value: float | None, driver: str) -> None:
        """The value that acts."""
        self._modulated = value is not None
        self.effective = self.value if value is None else value
        self._plane.update()

    def show_loading(self, loading: bool) -> None:
        """Coordinates are not loaded."""


class Plane(QWidget):
    """The surface. A drag moves the cursor, or the point it begins on; arrow keys move the cursor.

    Signals:
        selected: number of the point that was clicked.

    """

    selected = pyqtSignal(int)

    def __init__(self, link: Link) -> None:
        super().__init__()
        self._link, self.point, self._held = link, 1, 0
        self.x_axis, self.y_axis = _Axis(BLEND_X, self), _Axis(BLEND_Y, self)
        for axis in (self.x_axis, self.y_axis):
            link.watch(axis.path, axis)
        link.watch_many(
            [blend(n, name) for n in NUMBERS for name in ("x", "y", "seed", "text", "code", "sound")],
            lambda *_: self.update(),
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("blend surface")
        self.setAcceptDrops(True)
        self.setAccessibleDescription("Drag to move the cursor or a point; arrow keys move the cursor")
        self.setToolTip(
            "Drag to move the cursor, or a point; arrow keys move the cursor; drop a sound file to put it at a point"
        )
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def sizeHint(self) -> QSize:
        """As high as the other tabs."""
        return QSize(300, 96)

    def minimumSizeHint(self) -> QSize:
        """Room for eight points."""
        return QSize(120, 84)

    # --- places

    def _room(self) -> QRectF:
        edge = POINT_PX + 2
        return QRectF(self.rect()).adjusted(edge, edge, -edge, -edge)

    def _at(self, x: float, y: float) -> QPointF:
        room = self._room()
        return QPointF(room.left() + x * room.width(), room.top() + y * room.height())

    def _place(self, at: QPointF) -> tuple[float, float]:
        room = self._room()
        x, y = (at.x() - room.left()) / room.width(), (at.y() - room.top()) / room.height()
        return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)

    def spot(self, number: int) -> QPointF:
        """Where a point is drawn, px."""
        values = self._link.values
        return self._at(float(values[blend(number, "x")]), float(values[blend(number, "y")]))

    def says(self, number: int) -> str:
        """What is at a point, in short; empty for nothing."""
        values = self._link.values
        for name in ("code", "text", "sound"):
            if words := str(values[blend(number, name)]):
                return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}\u2026"
        seed = int(values[blend(number, "seed")])
        return f"seed {seed}" if seed >= 0 else ""

    def hint(self) -> str:
        """Why nothing of the surface is seen; empty where it is."""
        return "" if float(self._link.values[BLEND_AMOUNT]) > 0 else "amount is 0: turn it up to see the blend"

    # --- hands

    def mousePressEvent(self, a0: QMouseEvent | None) -> None:
        """Take the point under the pointer, else the cursor."""
        if a0 is None or a0.button() != Qt.MouseButton.LeftButton:
            return
        at = a0.position()
        near = [n for n in NUMBERS if (self.spot(n) - at).manhattanLength() <= 1.5 * POINT_PX]
        self._held = near[-1] if near else 0
        if self._held:
            self.select(self._held)
        else:
            self._move(at)

    def mouseMoveEvent(self, a0: QMouseEvent | None) -> None:
        """Move what was taken."""
        if a0 is not None and a0.buttons() & Qt.MouseButton.LeftButton:
            self._move(a0.position())

    def _move(self, at: QPointF) -> None:
        x, y = self._place(at)
        paths = (blend(self._held, "x"), blend(self._held, "y")) if self._held else (BLEND_X, BLEND_Y)
        for path, value in zip(paths, (x, y), strict=True):
            self._link.post(path, value)

    def keyPressEvent(self, a0: QKeyEvent | None) -> None:
        """Move the cursor by the arrow keys; leave the others to the window."""
        step = _ARROWS.get(Qt.Key(a0.key())) if a0 is not None and not a0.modifiers() else None
        if step is None:
            super().keyPressEvent(a0)
            return
        for axis, by in zip((self.x_axis, self.y_axis), step, strict=True):
            if by:
                self._link.post(axis.path, min(max(axis.value + by, 0.0), 1.0))

    def dragEnterEvent(self, a0: QDragEnterEvent | None) -> None:
        """Welcome one file; what it holds is seen when it is dropped."""
        accept_file(a0)

    def dropEvent(self, a0: QDropEvent | None) -> None:
        """Put a sound file at the point that is nearest to where it is dropped."""
        if a0 is None or (path := accept_file(a0)) is None:
            return
        self.select(min(NUMBERS, key=lambda number: (self.spot(number) - a0.position()).manhattanLength()))
        put_sound(self._link, self.point, path)

    def select(self, number: int) -> None:
        """Select a point."""
        self.point = number
        self.selected.emit(number)
        self.update()

    # --- paint

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Paint points and cursor."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour(CARD))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(colour(ACCENT if self.hasFocus() else LINE))
        painter.setBrush(colour(CONTROL))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        for number in NUMBERS:
            self._paint_point(painter, number)
        self._paint_words(painter)
        self._paint_cursor(painter)
        painter.setPen(colour(DIM))
        painter.drawText(QRectF(self.rect()).adjusted(6, 2, -6, -3), BOTTOM, self.hint())

    def _paint_point(self, painter: QPainter, number: int) -> None:
        at, words = self.spot(number), self.says(number)
        painter.setPen(colour(ACCENT if number == self.point else TEXT if words else LINE))
        painter.setBrush(colour(CARD))
        painter.drawEllipse(at, POINT_PX, POINT_PX)
        painter.setPen(colour(TEXT if words else DIM))
        painter.drawText(QRectF(at.x() - 20, at.y() - 10, 40, 20), CENTRE, str(number))

    def _paint_words(self, painter: QPainter) -> None:
        """What the points hold, the selected one first; words that would cover others are left out."""
        painter.setPen(colour(TEXT))
        taken = [QRectF(self.spot(n).x() - POINT_PX, self.spot(n).y() - POINT_PX, 18, 18) for n in NUMBERS]
        for number in sorted(NUMBERS, key=lambda n: n != self.point):
            if (words := self.says(number)) and (box := self._beside(number, painter, words, taken)) is not None:
                painter.drawText(box, MIDDLE_LEFT, words)
                taken.append(box)

    def _beside(self, number: int, painter: QPainter, words: str, taken: list[QRectF]) -> QRectF | None:
        """Room for words right or left of a point."""
        at, width = self.spot(number), painter.fontMetrics().horizontalAdvance(words) + 1
        for left in (at.x() + POINT_PX + 3, at.x() - POINT_PX - 3 - width):
            box = QRectF(left, at.y() - 7, width, 14)
            if left >= 0 and left + width <= self.width() and not any(box.intersects(other) for other in taken):
                return box
        return None

    def _paint_cursor(self, painter: QPainter) -> None:
        on = float(self._link.values[BLEND_AMOUNT]) > 0
        asked = self._at(self.x_axis.value, self.y_axis.value)
        acting = self._at(self.x_axis.effective, self.y_axis.effective)
        painter.setPen(Qt.PenStyle.NoPen)
        if acting != asked:
            painter.setBrush(colour(MODULATION))
            painter.drawEllipse(acting, CURSOR_PX - 1, CURSOR_PX - 1)
        painter.setBrush(colour(ACCENT if on else DIM))
        painter.drawEllipse(asked, CURSOR_PX, CURSOR_PX)


class BlendPage(QWidget):
    """The surface on the left, amount, place and focus of the cursor and the selected point on the right."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        self.plane, self.points = Plane(link), QStackedLayout()
        row.addWidget(self.plane, 3)
        column = QVBoxLayout()
        column.setSpacing(GAP)
        column.addLayout(grid([link.table[path] for path in (BLEND_AMOUNT, BLEND_FOCUS, BLEND_X, BLEND_Y)], link, 4))
        for number in NUMBERS:
            self.points.addWidget(self._point(number, link))
        column.addLayout(self.points)
        column.addStretch(1)
        row.addLayout(column, 5)
        self.plane.selected.connect(lambda number: self.points.setCurrentIndex(number - 1))
        link.watch_many([BLEND_AMOUNT], lambda *_: self.plane.update())

    @staticmethod
    def _point(number: int, link: Link) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(label(f"POINT {number}", "title"))
        for row, names in ((first, FIRST_ROW), (second, SECOND_ROW)):
            row.setSpacing(GAP)
            for name in names:
                if name == "scene":
                    row.addWidget(label("scene", "dim"))
                row.addWidget(captioned(link.table[blend(number, name)], link), 1)
                if name == "sound":
                    row.addWidget(SoundButton(link, number))
            column.addLayout(row)
        return page

    def reveal(self, path: str) -> None:
        """Show the point that the parameter `path` belongs to."""
        number = path.split("/")[2]
        if number.isdecimal():
            self.plane.select(int(number))
