"""The blend surface in the panel: by mouse and by keys, and what it shows."""

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from pytestqt.qtbot import QtBot

from sonorama.ui.blend_page import Plane
from sonorama.ui.window import Window

from .conftest import FakeShow


@pytest.fixture
def plane(window: Window, qtbot: QtBot) -> Plane:
    window.reveal("/blend/amount")
    qtbot.waitUntil(window.blend.plane.isVisible)
    return window.blend.plane


def drag(qtbot: QtBot, plane: Plane, begin: QPointF, end: QPointF) -> None:
    left, at = Qt.MouseButton.LeftButton, end.toPoint()
    qtbot.mousePress(plane, left, pos=begin.toPoint())
    qtbot.mouseMove(plane, at)
    qtbot.mouseRelease(plane, left, pos=at)


def test_a_click_and_a_drag_move_the_cursor(plane: Plane, show: FakeShow, qtbot: QtBot) -> None:
    qtbot.mouseClick(plane, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    qtbot.waitUntil(lambda: (show.values["/blend/x"], show.values["/blend/y"]) == (0.0, 0.0))
    middle = QPointF(plane.rect().center())
    drag(qtbot, plane, QPointF(3, 3), middle + QPointF(0.25 * plane.width(), 0))
    qtbot.waitUntil(lambda: show.values["/blend/x"] > 0.7)
    assert show.values["/blend/y"] == pytest.approx(0.5, abs=0.05)
    assert not [path for path, _ in show.got if path.count("/") > 2]  # no point was moved


def test_a_drag_from_a_point_moves_and_selects_it(plane: Plane, show: FakeShow, window: Window, qtbot: QtBot) -> None:
    drag(qtbot, plane, plane.spot(3), QPointF(plane.rect().center()))
    qtbot.waitUntil(lambda: show.values["/blend/3/x"] == pytest.approx(0.5, abs=0.05))
    assert plane.point == 3
    assert window.controls["/blend/3/seed"].isVisible()
    assert not window.controls["/blend/1/seed"].isVisible()
    assert show.values["/blend/x"] == 0.5


def test_arrow_keys_move_the_cursor(plane: Plane, show: FakeShow, qtbot: QtBot) -> None:
    plane.setFocus()
    qtbot.keyClick(plane, Qt.Key.Key_Right)
    qtbot.keyClick(plane, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: show.values["/blend/y"] == pytest.approx(0.48))
    assert show.values["/blend/x"] == pytest.approx(0.52)


def test_a_surface_that_does_nothing_says_why(plane: Plane, show: FakeShow, qtbot: QtBot) -> None:
    assert plane.hint().startswith("amount is 0")
    before = plane.grab().toImage()
    show.change("/blend/amount", 0.5)
    qtbot.waitUntil(lambda: plane.hint() == "")
    assert plane.grab().toImage() != before


def test_points_say_what_they_hold(plane: Plane, show: FakeShow, qtbot: QtBot) -> None:
    assert plane.says(1) == ""
    show.change("/blend/1/seed", 12)
    qtbot.waitUntil(lambda: plane.says(1) == "seed 12")
    show.change("/blend/1/text", "a storm over black rocks")
    qtbot.waitUntil(lambda: plane.says(1) == "a storm over \u2026")
    show.change("/blend/1/code", "beach-0123456789ab")
    qtbot.waitUntil(lambda: plane.says(1).startswith("beach"))


def test_a_modulated_cursor_is_shown_where_it_acts(plane: Plane, show: FakeShow, qtbot: QtBot) -> None:
    before = plane.grab().toImage()
    show.tell(effective={"/blend/x": 0.9}, drivers={"/blend/x": "lfo"})
    qtbot.waitUntil(lambda: plane.x_axis.effective == 0.9)
    assert plane.x_axis.value == 0.5
    assert plane.grab().toImage() != before
    show.tell(effective={}, drivers={})
    qtbot.waitUntil(lambda: plane.x_axis.effective == 0.5)


def test_taking_hearing_and_scenes_ask_the_show(plane: Plane, show: FakeShow, window: Window, qtbot: QtBot) -> None:
    plane.select(2)
    for name in ("take", "hear"):
        qtbot.mouseClick(window.controls[f"/blend/2/{name}"], Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda name=name: (f"/blend/2/{name}", True) in show.got)
    qtbot.mouseClick(window.controls["/blend/2/scene"].buttons[4], Qt.MouseButton.LeftButton)  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: ("/blend/2/scene", 5) in show.got)
