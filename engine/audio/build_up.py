"""Builds and drops: how far the sound rises over the last seconds, and the moment at which the bass comes back.

Causal, one value per hop of 10 ms. A build is a rise of the high band over four seconds. A drop is the return of a bass
that was gone for a while; the pause between two pieces ends with one, too.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_EVERY, _KEPT, _OLDEST = 10, 40, 10
"""Hops between two kept levels of the high band, their number (4 s), and that of the oldest, where a rise starts."""
_SMOOTH = 0.5 ** (0.01 / 0.6)
_RISE_FROM, _RISE_TO = 2.0, 10.0
"""Rise in dB over the kept time from which there is a build, and at which it is 1."""
_HEARD = -65.0
"""Level in dB below which a band counts as silent."""
_FALL, _FORGET = 0.12, 0.003
"""dB per hop by which the bass falls after a hit, and by which its usual level is forgotten."""
_GONE, _BACK = 15.0, 6.0
"""dB below its usual level at which the bass is gone, and at which it is back."""
_PAUSE = 150
"""Hops for which the bass must be gone before a drop."""
_DROP_FALL = 0.5 ** (0.01 / 0.6)
_NUMBERS = ("_high", "_bass", "_usual", "_gone", "build", "drop", "_hops")


class BuildUp:
    """Follows builds and drops. build: 0..1. drop: 1 at a drop, then falling with a half-life of 0.6 s."""

    def __init__(self) -> None:
        self._levels = np.full(_KEPT, -120.0)
        self._bass = self._usual = -120.0
        self._high = 0.0  # power
        self._gone = self._hops = 0
        self.build = self.drop = 0.0

    def step(self, bass_db: float, high_db: float) -> tuple[float, float]:
        """(build, drop) after the next hop; the levels of its bands in dB."""
        power = 10 ** (high_db / 10)
        self._high = power + (self._high - power) * _SMOOTH
        if self._hops % _EVERY == 0:
            at, now = self._hops // _EVERY % _KEPT, 10 * math.log10(self._high + 1e-12)
            before = self._levels[np.arange(at, at + _OLDEST) % _KEPT]
            self._levels[at] = now
            rise = now - float(before.max()) if before.min() > _HEARD else 0.0
            self.build = min(max((rise - _RISE_FROM) / (_RISE_TO - _RISE_FROM), 0.0), 1.0)
        self._hops += 1
        self._follow_bass(bass_db)
        return self.build, self.drop

    def _follow_bass(self, db: float) -> None:
        self._bass = max(db, self._bass - _FALL)
        self._usual = max(self._bass, self._usual - _FORGET)
        self.drop *= _DROP_FALL
        if self._bass < self._usual - _GONE:
            self._gone += 1
        elif self._bass > self._usual - _BACK:
            if self._gone >= _PAUSE and self._usual > _HEARD:
                self.drop = 1.0
            self._gone = 0

    def snapshot(self) -> npt.NDArray[np.float64]:
        """The complete state [47]."""
        return np.concatenate([[float(getattr(self, name)) for name in _NUMBERS], self._levels])

    def restore(self, state: npt.NDArray[np.generic]) -> None:
        """Continue from a state returned by `snapshot`."""
        values = np.array(state, np.float64)
        for name, value in zip(_NUMBERS, values[: len(_NUMBERS)].tolist(), strict=True):
            setattr(self, name, type(getattr(self, name))(value))
        self._levels = values[len(_NUMBERS) :].copy()
