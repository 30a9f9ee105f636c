"""The meaning mixer of the panel: a row for each class of the world, named after it, and what is heard besides."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QPoint, QPointF, QRect, Qt
from PyQt6.QtGui import QGuiApplication, QWheelEvent
from PyQt6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.model.world_file import load_world, save_world
from sonorama.ui.formatting import describe, doc, osc_address, short_name, slot_of
from sonorama.ui.link import Link
from sonorama.ui.mixer import ClassRow, ClassScore
from sonorama.ui.widgets.control import Control
from sonorama.ui.widgets.controls import ChoiceControl
from sonorama.ui.widgets.slider import FloatControl
from sonorama.ui.window import Window

from . import scene
from .conftest import FakeShow

AMOUNT, FLOOR, MUTE, SOLO = (f"/meaning/3/{name}" for name in ("amount", "floor", "mute", "solo"))
THREE = ("rain", "wind", "fire_crackling")


def rows(window: Window) -> list[ClassRow]:
    """Those of classes that the world has."""
    return [row for row in window.mixer.rows if not row.isHidden()]


def told(window: Window, show: FakeShow, qtbot: QtBot, classes: tuple[str, ...] = THREE, **status: Any) -> None:
    """The show plays a world of these classes."""
    show.classes = classes
    show.tell(**status)
    qtbot.waitUntil(lambda: not show.outbox and window.link.classes == classes)


def sight(window: Window, row: ClassRow) -> QRect:
    """The part of a row that is not scrolled away."""
    port = window.mixer.viewport()
    assert port is not None
    return port.rect() & row.rect().translated(row.mapTo(port, QPoint(0, 0)))


def control(window: Window, path: str) -> Control:
    found = window.controls[path]
    assert isinstance(found, Control)
    return found


def test_a_row_for_each_class_in_the_order_of_the_slots(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    told(window, show, qtbot, class_scores=(0.1, 0.62, 0.28))
    seen = [(row.score.name, row.score.number) for row in rows(window)]
    assert seen == [("rain", "0.10"), ("wind", "0.62"), ("fire crackling", "0.28")]
    assert rows(window)[1].score.accessibleName() == "wind score"
    assert rows(window)[1].score.accessibleDescription() == "0.62"
    told(window, show, qtbot, ("bells", "rain"), class_scores=(0.3, 0.7))
    assert [row.score.name for row in rows(window)] == ["bells", "rain"]


def test_the_one_or_two_best_are_bold(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    for scores, bold in (((0.1, 0.62, 0.28), [1]), ((0.5, 0.1, 0.4), [0, 2]), ((0.4, 0.3, 0.3), [0, 1, 2]), ((), [])):
        told(window, show, qtbot, class_scores=scores)
        assert [index for index, row in enumerate(rows(window)) if row.score.bold] == bold
    assert [row.score.number for row in rows(window)] == ["", "", ""]  # silence


def test_only_what_changed_is_painted_again(
    window: Window, show: FakeShow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(window, show, qtbot, class_scores=(0.1, 0.62, 0.28))
    painted: list[str] = []
    monkeypatch.setattr(ClassScore, "update", lambda self: painted.append(self.name))
    told(window, show, qtbot, class_scores=(0.101, 0.62, 0.279))
    assert painted == []
    told(window, show, qtbot, class_scores=(0.1, 0.66, 0.24))
    assert painted == ["wind", "fire crackling"]


@pytest.mark.parametrize(
    ("scores", "line"),
    [
        ((("speech", 0.71), ("wind", 0.2)), "I hear: speech 0.71"),
        ((("church_bells", 0.4),), "I hear: church bells 0.40"),
        ((("fire_crackling", 0.5), ("speech", 0.4)), ""),
        ((), "no sound yet"),
    ],
)
def test_what_is_none_of_the_classes_is_a_line(
    scores: Any, line: str, window: Window, show: FakeShow, qtbot: QtBot
) -> None:
    told(window, show, qtbot, scores=(("x", 1.0),))
    told(window, show, qtbot, scores=scores)
    assert window.heard.text == line


def test_a_class_beyond_the_slots_is_a_line_too(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    told(window, show, qtbot, (*scene.MANY, "geese"), scores=(("geese", 0.6),), class_scores=(0.0,) * 16 + (0.6,))
    assert window.heard.text == "I hear: geese 0.60"
    assert len(rows(window)) == 16


def test_rows_are_played_by_hand(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    told(window, show, qtbot)
    fader = window.controls[AMOUNT]
    qtbot.keyClick(fader, Qt.Key.Key_Home)
    qtbot.mouseClick(window.controls[MUTE], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(window.controls[SOLO], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: [show.values[path] for path in (AMOUNT, MUTE, SOLO)] == [0.0, True, True])
    qtbot.mouseDClick(fader, Qt.MouseButton.LeftButton, pos=QPoint(3, 10))
    qtbot.waitUntil(lambda: show.values[AMOUNT] == 1.0)


def test_silent_classes_are_dim(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    told(window, show, qtbot, class_scores=(0.1, 0.62, 0.28))

    def silent() -> list[bool]:
        return [row.score.silent for row in rows(window)]

    before = rows(window)[0].score.grab().toImage()
    show.change(MUTE, True)
    qtbot.waitUntil(lambda: silent() == [False, False, True])
    show.change("/meaning/2/solo", True)
    qtbot.waitUntil(lambda: silent() == [True, False, True])
    assert rows(window)[0].score.grab().toImage() != before
    show.change(MUTE, False)
    show.change("/meaning/2/solo", False)
    qtbot.waitUntil(lambda: silent() == [False, False, False])


def test_names_follow_the_world(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    target = window.controls["/moves/1/target"]
    assert isinstance(target, ChoiceControl)
    told(window, show, qtbot)
    control(window, "/moves/1/target").show_value(FLOOR)
    amount, floor = control(window, AMOUNT), control(window, FLOOR)
    assert window.controls[AMOUNT].accessibleName() == "fire crackling amount"
    assert isinstance(floor, FloatControl) and floor.caption == "fire crackling floor"
    assert amount.tip.startswith("fire crackling amount: How strongly fire crackling moves the picture")
    assert (target.currentText(), target.toolTip().split("\n")[0]) == ("fire crackling floor",) * 2
    told(window, show, qtbot, ("rain", "wind", "church_bells"))
    assert window.controls[AMOUNT].accessibleName() == "church bells amount"
    assert floor.caption == "church bells floor" and "church bells" in window.controls[FLOOR].toolTip()
    assert (target.currentText(), target.toolTip().split("\n")[0]) == ("church bells floor",) * 2


def test_the_status_line_and_the_clipboard_have_the_address_by_class(
    window: Window, show: FakeShow, qtbot: QtBot
) -> None:
    told(window, show, qtbot)
    window.bottom.point_at(FLOOR)
    line = window.bottom.info.text
    assert line.startswith("/sonorama/meaning/fire_crackling/floor ") and "How far fire crackling shows" in line
    qtbot.keyClick(window, Qt.Key.Key_M)
    qtbot.mouseClick(window.controls[MUTE], Qt.MouseButton.LeftButton)
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None and clipboard.text() == "/sonorama/meaning/fire_crackling/mute"
    assert clipboard.text() in window.bottom.info.text
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    control(window, MUTE).menu().actions()[1].trigger()
    assert clipboard.text() == "/sonorama/meaning/3/mute"


def test_the_palette_finds_classes_and_lists_no_unused_slot(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    told(window, show, qtbot)
    window.palette_list.open()
    assert {path for path in window.palette_list.shown() if slot_of(path)} == {
        f"/meaning/{slot}/{name}" for slot in (1, 2, 3) for name in ("amount", "floor", "mute", "solo")
    }
    for words in ("fire crackling floor", "/meaning/3/floor"):
        window.palette_list.field.setText(words)
        assert window.palette_list.shown() == [FLOOR]
    told(window, show, qtbot, ("rain", "wind", "church_bells"))
    window.palette_list.field.setText("bells floor")
    assert window.palette_list.shown() == [FLOOR]
    qtbot.keyClick(window.palette_list.field, Qt.Key.Key_Return)
    assert window.focusWidget() is window.controls[FLOOR] and window.controls[FLOOR].isVisible()


def test_targets_of_unused_slots_cannot_be_chosen(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    told(window, show, qtbot)
    target = window.controls["/moves/1/target"]
    assert isinstance(target, ChoiceControl)
    target.setCurrentIndex(target.findData(FLOOR))
    target.setFocus()
    for _ in range(3):
        qtbot.keyClick(target, Qt.Key.Key_Down)
        assert slot_of(str(target.currentData())) <= 3
    target.showPopup()
    words = target.view()
    assert words is not None
    hidden = {target.itemData(row) for row in range(target.count()) if words.isRowHidden(row)}  # pyright: ignore
    target.hidePopup()
    assert hidden == {path for path in SHOW["/moves/1/target"].choices if slot_of(path) > 3}


def test_floors_of_a_world_without_classes_say_so(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    told(window, show, qtbot)
    assert window.floors.note.isHidden() and not window.controls[FLOOR].isHidden()
    assert window.controls["/meaning/4/floor"].isHidden()
    told(window, show, qtbot, ())
    assert not window.floors.note.isHidden() and window.controls[FLOOR].isHidden() and rows(window) == []


def test_floors_say_what_an_imported_world_was_not_found_to_show(
    window: Window, show: FakeShow, qtbot: QtBot, tiny_world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert window.floors.advice.isHidden()  # meridian was trained for its classes
    monkeypatch.setenv("SONORAMA_WORLDS", str(tmp_path))
    world = load_world(tiny_world)
    found = {"source": {"file": "faces.pkl"}, "directions": {"rain": 0.4, "wind": 0.1, "fire": 0.0}}
    save_world(tmp_path / "faces.safetensors", replace(world.card, name="faces", measures=found), world.tensors)
    show.change("/engine/world", "faces")
    show.tell()
    qtbot.waitUntil(lambda: not window.floors.advice.isHidden())
    assert window.floors.advice.text() == (
        "faces was not found to show wind, fire: name looks by example, sonorama teach faces --sound a.wav --seed 12"
    )


@pytest.mark.parametrize(("size", "least"), [((1280, 800), 9), ((1024, 640), 4)])
def test_rows_are_whole_and_the_rest_can_be_scrolled_to(
    size: tuple[int, int], least: int, window: Window, show: FakeShow, qtbot: QtBot
) -> None:
    window.resize(*size)
    for classes in (scene.CLASSES, scene.MANY):
        told(window, show, qtbot, classes)
        qtbot.wait(20)
        seen = [row for row in rows(window) if not sight(window, row).isEmpty()]
        assert len(seen) >= least and all(sight(window, row).size() == row.size() for row in seen)
        assert len(seen) == len(classes) or window.mixer.verticalScrollBar().isVisible()  # pyright: ignore
    for slot, row in enumerate(rows(window), 1):
        window.reveal(f"/meaning/{slot}/solo")
        assert sight(window, row).size() == row.size(), row.score.name


def turn(widget: QWidget) -> bool:
    """One notch of the wheel; whether the widget took it."""
    at, none = QPointF(10, 10), Qt.KeyboardModifier.NoModifier
    begin, button = Qt.ScrollPhase.NoScrollPhase, Qt.MouseButton.NoButton
    notch = QWheelEvent(at, at, QPoint(), QPoint(0, -120), button, none, begin, False)
    QApplication.sendEvent(widget, notch)
    return notch.isAccepted()


def test_the_wheel_scrolls_a_list_and_changes_the_fader_in_focus(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    told(window, show, qtbot)
    assert turn(window.controls[AMOUNT])  # nothing to scroll
    assert window.link.values[AMOUNT] == pytest.approx(0.96)
    told(window, show, qtbot, scene.MANY)
    bar = window.mixer.verticalScrollBar()
    assert bar is not None and bar.maximum() > 0
    assert not turn(window.controls[AMOUNT]) and window.link.values[AMOUNT] == pytest.approx(0.96)
    port = window.mixer.viewport()
    assert port is not None and turn(port) and bar.value() > 0
    window.controls[AMOUNT].setFocus()
    assert turn(window.controls[AMOUNT])
    assert window.link.values[AMOUNT] == pytest.approx(0.92)


def test_rows_stay_while_the_show_is_away(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    told(window, show, qtbot, class_scores=(0.1, 0.62, 0.28))
    show.there = False
    qtbot.waitUntil(lambda: not window.link.connected)
    assert [row.score.number for row in rows(window)] == ["", "", ""]


def test_every_description_names_its_class() -> None:
    for path, param in SHOW.items():
        if slot := slot_of(path):
            assert scene.MANY[slot - 1].replace("_", " ") in doc(param, scene.MANY)
            assert "of the world" not in doc(param, scene.MANY)
    assert "class 3 of the world" in doc(SHOW[FLOOR], ("rain",))


def test_names_and_addresses_by_class(link: Link) -> None:
    odd = ("rain", "a/b", "7", "two words", "gro\u00dfer regen", "rain")
    assert [short_name(f"/meaning/{slot}/floor", odd) for slot in range(1, 8)] == [
        "rain floor", "a/b floor", "class 7 floor", "two words floor", "gro\u00dfer regen floor", "rain floor",
        "class 7 floor",
    ]  # fmt: skip
    assert [osc_address(f"/meaning/{slot}/floor", odd) for slot in (1, 2, 3, 4, 5, 6, 7)] == [
        "/sonorama/meaning/rain/floor", *(f"/sonorama/meaning/{slot}/floor" for slot in (2, 3, 4, 5, 6, 7))
    ]  # fmt: skip
    assert osc_address("/look/drift", odd) == "/sonorama/look/drift" and slot_of("/look/drift") == 0
    assert "/sonorama/meaning/rain/mute   on" in describe(SHOW["/meaning/1/mute"], True, None, "", odd)
