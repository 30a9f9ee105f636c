"""`control_for(param, link)`: the widget of any table entry. A new entry of a known kind needs no code here."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication, QKeyEvent, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QWidget,
)

from sonorama.engine.control.parameters import Parameter, Value

from ..digit_keys import scene_key
from ..formatting import caption, short_name
from ..link import Link
from .control import Control
from .slider import FloatControl

INT_MAX = 2**31 - 1


class PushButton(QPushButton):
    """A push button that Enter presses too: Space belongs to the show."""

    def keyPressEvent(self, a0: QKeyEvent | None) -> None:
        """Enter clicks."""
        if a0 is not None and a0.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(a0)


class SwitchControl(Control, PushButton):
    """On or off."""

    def __init__(self, param: Parameter, link: Link, parent: QWidget | None = None, text: str = "") -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setText(text or caption(param.path))
        self.clicked.connect(self.ask)
        self.join(param, link)

    def show_value(self, value: Value) -> None:
        """Pressed is on."""
        self.setChecked(bool(value))


class TriggerControl(Control, PushButton):
    """Acts once a click."""

    def __init__(self, param: Parameter, link: Link, parent: QWidget | None = None, text: str = "") -> None:
        super().__init__(parent)
        self.setText(text or caption(param.path))
        self.clicked.connect(lambda: self.ask(True))
        self.join(param, link)


class ChoiceControl(Control, QComboBox):
    """One of several words. Addresses among them are written short; a word too long ends in an ellipsis."""

    def __init__(self, param: Parameter, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for word in param.choices:
            self.addItem(short_name(word) if word.startswith("/") else word, word)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(min(8, max(len(word) for word in param.choices)))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(lambda index: self.ask(self.itemData(index)))
        self.join(param, link)

    def show_value(self, value: Value) -> None:
        """Select it. The tool tip has the whole word."""
        self.setCurrentIndex(self.findData(value))
        self.setToolTip(f"{self.currentText()}\n{self.tip}")

    def initStyleOption(self, option: QStyleOptionComboBox | None) -> None:
        """Qt would cut a long word anywhere."""
        super().initStyleOption(option)
        if option is not None and (style := self.style()) is not None:
            field = QStyle.SubControl.SC_ComboBoxEditField
            room = style.subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, self).width()
            option.currentText = self.fontMetrics().elidedText(option.currentText, Qt.TextElideMode.ElideRight, room)

    def showPopup(self) -> None:
        """Its list shows whole words."""
        if (words := self.view()) is not None:
            words.setMinimumWidth(words.sizeHintForColumn(0) + 20)
        super().showPopup()

    def keyPressEvent(self, e: QKeyEvent | None) -> None:
        """The key of a scene is no word to look for."""
        if e is not None and scene_key(e) is not None:
            e.ignore()
        else:
            super().keyPressEvent(e)

    def wheelEvent(self, e: QWheelEvent | None) -> None:
        """Only once it was chosen: a wheel that passes by must not change a show."""
        if e is not None and not self.hasFocus():
            e.ignore()
        else:
            super().wheelEvent(e)


class TextControl(Control, QLineEdit):
    """Free text; sent on Enter, Escape brings the old text back. Either gives the keys back to the show."""

    def __init__(self, param: Parameter, link: Link, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._value = ""
        self.setPlaceholderText(caption(param.path))
        self.returnPressed.connect(self._enter)
        self.join(param, link)

    def show_value(self, value: Value) -> None:
        """Show it, unless somebody is typing another."""
        if not (self.hasFocus() and self.isModified() and str(value) != self.text()):
            self.setText(str(value))
        self._value = str(value)

    def _enter(self) -> None:
        self.ask(self.text())
        self.clearFocus()

    def keyPressEvent(self, a0: QKeyEvent | None) -> None:
        """Escape gives up."""
        if a0 is not None and a0.key() == Qt.Key.Key_Escape:
            self.setText(self._value)
            self.clearFocus()
        else:
            super().keyPressEvent(a0)


class IntControl(Control, QSpinBox):
    """A whole number; typed ones are sent on Enter."""

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
        """Show it without sending it back."""
        self.blockSignals(True)
        self.setValue(int(value))
        self._fit()
        self.blockSignals(False)

    def resizeEvent(self, e: QResizeEvent | None) -> None:
        """Its name comes and goes with the room."""
        super().resizeEvent(e)
        self._fit()

    def _fit(self) -> None:
        """A number that lost a digit would be another number: where there is no room for both, the name goes."""
        name, edit = f"{caption(self.param.path)}  ", self.lineEdit()
        whole = f"{name}{self.textFromValue(self.value())}{self.suffix()}"
        room = edit.width() - 6 if edit is not None else 0  # what Qt leaves free on both sides
        self.setPrefix(name if self.fontMetrics().horizontalAdvance(whole) <= room else "")

    def keyPressEvent(self, e: QKeyEvent | None) -> None:
        """Enter and Escape give the digits back to the scenes; Escape brings the old number back."""
        if e is not None and e.key() == Qt.Key.Key_Escape:
            self.show_value(self.link.values[self.param.path])
        else:
            super().keyPressEvent(e)
        if e is not None and e.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            self.clearFocus()

    def wheelEvent(self, e: QWheelEvent | None) -> None:
        """Only once it was chosen."""
        if e is not None and not self.hasFocus():
            e.ignore()
        else:
            super().wheelEvent(e)


class SlotControl(Control, QWidget):
    """One button a slot. A click asks for it; Shift+click asks `shifted` for it instead, if there is one."""

    def __init__(
        self, param: Parameter, link: Link, parent: QWidget | None = None, shifted: Parameter | None = None
    ) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.shifted = shifted
        self.buttons = [PushButton(str(number)) for number in range(1, int(param.high) + 1)]
        for number, button in enumerate(self.buttons, 1):
            button.setAccessibleName(f"{short_name(param.path)} {number}")
            button.setStatusTip(param.path)
            button.setProperty("shape", "tiny")
            button.clicked.connect(lambda _=False, n=number: self._clicked(n))
            row.addWidget(button)
        self.join(param, link)

    def _clicked(self, number: int) -> None:
        if self.shifted is not None and QGuiApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.link.post(self.shifted.path, number)
        else:
            self.ask(number)


def control_for(param: Parameter, link: Link, parent: QWidget | None = None) -> QWidget:
    """The control of a table entry; always a `Control` too."""
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
