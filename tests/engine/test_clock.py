"""When frames are due."""

from fractions import Fraction
from itertools import pairwise

import pytest

from sonorama.engine.clock import LONGEST_LAG_NS, SHRINK_NS, Pace, output_due, verdict
from sonorama.engine.rates import FrameGrid, exact_rate
from sonorama.engine.samples import RATE

FPS = Fraction(30)


def test_frames_leave_evenly_though_sound_comes_in_bursts() -> None:
    """Blocks of 100 ms, three frames each: once the lag is known, frames are 33 ms apart, not before their sound."""
    pace, dues = Pace(zero_ns=10**9), list[int]()
    for frame in range(1, 60):
        sample = frame * RATE // 30
        block_end = -(-sample // (RATE // 10)) * (RATE // 10)
        there = pace.zero_ns + block_end * 1_000_000_000 // RATE
        pace = pace.arrived(sample, there, waited=True, fps=FPS)
        assert pace.due_ns(sample) >= there or frame < 4
        dues.append(pace.due_ns(sample))
    gaps = [b - a for a, b in pairwise(dues[6:])]
    assert all(abs(gap / 1e6 - 1000 / 30) < 1.0 for gap in gaps)


def test_the_lag_shrinks_slowly_once_sound_comes_early() -> None:
    pace = Pace(0, lag_ns=80_000_000)
    for frame in range(300):
        pace = pace.arrived(frame * 1470, 0, waited=False, fps=FPS)
    assert pace.lag_ns == pytest.approx(80_000_000 - 10 * SHRINK_NS, abs=1000)


def test_one_accident_does_not_become_a_habit() -> None:
    pace = Pace(0, lag_ns=10_000_000).arrived(0, LONGEST_LAG_NS + 1, waited=True, fps=FPS)
    assert pace.lag_ns < 10_000_000


def test_old_frames_are_moved_through_and_not_painted() -> None:
    assert verdict(44_100, 44_100 + 2000, FPS) == "paint"
    assert verdict(44_100, 44_100 + 3 * 1470, FPS) == "skip"


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
