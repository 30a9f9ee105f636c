"""The blend surface in the panel: by mouse and by keys, and what it shows."""

import shutil
from pathlib import Path

import pytest
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from sonorama.ui.blend_page import Plane
from sonorama.ui.link import Link
from sonorama.ui.point_sound import SoundButton
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
    show.change("/blend/1/sound", "rain-0123abcd.wav")
    qtbot.waitUntil(lambda: plane.says(1) == "rain-0123abcd\u2026")
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


RAIN = Path(__file__).parents[2] / "examples" / "rain.ogg"


@pytest.fixture
def sounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONORAMA_SOUNDS", str(tmp_path / "sounds"))
    return tmp_path / "sounds"


def drop(plane: Plane, at: QPointF, *paths: Path) -> bool:
    """Drag files onto the surface and let go; whether they were welcome."""
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    enter = QDragEnterEvent(at.toPoint(), copy, data, left, none)
    enter.ignore()
    plane.dragEnterEvent(enter)
    plane.dropEvent(QDropEvent(at, copy, data, left, none))
    return enter.isAccepted()


def test_a_sound_file_is_dropped_at_the_nearest_point(
    plane: Plane, show: FakeShow, window: Window, sounds: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    mine = Path(shutil.copy(RAIN, tmp_path / "My Rain!.OGG"))
    assert drop(plane, plane.spot(3) + QPointF(-15, 4), mine)
    qtbot.waitUntil(lambda: str(show.values["/blend/3/sound"]).startswith("my_rain-"))
    name = str(show.values["/blend/3/sound"])
    assert name.endswith(".ogg") and (sounds / name).read_bytes() == RAIN.read_bytes()
    assert plane.point == 3 and window.controls["/blend/3/sound"].isVisible()
    show.tell(loading=["/blend/3/sound"])
    qtbot.waitUntil(lambda: window.bottom.info.text.startswith("finding a picture for the sound my_rain-"))


def test_a_sound_file_is_chosen_in_a_dialog(
    plane: Plane, show: FakeShow, window: Window, sounds: Path, qtbot: QtBot
) -> None:
    plane.select(2)
    (button,) = [one for one in window.blend.findChildren(SoundButton) if one.isVisible()]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    (dialog,) = button.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(RAIN))
    dialog.done(0)
    qtbot.waitUntil(lambda: str(show.values["/blend/2/sound"]).startswith("rain-"))
    assert [path.read_bytes() for path in sounds.iterdir()] == [RAIN.read_bytes()]


def test_what_is_no_sound_is_refused_in_words(
    plane: Plane, link: Link, show: FakeShow, sounds: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    link.fault.connect(told.append)
    (tmp_path / "notes.txt").write_text("no sound")
    assert drop(plane, plane.spot(1), tmp_path / "notes.txt")
    assert told == ["notes.txt is no sound. Choose a sound, such as a .wav or .mp3 file"]
    assert not drop(plane, plane.spot(1), RAIN, RAIN)
    assert not drop(plane, plane.spot(1), tmp_path)
    assert not sounds.exists() and not [path for path, _ in show.got if path.endswith("/sound")]
