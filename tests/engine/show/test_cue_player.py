"""The cue list as it is played: GO, back, goto, follow-ons, times, loops, chance, and a list that changes meanwhile."""

import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from sonorama.engine.control.cues import Cue, CueList
from sonorama.engine.control.parameters import Change
from sonorama.engine.control.scenes import SceneBank
from sonorama.engine.errors import SonoramaError, ValueRefused
from sonorama.engine.show.control_state import ControlState
from sonorama.engine.show.cue_player import FOLLOW_ON, CuePlayer
from sonorama.engine.show.cues import CueFile, open_player
from sonorama.engine.show.plan import TEST_PATTERN, ShowPlan
from sonorama.engine.show.show import Show

from ...live.stage import until


class Stage:
    """A player with clocks that are set by hand; `play` turns as the control loop does, ten times a second."""

    def __init__(self, *cues: Cue, loop: bool = False, chance: bool = False) -> None:
        self.now, self.day, self.position = 0.0, datetime(2026, 3, 1, 20, 0), -1.0
        self.player = CuePlayer(CueList(cues, loop, chance), lambda: self.now, lambda: self.day, random.Random(5))
        self.played: list[tuple[float, int]] = []

    def play(self, seconds: float) -> list[tuple[float, int]]:
        first = len(self.played)
        for _ in range(round(seconds * 10)):
            self.now, self.day = round(self.now + 0.1, 3), self.day + timedelta(seconds=0.1)
            self.position += 0.1 if self.position >= 0 else 0
            change = self.player.look(self.position if self.position >= 0 else None)
            if change is not None:
                cue = self.player.follow_on() if change.path == "/cue/go" else self.player.goto(int(change.value))
                assert cue is not None and change.source == FOLLOW_ON
                self.played.append((self.now, cue.number))
        return self.played[first:]


def test_go_plays_one_after_the_other_and_says_where_it_ends() -> None:
    at = Stage(Cue(1), Cue(5), Cue(9))
    assert [at.player.go().number for _ in range(3)] == [1, 5, 9]
    with pytest.raises(ValueRefused, match="ended") as caught:
        at.player.go()
    assert "/cue/goto 1" in caught.value.hint
    assert at.player.back().number == 5 and at.player.go().number == 9
    assert at.player.goto(1).number == 1
    with pytest.raises(ValueRefused, match="no cue before"):
        at.player.back()
    with pytest.raises(ValueRefused, match="no cue 4"):
        at.player.goto(4)
    with pytest.raises(ValueRefused, match="no cue"):
        CuePlayer().go()


def test_a_wait_leads_to_the_next_without_drift() -> None:
    at = Stage(Cue(1, wait=2.0), Cue(2, wait=1.03), Cue(3), Cue(4))
    at.player.go()
    assert at.play(10) == [(2.0, 2), (3.1, 3)] and at.player.left is None
    at = Stage(Cue(1, wait=1.03), loop=True)
    at.player.go()
    assert at.play(104)[-1][0] == pytest.approx(103, abs=0.15) and len(at.played) == 100


def test_go_is_faster_than_a_wait_and_back_and_stop_end_it() -> None:
    at = Stage(Cue(1, wait=2.0), Cue(2, wait=2.0), Cue(3))
    at.player.go()
    at.play(1.5)
    at.player.go()
    assert at.play(2.5) == [(3.5, 3)]
    at.player.back()
    assert at.play(9) == []
    at.player.goto(1)
    at.player.stop()
    assert at.play(9) == [] and not at.player.running
    assert at.player.go().number == 2


def test_a_follow_on_that_somebody_overtakes_is_none() -> None:
    at = Stage(Cue(1, wait=1.0), Cue(2, wait=9.0), Cue(3))
    at.player.go()
    at.now = 1.0
    assert at.player.look(None) == Change("/cue/go", True, FOLLOW_ON)
    at.player.go()  # in the same turn
    assert at.player.follow_on() is None and at.player.current == 2


def test_times_of_the_day_come_once_while_it_runs() -> None:
    at = Stage(Cue(1), Cue(2, at=20 * 3600 + 5), Cue(3, at=19 * 3600))
    assert at.play(10) == [], "nobody pressed GO"
    at.day = datetime(2026, 3, 1, 20, 0)
    at.player.go()
    assert at.play(10) == [(15.0, 2)]
    at.day = datetime(2026, 3, 2, 18, 59, 58)
    at.player.look(None)  # after a night's sleep: what was missed for hours stays so
    assert at.play(3)[0][1] == 3
    midnight = Stage(Cue(1), Cue(2, at=0))
    midnight.day = datetime(2026, 12, 31, 23, 59, 58)
    midnight.player.look(None)
    midnight.player.go()
    assert [number for _, number in midnight.play(5)] == [2]


def test_the_clock_may_be_set_meanwhile() -> None:
    at = Stage(Cue(1), Cue(2, at=20 * 3600 + 60))
    at.player.go()
    at.day += timedelta(minutes=30)
    assert [number for _, number in at.play(1)] == [2]
    at.day -= timedelta(hours=3)
    assert at.play(5) == []


def test_times_of_the_sound_file_come_in_every_round() -> None:
    at = Stage(Cue(1), Cue(2, sound=3.0), Cue(3, sound=0.0))
    at.player.go()
    at.position = 0.0
    assert [number for _, number in at.play(5)] == [3, 2]
    at.position = 0.05  # the file has begun again
    assert [number for _, number in at.play(5)] == [3, 2]
    at.position = 100.0  # somebody moved on: nothing on the way is played
    assert at.play(1) == []


def test_timecode_needs_no_go_and_plays_the_cue_of_its_place() -> None:
    player = CuePlayer(CueList((Cue(1), Cue(2, sound=10.0), Cue(3, sound=20.0), Cue(4, sound=0.0))))

    def run(first: float, seconds: float) -> list[int]:
        return [
            player.goto(int(change.value)).number
            for tenth in range(round(seconds * 10))
            if (change := player.look(first + tenth / 10, chases=True)) is not None
        ]

    assert run(0.0, 1.0) == [4]
    assert run(15.0, 6.0) == [2, 3]  # moved there
    assert player.look(None, chases=True) is None
    assert run(21.0, 1.0) == [], "it is that cue already"
    assert run(9.0, 2.0) == [4, 2], "moved back"
    player.stop()
    assert run(19.5, 2.0) == []
    player.goto(2)
    assert run(19.5, 2.0) == [3]
    assert [player.look(second) for second in (9.0, 10.5)] == [None, Change("/cue/goto", 2, FOLLOW_ON)]


def test_timecode_whose_clock_jitters_plays_no_cue_twice() -> None:
    """Its position is that of the sound's blocks, which come unevenly: it steps back now and then."""
    player = CuePlayer(CueList((Cue(1, sound=0.0), Cue(2, sound=10.0), Cue(3, sound=20.0))))
    played = [player.look(second, chases=True) for second in (9.98, 10.002, 9.995, 10.001, 10.03)]
    assert [change and change.value for change in played] == [1, 2, None, None, None]
    player.goto(3)  # by hand
    assert [player.look(second, chases=True) for second in (10.06, 10.055, 10.1)] == [None] * 3


def test_a_drop_out_of_timecode_does_not_undo_what_was_chosen_by_hand() -> None:
    at = Stage(Cue(1, sound=0.0), Cue(2, sound=10.0), Cue(9))

    def run(first: float, last: float) -> list[int]:
        found: list[int] = []
        for tenth in range(round(first * 10), round(last * 10)):
            at.now = tenth / 10
            if (change := at.player.look(at.now, chases=True)) is not None:
                found.append(at.player.goto(int(change.value)).number)
        return found

    assert run(0, 4) == [1]
    at.player.goto(9)
    for _ in range(3):
        assert at.player.look(None, chases=True) is None
    assert run(7, 9) == [], "it ran on meanwhile"
    at.player.look(None, chases=True)
    assert run(13, 14) == [2], "a cue that fell into the drop-out is made up for"
    at.player.goto(9)
    at.player.look(None, chases=True)
    at.now = 40.0
    assert at.player.look(5.0, chases=True) == Change("/cue/goto", 1, FOLLOW_ON), "another place"


def test_chance_repeats_nothing() -> None:
    at = Stage(*(Cue(number, wait=1.0) for number in (1, 2, 3, 4)), chance=True)
    at.player.go()
    numbers = [at.player.current, *(number for _, number in at.play(200))]
    assert len(numbers) == 201 and all(one != other for one, other in pairwise(numbers))
    assert all(set(numbers[start : start + 4]) == {1, 2, 3, 4} for start in range(0, 200, 4))
    single = Stage(Cue(7, wait=1.0), chance=True)
    single.player.go()
    assert [number for _, number in single.play(3)] == [7, 7, 7]


def test_what_is_shown_as_next_is_next() -> None:
    at = Stage(*(Cue(number) for number in range(1, 9)), chance=True)
    for _ in range(40):
        shown = at.player.next
        assert shown is not None and at.player.facts["next"] == str(shown.number)
        assert at.player.go() is shown


def test_a_list_may_change_while_it_runs() -> None:
    at = Stage(Cue(1, wait=5.0), Cue(2))
    at.player.go()
    at.play(1)
    at.player.offer(CueList((Cue(1, wait=2.0), Cue(3, "new"), Cue(4))))
    assert at.play(2) == [(2.0, 3)] and at.player.facts["now"] == "3 new"
    at.player.offer(CueList((Cue(1), Cue(5))))
    at.play(0.1)
    assert at.player.facts | {"file": ""} == {"now": "3 new", "next": "5", "left": -1.0, "running": True, "file": ""}
    at.player.offer(CueList((Cue(5, wait=1.0), Cue(6), Cue(7))))
    at.play(0.1)
    at.player.go()
    at.player.offer(CueList((Cue(6), Cue(7))))
    assert [number for _, number in at.play(3)] == [6], "the wait of a cue that is gone runs on"
    at.player.offer(CueList())
    assert at.play(5) == [] and at.player.next is None


def test_a_list_that_loops_without_waits_leaves_time() -> None:
    at = Stage(Cue(1, wait=0.0), Cue(2, wait=0.0), loop=True)
    at.player.go()
    assert len(at.play(1)) <= 11


# -- what a cue does


@pytest.fixture
def faults() -> list[str]:
    return []


@pytest.fixture
def state(tmp_path: Path, faults: list[str]) -> ControlState:
    cues = (
        Cue(1, scene=2, morph=6.0, values={"/look/drift": 0.5, "/out/blackout": True}),
        Cue(2, values={"/look/seed": 8, "/engine/world": "../x", "/meaning/rain/amount": 9}),
        Cue(3, scene=7),
    )
    made = ControlState(
        {"/look/seed": 5}, SceneBank(tmp_path / "x.json"), lambda _, line: faults.append(line), lambda _, job: job(),
        ("wind", "rain"), cues=CuePlayer(CueList(cues)),
    )  # fmt: skip
    made.take(Change("/motion/fine/amount", 0.25, "test"))
    made.take(Change("/scene/store", 2, "test"))
    made.take(Change("/motion/fine/amount", 1.25, "test"))
    return made


def test_a_cue_is_its_changes_alone(state: ControlState, faults: list[str]) -> None:
    found = state.take(Change("/cue/go", True, "osc:1"))
    changes = {one.path: one for one in found}
    assert len(changes) == len(found) and not any(path.startswith("/cue/") for path in changes)
    assert changes["/motion/fine/amount"] == Change("/motion/fine/amount", 0.25, "cue", 6.0)
    assert changes["/look/drift"] == Change("/look/drift", 0.5, "cue", 6.0)
    assert changes["/out/blackout"].value is True and changes["/scene/morph"] == Change("/scene/morph", 6.0, "cue")
    assert (state.values["/motion/fine/amount"], state.scene, faults) == (0.25, 2, [])
    state.take(Change("/edit/undo", True, "osc:1"))
    assert state.values["/motion/fine/amount"] == 1.25 and state.values["/out/blackout"] is True


def test_what_a_cue_cannot_set_is_said(state: ControlState, faults: list[str]) -> None:
    found = state.take(Change("/cue/goto", 2, "panel"))
    assert {one.path: one.value for one in found} == {"/look/seed": 8, "/meaning/2/amount": 2.0}
    assert "Cue 2: /engine/world does not take" in faults[0]
    assert state.take(Change("/cue/go", True, "panel")) == [] and "Scene 7 is empty" in faults[1]
    assert state.take(Change("/cue/go", True, "panel")) == [] and "ended" in faults[2]
    assert state.take(Change("/cue/goto", 44, "panel")) == [] and "no cue 44" in faults[3]


def test_what_comes_by_itself_is_no_step_of_undo_and_panic_ends_it(state: ControlState) -> None:
    state.cues.offer(CueList((Cue(1, wait=0.0), Cue(2, values={"/look/seed": 8}))))
    state.cues.look(None)
    state.take(Change("/cue/go", True, "panel"))
    due: Callable[[], Change | None] = lambda: state.cues.look(None)  # noqa: E731
    change = due()
    while change is None:
        change = due()
    assert [one.value for one in state.take(change)] == [8]
    state.take(Change("/edit/undo", True, "panel"))
    assert state.values["/look/seed"] == 8
    state.take(Change("/out/panic", True, "panel"))
    assert not state.cues.running


# -- its file


def test_the_file_is_followed(tmp_path: Path, faults: list[str]) -> None:
    path, player = tmp_path / "x.cues.json", CuePlayer()
    file = CueFile(path, player, lambda _, line: faults.append(line))

    def numbers() -> list[int]:
        file.look()
        player.look(None)
        return player.cues.numbers()

    assert numbers() == []
    path.write_text(json.dumps({"cues": [{"scene": 1}, {"number": 9, "wait": "x"}]}))
    assert numbers() == [1, 9] and "cue 9" in faults.pop()
    path.write_text("{")
    assert numbers() == [1, 9] and "x.cues.json is not a valid" in faults.pop()
    said = path.rename(tmp_path / "x.cues.json~")
    assert numbers() == [1, 9], "an editor writes it anew"
    said.rename(path)
    path.write_text(json.dumps({"cues": [{"number": 3}]}))
    assert numbers() == [3]
    path.unlink()
    assert (numbers(), numbers()) == ([3], [])
    path.write_text(json.dumps({"cues": [{"number": 4}]}))
    assert numbers() == [4]
    assert not faults


def test_a_playlist_needs_cues_and_says_where_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faults: list[str]
) -> None:
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path))
    name, path = f"cues-{os.getpid()}", tmp_path / "list.json"

    def open_list(**plan: object) -> CuePlayer:
        return open_player(ShowPlan(name, **plan), lambda _, line: faults.append(line))[0]  # type: ignore[arg-type]

    with pytest.raises(SonoramaError, match="no file"):
        open_list(cues=path)
    path.write_text('{"cues": []}')
    with pytest.raises(SonoramaError, match="no cue in"):
        open_list(cues=path, play=True)
    with pytest.raises(SonoramaError, match="no cue in"):
        open_list(play=True)
    for said in ('{"cues": []}', "{", None):
        path.unlink() if said is None else path.write_text(said)
        assert open_list(cues=path, play=True, cue=1, resumed=True).cues.cues == ()
    assert "no cue in" in faults[0] and "is not a valid cue list" in faults[1] and "is no file" in faults[-1]
    faults.clear()
    path.write_text('{"cues": [{"wait": 2}, {"name": "rest"}]}')
    player = open_list(cues=path, play=True)
    assert "Cue 2 rest has no wait" in faults[0]
    assert [player.go().number for _ in range(3)] == [1, 2, 1] and player.facts["file"] == str(path)
    again = open_list(cues=path, play=True, cue=1)
    assert (again.current, again.running, again.next and again.next.number) == (1, True, 2)


def test_a_show_plays_its_list_by_itself_and_goes_on_at_its_cue(
    tmp_path: Path, tiny_world: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path))
    monkeypatch.setenv("SONORAMA_SHOWS", str(tmp_path / "shows"))
    path = tmp_path / "list.json"
    cues = [{"set": {"/look/seed": seed}, "wait": 0.4, "name": f"seed {seed}"} for seed in (11, 12, 13)]
    path.write_text(json.dumps({"cues": cues}))
    plan = ShowPlan(
        f"cues-{os.getpid()}", "silence", tiny_world, {"/out/width": 32, "/out/height": 18},
        osc_port=0, osc_out=0, renderer=TEST_PATTERN, cues=path, play=True,
    )  # fmt: skip
    seeds: list[int] = []
    with Show(plan) as show:
        show.events.changed.subscribe(
            lambda changes: seeds.extend(int(one.value) for one in changes if one.path == "/look/seed"), "test"
        )
        until(lambda: len(seeds) >= 5, "it does not go round")
        status = show.report.status()
        assert status.cues["file"] == str(path) and str(status.cues["now"]).split()[1] == "seed"
        path.write_text(json.dumps({"cues": [{"number": 7, "set": {"/look/seed": 70}}]}))
        until(lambda: seeds[-1] == 70, "the file is not followed")
    assert [seed for seed in seeds if seed != 70][:3] in ([11, 12, 13], [12, 13, 11])
    path.write_text(json.dumps({"cues": [*cues[:2], {"set": {"/look/seed": 13}}]}))
    seeds.clear()
    with Show(replace(plan, cue=2, play=False)) as show:
        show.events.changed.subscribe(
            lambda changes: seeds.extend(int(one.value) for one in changes if one.path == "/look/seed"), "test"
        )
        until(lambda: seeds == [13], "it does not go on")
