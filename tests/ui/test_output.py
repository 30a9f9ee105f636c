"""The window for the audience."""

import os
from collections.abc import Iterator

import numpy as np
import pytest
from PyQt6.QtCore import QRect, Qt
from pytestqt.qtbot import QtBot

from sonorama.engine.ipc.frame_map import FrameMapWriter
from sonorama.ui.output import Output
from sonorama.ui.picture import letterbox

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
    output.fill_screen(True, 0)
    assert output.isFullScreen() and output.cursor().shape() == Qt.CursorShape.BlankCursor
    output.fill_screen(False)
    assert output.cursor().shape() == Qt.CursorShape.ArrowCursor
