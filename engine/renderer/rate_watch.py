"""Whether painting is too slow for the frame rate, and what is left out until it is not: pure functions of what the
paint thread measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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


EVERYTHING, EARLY, SECOND = 0, 1, 2
"""What is painted: all of every frame, every frame without the last block, or every second frame so."""
FULL_AGAIN = {EARLY: 0.5, SECOND: 0.7}
"""Share of a frame's time that pictures must stay below until more is painted again. With the last block they take 1.4
to 1.7 times as long on a CPU, and may take twice as long; every frame takes as long as every second one.
"""
CALM_S, LONGEST_CALM_S = 10.0, 160.0
"""Seconds for which they must. Each time that it was in vain, they are twice as many, ..."""
RELAPSE_S = 60.0
"""... in vain if painting is too slow again within these seconds."""


@dataclass(frozen=True, slots=True)
class LoadShedding:
    """What is left out because painting is too slow, one step after another, and painted again when there is time.

    Attributes:
        level: EVERYTHING, EARLY or SECOND.
        watch: whether that is still too slow.
        calm_since: from when on there has been time for more, without a break.
        calm_s: how long there must be.
        eased: when more was painted the last time.

    """

    level: int = EVERYTHING
    watch: RateWatch = field(default_factory=RateWatch)
    calm_since: float | None = None
    calm_s: float = CALM_S
    eased: float | None = None

    def told(self, now: float, fps: float, painted_fps: float, slow_s: float, levels: Sequence[int]) -> LoadShedding:
        """With one more measurement, ten times a second or so.

        Args:
            now: seconds.
            fps: frames a second that there should be.
            painted_fps: pictures a second that there were in the last seconds.
            slow_s: what 95 in 100 of the last pictures took at most, seconds; 0 while that is not known.
            levels: those that there are, in order.

        """
        if slow_s <= 0:
            return replace(self, calm_since=None)
        wanted = fps / 2 if self.level == SECOND else fps
        paused = self.watch.begun is None or now - self.watch.told_at > GAP_S
        watch = self.watch.told(now, wanted, painted_fps, slow_s)
        more = [level for level in levels if level > self.level]
        if watch.too_slow and more:
            relapsed = self.eased is not None and now - self.eased < RELAPSE_S
            calm_s = min(2 * self.calm_s, LONGEST_CALM_S) if relapsed else CALM_S
            return LoadShedding(more[0], calm_s=calm_s, eased=self.eased)
        calm = self.level in FULL_AGAIN and slow_s < FULL_AGAIN[self.level] / fps and not paused
        since = (now if self.calm_since is None else self.calm_since) if calm else None
        if since is not None and now - since >= self.calm_s:
            less = [level for level in levels if level < self.level]
            return LoadShedding(less[-1], calm_s=self.calm_s, eased=now)
        return replace(self, watch=watch, calm_since=since)
