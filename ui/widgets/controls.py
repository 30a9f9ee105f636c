"""The control widgets, one class for each kind of parameter; `control_for` chooses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication, QKeyEvent, QResizeEvent, QStandardItemModel, QWheelEvent
from PyQt6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QPushButton,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QWidget,
)

from sonorama.engine.control.parameters import Parameter, Value

from ..formatting import caption, short_name, slot_of
from ..link import Link
from .control import Control
from .plain_text import plain_tip
from .slider import FloatControl

INT_MAX = 2**31 - 1


class PushButton(QPushButton):
    """A push button that Enter presses too, because Space is the shortcut for hold."""

    def keyPressEvent(self, a0: QKeyEvent | None) -> None:
        """Click on Enter."""
        if a0 is not None and a0.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(a0)


class SwitchControl(Control, PushButton):
    """A toggle button for a switch parameter."""

    def __init__(self, param: Parameter, link: Link, parent: QWidget | None = None, text: str = "") -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setText(text or caption(param.path))
        self.clicked.connect(self.ask)
        self.join(param, link)

    def show_value(self, value: Value) -> None:
        """Show on as checked."""
        self.setChecked(bool(value))


class TriggerControl(Control, PushButton):
    """A button for a trigger parameter, which acts once for each click."""

    def __init__(self, param: Parameter, link: Link, parent: QWidget | None = None, text: str = "") -> None:
        super().__init__(parent)
        self.setText(text or caption(param.path))
        self.clicked.connect(lambda: self.ask(True))
        self.join(param, link)


class ChoiceControl(Control, QComboBox):
    """A drop-down list for a choice parameter. Addresses are shown as short names; long texts end in an ellipsis."""

    def __init__(self, param: Parameter, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for word in param.choices:
            self.addItem(short_name(word) if word.startswith("/") else word, word)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(min(8, max((len(word) for word in param.choices), default=8)))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(lambda index: self.ask(self.itemData(index)))
        self.join(param, link)

    def show_value(self, value: Value) -> None:
        """Select the value. The tooltip has its full text."""
        self.setCurrentIndex(self.findData(value))
        self.setToolTip(plain_tip(f"{self.currentText()}\n{self.tip}"))

    def show_name(self) -> None:
        """Name the meaning mixer's addresses in the list by class; those of unused slots cannot be chosen."""
        super().show_name()
        classes, items = self.link.classes, self.model()
        for row in range(self.count()):
            path = str(self.itemData(row))
            if isinstance(items, QStandardItemModel) and (item := items.item(row)) is not None and slot_of(path):
                item.setText(short_name(path, classes))
                item.setEnabled(slot_of(path) <= len(classes))
        self.setToolTip(plain_tip(f"{self.currentText()}\n{self.tip}"))

    def initStyleOption(self, option: QStyleOptionComboBox | None) -> None:
        """Shorten a long text with an ellipsis, which Qt does not do."""
        super().initStyleOption(option)
        if option is not None and (style := self.style()) is not None:
            field = QStyle.SubControl.SC_ComboBoxEditField
            room = style.subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self).width()
            option.currentText = self._shortened(option.currentText or "", room)

    def _shortened(self, text: str, room: int) -> str:
        """The text in `room` pixels: of a parameter of a class the class is shortened, of others the end."""
        metrics, tail = self.fontMetrics(), ""
        if slot_of(str(self.currentData())):
            text, space, tail = text.rpartition(" ")
            tail = space + tail
        return metrics.elidedText(text, Qt.TextElideMode.ElideRight, room - metrics.horizontalAdvance(tail)) + tail

    def showPopup(self) -> None:
        """Open the list, wide enough for its texts, without items that cannot be chosen."""
        items, words = self.model(), self.view()
        if isinstance(items, QStandardItemModel) and isinstance(words, QListView):
            for row in range(self.count()):
                item = items.item(row)
                words.setRowHidden(row, item is not None and not item.isEnabled())
        if words is not None:
            words.setMinimumWidth(words.sizeHintForColumn(0) + 20)
        super().showPopup()

    def keyPressEvent(self, e: QKeyEvent | None) -> None:
        """Change by arrows and page keys. What types something is ignored: letters are shortcuts, and a key that is one
        by its place must not search the list too.
        """
        if e is not None and e.text().strip().isprintable() and e.text().strip():
            e.ignore()
        else:
            super().keyPressEvent(e)

    def wheelEvent(self, e: QWheelEvent | None) -> None:
        """Ignore the wheel without focus, so that scrolling past changes nothing."""
        if e is not None and not self.hasFocus():
            e.ignore()
        else:
            super().wheelEvent(e)


class OpenChoice(ChoiceControl):
    """A drop-down list for a text parameter whose useful values are found out while the panel runs.

    Args:
        away: what is said of a value that is not among them.

    """

    def __init__(self, param: Parameter, link: Link, away: str, parent: QWidget | None = None) -> None:
        self._away, self._offered = away, [("", "")]
        super().__init__(param, link, parent)

    def offer(self, values: Sequence[tuple[str, str]]) -> None:
        """Set the list: each value with its text."""
        if list(values) != self._offered:
            self._offered = list(values)
            self.show_value(self.link.values[self.param.path])

    def show_value(self, value: Value) -> None:
        """Select the value, which is added if it is not in the list."""
        items = dict(reversed(self._offered))  # of two with the same value the first
        items = {data: items[data] for data, _ in self._offered}
        items.setdefault(str(value), f"{value} ({self._away})")
        if [(self.itemData(row), self.itemText(row)) for row in range(self.count())] != [*items.items()]:
            self.clear()
            for data, text in items.items():
                self.addItem(text, data)
        super().show_value(value)


class TextControl(Control, QLineEdit):
    """A field for a text parameter: Enter sends the text, Escape restores the old one; both give up the focus."""

    def __init__(self, param: Parameter, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value = ""
        self.setPlaceholderText(caption(param.path))
        self.returnPressed.connect(self._enter)
        self.join(param, link)

    def show_value(self, value: Value) -> None:
        """Show the text, unless the user is typing another."""
        if not (self.hasFocus() and self.isModified() and str(value) != self.text()):
            self.setText(str(value))
        self._value = str(value)

    def _enter(self) -> None:
        self.ask(self.text())
        self.clearFocus()

    def keyPressEvent(self, a0: QKeyEvent | None) -> None:
        """Restore the old text on Escape."""
        if a0 is not None and a0.key() == Qt.Key.Key_Escape:
            self.setText(self._value)
            self.clearFocus()
        else:
            super().keyPressEvent(a0)


class IntControl(Control, QSpinBox):
    """A spin box for an integer parameter; typed numbers are sent on Enter."""

    def __init__(self, param: Parameter, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.param = param
        self.setRange(int(param.low), min(int(param.high), INT_MAX))
        self.setPrefix(f"{caption(param.path)}  ")
        self.setSuffix(f" {param.unit}" if param.unit else "")
        if param.low == -1:
            self.setSpecialValueText(f"{self.prefix()}none")
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumWidth(60)
        self.valueChanged.connect(self.ask)
        self.join(param, link)

    def show_value(self, value: Value) -> None:
        """Show the value without posting it."""
        self.blockSignals(True)
        self.setValue(int(value))
        self._fit()
        self.blockSignals(False)

    def resizeEvent(self, e: QResizeEvent | None) -> None:
        """Show or hide the name depending on the width."""
        super().resizeEvent(e)
        self._fit()

    def _fit(self) -> None:
        """Hide the name where there is no room for both, because a number must never be cut."""
        name, edit = f"{caption(self.param.path)}  ", self.lineEdit()
        whole = f"{name}{self.textFromValue(self.value())}{self.suffix()}"
        room = edit.width() - 6 if edit is not None else 0  # the margins Qt leaves on both sides
        self.setPrefix(name if self.fontMetrics().horizontalAdvance(whole) <= room else "")

    def keyPressEvent(self, e: QKeyEvent | None) -> None:
        """Give up the focus on Enter and Escape, so that digits recall scenes again; Escape restores the old number."""
        if e is not None and e.key() == Qt.Key.Key_Escape:
            self.show_value(self.link.values[self.param.path])
        else:
            super().keyPressEvent(e)
        if e is not None and e.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            self.clearFocus()

    def wheelEvent(self, e: QWheelEvent | None) -> None:
        """Ignore the wheel without focus."""
        if e is not None and not self.hasFocus():
            e.ignore()
        else:
            super().wheelEvent(e)


class SlotControl(Control, QWidget):
    """A row of numbered buttons for a slot parameter. A click posts the number; Shift+click posts it to `shifted`.

    button_for: makes the button of a number; None: plain ones.
    """

    def __init__(
        self,
        param: Parameter,
        link: Link,
        parent: QWidget | None = None,
        shifted: Parameter | None = None,
        button_for: Callable[[int], QPushButton] | None = None,
    ) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.shifted = shifted
        make = button_for or (lambda number: PushButton(str(number)))
        self.buttons = [make(number) for number in range(1, int(param.high) + 1)]
        for number, button in enumerate(self.buttons, 1):
            if button_for is None:
                button.setAccessibleName(f"{short_name(param.path)} {number}")
                button.setProperty("shape", "tiny")
                button.setMinimumWidth(20)  # else that of an ordinary button until it is first seen
            button.setStatusTip(param.path)
            button.clicked.connect(lambda _=False, n=number: self._clicked(n))
            row.addWidget(button)
        self.join(param, link)

    def _clicked(self, number: int) -> None:
        if self.shifted is not None and QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.link.post(self.shifted.path, number)
        else:
            self.ask(number)


def control_for(param: Parameter, link: Link, parent: QWidget | None = None) -> QWidget:
    """Create the control widget for a parameter; it is always a `Control` too."""
    match param.kind:
        case "float":
            return FloatControl(param, link, parent)
        case "int":
            return IntControl(param, link, parent)
        case "switch":
            return SwitchControl(param, link, parent)
        case "choice":
            return ChoiceControl(param, link, parent)
        case "text":
            return TextControl(param, link, parent)
        case "trigger":
            return TriggerControl(param, link, parent)
        case "slot":
            return SlotControl(param, link, parent)
