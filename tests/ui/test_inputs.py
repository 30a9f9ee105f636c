"""The tab INPUT: what the process that knows the inputs says is seen, and a click chooses."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from sonorama.ui.inputs_page import CHANNEL_PX, NAME_PX, NOTHING, InputRow, InputsPage
from sonorama.ui.link import Link

from .conftest import FakeShow

INPUTS = [
    {"spec": "device:usb_a", "name": "USB Audio", "id": "usb_a", "channels": 4, "default": True},
    {"spec": "device:usb_b", "name": "USB Audio", "id": "usb_b", "channels": 2, "default": False},
    {"spec": "device:Line", "name": "Line", "id": "", "channels": 1, "default": False},
]


@pytest.fixture
def page(link: Link, qtbot: QtBot, tmp_path: Path) -> Iterator[InputsPage]:
    """The page, with a program that says what there is and how loud it is."""
    program = tmp_path / "inputs.py"
    levels = {"device:usb_a": [0.5, 0.0, 0.25, 1.0], "device:usb_b": [0.0, 0.0]}
    program.write_text(
        f"import sys\nprint('no line of it')\nprint({json.dumps(json.dumps(INPUTS))})\n"
        f"print({json.dumps(json.dumps(levels))}, flush=True)\nsys.stdin.read()\n"
    )
    made = InputsPage(link, [str(program)])
    qtbot.addWidget(made)
    made.resize(900, 130)
    made.show()
    qtbot.waitUntil(lambda: len(made.rows) == 3 and made.rows[0].peaks != ())
    yield made
    made.leave()


def click(row: InputRow, x: int, qtbot: QtBot) -> None:
    qtbot.mouseClick(row, Qt.MouseButton.LeftButton, pos=QPoint(x, 8))


def channel(number: int) -> int:
    return NAME_PX + (number - 1) * CHANNEL_PX + 5


def test_inputs_have_their_names_and_equal_ones_their_ids(page: InputsPage) -> None:
    assert [row.name for row in page.rows] == ["USB Audio  (usb_a)", "USB Audio  (usb_b)", "Line"]
    names = [row.name for row in page.rows]
    assert [page.input.itemText(row) for row in range(page.input.count())][1 : 1 + len(names)] == names
    assert page.rows[0].peaks == (0.5, 0.0, 0.25, 1.0) and page.rows[2].peaks == ()
    seen = page.rows[0].grab().toImage()
    bars = [seen.pixelColor(channel(number) - 2, page.rows[0].height() - 3).name() for number in (1, 2, 3)]
    assert bars[0] == bars[2] != bars[1]


def test_a_click_chooses_an_input_and_channels(page: InputsPage, show: FakeShow, qtbot: QtBot) -> None:
    first, second, _ = page.rows
    click(second, 20, qtbot)
    qtbot.waitUntil(lambda: show.values["/sound/input"] == "device:usb_b")
    assert second.playing and second.picked == (1, 2) and not first.playing
    click(first, channel(3), qtbot)
    qtbot.waitUntil(lambda: show.values["/sound/channels"] == "3")
    click(first, channel(4), qtbot)
    qtbot.waitUntil(lambda: show.values["/sound/channels"] == "3,4")
    assert show.values["/sound/input"] == "device:usb_a" and first.picked == (3, 4)
    click(first, channel(3), qtbot)
    click(first, channel(4), qtbot)
    qtbot.waitUntil(lambda: show.values["/sound/channels"] == "")
    assert first.picked == (1, 2)
    click(first, channel(5), qtbot)  # beside the channels
    qtbot.wait(30)
    assert show.values["/sound/channels"] == ""


def test_a_choice_that_is_away_stays_visible(page: InputsPage, show: FakeShow, qtbot: QtBot) -> None:
    show.change("/sound/input", "device:Gone")
    qtbot.waitUntil(lambda: page.input.currentText() == "device:Gone (not connected)")
    assert not any(row.playing for row in page.rows)


def test_the_program_ends_with_the_page(page: InputsPage, qtbot: QtBot) -> None:
    assert page._process is not None
    page.hide()
    assert page._process is None
    page.show()
    qtbot.waitUntil(lambda: page._process is not None)


def test_where_there_is_no_input_the_loopback_is_named_and_can_be_chosen(
    link: Link, show: FakeShow, qtbot: QtBot, tmp_path: Path
) -> None:
    program = tmp_path / "none.py"
    program.write_text("import sys\nprint('[]', flush=True)\nsys.stdin.read()\n")
    page = InputsPage(link, [str(program)])
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: page.note.text() == NOTHING)
    assert "loopback" in NOTHING and not page.rows
    loopback = page.input.findText("loopback: what this computer plays")
    page.input.setCurrentIndex(loopback)
    page.input.activated.emit(loopback)
    qtbot.waitUntil(lambda: show.values["/sound/input"] == "loopback")
    page.leave()
