"""The automatic gain: loud comes down soon, soft comes up slowly, silence and the noise of a room stay."""

import json
import math
import random

import pytest

from sonorama.engine.audio.auto_gain import FLOOR_DB, LIMIT_DB, TARGET_DB, AutoGain

DT = 1 / 30


def after(gain: AutoGain, db: float, seconds: float, dt: float = DT) -> float:
    for _ in range(round(seconds / dt)):
        gain.step(db, dt)
    return gain.gain


@pytest.mark.parametrize("db", [-34.0, -26.0, -20.0, -10.0, 0.0])
def test_a_steady_sound_comes_to_the_target(db: float) -> None:
    assert db + after(AutoGain(), db, 60) == pytest.approx(TARGET_DB, abs=0.01)


@pytest.mark.parametrize("dt", [1 / 24, 1 / 120])
def test_down_in_a_third_of_a_second_up_in_five(dt: float) -> None:
    left = math.exp(-1)
    assert after(AutoGain(), -8.0, 0.3, dt) == pytest.approx(-12 * (1 - left), rel=0.1)
    assert after(AutoGain(), -32.0, 5.0, dt) == pytest.approx(12 * (1 - left), rel=0.01)


@pytest.mark.parametrize("db", [-math.inf, -100.0, FLOOR_DB - 0.01, FLOOR_DB, math.nan])
def test_silence_is_not_lifted(db: float) -> None:
    gain = AutoGain()
    assert after(gain, db, 30) == 0
    after(gain, -40.0, 60)
    lifted = gain.gain
    assert lifted > 15
    assert all(gain.step(db, DT) <= lifted for _ in range(30))
    assert after(gain, db, 60) < 0.01


def test_what_is_little_above_the_floor_is_lifted_little() -> None:
    gains = [after(AutoGain(), FLOOR_DB + above, 60) for above in (0.0, 1.0, 5.0, 10.0)]
    assert gains == pytest.approx([0, 2, 10, 20], abs=0.01)


def test_a_pause_does_not_let_a_loud_source_come_back_louder() -> None:
    gain = AutoGain()
    after(gain, -6.0, 5)
    down = gain.gain
    assert down < -13
    assert after(gain, -100.0, 10) == down


def test_an_end_of_sound_is_no_reason_to_hurry() -> None:
    """Only what is too loud is fast: a tail that sinks into the floor keeps its gain for a while."""
    gain = AutoGain()
    before = after(gain, -36.0, 60)
    assert after(gain, FLOOR_DB + 1, 0.3) > 0.9 * before


def test_never_past_its_limits() -> None:
    gain, dice = AutoGain(), random.Random(3)
    for _ in range(20_000):
        db = dice.choice([dice.uniform(-120, 40), 1e30, -1e30, math.nan, math.inf, -math.inf])
        assert -LIMIT_DB <= gain.step(db, dice.choice([DT, 1 / 120, 0.5])) <= LIMIT_DB


def test_restored_it_goes_on_bit_for_bit() -> None:
    dice = random.Random(5)
    sound = [dice.uniform(-70, 0) for _ in range(400)]
    one, other = AutoGain(), AutoGain()
    for db in sound[:150]:
        one.step(db, DT)
    other.restore(json.loads(json.dumps(one.snapshot())))
    assert [one.step(db, DT) for db in sound[150:]] == [other.step(db, DT) for db in sound[150:]]
