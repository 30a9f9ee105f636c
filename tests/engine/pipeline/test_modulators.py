"""Moves: what each source gives, counted in heard beats or its own time, and the same in every run."""

import json
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from sonorama.engine.audio.features import FEATURES, Features
from sonorama.engine.control.live_table import MODULATORS, SHAPES, SHOW, SOURCES, SYNCS
from sonorama.engine.control.parameter_state import ParameterState
from sonorama.engine.control.parameters import Value
from sonorama.engine.pipeline.builtin_modulators import step_height, wave
from sonorama.engine.pipeline.modulators import BEATS, Modulators

DT = 1 / 30
SILENT = Features(0, 0, 0, 0, 0, 0, 0, -100)
TARGET = "/look/truncation"
STILL: dict[str, Value] = {path: "off" if path.endswith("/source") else p.default for path, p in SHOW.items()}


def moved(number: int = 3, **settings: Value) -> dict[str, Value]:
    """All moves off but one, which moves a control by its whole range."""
    first: dict[str, Value] = {"target": TARGET, "depth": 1.0}
    return STILL | {f"/moves/{number}/{name}": value for name, value in (first | settings).items()}


def beating(bpm: float, frames: int, first: float = 0.0, dt: float = DT) -> list[Features]:
    """What is heard of a steady beat after each of so many frames."""
    return [Features(0, 0, 0, 0, 0, (first + (i + 1) * dt * bpm / 60) % 1.0, bpm, -20) for i in range(frames)]


def anything(dice: random.Random, bpm: float) -> Features:
    return Features(
        **dict.fromkeys(Features.__slots__, 0.0) | {name: dice.random() for name in FEATURES} | {"bpm": bpm}
    )


def heights(moves: Modulators, values: Mapping[str, Value], heard: list[Features], dt: float = DT) -> list[float]:
    return [moves.step(values, features, dt)[TARGET] for features in heard]


def test_every_word_of_the_table_has_a_meaning() -> None:
    assert set(SYNCS) == {"free", *BEATS}
    for source in set(SOURCES[1:]) - {"bar", "phrase"}:  # those are counted, see test_phrases.py
        loud = Features(1, 1, 1, 1, 1, 0.0, 120, 0, 1, 1, 1, 1, 1, 1)
        assert Modulators().step(moved(source=source, steps="1"), loud, DT)[TARGET] == pytest.approx(1, abs=0.3), source
    curves = {shape: tuple(wave(shape, 1, turns / 8) for turns in range(64)) for shape in SHAPES}
    assert len(set(curves.values())) == len(SHAPES)
    assert all(0 <= height <= 1 for curve in curves.values() for height in curve)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "random"])
def test_a_wave_is_highest_where_its_turn_begins(shape: str) -> None:
    assert [wave(shape, 1, turns) for turns in (-2.0, 0.0, 1.0, 7.0)] == [1] * 4
    assert wave(shape, 1, 0.99999) == pytest.approx(1.0 if shape in ("sine", "triangle") else 0.0, abs=1e-4)
    assert min(wave(shape, 1, turns / 100) for turns in range(100)) < 0.011


def test_a_free_lfo_turns_at_its_rate() -> None:
    seen = heights(Modulators(), moved(source="lfo", rate=0.5, shape="saw"), [SILENT] * 300)
    falls = [i for i in range(1, 300) if seen[i] > seen[i - 1]]
    assert falls == pytest.approx([60, 120, 180, 240], abs=1)
    assert max(seen) > 0.98 and min(seen) < 0.02


def test_random_holds_one_height_a_turn_and_differs_between_moves() -> None:
    one = [wave("random", 1, turn + 0.5) for turn in range(-500, 500)]
    assert one == [wave("random", 1, turn + 0.01) for turn in range(-500, 500)]
    assert len(set(one)) > 990
    assert abs(sum(one) / len(one) - 0.5) < 0.05 and min(one) < 0.01 and max(one) > 0.99
    assert one != [wave("random", 2, turn + 0.5) for turn in range(-500, 500)]


@pytest.mark.parametrize("sync", BEATS)
def test_a_synced_lfo_turns_with_the_beat(sync: str) -> None:
    seen = heights(Modulators(), moved(source="lfo", sync=sync, shape="sine"), beating(125, 900))
    for i, height in enumerate(seen):
        assert height == pytest.approx(wave("sine", 3, (i + 1) * DT * 125 / 60 / BEATS[sync]), abs=1e-6)


def test_the_count_of_beats_survives_a_phase_that_wavers_and_a_long_frame() -> None:
    dice, moves = random.Random(2), Modulators()
    values = moved(source="lfo", sync="4 bars", shape="saw")
    at, first = 0.0, 0.0
    for _ in range(2000):
        dt = dice.choice([DT, 1 / 120, 0.4])
        at += dt * 132 / 60
        heard = Features(0, 0, 0, 0, 0, (at + dice.uniform(-0.2, 0.2)) % 1.0, 132, -20)
        height = moves.step(values, heard, dt)[TARGET]
        first = first or (1 - height) * 16 - at
        error = ((1 - height) * 16 - at + 8) % 16 - 8
        assert abs(error) < 0.25


def test_without_a_beat_it_runs_on_at_the_last_tempo() -> None:
    moves, values = Modulators(), moved(source="lfo", sync="1 bar", shape="saw")
    assert heights(moves, values, [SILENT] * 30)[-1] == pytest.approx(1 - 2 / 4), "120 bpm at first"
    moves = Modulators()
    before = heights(moves, values, beating(90, 200))[-1]
    after = heights(moves, values, [SILENT] * 37)[-1]
    assert after == pytest.approx((before - 37 * DT * 90 / 60 / 4) % 1.0)


def test_a_beat_that_comes_back_is_taken_up_where_it_is() -> None:
    moves, values = Modulators(), moved(source="lfo", sync="1 beat", shape="saw")
    heights(moves, values, [SILENT] * 100)
    assert heights(moves, values, beating(128, 50, 0.4)) == pytest.approx(
        [1 - (0.4 + (i + 1) * DT * 128 / 60) % 1.0 for i in range(50)]
    )


@pytest.mark.parametrize("first", [0.0, 0.5, 0.95])
def test_resync_begins_a_bar(first: float) -> None:
    moves, values = Modulators(), moved(source="steps", sync="1 bar", steps="1 0.5 0.25 0")
    heights(moves, values, [SILENT] * 47)
    moves.resync()
    assert heights(moves, values, [SILENT])[0] == 1
    heights(moves, values, beating(100, 77, first))
    moves.resync()
    seen = heights(moves, values, beating(120, 61, 0.98))
    assert [seen[i] for i in (2, 16, 31, 46, 60)] == [1, 0.5, 0.25, 0, 1]


def test_steps() -> None:
    seen = heights(Modulators(), moved(source="steps", rate=1.0, steps="1 0 0.5 0.25"), [SILENT] * 60)
    assert [seen[i] for i in (3, 10, 18, 25, 33, 40)] == [1, 0, 0.5, 0.25, 1, 0]
    assert step_height("7 -3", 0.1) == 1 and step_height("7 -3", 0.6) == 0
    assert step_height("inf 0", 0.1) == 1
    assert [step_height("1 0 0.5", turns) for turns in (-0.2, 0.99999999999999999, 1e15 + 0.5)] == [0.5, 1, 0]


@pytest.mark.parametrize(
    "text", ["", " ", "a", "1 2 x", "1,0", "nan 1", "1 0 0.5 0;", "\0", "é", "1 " * 10_000, "0x1", "[]"]
)
def test_steps_that_are_none_do_not_move(text: str) -> None:
    assert heights(Modulators(), moved(source="steps", steps=text), [SILENT] * 5) == [0] * 5


@pytest.mark.parametrize("source", ["level", "bass", "mid", "high", "onset", "kick", "snare", "hat"])
def test_followers_follow(source: str) -> None:
    for value in (0.0, 0.25, 1.0):
        heard = Features(**{**dict.fromkeys(Features.__slots__, 0.5), source: value})
        assert Modulators().step(moved(source=source, depth=-0.5), heard, DT) == {TARGET: -0.5 * value}


def test_beat_is_one_on_the_beat_and_falls() -> None:
    seen = heights(Modulators(), moved(source="beat"), beating(120, 60, 1e-9 - 1 / 15))
    assert [seen[0], seen[15], seen[30]] == pytest.approx([1, 1, 1])
    assert seen[:15] == sorted(seen[:15], reverse=True)
    assert seen[14] < 0.01
    assert heights(Modulators(), moved(source="beat"), [SILENT] * 30) == [0] * 30


def test_fall_rises_at_once_and_halves() -> None:
    hit = [Features(0, 0, 0, 0, onset, 0, 0, -20) for onset in (0.0, 0.8, *[0.0] * 15, 0.6, 0.3)]
    seen = heights(Modulators(), moved(source="onset", fall=0.5), hit)
    assert seen[:2] == [0, 0.8]
    assert seen[16] == pytest.approx(0.4)
    assert seen[17] == 0.6
    assert seen[18] == pytest.approx(0.6 * 2 ** (-DT / 0.5))


def test_moves_on_one_target_add_up_and_say_so() -> None:
    values = moved(1, source="onset", depth=0.5) | {
        "/moves/2/source": "bass", "/moves/2/target": TARGET, "/moves/2/depth": -0.25,
        "/moves/3/source": "lfo", "/moves/3/target": "/sound/gain",
        "/moves/4/source": "steps", "/moves/5/target": TARGET,
    }  # fmt: skip
    moves = Modulators()
    shifts = moves.step(values, Features(0, 0.8, 0, 0, 1, 0, 0, -20), DT)
    assert shifts.keys() == {TARGET, "/sound/gain"}
    assert shifts[TARGET] == pytest.approx(0.5 - 0.2)
    assert moves.drivers == {TARGET: "onset + bass", "/sound/gain": "lfo 3"}
    assert moves.step(STILL, SILENT, DT) == {} == moves.drivers


def test_what_it_gives_params_take() -> None:
    """Every source on every target, through the table, with values that move each other."""
    dice = random.Random(4)
    params, moves = ParameterState(SHOW), Modulators()
    for _ in range(60):
        values = params.effective()
        for path, param in SHOW.items():
            if path.startswith("/moves/") and param.choices:
                values[path] = dice.choice(param.choices)
        heard = anything(dice, 120 * dice.randint(0, 1))
        params.modulate(moves.step(values, heard, DT))
        for path, value in params.effective().items():
            assert SHOW[path].clip(value) == value


def test_restored_it_goes_on_bit_for_bit() -> None:
    dice = random.Random(6)
    values = dict(STILL)
    for number in range(1, MODULATORS + 1):
        values |= moved(number, source=SOURCES[number], shape=SHAPES[number % 5], fall=0.1 * (number % 3), rate=1.7)
        values[f"/moves/{number}/sync"] = SYNCS[number % 3]
        values[f"/moves/{number}/source"] = ("lfo", "steps", "onset", "beat")[number % 4]
        values[f"/moves/{number}/target"] = SHOW[f"/moves/{number}/target"].choices[number % 5]
    heard = [anything(dice, 90 + dice.random()) for _ in range(300)]
    one, other = Modulators(), Modulators()
    for features in heard[:140]:
        one.step(values, features, DT)
    one.resync()
    other.restore(json.loads(json.dumps(one.snapshot())))
    for features in heard[140:]:
        assert json.dumps(one.step(values, features, DT)) == json.dumps(other.step(values, features, DT))
    assert one.snapshot() == other.snapshot()


WOBBLE = """
class Wobble:
    def __init__(self, number): self.count, self.number = 0, number
    def step(self, now):
        self.count += 1
        assert now.seconds > 0 and now.dt > 0
        if self.number == 4 and self.count > 2:
            raise ZeroDivisionError("division by zero")
        return {1: self.count / 8 % 1, 2: float("nan"), 3: 7.0, 4: 0.5}[self.number]
    def snapshot(self): return {"count": self.count}
    def restore(self, state): self.count = state["count"]
"""


@pytest.fixture
def wobble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A modulator of another package."""
    monkeypatch.syspath_prepend(tmp_path)
    info = tmp_path / "wobble-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: wobble\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sonorama.modulators]\nwobble = wobbling:Wobble\n")
    (tmp_path / "wobbling.py").write_text(WOBBLE)


def test_another_packages_modulator_moves_and_goes_on_after_a_restart(wobble: None) -> None:
    values, one, other = moved(1, source="wobble"), Modulators(), Modulators()
    assert heights(one, values, [SILENT] * 3) == [1 / 8, 2 / 8, 3 / 8]
    other.restore(json.loads(json.dumps(one.snapshot())))
    assert heights(other, values, [SILENT] * 2) == heights(one, values, [SILENT] * 2) == [4 / 8, 5 / 8]
    assert other.snapshot() == one.snapshot()
    assert one.drivers == {TARGET: "wobble"} and one.faults == []


def test_what_another_packages_modulator_does_wrong_counts_as_nothing_and_is_told(wobble: None) -> None:
    bad, high, raising = Modulators(), Modulators(), Modulators()
    assert heights(bad, moved(2, source="wobble"), [SILENT]) == [0]
    assert bad.faults == ["The modulator wobble gave NaN, which counts as 0."]
    assert heights(high, moved(3, source="wobble"), [SILENT]) == [1]
    assert heights(raising, moved(4, source="wobble"), [SILENT] * 3) == [0.5, 0.5, 0]
    assert raising.faults == ["The modulator wobble failed and counts as 0: ZeroDivisionError: division by zero"]
    heights(raising, moved(4, source="lfo"), [SILENT])
    assert raising.faults == []
    gone = Modulators()
    assert heights(gone, moved(1, source="nowhere"), [SILENT]) == [0]
    assert gone.faults == ["The modulator nowhere is not installed here."]


def test_nothing_depends_on_other_runs() -> None:
    """No hidden state: what ran before in this process changes nothing."""
    values = moved(source="lfo", shape="random", rate=9.0)
    first = heights(Modulators(), values, [SILENT] * 50)
    random.seed(1)
    heights(Modulators(), moved(2, source="lfo", shape="random", rate=3.0), [SILENT] * 500)
    assert heights(Modulators(), values, [SILENT] * 50) == first
