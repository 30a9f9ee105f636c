"""What an event of the show stands for, and what holds afterwards."""

from pathlib import Path

import pytest

from sonorama.engine.params import Change
from sonorama.engine.scenes import SceneBank
from sonorama.engine.show.board import Board
from sonorama.engine.showtable import SHOW


@pytest.fixture
def faults() -> list[str]:
    return []


@pytest.fixture
def board(tmp_path: Path, faults: list[str]) -> Board:
    return Board({"/look/seed": 5}, SceneBank(tmp_path / "x.json"), lambda _, line: faults.append(line))


def test_every_control_stands_somewhere(board: Board) -> None:
    assert set(board.values) == set(SHOW)
    assert board.values["/look/seed"] == 5


def test_a_plain_change_holds(board: Board) -> None:
    change = Change("/motion/coarse/amount", 0.5, "test")
    assert board.take(change) == [change]
    assert board.values["/motion/coarse/amount"] == 0.5


def test_a_scene_comes_back_over_the_morph_time(board: Board) -> None:
    board.take(Change("/motion/coarse/amount", 0.5, "test"))
    board.take(Change("/scene/store", 3, "test"))
    board.take(Change("/motion/coarse/amount", 1.5, "test"))
    board.take(Change("/look/seed", 9, "test"))
    board.take(Change("/scene/morph", 4.0, "test"))
    changes = {change.path: change for change in board.take(Change("/scene/recall", 3, "test"))}
    assert (changes["/motion/coarse/amount"].value, changes["/motion/coarse/amount"].over) == (0.5, 4.0)
    assert board.values["/look/seed"] == 5
    assert board.values["/scene/morph"] == 4.0
    assert not any(path.startswith(("/out/", "/engine/", "/scene/")) for path in changes)


def test_an_empty_scene_changes_nothing_and_says_so(board: Board, faults: list[str]) -> None:
    before = dict(board.values)
    assert board.take(Change("/scene/recall", 4, "test")) == []
    assert board.values == before
    assert "Scene 4 is empty" in faults[0]


def test_panic_sets_back_all_but_the_place_and_the_recording(board: Board) -> None:
    for path, value in {
        "/motion/fine/hold": True,
        "/out/blackout": True,
        "/out/record": True,
        "/out/master": 0.1,
    }.items():
        board.take(Change(path, value, "test"))
    changed = {change.path for change in board.take(Change("/out/panic", True, "test"))}
    assert not board.values["/motion/fine/hold"] and not board.values["/out/blackout"]
    assert board.values["/out/master"] == 1.0
    assert board.values["/out/record"] is True and board.values["/look/seed"] == 5
    assert not any(path.startswith(("/engine/", "/sound/", "/scene/")) for path in changed)


def test_a_tap_also_switches_to_the_tapped_tempo(board: Board) -> None:
    assert [change.path for change in board.take(Change("/sound/tap", True, "osc"))] == ["/sound/tempo", "/sound/tap"]
    assert board.values["/sound/tempo"] == "tapped"
    assert board.values["/sound/tap"] is False  # an event leaves nothing behind


def test_a_scene_that_cannot_be_kept_is_a_fault(tmp_path: Path, faults: list[str]) -> None:
    (tmp_path / "file").write_text("")
    board = Board({}, SceneBank(tmp_path / "file" / "x.json"), lambda _, line: faults.append(line))
    assert board.take(Change("/scene/store", 1, "test")) == []
    assert faults
