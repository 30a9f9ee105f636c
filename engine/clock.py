"""When frames are due: pure functions of nanoseconds and samples.

Sound is the clock. A frame is about the samples before it, so it is due when the last of them was captured plus a lag:
the time by which blocks of sound come late. The lag follows the latest block at once and shrinks slowly, so that
frames leave evenly although blocks come in bursts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from .samples import RATE

SHRINK_NS = 2_000_000
"""The lag shrinks by so much a second."""
LONGEST_LAG_NS = 250_000_000
"""More than that is no habit of a source but an accident: it is not waited for again."""
BEHIND_FRAMES = 2
"""So many frames may wait in the ring; with more the older ones are moved through but not painted."""

Verdict = Literal["paint", "skip"]


@dataclass(frozen=True, slots=True)
class Pace:
    """zero_ns: monotonic nanoseconds at which sample 0 was captured. lag_ns: how late blocks come."""

    zero_ns: int
    lag_ns: int = 0

    def captured_ns(self, sample: int) -> int:
        """When the samples before `sample` had been captured."""
        return self.zero_ns + sample * 1_000_000_000 // RATE

    def due_ns(self, sample: int) -> int:
        """When the frame about them is due."""
        return self.captured_ns(sample) + self.lag_ns

    def arrived(self, sample: int, now_ns: int, waited: bool, fps: Fraction) -> Pace:
        """The samples before `sample` are in the ring at `now_ns`; called once a frame.

        waited: they were not there when first looked for, so that it is the source that was late.
        """
        late = now_ns - self.captured_ns(sample) if waited else 0
        shrunk = self.lag_ns - int(SHRINK_NS / fps)
        return replace(self, lag_ns=max(0, shrunk, late if late <= LONGEST_LAG_NS else 0))


def verdict(sample: int, count: int, fps: Fraction) -> Verdict:
    """Whether the frame about the samples before `sample` is worth painting while the ring holds `count`."""
    return "paint" if (count - sample) * fps < BEHIND_FRAMES * RATE else "skip"


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
