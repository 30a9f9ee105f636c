"""When frames are due."""

from fractions import Fraction
from itertools import pairwise

import pytest

from sonorama.engine.pipeline.frame_grid import FrameGrid, exact_rate
from sonorama.engine.renderer.pacing import LONGEST_LAG_NS, SHRINK_NS, Pace, output_due, verdict
from sonorama.engine.units import SAMPLE_RATE

FPS = Fraction(30)


def test_frames_leave_evenly_though_sound_comes_in_bursts() -> None:
    """Blocks of 100 ms, three frames each: once the lag is known, frames are 33 ms apart, not before their sound."""
    pace, dues = Pace(zero_ns=10**9), list[int]()
    for frame in range(1, 60):
        sample = frame * SAMPLE_RATE // 30
        block_end = -(-sample // (SAMPLE_RATE // 10)) * (SAMPLE_RATE // 10)
        there = pace.zero_ns + block_end * 1_000_000_000 // SAMPLE_RATE
        pace = pace.arrived(sample, 100_000_000, FPS)
        assert pace.due_ns(sample) >= there
        dues.append(pace.due_ns(sample))
    gaps = [b - a for a, b in pairwise(dues[6:])]
    assert all(abs(gap / 1e6 - 1000 / 30) < 1.0 for gap in gaps)


def test_the_lag_shrinks_slowly_once_sound_comes_early() -> None:
    pace = Pace(0, lag_ns=80_000_000)
    for frame in range(30):
        pace = pace.arrived(frame * 1470, 0, FPS)
    assert pace.lag_ns == pytest.approx(80_000_000 - SHRINK_NS, abs=1000)


def test_sound_that_was_late_once_is_not_waited_for_long() -> None:
    """Blocks of 5 ms, and one that stumbled."""
    pace, lags = Pace(0), list[int]()
    for frame in range(1, 10 * 30):
        pace = pace.arrived(frame * 1470, 200_000_000 if frame == 30 else 5_000_000, FPS)
        lags.append(pace.lag_ns)
    assert max(lags) > 100_000_000
    assert lags[-1] == pytest.approx(5_000_000)


def test_where_sample_0_was_is_learnt() -> None:
    """The first block came 90 ms late by its own word; the others do not."""
    pace = Pace(90_000_000)
    for frame in range(1, 600):
        pace = pace.told(frame * 1470, frame * 1_000_000_000 // 30)
    assert pace.zero_ns == pytest.approx(0, abs=100_000)


def test_one_accident_does_not_become_a_habit() -> None:
    pace = Pace(0, lag_ns=10_000_000).arrived(0, LONGEST_LAG_NS + 1, FPS)
    assert pace.lag_ns < 10_000_000


def test_old_frames_are_moved_through_and_not_painted() -> None:
    assert verdict(10**9, 10**9 + 40_000_000, FPS) == "paint"
    assert verdict(10**9, 10**9 - 40_000_000, FPS) == "paint"
    assert verdict(10**9, 10**9 + 100_000_000, FPS) == "skip"


def test_frames_that_a_lag_holds_back_are_painted() -> None:
    """However much sound there is by then."""
    pace = Pace(0, lag_ns=200_000_000)
    assert verdict(pace.due_ns(44_100), pace.due_ns(44_100) + 1_000_000, FPS) == "paint"


def test_outputs_fall_into_step_and_keep_their_own_time() -> None:
    period, due, arrives = 1 / 30, 0.0, 0.010
    for tick in range(200):
        due = output_due(due, tick * period + arrives, period)
    assert (due - arrives) % period == pytest.approx(0.0, abs=1e-4) or (due - arrives) % period == pytest.approx(
        period, abs=1e-4
    )
    assert output_due(5.0, None, period) == 5.0 + period


@pytest.mark.parametrize(
    ("asked", "exact"),
    [(30.0, Fraction(30)), (29.97, Fraction(30000, 1001)), (23.976, Fraction(24000, 1001)),
     (59.94, Fraction(60000, 1001)),
     (25.0, Fraction(25)), (33.3, Fraction(333, 10)), (120.0, Fraction(120))],
)  # fmt: skip
def test_rates_are_exact(asked: float, exact: Fraction) -> None:
    assert exact_rate(asked) == exact


def test_the_grid_goes_on_at_another_rate() -> None:
    grid = FrameGrid(Fraction(30)).at_rate(Fraction(60), 30)
    assert [grid.sample(frame) for frame in (30, 31, 90)] == [44_100, 44_100 + 735, 2 * 44_100]
    assert grid.at_rate(Fraction(60), 77) is grid
