"""The tab OUTPUTS: where the pictures go, and what every output lacks."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from sonorama.engine.ipc.messages import Status
from sonorama.engine.plugins.registry import SINKS, names
from sonorama.ui.link import Link
from sonorama.ui.outputs_page import NONE, OutputsPage, as_line

from .conftest import FakeShow

SAID = [
    {"name": "map", "state": "available", "about": "shared memory", "how_to_install": ""},
    {"name": "ndi", "state": "missing", "about": "cyndilib is not installed", "how_to_install": "pip install it"},
]


@pytest.fixture
def page(link: Link, qtbot: QtBot, tmp_path: Path) -> Iterator[OutputsPage]:
    """The page, with a program that says what there is."""
    program = tmp_path / "outputs.py"
    program.write_text(f"print({json.dumps(json.dumps(SAID))})\n")
    made = OutputsPage(link, [str(program)])
    qtbot.addWidget(made)
    made.show()
    yield made
    made.leave()


def test_every_output_is_listed_with_what_it_lacks(page: OutputsPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: len(page.rows) == 2)
    assert [row.text() for row in page.rows] == [
        "map   shared memory", "ndi   missing: cyndilib is not installed\n        pip install it"
    ]  # fmt: skip
    assert not page.note.isVisible()
    page.look()
    qtbot.waitUntil(lambda: page._process.state() == page._process.ProcessState.NotRunning)
    assert len(page.rows) == 2


def test_the_outputs_that_run_are_said(page: OutputsPage, show: FakeShow, qtbot: QtBot) -> None:
    assert page.running.text() == NONE
    show.outbox.append(Status(outputs=("map wall: /dev/shm/sonorama-wall", "window 1: display 1")))
    qtbot.waitUntil(lambda: page.running.text() == "map wall: /dev/shm/sonorama-wall\nwindow 1: display 1")


def test_a_program_that_fails_is_said(link: Link, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("print('nothing of it')")
    page = OutputsPage(link, [str(tmp_path / "broken.py")])
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: "sonorama plugins sinks" in page.note.text())
    page.leave()


def test_the_real_list_has_every_sink(link: Link, qtbot: QtBot) -> None:
    page = OutputsPage(link)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitUntil(lambda: bool(page.rows), timeout=120_000)
    assert [row.text().split()[0] for row in page.rows] == names(SINKS)
    page.leave()


def test_a_line() -> None:
    assert (
        as_line({"name": "x", "state": "time-out", "about": "no answer", "how_to_install": ""})
        == "x   time-out: no answer"
    )
