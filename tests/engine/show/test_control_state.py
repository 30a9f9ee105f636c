"""What an event of the show stands for, and what holds afterwards."""

import threading
from pathlib import Path

import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.control.scenes import SceneBank
from sonorama.engine.errors import ValueRefused
from sonorama.engine.show.control_state import ControlState
from sonorama.engine.show.disk_worker import DiskWorker


@pytest.fixture
def faults() -> list[str]:
    return []


@pytest.fixture
def control_state(tmp_path: Path, faults: list[str]) -> ControlState:
    scenes = SceneBank(tmp_path / "x.json")
    return ControlState({"/look/seed": 5}, scenes, lambda _, line: faults.append(line), lambda _, job: job())


def test_every_control_stands_somewhere(control_state: ControlState) -> None:
    assert set(control_state.values) == set(SHOW)
    assert control_state.values["/look/seed"] == 5


def test_a_plain_change_holds(control_state: ControlState) -> None:
    change = Change("/motion/coarse/amount", 0.5, "test")
    assert control_state.take(change) == [change]
    assert control_state.values["/motion/coarse/amount"] == 0.5


def test_a_scene_comes_back_over_the_morph_time(control_state: ControlState) -> None:
    control_state.take(Change("/motion/coarse/amount", 0.5, "test"))
    control_state.take(Change("/scene/store", 3, "test"))
    control_state.take(Change("/motion/coarse/amount", 1.5, "test"))
    control_state.take(Change("/look/seed", 9, "test"))
    control_state.take(Change("/scene/morph", 4.0, "test"))
    changes = {change.path: change for change in control_state.take(Change("/scene/recall", 3, "test"))}
    assert (changes["/motion/coarse/amount"].value, changes["/motion/coarse/amount"].over) == (0.5, 4.0)
    assert control_state.values["/look/seed"] == 5
    assert control_state.values["/scene/morph"] == 4.0
    assert not any(path.startswith(("/out/", "/engine/", "/scene/")) for path in changes)


def test_a_move_on_the_morph_time_holds_for_the_next_scene(control_state: ControlState) -> None:
    control_state.take(Change("/scene/store", 1, "osc"))
    control_state.moved = {"/scene/morph": 7.5}
    assert {one.over for one in control_state.take(Change("/scene/recall", 1, "osc")) if one.over} == {7.5}
    control_state.moved = {}
    assert {one.over for one in control_state.take(Change("/scene/recall", 1, "osc")) if one.over} == {1.0}


def test_an_empty_scene_changes_nothing_and_says_so(control_state: ControlState, faults: list[str]) -> None:
    before = dict(control_state.values)
    assert control_state.take(Change("/scene/recall", 4, "test")) == []
    assert control_state.values == before
    assert "Scene 4 is empty" in faults[0]


def test_panic_sets_back_all_but_the_place_and_the_recording(control_state: ControlState) -> None:
    for path, value in {
        "/motion/fine/hold": True,
        "/out/blackout": True,
        "/out/record": True,
        "/out/master": 0.1,
    }.items():
        control_state.take(Change(path, value, "test"))
    changed = {change.path for change in control_state.take(Change("/out/panic", True, "test"))}
    assert not control_state.values["/motion/fine/hold"] and not control_state.values["/out/blackout"]
    assert control_state.values["/out/master"] == 1.0
    assert control_state.values["/out/record"] is True and control_state.values["/look/seed"] == 5
    assert not any(path.startswith(("/engine/", "/sound/", "/scene/")) for path in changed)


def test_a_tap_also_switches_to_the_tapped_tempo(control_state: ControlState) -> None:
    assert [change.path for change in control_state.take(Change("/sound/tap", True, "osc"))] == [
        "/sound/tempo",
        "/sound/tap",
    ]
    assert control_state.values["/sound/tempo"] == "tapped"
    assert control_state.values["/sound/tap"] is False  # an event leaves nothing behind


@pytest.mark.parametrize(("text", "lines"), [("1 0 0.5", 0), ("", 0), ("a b c", 1), ("1 0 nan", 1)])
def test_steps_that_are_none_are_said(control_state: ControlState, faults: list[str], text: str, lines: int) -> None:
    control_state.take(Change("/moves/5/steps", text, "test"))
    assert control_state.values["/moves/5/steps"] == text
    assert len(faults) == lines


def test_a_scene_that_cannot_be_kept_is_a_fault(tmp_path: Path, faults: list[str]) -> None:
    (tmp_path / "file").write_text("")
    disk_worker = DiskWorker(lambda _, line: faults.append(line))
    control_state = ControlState(
        {}, SceneBank(tmp_path / "file" / "x.json"), lambda _, line: faults.append(line), disk_worker.do
    )
    assert control_state.take(Change("/scene/store", 1, "test")) == []
    disk_worker.close(20.0)
    assert len(faults) == 1


def test_a_disk_that_hangs_holds_up_nobody(faults: list[str]) -> None:
    """What waits meanwhile is done once, when it answers."""
    done, begun, answers = list[int](), threading.Event(), threading.Event()
    disk_worker = DiskWorker(lambda _, line: faults.append(line))

    def hang() -> None:
        begun.set()
        answers.wait(60.0)

    disk_worker.do("scenes", hang)
    assert begun.wait(20.0)
    for number in range(100):
        disk_worker.do("scenes", lambda number=number: done.append(number))
        disk_worker.do("statistics", lambda: 1 / 0)  # pyright: ignore[reportArgumentType]
    disk_worker.close(0.01)
    assert done == []
    answers.set()
    disk_worker.close(20.0)
    assert done == [99]
    assert faults == ["statistics: ZeroDivisionError: division by zero"]


@pytest.mark.parametrize("source", ["panel", "osc:127.0.0.1:5000"])
def test_no_message_opens_a_path(tmp_path: Path, tiny_world: str, source: str, faults: list[str]) -> None:
    """Installed worlds, and the one the show was started with; a file that exists is no exception."""
    scenes, mine = SceneBank(tmp_path / "x.json"), str(tmp_path / "mine.safetensors")
    start = {"/engine/world": mine}
    control_state = ControlState(start, scenes, lambda _, line: faults.append(line), lambda _, job: job())
    assert control_state.accept("/engine/world", "shore", source) == Change("/engine/world", "shore", source)
    assert control_state.accept("/engine/world", mine, source).value == mine
    for path in (tiny_world, "/dev/zero", "../../etc/passwd", "shore.safetensors", ""):
        with pytest.raises(ValueRefused):
            control_state.accept("/engine/world", path, source)


def test_the_mixer_takes_names_of_classes(tmp_path: Path) -> None:
    scenes = SceneBank(tmp_path / "x.json")
    state = ControlState({}, scenes, lambda _, line: None, lambda _, job: job(), ("rain", "fire"))
    assert state.accept("/meaning/fire/amount", 0.5, "panel") == Change("/meaning/2/amount", 0.5, "panel")
    with pytest.raises(ValueRefused, match="no class 'sea'"):
        state.accept("/meaning/sea/amount", 0.5, "panel")


def test_settings_of_a_class_follow_it_and_come_back(tmp_path: Path) -> None:
    here, elsewhere = ("rain", "fire"), ("fire", "sea")
    state = ControlState({}, SceneBank(tmp_path / "x.json"), lambda _, line: None, lambda _, job: job(), here)

    def play(classes: tuple[str, ...]) -> dict[str, object]:
        for change in state.play_classes(classes):
            state.take(change)
        mixer = {path: value for path, value in state.values.items() if path.startswith("/meaning/")}
        return {path: value for path, value in mixer.items() if value != SHOW[path].default}

    state.take(Change("/meaning/1/amount", 0.5, "osc"))
    state.take(Change("/meaning/2/mute", True, "osc"))
    assert play(elsewhere) == {"/meaning/1/mute": True}
    state.take(Change("/meaning/2/floor", 0.25, "osc"))
    assert play(here) == {"/meaning/1/amount": 0.5, "/meaning/2/mute": True}
    assert play(elsewhere) == {"/meaning/1/mute": True, "/meaning/2/floor": 0.25}


def test_panic_opens_the_mixer(control_state: ControlState) -> None:
    control_state.take(Change("/meaning/2/mute", True, "osc"))
    assert Change("/meaning/2/mute", False, "panic") in control_state.take(Change("/out/panic", True, "osc"))


def test_undo_and_redo_are_changes_like_others(control_state: ControlState, faults: list[str]) -> None:
    control_state.take(Change("/motion/coarse/amount", 0.5, "panel"))
    control_state.take(Change("/out/blackout", True, "panel"))
    assert control_state.take(Change("/edit/undo", True, "panel")) == [Change("/motion/coarse/amount", 1.0, "undo")]
    assert control_state.values["/motion/coarse/amount"] == 1.0 and control_state.values["/out/blackout"] is True
    assert control_state.take(Change("/edit/undo", True, "osc:127.0.0.1:9")) == []
    assert faults == ["There is nothing to undo"]
    assert control_state.take(Change("/edit/redo", True, "panel")) == [Change("/motion/coarse/amount", 0.5, "redo")]
    control_state.take(Change("/look/text", "rain", "panel"))
    control_state.take(Change("/look/prompt", 55, "text"))
    control_state.take(Change("/look/text", "fire", "osc:127.0.0.1:9"))
    control_state.take(Change("/look/prompt", 66, "text"))
    undone = {one.path: one.value for one in control_state.take(Change("/edit/undo", True, "panel"))}
    assert undone == {"/look/text": "rain", "/look/prompt": 55}  # what was found for it is not sought again
    control_state.take(Change("/out/panic", True, "panel"))
    assert control_state.values["/motion/coarse/amount"] == 1.0
    control_state.take(Change("/edit/undo", True, "panel"))
    assert control_state.values["/motion/coarse/amount"] == 0.5


def test_scenes_that_come_by_themselves_are_no_steps_of_undo(control_state: ControlState, faults: list[str]) -> None:
    control_state.take(Change("/scene/store", 1, "panel"))
    control_state.take(Change("/look/drift", 0.7, "panel"))
    control_state.take(Change("/scene/recall", 1, "auto"))
    control_state.take(Change("/edit/undo", True, "panel"))
    assert control_state.values["/look/drift"] == 0.0  # as before the panel's change
    control_state.take(Change("/edit/undo", True, "panel"))  # the scene
    assert not any(control_state.scenes.stored) and faults == []
    control_state.take(Change("/edit/undo", True, "panel"))
    assert faults == ["There is nothing to undo"]
    control_state.take(Change("/edit/redo", True, "panel"))
    control_state.take(Change("/edit/redo", True, "panel"))
    control_state.take(Change("/look/drift", 0.7, "panel"))
    control_state.take(Change("/scene/recall", 1, "panel"))
    control_state.take(Change("/edit/undo", True, "panel"))
    assert control_state.values["/look/drift"] == 0.7


def test_names_of_scenes_are_written_undone_and_there_the_next_night(tmp_path: Path, faults: list[str]) -> None:
    def open_it(start: dict[str, Value]) -> ControlState:
        scenes = SceneBank(tmp_path / "x.json")
        return ControlState(start, scenes, lambda _, line: faults.append(line), lambda _, job: job())

    first = open_it({"/scene/1/colour": "red"})
    first.take(first.accept("/scene/3/name", "  Night   one ", "panel"))
    assert open_it({}).values["/scene/3/name"] == "Night one"
    first.take(Change("/edit/undo", True, "panel"))
    again = open_it({})
    assert (again.values["/scene/3/name"], again.values["/scene/1/colour"]) == ("", "red")
    with pytest.raises(ValueRefused, match="too long"):
        first.accept("/scene/3/name", "x" * 65, "osc:1")
    with pytest.raises(ValueRefused, match="cannot be seen"):
        first.accept("/scene/3/name", "a\u200b", "osc:1")
    assert not faults


def point(control_state: ControlState, number: int) -> tuple[Value, ...]:
    return tuple(control_state.values[f"/blend/{number}/{name}"] for name in ("seed", "text", "code"))


def test_a_point_takes_what_is_played(control_state: ControlState, faults: list[str]) -> None:
    control_state.take(Change("/blend/2/take", True, "panel"))
    assert point(control_state, 2) == (5, "", "")
    for path, value in (("/look/text", "rain"), ("/look/prompt", 77)):
        control_state.take(Change(path, value, "panel"))
    control_state.take(Change("/blend/3/take", True, "panel"))
    assert point(control_state, 3) == (77, "rain", "")
    control_state.take(Change("/look/text_weight", 0.2, "panel"))  # mostly the seed
    control_state.take(Change("/blend/3/take", True, "panel"))
    assert point(control_state, 3) == (5, "", "")
    control_state.take(Change("/look/code", "beach-0123456789ab", "panel"))
    control_state.take(Change("/blend/4/take", True, "panel"))
    assert point(control_state, 4) == (5, "", "beach-0123456789ab")
    assert faults == []


def test_a_point_takes_a_scene_and_undo_gives_back(control_state: ControlState, faults: list[str]) -> None:
    control_state.take(Change("/scene/store", 6, "panel"))
    control_state.take(Change("/look/seed", 9, "panel"))
    control_state.take(Change("/blend/1/text", "fire", "panel"))
    control_state.take(Change("/blend/1/scene", 6, "osc"))
    assert point(control_state, 1) == (5, "", "")
    control_state.take(Change("/edit/undo", True, "panel"))
    assert point(control_state, 1) == (-1, "fire", "")
    control_state.take(Change("/blend/1/scene", 7, "osc"))
    assert point(control_state, 1) == (-1, "fire", "") and len(faults) == 1 and "Scene 7 is empty" in faults[0]


def test_what_is_heard_is_the_renderer_s_to_say(control_state: ControlState) -> None:
    assert control_state.take(change := Change("/blend/8/hear", True, "osc")) == [change]
    control_state.take(Change("/blend/8/seed", 41, "text"))  # its answer
    assert point(control_state, 8) == (41, "", "")


def test_panic_leaves_the_points_but_not_the_surface_on(control_state: ControlState) -> None:
    for path, value in (("/blend/amount", 1.0), ("/blend/x", 0.2), ("/blend/1/seed", 3)):
        control_state.take(Change(path, value, "panel"))
    control_state.take(Change("/out/panic", True, "panel"))
    assert control_state.values["/blend/amount"] == 0.0
    assert (control_state.values["/blend/x"], control_state.values["/blend/1/seed"]) == (0.2, 3)


def test_a_scene_that_was_stored_over_another_comes_back(tmp_path: Path, faults: list[str]) -> None:
    told: list[tuple[int, bool]] = []
    scenes = SceneBank(tmp_path / "x.json")
    state = ControlState({}, scenes, lambda _, line: faults.append(line), lambda _, job: job(),
                         stored=lambda slot, shown: told.append((slot, shown)))  # fmt: skip
    for hue in (5.0, 77.0):
        state.take(Change("/picture/hue", hue, "panel"))
        state.take(Change("/scene/store", 7, "panel"))

    def kept() -> object:
        return SceneBank(tmp_path / "x.json").values(7).get("/picture/hue")

    state.take(Change("/edit/undo", True, "panel"))
    assert kept() == 5.0
    assert state.values["/picture/hue"] == 77.0  # what is seen stays
    assert told == [(7, True), (7, True), (7, False)]
    state.take(Change("/edit/redo", True, "panel"))
    assert kept() == 77.0
    for _ in range(3):  # the scene, the hue, the scene
        state.take(Change("/edit/undo", True, "panel"))
    assert state.values["/picture/hue"] == 5.0
    assert not scenes.stored[6] and kept() is None
    assert not faults
