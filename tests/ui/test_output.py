"""The window for the audience."""

import os
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from PyQt6.QtCore import QRect, QSize, Qt
from pytestqt.qtbot import QtBot

from sonorama.engine.ipc.frame_map import FrameMapWriter, FrameSlot
from sonorama.ui import frame_delay
from sonorama.ui.displays import display_id, find_display
from sonorama.ui.frame_delay import FrameDelay
from sonorama.ui.link import Link
from sonorama.ui.output import Output
from sonorama.ui.picture import letterbox

from .conftest import FakeShow

NAME = f"output-{os.getpid()}"


def plain(value: int, width: int = 16, height: int = 16) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return np.full((height, width, 4), value, np.uint8)


@pytest.fixture
def output(qtbot: QtBot) -> Iterator[Output]:
    made = Output(NAME)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.close_feed()


@pytest.mark.parametrize(
    ("width", "height", "box"),
    [(100, 100, (50, 0, 100, 100)), (400, 100, (0, 25, 200, 50)), (200, 100, (0, 0, 200, 100))],
)
def test_letterbox(width: int, height: int, box: tuple[int, int, int, int]) -> None:
    assert letterbox(width, height, QRect(0, 0, 200, 100)) == QRect(*box)


def test_it_goes_on_with_a_new_owner_and_keeps_the_last_picture(output: Output, qtbot: QtBot) -> None:
    with FrameMapWriter(NAME, 16, 16) as first:
        first.publish(plain(200), 0, 1)
        qtbot.waitUntil(lambda: output.slot is not None and output.slot.frame == 1, timeout=3000)
    qtbot.wait(100)
    assert output.grab().toImage().pixelColor(output.rect().center()).red() == 200  # never black
    with FrameMapWriter(NAME, 32, 16) as second:
        second.publish(plain(90, 32), 0, 7)
        qtbot.waitUntil(lambda: output.slot is not None and output.slot.frame == 7, timeout=3000)
    assert output.grab().toImage().pixelColor(output.rect().center()).red() == 90


def test_it_follows_another_size(output: Output, qtbot: QtBot) -> None:
    output.resize(200, 200)
    with FrameMapWriter(NAME, 16, 16) as frames:
        frames.publish(plain(200), 0, 1)
        qtbot.waitUntil(lambda: output.slot is not None and output.slot.frame == 1, timeout=3000)
        assert output.grab().toImage().pixelColor(100, 5).red() == 200
        frames.resize(32, 16)
        frames.publish(plain(90, 32), 0, 2)
        qtbot.waitUntil(lambda: output.slot is not None and output.slot.frame == 2, timeout=3000)
        seen = output.grab().toImage()
    assert [seen.pixelColor(100, y).red() for y in (5, 100, 195)] == [0, 90, 0]  # wide now, with black around it


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Q])
def test_it_can_be_left(key: Qt.Key, output: Output, qtbot: QtBot) -> None:
    qtbot.keyClick(output, key)
    assert not output.isVisible()


def test_the_cursor_hides_in_full_screen_only(output: Output) -> None:
    output.fill_screen(True, "0")
    assert output.isFullScreen() and output.cursor().shape() == Qt.CursorShape.BlankCursor
    output.fill_screen(False)
    assert output.cursor().shape() == Qt.CursorShape.ArrowCursor


class Screen(NamedTuple):
    """What a QScreen says about itself."""

    connector: str
    number: str = ""

    def name(self) -> str:
        return self.connector

    def manufacturer(self) -> str:
        return "Dell"

    def model(self) -> str:
        return "U2415"

    def serialNumber(self) -> str:  # noqa: N802
        return self.number


LEFT, RIGHT, OTHER = Screen("HDMI-1", "7MT0"), Screen("DP-1", "7MT1"), Screen("HDMI-1", "9ZZ9")
TWIN, BARE = Screen("DP-2", "7MT0"), Screen("VGA-1")


@pytest.mark.parametrize(
    ("screens", "wanted", "found"),
    [
        ((LEFT, RIGHT), "DP-1 [Dell U2415 7MT1]", RIGHT),
        ((LEFT, RIGHT), "HDMI-1 [Dell U2415 7MT1]", RIGHT),  # the cable is in another connector now
        ((OTHER, RIGHT), "HDMI-1 [Dell U2415 7MT0]", None),  # another display at its connector
        ((TWIN, LEFT), "HDMI-1 [Dell U2415 7MT0]", LEFT),  # two displays with one serial number
        ((BARE,), "VGA-1", BARE),
        ((LEFT, RIGHT), "DP-1", RIGHT),
        ((LEFT, RIGHT), "7MT1", RIGHT),
        ((LEFT, RIGHT), "1", RIGHT),
        ((LEFT, RIGHT), "2", None),
        ((LEFT,), "DP-1", None),
        ((), "0", None),
    ],
)
def test_a_display_is_known_by_name_and_serial(screens: tuple[Screen, ...], wanted: str, found: Screen | None) -> None:
    assert find_display(screens, wanted) == found
    assert found is None or find_display(screens, display_id(found).text) == found


@pytest.fixture
def window(link: Link, qtbot: QtBot) -> Iterator[Output]:
    """A window that follows a show."""
    made = Output(NAME, link=link)
    qtbot.addWidget(made)
    made.fill_screen(True)
    with qtbot.waitExposed(made):
        made.show()
    yield made
    made.close_feed()


def test_parameters_place_it(window: Output, show: FakeShow, link: Link, qtbot: QtBot) -> None:
    assert window.isFullScreen()
    for path, value in (("x", 30), ("y", 20), ("width", 320), ("height", 180), ("full_screen", False)):
        show.change(f"/window/{path}", value)
    qtbot.waitUntil(lambda: window.geometry() == QRect(30, 20, 320, 180))
    assert not window.isFullScreen() and window.windowFlags() & Qt.WindowType.FramelessWindowHint
    show.change("/window/display", "nowhere")
    qtbot.waitUntil(lambda: not window.isVisible())
    show.change("/window/display", "0")
    qtbot.waitUntil(lambda: window.isVisible() and window.geometry() == QRect(30, 20, 320, 180))
    qtbot.keyClick(window, Qt.Key.Key_F)
    qtbot.waitUntil(lambda: window.isFullScreen() and show.values["/window/full_screen"] is True)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.filling
    show.change("/window/full_screen", False)
    qtbot.waitUntil(lambda: link.values["/window/full_screen"] is False)
    qtbot.wait(30)
    assert not window.isVisible()  # a window that was closed stays closed


def test_its_corners_go_where_the_parameters_say(window: Output, show: FakeShow, link: Link, qtbot: QtBot) -> None:
    for path, value in (("width", 200), ("height", 200), ("full_screen", False), ("top_left_x", 0.5)):
        show.change(f"/window/{path}", value)
    qtbot.waitUntil(lambda: window.size() == QSize(200, 200) and link.values["/window/top_left_x"] == 0.5)
    with FrameMapWriter(NAME, 16, 16) as frames:
        frames.publish(plain(200), 0, 1)
        qtbot.waitUntil(lambda: window.slot is not None and window.slot.frame == 1, timeout=3000)
        seen = window.grab().toImage()
        inside = {(x, y): seen.pixelColor(x, y).red() > 100 for x in (20, 60, 110, 180) for y in (10, 100, 190)}
        # From the middle of the upper edge straight down to the lower left corner, where the left edge was.
        assert inside == {(x, y): x > 100 * (1 - y / 200) for x, y in inside}
        show.change("/window/top_left_x", 0.0)
        qtbot.waitUntil(lambda: window.grab().toImage().pixelColor(20, 10).red() == 200)


def test_the_second_window_has_parameters_of_its_own(window: Output, show: FakeShow, link: Link, qtbot: QtBot) -> None:
    second = Output(NAME, link=link, number=2)
    qtbot.addWidget(second)
    second.fill_screen(True)
    with qtbot.waitExposed(second):
        second.show()
    for path, value in (("x", 30), ("y", 20), ("width", 320), ("height", 180), ("full_screen", False)):
        show.change(f"/window/2/{path}", value)
    qtbot.waitUntil(lambda: second.geometry() == QRect(30, 20, 320, 180))
    assert window.isFullScreen(), "the first one stays"
    show.change("/window/x", 70)
    show.change("/window/delay", 300.0)
    qtbot.waitUntil(lambda: link.values["/window/delay"] == 300.0)
    assert second.geometry() == QRect(30, 20, 320, 180) and second._values["/window/delay"] == 0.0
    qtbot.keyClick(second, Qt.Key.Key_F)
    qtbot.waitUntil(lambda: second.isFullScreen() and show.values["/window/2/full_screen"] is True)
    second.close_feed()


@pytest.mark.parametrize(("flip", "at"), [("none", 0), ("horizontal", 1), ("vertical", 2), ("both", 3)])
def test_it_is_flipped(flip: str, at: int, window: Output, show: FakeShow, link: Link, qtbot: QtBot) -> None:
    for path, value in (("width", 200), ("height", 200), ("full_screen", False), ("flip", flip)):
        show.change(f"/window/{path}", value)
    qtbot.waitUntil(lambda: window.size() == QSize(200, 200) and link.values["/window/flip"] == flip)
    pixels = plain(20)
    pixels[:8, :8, :3] = 200  # top left
    with FrameMapWriter(NAME, 16, 16) as frames:
        frames.publish(pixels, 0, 1)
        qtbot.waitUntil(lambda: window.slot is not None and window.slot.frame == 1, timeout=3000)
        seen = window.grab().toImage()
    assert [seen.pixelColor(x, y).red() > 100 for y in (50, 150) for x in (50, 150)] == [n == at for n in range(4)]


def test_it_holds_pictures_back(window: Output, show: FakeShow, link: Link, qtbot: QtBot) -> None:
    show.change("/window/delay", 400.0)
    qtbot.waitUntil(lambda: link.values["/window/delay"] == 400.0)
    with FrameMapWriter(NAME, 16, 16) as frames:
        frames.publish(plain(10), 0, 1)
        qtbot.waitUntil(lambda: len(window._delay._held) == 1, timeout=3000)
        came = window._delay._held[0][0]
        frames.publish(plain(90), 0, 2)
        qtbot.waitUntil(lambda: window.slot is not None and window.slot.frame == 1, timeout=3000)
        assert time.monotonic() - came >= 0.4
        qtbot.waitUntil(lambda: window.slot is not None and window.slot.frame == 2, timeout=3000)
        show.change("/window/delay", 0.0)
        frames.publish(plain(50), 0, 3)
        qtbot.waitUntil(lambda: window.slot is not None and window.slot.frame == 3, timeout=3000)


def test_held_pictures_are_copies_in_order_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    delay, pixels = FrameDelay(), plain(1)
    monkeypatch.setattr(frame_delay, "MOST_BYTES", 10 * pixels.nbytes)
    for frame in range(100):
        pixels[:] = frame
        delay.put(FrameSlot(pixels, 0, frame, 0, False, frame + 1), frame / 100, 1.0)
    assert delay.take(0.5, 1.0) is None
    assert len(delay._held) <= 10
    newest = delay.take(1.35, 1.0)
    assert newest is not None and 20 <= newest.frame <= 35 and int(newest.pixels[0, 0, 0]) == newest.frame
    assert delay.take(1.35, 1.0) is None
    last = delay.take(99.0, 0.0)
    assert last is not None and last.frame > 80
    assert delay.take(99.0, 0.0) is None
