"""At the sizes people have, every word of the panel can be read: none is cut off, and nothing runs through it."""

import itertools

import pytest
from PyQt6.QtCore import QRectF
from PyQt6.QtWidgets import QComboBox, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from sonorama.engine.control.live_table import SHOW
from sonorama.ui.floors import FloorControl
from sonorama.ui.formatting import caption, slot_of
from sonorama.ui.link import Link
from sonorama.ui.mixer import ClassFader
from sonorama.ui.widgets.controls import ChoiceControl
from sonorama.ui.widgets.slider import FloatControl
from sonorama.ui.window import SMALLEST, Window

from .conftest import FakeShow
from .painted import painted, shown

SIZES = ((1280, 800), SMALLEST)


def readable(text: str, whole: str, tip: str) -> bool:
    """All of it, or cut with an ellipsis and told by the tool tip."""
    return text == whole or (text.endswith("\u2026") and len(text) > 3 and whole in tip)


def readable_target(text: str, whole: str, tip: str) -> bool:
    """The same; of a class's parameter the class's name may be cut."""
    (begin, _, name), (full, _, same) = text.rpartition(" "), whole.rpartition(" ")
    return name == same and readable(begin, full, tip)


def check_slider(control: FloatControl, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the ends and the default: nothing runs into or out of anything, and the name is there."""
    param, inside, name = control.param, QRectF(control.rect()).adjusted(1, 1, -1, -1), control.accessibleName()
    whole = name if isinstance(control, FloorControl) else caption(param.path)
    for value, moved in ((param.default, None), (param.low, param.high), (param.high, param.default)):
        control.show_value(float(value))
        control.show_effective(None if moved is None else float(moved), "lfo")
        seen = painted(control, monkeypatch)
        assert all(inside.contains(box) for box in seen.words.values()), (name, seen)
        for one, other in itertools.combinations(seen.words.values(), 2):
            assert not one.adjusted(-3, 0, 3, 0).intersects(other), (name, seen)
        assert not any(box.intersects(mark) for box in seen.words.values() for mark in seen.marks), (name, seen)
        if not param.path.endswith("/depth") and not isinstance(control, ClassFader):  # under a heading, beside a name
            assert any(readable(text, whole, control.toolTip()) for text in seen.words), (name, seen)


@pytest.mark.parametrize("size", SIZES)
def test_every_word_can_be_read(
    size: tuple[int, int], window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.resize(*size)
    for tab in range(window.tabs.count()):
        window.tabs.setCurrentIndex(tab)
        qtbot.wait(20)
        for box in (w for w in window.findChildren(QComboBox) if w.isVisible() and not w.isEditable()):
            for index in range(box.count()):
                assert isinstance(box, ChoiceControl)
                box.show_value(box.itemData(index))
                text, room = shown(box)
                assert box.fontMetrics().horizontalAdvance(text) <= room.width(), text
                if slot_of(box.currentData()):
                    assert readable_target(text, box.currentText(), box.toolTip()), text
                else:
                    assert text == box.currentText(), text  # there is room for all of them
        for control in window.findChildren(FloatControl):
            if control.isVisible():
                check_slider(control, monkeypatch)
        for line in (w for w in window.findChildren(QLineEdit) if w.isVisible()):
            text = line.text() or line.placeholderText()
            assert line.fontMetrics().horizontalAdvance(text) <= line.width() - 4, text
    window.tabs.setCurrentIndex(0)
    headings = [w for w in window.modulators.findChildren(QLabel) if w.text() == "depth" and w.isVisible()]
    depths = [window.controls[f"/moves/{number}/depth"] for number in range(1, 9)]
    for depth in depths:  # one of the headings stands above it
        assert any(abs(depth.x() - label.x()) < 3 and label.y() < depth.y() for label in headings)


def test_a_word_too_long_is_told_by_the_tool_tip(link: Link, show: FakeShow, qtbot: QtBot) -> None:
    box = ChoiceControl(SHOW["/moves/1/target"], link)
    qtbot.addWidget(box)
    box.setFixedWidth(70)
    show.change("/moves/1/target", "/motion/coarse/inertia")
    qtbot.waitUntil(lambda: box.currentText() == "coarse inertia")
    text, room = shown(box)
    assert text.endswith("\u2026") and text.startswith("coa")
    assert box.fontMetrics().horizontalAdvance(text) <= room.width()
    assert box.toolTip().startswith("coarse inertia\n") and box.param.doc in box.toolTip()
