"""Sets the show's external clock (`/clock/bpm`, `/clock/origin`) for a bridge that follows somebody's beat."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from sonorama.engine.control.addresses import CLOCK_BPM, CLOCK_ORIGIN
from sonorama.engine.control.parameters import Change
from sonorama.engine.plugins.interfaces import BridgePort

_CLOSE_TEMPO = 5e-4
"""Difference of the tempo, as a ratio, up to which the show is not told again."""
_SLOWER = 0.95  # of the tempo at which one beat fewer would be enough
_OFFSETS = 96
"""Comparisons with the show's sound that are averaged: a sound card's blocks come unevenly."""
_JUMP_S = 0.25
"""Difference from the last comparison that means that the sound has begun anew."""


class ShowClock:
    """Tells the show tempo and beat, only when they have changed. Another bridge's clock that plays is left alone.

    Args:
        port: the show.
        source: by which changes say who asks.
        close_beats: difference of the beat up to which the show is not told again.

    """

    def __init__(self, port: BridgePort, source: str, close_beats: float = 0.004) -> None:
        self._port, self._source, self._close = port, source, close_beats
        self._fastest, self._beats = port.table[CLOCK_BPM].high, 1
        self._offsets: deque[float] = deque(maxlen=_OFFSETS)
        self._told: tuple[float, float] | None = None
        self._other = ""
        port.subscribe(self._changed)

    def _changed(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.path == CLOCK_BPM:
                self._other = change.source if change.value and change.source != self._source else ""

    def begin(self, at_ns: int) -> None:
        """Forget what was told and compared; another clock is followed from this moment (monotonic) on."""
        self._offsets.clear()
        self._told = None
        self.compare(at_ns)

    def compare(self, at_ns: int) -> None:
        """Compare the show's sound with the monotonic clock, for the average; call it often."""
        offset = self._port.second_at(at_ns) - at_ns / 1e9
        if self._offsets and abs(offset - self._offsets[-1]) > _JUMP_S:
            self._offsets.clear()
        self._offsets.append(offset)

    def tell(self, bpm: float, began: float, now: float) -> None:
        """Beat 0 was at `began` (seconds, monotonic), and beats come with this tempo; `now` is the time. Of a tempo
        that is above the show's fastest every second beat counts, or every fourth.
        """
        bpm /= self._beats_of(bpm)
        if self._other:
            self._told = None
            return
        origin = began + sum(self._offsets) / len(self._offsets)
        second = self._port.second_at(round(now * 1e9))
        if self._told is not None:
            old_bpm, old_origin = self._told
            apart = ((second - origin) * bpm - (second - old_origin) * old_bpm) / 60
            if abs(apart) < self._close and abs(bpm / old_bpm - 1) < _CLOSE_TEMPO:
                return
        self._told = bpm, origin
        self._port.post(Change(CLOCK_BPM, bpm, self._source), Change(CLOCK_ORIGIN, origin, self._source))

    def _beats_of(self, bpm: float) -> int:
        """How many beats count as one; a tempo near the limit does not change that at every tick."""
        while bpm / self._beats > self._fastest:
            self._beats *= 2
        while self._beats > 1 and bpm / self._beats < _SLOWER * self._fastest / 2:
            self._beats //= 2
        return self._beats

    def end(self) -> None:
        """There is no clock any more."""
        if self._told is not None:
            self._told = None
            self._port.post(Change(CLOCK_BPM, 0.0, self._source))
