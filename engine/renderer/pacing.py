"""When frames are due: pure functions of nanoseconds and samples.

Sound is the clock. A frame is about the samples before it, so it is due when the last of them was captured plus a lag:
the time by which blocks of sound come late. The lag follows the latest block at once, stays while blocks go on coming
as late, and shrinks slowly when they do not, so that frames leave evenly although blocks come in bursts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from ..units import SAMPLE_RATE

SHRINK_NS = 50_000_000
"""The lag shrinks by so much a second,"""
HABIT_S = 1
"""but not below what was needed within one to two of these."""
LONGEST_LAG_NS = 250_000_000
"""More than that is no habit of a source but an accident: it is not waited for again."""
DRAWN = 64
"""The moment of sample 0 is drawn towards what blocks say of it by this part a frame."""
BEHIND_FRAMES = 2
"""A frame that is late by so many is moved through but not painted: newer ones wait."""

Verdict = Literal["paint", "skip"]


@dataclass(frozen=True, slots=True)
class Pace:
    """When frames are due.

    Attributes:
        zero_ns: monotonic nanoseconds at which sample 0 was captured.
        lag_ns: how late blocks come.
        latest_ns, before_ns: the latest of this span of HABIT_S and of the one before.
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
        """When the frame about them is due."""
        return self.captured_ns(sample) + self.lag_ns

    def told(self, sample: int, captured_ns: int) -> Pace:
        """A block says when `sample` was captured."""
        return replace(self, zero_ns=self.zero_ns + (captured_ns - self.captured_ns(sample)) // DRAWN)

    def arrived(self, sample: int, late_ns: int, fps: Fraction) -> Pace:
        """The samples before `sample` are in the ring; called once a frame.

        late_ns: how late the newest block came (`SampleRing.late_ns`), not when this process found time to look.
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
    """The next tick of the outputs, seconds.

    Args:
        due: when the tick before was due.
        arrived: when its picture came; None if none came.
        period: seconds between ticks.

    Returns:
        one period later, drawn a tenth of the way towards where pictures really come, so that the outputs fall into
        step with a renderer and keep their own time without one.

    """
    drift = 0.0 if arrived is None else min(max(arrived - due, -period / 2), period / 2)
    return due + period + 0.1 * drift
