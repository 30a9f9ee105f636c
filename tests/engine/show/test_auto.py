"""The picture changes by itself: when, to what, and never in the same order; in silence it only drifts."""

import random
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from sonorama.engine.audio.features import LIVE_METERS, Features
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.control.scenes import SceneBank
from sonorama.engine.pipeline.modulators import Modulators
from sonorama.engine.show.auto import AutoChanges, NextPicture
from sonorama.engine.show.control_state import ControlState

DEFAULTS: dict[str, Value] = {path: param.default for path, param in SHOW.items()}


def meters(**values: float) -> list[float]:
    return [{"level": 0.5, **values}.get(name, 0.0) for name in LIVE_METERS]


def asked(
    values: Mapping[str, Value], bars: float, bpm: float = 120.0, drop_at: float = -1, level: float = 0.5
) -> list[float]:
    """The bars at which another picture is asked for, at 30 frames a second."""
    now, found = [0.0], list[float]()

    def post(change: Change) -> None:
        assert (change.path, change.value) == ("/auto/next", True)
        found.append(round(now[0] / 2, 1))

    auto = AutoChanges(lambda: values, post, lambda: now[0])
    for frame in range(round(bars * 2 * 30)):
        now[0] = frame / 30
        bar = now[0] / 2
        drop = max(0.0, 1 - (bar - drop_at)) if 0 <= bar - drop_at < 1 and drop_at >= 0 else 0.0
        auto.hear(meters(bpm=bpm, phrase=bar / 16 % 1 if bpm else 0.0, drop=drop, level=level))
    return found


@pytest.mark.parametrize(("every", "at"), [(16, [16, 32]), (8, [8, 16, 24, 32]), (12, [12, 24, 36])])
def test_every_so_many_bars(every: int, at: list[int]) -> None:
    assert asked(DEFAULTS | {"/auto/on": True, "/auto/bars": every}, 38) == pytest.approx(at, abs=0.1)


def test_at_drops_from_which_it_counts_anew() -> None:
    on = DEFAULTS | {"/auto/on": True}
    assert asked(on, 20, drop_at=5) == pytest.approx([5], abs=0.1)
    assert asked(on | {"/auto/drops": False}, 20, drop_at=5) == pytest.approx([16], abs=0.1)


def test_off_by_one_key_and_nothing_in_silence() -> None:
    assert asked(DEFAULTS, 40, drop_at=5) == []
    assert asked(DEFAULTS | {"/auto/on": True}, 40, drop_at=5, level=0.0) == []


def test_without_a_beat_bars_take_two_seconds() -> None:
    assert asked(DEFAULTS | {"/auto/on": True, "/auto/bars": 4}, 10, bpm=0.0) == pytest.approx([4, 8], abs=0.5)


def test_no_round_through_the_scenes_is_like_the_one_before() -> None:
    chooser = NextPicture(random.Random(1))
    order = [chooser.choose(DEFAULTS, (1, 3, 4, 8), "auto").value for _ in range(400)]
    assert set(order) == {1, 3, 4, 8}
    assert all(one != other for one, other in pairwise(order)), "never the scene that is shown"
    rounds = [tuple(order[at : at + 4]) for at in range(0, 400, 4)]
    assert all(len(set(one)) == 4 for one in rounds) and all(one != other for one, other in pairwise(rounds))
    assert order != [NextPicture(random.Random(2)).choose(DEFAULTS, (1, 3, 4, 8), "auto").value for _ in range(400)]


def test_two_scenes_take_turns_and_scenes_come_and_go() -> None:
    chooser = NextPicture()
    assert len({chooser.choose(DEFAULTS, (2, 5), "auto").value for _ in range(2)}) == 2
    for _ in range(20):
        assert chooser.choose(DEFAULTS, (5, 6), "auto").value in (5, 6)


@pytest.fixture
def state(tmp_path: Path) -> ControlState:
    return ControlState({"/look/seed": 5}, SceneBank(tmp_path / "x.json"), lambda _, line: None, lambda _, job: job())


def test_next_recalls_a_scene_over_the_morph_time_or_takes_a_seed(state: ControlState) -> None:
    following = state.take(Change("/auto/next", True, "auto"))
    assert [(one.path, one.source) for one in following] == [("/look/seed", "auto")]
    assert state.values["/look/seed"] != 5
    for slot, amount in ((2, 0.25), (7, 1.75)):
        state.take(Change("/motion/coarse/amount", amount, "test"))
        state.take(Change("/scene/store", slot, "test"))
    seen = [state.take(Change("/auto/next", True, "auto")) and state.values["/motion/coarse/amount"] for _ in range(4)]
    assert sorted(set(seen)) == [0.25, 1.75] and seen[0] != seen[1]
    moved = {one.path: one for one in state.take(Change("/auto/next", True, "auto"))}
    assert moved["/motion/coarse/amount"].over == 1.0 and moved["/motion/coarse/amount"].source == "auto"
    state.take(Change("/auto/change", "seeds", "test"))
    assert [one.path for one in state.take(Change("/auto/next", True, "auto"))] == ["/look/seed"]
    state.take(Change("/auto/on", True, "test"))
    state.take(Change("/out/panic", True, "test"))
    assert state.values["/auto/on"] is False


def test_in_silence_it_drifts() -> None:
    values = {path: "off" if path.endswith("/source") else value for path, value in DEFAULTS.items()}
    silent, loud = Features(0, 0, 0, 0, 0, 0, 0, -100), Features(0.5, 0, 0, 0, 0, 0, 0, -20)

    def drift(on: bool, features: Features, moves: Modulators) -> float:
        shifts = [moves.step(values | {"/auto/on": on}, features, 1 / 30) for _ in range(300)]
        return shifts[-1].get("/look/drift", 0.0)

    moves = Modulators()
    assert drift(False, silent, Modulators()) == 0
    assert drift(True, silent, moves) == pytest.approx(0.3, abs=0.01)
    assert moves.drivers == {"/look/drift": "auto"}
    assert drift(True, loud, moves) == 0
