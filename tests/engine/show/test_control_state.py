"""What an event of the show stands for, and what holds afterwards."""

import threading
from pathlib import Path

import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change
from sonorama.engine.control.scenes import SceneBank
from sonorama.engine.show.control_state import Board
from sonorama.engine.show.disk_worker import Errands


@pytest.fixture
def faults() -> list[str]:
    return []


@pytest.fixture
def board(tmp_path: Path, faults: list[str]) -> Board:
    scenes = SceneBank(tmp_path / "x.json")
    return Board({"/look/seed": 5}, scenes, lambda _, line: faults.append(line), lambda _, job: job())


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


def test_a_move_on_the_morph_time_holds_for_the_next_scene(board: Board) -> None:
    board.take(Change("/scene/store", 1, "osc"))
    board.moved = {"/scene/morph": 7.5}
    assert {one.over for one in board.take(Change("/scene/recall", 1, "osc")) if one.over} == {7.5}
    board.moved = {}
    assert {one.over for one in board.take(Change("/scene/recall", 1, "osc")) if one.over} == {1.0}


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


@pytest.mark.parametrize(("text", "lines"), [("1 0 0.5", 0), ("", 0), ("a b c", 1), ("1 0 nan", 1)])
def test_steps_that_are_none_are_said(board: Board, faults: list[str], text: str, lines: int) -> None:
    board.take(Change("/moves/5/steps", text, "test"))
    assert board.values["/moves/5/steps"] == text
    assert len(faults) == lines


def test_a_scene_that_cannot_be_kept_is_a_fault(tmp_path: Path, faults: list[str]) -> None:
    (tmp_path / "file").write_text("")
    errands = Errands(lambda _, line: faults.append(line))
    board = Board({}, SceneBank(tmp_path / "file" / "x.json"), lambda _, line: faults.append(line), errands.do)
    assert board.take(Change("/scene/store", 1, "test")) == []
    errands.close(20.0)
    assert len(faults) == 1


def test_a_disk_that_hangs_holds_up_nobody(faults: list[str]) -> None:
    """What waits meanwhile is done once, when it answers."""
    done, begun, answers = list[int](), threading.Event(), threading.Event()
    errands = Errands(lambda _, line: faults.append(line))

    def hang() -> None:
        begun.set()
        answers.wait(60.0)

    errands.do("scenes", hang)
    assert begun.wait(20.0)
    for number in range(100):
        errands.do("scenes", lambda number=number: done.append(number))
        errands.do("statistics", lambda: 1 / 0)  # pyright: ignore[reportArgumentType]
    errands.close(0.01)
    assert done == []
    answers.set()
    errands.close(20.0)
    assert done == [99]
    assert faults == ["statistics: division by zero"]
