"""Every table entry has a control; playing it by hand posts that address and a value in its range."""

from typing import Any

import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QAction, QFocusEvent, QGuiApplication, QWheelEvent
from PyQt6.QtWidgets import QApplication, QComboBox, QLineEdit, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Parameter
from sonorama.ui.formatting import doc
from sonorama.ui.link import Link
from sonorama.ui.widgets.control import Control
from sonorama.ui.widgets.controls import SlotControl, control_for
from sonorama.ui.widgets.slider import FloatControl

from .conftest import FakeShow

AMOUNT, INERTIA = SHOW["/motion/coarse/amount"], SHOW["/motion/coarse/inertia"]


def play(control: QWidget, param: Parameter, qtbot: QtBot) -> None:
    """Change it as a person would."""
    match param.kind:
        case "float":
            assert isinstance(control, FloatControl)
            qtbot.keyClick(control, Qt.Key.Key_Left if float(param.default) > param.low else Qt.Key.Key_Right)
        case "int":
            assert isinstance(control, QSpinBox)
            qtbot.keyClick(control, Qt.Key.Key_Up)
        case "choice":
            assert isinstance(control, QComboBox)
            up = control.currentIndex() == control.count() - 1
            qtbot.keyClick(control, Qt.Key.Key_Up if up else Qt.Key.Key_Down)
        case "text":
            assert isinstance(control, QLineEdit)
            control.selectAll()
            qtbot.keyClicks(control, "1 0")
            qtbot.keyClick(control, Qt.Key.Key_Return)
        case "slot":
            assert isinstance(control, SlotControl)
            qtbot.mouseClick(control.buttons[2], Qt.MouseButton.LeftButton)
        case _:
            qtbot.mouseClick(control, Qt.MouseButton.LeftButton)


@pytest.mark.parametrize("path", SHOW)
def test_every_control_posts_its_own_address(path: str, show: FakeShow, link: Link, qtbot: QtBot) -> None:
    param = SHOW[path]
    control = control_for(param, link)
    qtbot.addWidget(control)
    assert isinstance(control, Control)
    assert control.accessibleName() and doc(param, show.classes) in control.toolTip()
    control.show()
    play(control, param, qtbot)
    qtbot.waitUntil(lambda: bool(show.got), timeout=2000)
    ((sent, value),) = show.got
    assert sent == path
    assert value != param.default
    assert param.clip(value) == value


@pytest.mark.parametrize("path", [path for path, param in SHOW.items() if not param.event])
def test_every_control_shows_what_others_did(path: str, show: FakeShow, link: Link, qtbot: QtBot) -> None:
    param = SHOW[path]
    control = control_for(param, link)
    qtbot.addWidget(control)
    before = control.grab().toImage()
    other: Any
    match param.kind:
        case "float":
            at = param.to_norm(float(param.default))
            other = param.from_norm(at + 0.5 if at < 0.5 else at - 0.5)
        case "int":
            other = param.clip(int(param.default) + 77)
        case "switch":
            other = not param.default
        case "choice":
            other = next(word for word in param.choices if word != param.default)
        case _:
            other = "other"
    show.change(path, other)
    qtbot.waitUntil(lambda: link.values[path] == other)
    assert control.grab().toImage() != before
    assert show.got == []  # showing is not asking


@pytest.fixture
def slider(link: Link, qtbot: QtBot) -> FloatControl:
    made = FloatControl(AMOUNT, link)
    qtbot.addWidget(made)
    made.resize(150, made.height())
    made.show()
    return made


def drag(widget: QWidget, qtbot: QtBot, by: int, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    begin = QPoint(20, 10)
    qtbot.mousePress(widget, Qt.MouseButton.LeftButton, keys, begin)
    from PyQt6.QtCore import QEvent
    from PyQt6.QtGui import QMouseEvent

    at = QPointF(begin) + QPointF(by, 0)
    left = Qt.MouseButton.LeftButton
    QApplication.sendEvent(widget, QMouseEvent(QEvent.Type.MouseMove, at, at, left, left, keys))
    qtbot.mouseRelease(widget, left, keys, at.toPoint())


def test_a_drag_of_200_px_is_the_whole_range(slider: FloatControl, link: Link, qtbot: QtBot) -> None:
    drag(slider, qtbot, -100)
    assert link.values[AMOUNT.path] == pytest.approx(0.0)
    drag(slider, qtbot, 200)
    assert link.values[AMOUNT.path] == pytest.approx(2.0)
    drag(slider, qtbot, -100, Qt.KeyboardModifier.ShiftModifier)
    assert link.values[AMOUNT.path] == pytest.approx(1.9)


def test_a_press_alone_moves_nothing(slider: FloatControl, show: FakeShow, qtbot: QtBot) -> None:
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(3, 5))
    qtbot.wait(30)
    assert show.got == []


def test_log_controls_follow_their_curve(link: Link, qtbot: QtBot) -> None:
    control = FloatControl(INERTIA, link)
    qtbot.addWidget(control)
    link.post(INERTIA.path, INERTIA.low)
    drag(control, qtbot, 100)
    assert link.values[INERTIA.path] == pytest.approx((INERTIA.low * INERTIA.high) ** 0.5)


def test_wheel_and_keys(slider: FloatControl, link: Link, qtbot: QtBot) -> None:
    none, begin = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    at = QPointF(10, 10)
    wheel = QWheelEvent(at, at, QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, none, begin, False)
    QApplication.sendEvent(slider, wheel)
    assert link.values[AMOUNT.path] == pytest.approx(1.04)
    for key, value in ((Qt.Key.Key_Up, 1.06), (Qt.Key.Key_PageDown, 0.86), (Qt.Key.Key_Home, 0), (Qt.Key.Key_End, 2)):
        qtbot.keyClick(slider, key)
        assert link.values[AMOUNT.path] == pytest.approx(value)
    qtbot.keyClick(slider, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert link.values[AMOUNT.path] == pytest.approx(1.998)


def test_a_number_is_typed_and_a_double_click_is_the_default(slider: FloatControl, link: Link, qtbot: QtBot) -> None:
    for text, key, value in (("0.35", Qt.Key.Key_Return, 0.35), ("abc", Qt.Key.Key_Return, 0.35)):
        qtbot.keyClick(slider, Qt.Key.Key_Return)
        editor = slider.findChild(QLineEdit)
        assert editor is not None
        editor.setText(text)
        qtbot.keyClick(editor, key)
        assert link.values[AMOUNT.path] == pytest.approx(value)
        qtbot.waitUntil(lambda: slider.findChild(QLineEdit) is None)
    for x in (10, slider.width() // 2, slider.width() - 10):  # beside and on the number
        link.post(AMOUNT.path, 0.35)
        qtbot.mouseDClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(x, 10))
        assert link.values[AMOUNT.path] == AMOUNT.default
        assert slider.findChild(QLineEdit) is None


def test_a_field_for_a_number_closes_when_it_loses_the_focus(slider: FloatControl, link: Link, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    other = QLineEdit(window)
    slider.setParent(window)
    other.move(0, 100)
    slider.show()
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    link.post(AMOUNT.path, 0.2)
    slider.menu().actions()[-1].trigger()
    first = slider.findChild(QLineEdit)
    assert first is not None
    QApplication.sendEvent(first, QFocusEvent(QEvent.Type.FocusOut, Qt.FocusReason.PopupFocusReason))
    assert not first.isHidden()  # it has a menu of its own
    first.setText("1.7")
    QApplication.sendEvent(first, QFocusEvent(QEvent.Type.FocusOut, Qt.FocusReason.ActiveWindowFocusReason))
    assert first.isHidden() and link.values[AMOUNT.path] == 0.2
    slider.type_number()
    slider.type_number()  # the first field has closed
    other.setFocus()
    qtbot.waitUntil(lambda: slider.findChild(QLineEdit) is None)
    assert window.focusWidget() is other  # it keeps the focus
    assert link.values[AMOUNT.path] == 0.2
    slider.setParent(None)


def test_modulation_is_seen_and_goes(slider: FloatControl, show: FakeShow, qtbot: QtBot) -> None:
    still = slider.grab().toImage()
    show.tell(effective={AMOUNT.path: 1.6}, drivers={AMOUNT.path: "bass"})
    qtbot.waitUntil(lambda: slider.effective == 1.6)
    assert slider.driver == "bass"
    assert slider.grab().toImage() != still
    show.tell(effective={})
    qtbot.waitUntil(lambda: slider.effective is None)
    assert slider.grab().toImage() == still


def test_the_menu_copies_resets_and_assigns(slider: FloatControl, show: FakeShow, link: Link, qtbot: QtBot) -> None:
    link.post(AMOUNT.path, 0.2)
    copy, default, moves, _ = slider.menu().actions()
    copy.trigger()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None and clipboard.text() == "/sonorama/motion/coarse/amount"
    default.trigger()
    assert link.values[AMOUNT.path] == AMOUNT.default
    sub = moves.menu()
    assert sub is not None and len(sub.actions()) == 8
    sub.actions()[2].trigger()
    assert link.values["/moves/3/target"] == AMOUNT.path


def test_the_menu_learns_midi_where_there_is_a_bridge(
    slider: FloatControl, show: FakeShow, link: Link, qtbot: QtBot
) -> None:
    def entries(control: FloatControl | SlotControl) -> dict[str, QAction]:
        return {action.text(): action for action in control.menu().actions()}

    assert "MIDI learn" not in entries(slider)
    show.tell(bridges={"midi_ports": "nano"})
    qtbot.waitUntil(lambda: "midi_ports" in link.status.bridges)
    assert "End MIDI learn" not in entries(slider)
    entries(slider)["MIDI learn"].trigger()
    qtbot.waitUntil(lambda: ("/midi/learn", AMOUNT.path) in show.got)
    entries(slider)["End MIDI learn"].trigger()
    qtbot.waitUntil(lambda: ("/midi/learn", "") in show.got)
    entries(slider)["Forget MIDI"].trigger()
    qtbot.waitUntil(lambda: ("/midi/forget", True) in show.got)
    scenes = control_for(SHOW["/scene/recall"], link)
    assert isinstance(scenes, SlotControl)
    qtbot.addWidget(scenes)
    sub = entries(scenes)["MIDI learn"].menu()
    assert sub is not None
    sub.actions()[2].trigger()
    qtbot.waitUntil(lambda: ("/midi/learn", "/scene/recall 3") in show.got)


def test_text_is_sent_on_enter_only(show: FakeShow, link: Link, qtbot: QtBot) -> None:
    field = control_for(SHOW["/look/text"], link)
    assert isinstance(field, QLineEdit)
    qtbot.addWidget(field)
    qtbot.keyClicks(field, "a storm")
    qtbot.wait(30)
    assert show.got == []
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == ""
