"""Whether painting is too slow for the frame rate: a pure function of what the paint thread measures."""

from __future__ import annotations

from dataclasses import dataclass, replace

SETTLE_S = 3.0
"""Seconds after a start or a change that do not count: the first pictures are slow, and the machine is loading."""
SLOW_S = 4.0
"""Seconds for which the rate must be missed without a break."""
GAP_S = 3.0
"""A longer time between two measurements, as when the machine was suspended, begins anew."""
ENOUGH = 0.95
"""Share of the frames that must get a picture; below it the rate is missed, ..."""
FULL = 0.9
"""... because of painting if one picture takes this share of a frame's time: otherwise something else is slow."""


@dataclass(frozen=True, slots=True)
class RateWatch:
    """What is known so far; seconds of a clock that only goes forward.

    Attributes:
        begun: when it was told something first; None before.
        told_at: when it was told something last.
        slow_since: from when on painting has been too slow without a break; None if it was not the last time.

    """

    begun: float | None = None
    told_at: float = 0.0
    slow_since: float | None = None

    def told(self, now: float, fps: float, painted_fps: float, paint_s: float) -> RateWatch:
        """With one more measurement, ten times a second or so.

        Args:
            now: seconds.
            fps: frames a second that there should be.
            painted_fps: pictures a second that there were in the last seconds.
            paint_s: how long one takes, seconds; a median, so that a single slow one does not count.

        """
        if self.begun is None or now - self.told_at > GAP_S:
            return RateWatch(now, now)
        missed = painted_fps < ENOUGH * fps and paint_s > FULL / fps
        if not missed or now - self.begun < SETTLE_S:
            return replace(self, told_at=now, slow_since=None)
        return replace(self, told_at=now, slow_since=now if self.slow_since is None else self.slow_since)

    @property
    def too_slow(self) -> bool:
        """Whether painting has been too slow for SLOW_S."""
        return self.slow_since is not None and self.told_at - self.slow_since >= SLOW_S
