"""The slider of a continuous parameter: shows base and modulated value; operated by mouse, wheel, keys or typing."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QAbstractSlider, QLineEdit, QMenu, QWidget

from sonorama.engine.control.parameters import Parameter, Value, show

from ..formatting import caption, class_path, short_value
from ..link import Link
from ..theme import ACCENT, BAR_PX, CONTROL, DIM, LINE, MODULATION, TEXT
from .control import MODULATOR_MIME, Control
from .level import STRIP, Marks, paint_level, track_width
from .paint import colour, ground

STEPS = 10_000
DRAG_PX = 200.0
"""Length in pixels of a drag through the whole range."""
FINE = 0.1
MARGIN = 6
"""Pixels beside and between texts."""


class _Editor(QLineEdit):
    """The field for typing a number. It accepts all keys, so that Enter does not reach the slider below.

    Signals:
        left: it lost the focus, but not to its own menu. Qt's editingFinished is silent where nothing was typed.

    """

    left = pyqtSignal()

    def focusOutEvent(self, a0: QFocusEvent | None) -> None:
        """Say so."""
        super().focusOutEvent(a0)
        if a0 is not None and a0.reason() != Qt.FocusReason.PopupFocusReason:
            self.left.emit()

    def keyPressEvent(self, a0: QKeyEvent | None) -> None:
        """Close the field on Escape."""
        super().keyPressEvent(a0)
        if a0 is not None:
            a0.accept()
            if a0.key() == Qt.Key.Key_Escape:
                self.editingFinished.emit()


class FloatControl(Control, QAbstractSlider):
    """A bar with name and number above it, or an upright fader; filled to the base value, the modulated one in blue.

    Drag 200 px for the whole range, with Shift for a tenth of it; wheel, arrows, page keys, Home and End work too.
    A double-click anywhere resets to the default; Enter, or the right-click menu, opens a field to type a number.
    """

    def __init__(self, param: Parameter, link: Link, parent: QWidget | None = None, upright: bool = False) -> None:
        super().__init__(parent)
        self._position = 0.0
        self._value = float(param.default)
        self._effective: float | None = None
        self._drag: QPointF | None = None
        self._editor: _Editor | None = None
        self.upright = upright
        self.caption = caption(param.path)
        self._metrics, self._fitted, self._cut = self.fontMetrics(), ("", -1), ""
        self.setRange(0, STEPS)
        self.setSingleStep(STEPS // 100)
        self.setPageStep(STEPS // 10)
        self.setOrientation(Qt.Orientation.Vertical if upright else Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAcceptDrops(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # Qt need not repaint what is below
        if not upright:
            self.setFixedHeight(BAR_PX)
        self.valueChanged.connect(self._stepped)
        self.join(param, link)

    def sizeHint(self) -> QSize:
        """The usual size of a bar or a fader."""
        return QSize(64, 96) if self.upright else QSize(110, BAR_PX)

    def minimumSizeHint(self) -> QSize:
        """The smallest size at which the text is readable."""
        return QSize(40, 52) if self.upright else QSize(56, BAR_PX)

    # -- values ---------------------------------------------------------------------------------------------------

    def show_value(self, value: Value) -> None:
        """Fill up to the base value."""
        self._value = float(value)
        self._position = self.param.to_norm(self._value)
        self.blockSignals(True)
        self.setValue(round(self._position * STEPS))
        self.blockSignals(False)
        self.update()

    def show_effective(self, value: float | None, driver: str) -> None:
        """Mark the modulated value."""
        super().show_effective(value, driver)
        if value != self._effective:
            self._effective = value
            self.update()

    def _stepped(self, position: int) -> None:
        """Post the value after a step by keys or a screen reader."""
        self.ask(self.param.from_norm(position / STEPS))

    def shift(self, by: float) -> None:
        """Change the value by a fraction of the range."""
        self.ask(self.param.from_norm(min(1.0, max(0.0, self._position + by))))

    # -- input ----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, a0: QMouseEvent | None) -> None:
        """Start a drag; the value does not jump to the pointer."""
        if a0 is not None and a0.button() == Qt.MouseButton.LeftButton:
            self._drag = a0.position()

    def mouseMoveEvent(self, a0: QMouseEvent | None) -> None:
        """Drag: 200 px for the whole range, or 2000 px with Shift."""
        if a0 is None or self._drag is None:
            return
        delta = a0.position() - self._drag
        self._drag = a0.position()
        fine = FINE if a0.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        self.shift((-delta.y() if self.upright else delta.x()) / DRAG_PX * fine)

    def mouseReleaseEvent(self, a0: QMouseEvent | None) -> None:
        """End the drag."""
        self._drag = None

    def mouseDoubleClickEvent(self, a0: QMouseEvent | None) -> None:
        """Reset to the default."""
        if a0 is not None and a0.button() == Qt.MouseButton.LeftButton:
            self.ask(self.param.default)

    def wheelEvent(self, e: QWheelEvent | None) -> None:
        """Change by 1/50 of the range for each notch, with Shift by 1/500."""
        if e is None:
            return
        turn = e.angleDelta().y() or e.angleDelta().x()  # with Shift, some systems report horizontal scrolling
        fine = FINE if e.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        self.shift(turn / 120 / 50 * fine)
        e.accept()

    def keyPressEvent(self, ev: QKeyEvent | None) -> None:
        """Arrows change by 1/100 (with Shift 1/1000), page keys by 1/10; Enter opens the field to type a number."""
        if ev is None:
            return
        arrows = {Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1}
        if ev.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.type_number()
        elif ev.key() in arrows:
            fine = FINE if ev.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
            self.shift(arrows[Qt.Key(ev.key())] * fine / 100)
        else:
            super().keyPressEvent(ev)

    def menu(self) -> QMenu:
        """The right-click menu, with an entry for typing a number."""
        menu = super().menu()
        menu.addAction("Type a number (Enter)", self.type_number)
        return menu

    def type_number(self) -> None:
        """Open a field over the control; Enter applies its number, Escape or leaving the field does not."""
        self._close_editor()
        editor = self._editor = _Editor(show(self._value), self)
        editor.setAccessibleName(f"{self.accessibleName()}: number")
        height = min(BAR_PX, self.height())
        editor.setGeometry(0, (self.height() - height) // 2, self.width(), height)
        editor.selectAll()
        editor.returnPressed.connect(self._typed)
        editor.editingFinished.connect(self._close_editor)
        editor.left.connect(self._close_editor)
        editor.show()
        editor.setFocus()

    def _typed(self) -> None:
        if self._editor is None:
            return
        try:
            self.ask(float(self._editor.text().replace(",", ".")))
        except ValueError:
            path = class_path(self.param.path, self.link.classes)
            self.link.fault.emit(f"{self._editor.text()!r} is not a number: {path} is unchanged")

    def _close_editor(self) -> None:
        if self._editor is not None:
            editor, self._editor = self._editor, None
            window = self.window()
            if window is not None and window.focusWidget() in (None, editor):
                self.setFocus()  # but not if the user went to another control
            editor.hide()
            editor.deleteLater()

    def dragEnterEvent(self, a0: QDragEnterEvent | None) -> None:
        """Accept a dragged modulator."""
        data = a0.mimeData() if a0 is not None else None
        if a0 is not None and data is not None and data.hasFormat(MODULATOR_MIME):
            a0.acceptProposedAction()

    def dropEvent(self, a0: QDropEvent | None) -> None:
        """Make this control the target of the dropped modulator."""
        data = a0.mimeData() if a0 is not None else None
        if a0 is not None and data is not None:
            self.add_modulator(int(bytes(data.data(MODULATOR_MIME).data())))
            a0.acceptProposedAction()

    # -- painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, a0: QPaintEvent | None) -> None:
        """Paint background, fill, default mark, modulated value and text."""
        painter = QPainter(self)
        edge = ACCENT if self.hasFocus() else LINE if self.underMouse() else CONTROL
        painter.drawImage(0, 0, ground(self.width(), self.height(), edge))
        top = 2 if self.upright else self.height() - 2 - STRIP  # below the text
        paint_level(painter, QRectF(self.rect()).adjusted(2, top, -2, -2), self._marks(), self.upright)
        self._paint_words(painter)

    def _marks(self) -> Marks:
        param, effective = self.param, self._effective
        moved = None if effective is None else param.to_norm(min(max(effective, param.low), param.high))
        crosses = param.curve == "linear" and param.low < 0 < param.high
        return Marks(
            param.to_norm(0.0) if crosses else 0.0,
            self._position,
            param.to_norm(float(param.default)),
            moved,
            self.isEnabled(),
        )

    def _paint_words(self, painter: QPainter) -> None:
        alive, metrics = self.isEnabled(), self._metrics
        number = short_value(self.param, self._value)
        painter.setPen(colour(TEXT if alive else LINE))
        if self.upright:
            left = round(track_width(self.width())) + 8
            painter.drawText(left, 3 + metrics.ascent(), number)
            if self._effective is not None and alive:
                painter.setPen(colour(MODULATION))
                painter.drawText(left, 19 + metrics.ascent(), short_value(self.param, self._effective))
            painter.setPen(colour(DIM if alive else LINE))
            painter.drawText(left, self.height() - 3 - metrics.descent(), self.caption)
            return
        base = self.height() - 2 - STRIP - metrics.descent()
        right = self.width() - MARGIN - metrics.horizontalAdvance(number)
        painter.drawText(right, base, number)
        painter.drawText(MARGIN, base, self._name(right - 2 * MARGIN))

    def _name(self, room: int) -> str:
        """The caption, shortened to `room` pixels; the tooltip has all of it."""
        if (self.caption, room) != self._fitted:
            self._fitted = (self.caption, room)
            self._cut = self._metrics.elidedText(self.caption, Qt.TextElideMode.ElideRight, room)
        return self._cut

    def changeEvent(self, e: QEvent | None) -> None:
        """Measure texts again after a change of font."""
        super().changeEvent(e)
        self._metrics, self._fitted = self.fontMetrics(), ("", -1)
