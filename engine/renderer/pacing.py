"""When frames are due: pure functions of nanoseconds and samples.

Sound is the clock. A frame uses the samples before it, so it is due when the last of them was captured plus a lag: the
time by which blocks of sound arrive late. The lag rises at once to that of a later block, stays while blocks arrive as
late, and shrinks slowly when they do not, so that frames are evenly spaced although blocks arrive in bursts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from ..units import SAMPLE_RATE

SHRINK_NS = 50_000_000
"""The lag shrinks by this much a second, ..."""
HABIT_S = 1
"""... but not below the largest delay of the last one to two of these spans."""
LONGEST_LAG_NS = 250_000_000
"""A longer delay counts as an accident and does not raise the lag."""
DRAWN = 64
"""The time of sample 0 moves towards what the newest block implies by 1 / DRAWN a frame."""
BEHIND_FRAMES = 2
"""A frame that is later than this many periods is computed but not painted."""

Verdict = Literal["paint", "skip"]


@dataclass(frozen=True, slots=True)
class Pace:
    """When frames are due.

    Attributes:
        zero_ns: monotonic nanoseconds at which sample 0 was captured.
        lag_ns: how late blocks arrive.
        latest_ns, before_ns: the largest delay in this span of HABIT_S and in the one before.
        since: the sample at which this span began.

    """

    zero_ns: int
    lag_ns: int = 0
    latest_ns: int = 0
    before_ns: int = 0
    since: int = 0

    def captured_ns(self, sample: int) -> int:
        """When the samples before `sample` had been captured."""
        return self.zero_ns + sample * 1_000_000_000 // SAMPLE_RATE

    def due_ns(self, sample: int) -> int:
        """When the frame that uses the samples before `sample` is due."""
        return self.captured_ns(sample) + self.lag_ns

    def told(self, sample: int, captured_ns: int) -> Pace:
        """Adjusted to the time of capture that a block reports."""
        return replace(self, zero_ns=self.zero_ns + (captured_ns - self.captured_ns(sample)) // DRAWN)

    def arrived(self, sample: int, late_ns: int, fps: Fraction) -> Pace:
        """Adjusted to the delay of the newest block; called once a frame.

        late_ns: delay of the newest block as captured (`SampleRing.late_ns`), not as read by this process.
        """
        late = late_ns if 0 < late_ns <= LONGEST_LAG_NS else 0
        latest, before, since = max(self.latest_ns, late), self.before_ns, self.since
        if not 0 <= sample - since < HABIT_S * SAMPLE_RATE:
            latest, before, since = late, latest, sample
        lag = max(latest, before, self.lag_ns - int(SHRINK_NS / fps))
        return Pace(self.zero_ns, lag, latest, before, since)


def verdict(due_ns: int, now_ns: int, fps: Fraction) -> Verdict:
    """Whether a frame is worth painting at `now_ns`."""
    return "paint" if (now_ns - due_ns) * fps < BEHIND_FRAMES * 1_000_000_000 else "skip"


def output_due(due: float, arrived: float | None, period: float) -> float:
    """When the next output tick is due, seconds.

    Args:
        due: when the tick before was due.
        arrived: when its picture arrived; None if none did.
        period: seconds between ticks.

    Returns:
        one period later, corrected by a tenth of the difference, so that ticks synchronize with a renderer and keep
        their own time without one.

    """
    drift = 0.0 if arrived is None else min(max(arrived - due, -period / 2), period / 2)
    return due + period + 0.1 * drift
