"""Sets the show's timecode (`/timecode/origin`, `/timecode/running`) for a bridge that hears some."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from sonorama.engine.control.addresses import TIMECODE_ORIGIN, TIMECODE_RUNNING, TIMECODE_SOURCE
from sonorama.engine.control.parameters import Change
from sonorama.engine.plugins.interfaces import BridgePort

LOST_S = 0.3
"""Seconds without a reading after which the timecode stands still."""
READINGS, FEWEST = 16, 3
"""Readings that are averaged, and how many in a row at about its normal speed mean that it runs."""
_JUMP_S = 0.08
"""Distance of a reading from the one before, in seconds, that means another place."""
_OFF_SPEED, _BEGIN_S, _STAY_S = 0.125, 0.03, 0.06
"""Part of the time by which the readings may drift until it counts as wound, and how far they may be apart besides:
to begin, and, so that no speed makes it begin and end again and again, to stay.
"""
_CLOSE_S = 0.005
"""Difference up to which the show is not told again."""


class ShowTimecode:
    """Tells the show where the timecode is, only when that has changed, and only while its source is chosen.

    Args:
        port: the show.
        kind: the choice of `/timecode/source` that means this one.

    """

    def __init__(self, port: BridgePort, kind: str) -> None:
        self._port, self._kind, self._source = port, kind, f"{kind} timecode"
        self._chosen = port.values[TIMECODE_SOURCE] == kind
        self._readings: deque[tuple[float, float]] = deque(maxlen=READINGS)  # (moment, origin)
        self._heard = float("-inf")
        self._told: float | None = None
        port.subscribe(self._changed)

    def _changed(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.path == TIMECODE_SOURCE:
                self._chosen = change.value == self._kind

    def hear(self, second: float, at_ns: int) -> None:
        """The timecode was at this second of its own at monotonic nanoseconds."""
        origin, at = self._port.second_at(at_ns) - second, at_ns / 1e9
        if self._readings and abs(origin - self._readings[-1][1]) > _JUMP_S:
            self.stop()
        self._readings.append((at, origin))
        self._heard = at
        if not self._chosen or not self._is_at_speed():
            self._stop()
        elif len(self._readings) >= FEWEST:
            self._tell(sum(one for _, one in self._readings) / len(self._readings))

    def _is_at_speed(self) -> bool:
        """Whether it plays at about its normal speed."""
        (first, first_origin), (last, last_origin) = self._readings[0], self._readings[-1]
        apart = _BEGIN_S if self._told is None else _STAY_S
        return abs(last_origin - first_origin) <= apart + _OFF_SPEED * (last - first)

    def watch(self, now_ns: int) -> None:
        """Notice that it stands still, or is no longer chosen; call it some times a second."""
        if not self._chosen or now_ns / 1e9 - self._heard > LOST_S:
            self.stop()

    def stop(self) -> None:
        """It stands still."""
        self._readings.clear()
        self._stop()

    def _stop(self) -> None:
        if self._told is not None:
            self._told = None
            self._port.post(Change(TIMECODE_RUNNING, False, self._source))

    def _tell(self, origin: float) -> None:
        if self._told is not None and abs(origin - self._told) < _CLOSE_S:
            return
        self._told = origin
        running = Change(TIMECODE_RUNNING, True, self._source)
        self._port.post(Change(TIMECODE_ORIGIN, origin, self._source), running)
