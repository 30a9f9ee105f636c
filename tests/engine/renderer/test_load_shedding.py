"""What is left out when painting is too slow, and when it comes back, from sequences of measurements."""

from collections.abc import Callable

import pytest

from sonorama.engine.renderer.rate_watch import (
    CALM_S,
    EARLY,
    EVERYTHING,
    LONGEST_CALM_S,
    SECOND,
    SETTLE_S,
    SLOW_S,
    LoadShedding,
)

FPS = 30.0
LEVELS = EVERYTHING, EARLY, SECOND
STEP_S = SETTLE_S + SLOW_S
Changes = list[tuple[float, int]]


def played(
    seconds: float,
    cost: Callable[[float, int], float],
    load: LoadShedding | None = None,
    levels: tuple[int, ...] = LEVELS,
) -> Changes:
    """When which level began; cost: (seconds, level) -> seconds a picture takes, from which the rate follows."""
    load, found = load or LoadShedding(), Changes()
    for number in range(round(seconds * 10)):
        now = number / 10
        slow_s = cost(now, load.level)
        wanted = FPS / 2 if load.level == SECOND else FPS
        after = load.told(now, FPS, min(wanted, 1 / slow_s), slow_s, levels)
        if after.level != load.level:
            found.append((now, after.level))
        load = after
    return found


def test_nothing_is_left_out_while_painting_keeps_up() -> None:
    assert played(120, lambda now, level: 0.03) == []


def test_steps_follow_each_other_until_painting_keeps_up() -> None:
    assert played(60, lambda now, level: 0.05 if level == EVERYTHING else 0.025) == [
        (pytest.approx(STEP_S, abs=0.2), EARLY)
    ]
    changes = played(60, lambda now, level: 0.05)
    assert [level for _, level in changes] == [EARLY, SECOND]
    assert changes[1][0] == pytest.approx(2 * STEP_S, abs=0.4)


def test_nothing_is_beyond_every_second_frame() -> None:
    assert [level for _, level in played(200, lambda now, level: 0.3)] == [EARLY, SECOND]


def test_a_generator_without_early_exit_leaves_frames_out_at_once() -> None:
    changes = played(60, lambda now, level: 0.05, levels=(EVERYTHING, SECOND))
    assert [level for _, level in changes] == [SECOND]


def test_it_comes_back_step_by_step_when_there_is_time() -> None:
    changes = played(80, lambda now, level: 0.1 if now < 30 else 0.01)
    assert [level for _, level in changes] == [EARLY, SECOND, EARLY, EVERYTHING]
    assert changes[2][0] == pytest.approx(30 + CALM_S, abs=0.3)
    assert changes[3][0] == pytest.approx(30 + 2 * CALM_S, abs=0.5)


def test_pictures_that_are_just_in_time_without_the_last_block_stay_so() -> None:
    """With it they would take twice as long."""
    changes = played(300, lambda now, level: 0.040 if level == EVERYTHING else 0.020)
    assert [level for _, level in changes] == [EARLY]


def test_what_comes_back_in_vain_waits_longer_each_time() -> None:
    """The last block takes far longer than all others, so that there seems to be time."""
    changes = played(1500, lambda now, level: 0.050 if level == EVERYTHING else 0.010)
    back = [now for now, level in changes if level == EVERYTHING]
    out = [now for now, level in changes if level == EARLY]
    waits = [again - left for left, again in zip(out, back, strict=False)]
    assert waits[:4] == [pytest.approx(wait, abs=0.5) for wait in (CALM_S, 2 * CALM_S, 4 * CALM_S, 8 * CALM_S)]
    assert max(waits) == pytest.approx(LONGEST_CALM_S, abs=0.5)


def test_a_relapse_much_later_begins_with_short_waits_again() -> None:
    load = LoadShedding(EVERYTHING, calm_s=80.0, eased=0.0)
    changes = played(200, lambda now, level: 0.05 if 100 < now < 120 else 0.01, load)
    assert [level for _, level in changes] == [EARLY, SECOND, EARLY, EVERYTHING]
    assert changes[2][0] == pytest.approx(120 + CALM_S, abs=0.3)


def test_what_is_not_known_changes_nothing() -> None:
    load = LoadShedding(EARLY)
    for number in range(1000):
        load = load.told(number / 10, FPS, 3.0, 0.0, LEVELS)
    assert load.level == EARLY


def test_a_suspended_machine_begins_anew() -> None:
    load = LoadShedding()
    for number in range(round((STEP_S - 0.5) * 10)):
        load = load.told(number / 10, FPS, 15.0, 0.06, LEVELS)
    load = load.told(3600.0, FPS, 15.0, 0.06, LEVELS)
    assert load.told(3601.0, FPS, 15.0, 0.06, LEVELS).level == EVERYTHING
