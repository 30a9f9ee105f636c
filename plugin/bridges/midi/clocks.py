"""The clocks of all ports; the one that plays sets the show's external clock (`/clock/bpm`, `/clock/origin`)."""

from __future__ import annotations

from collections import deque
from typing import Any

from sonorama.engine.control.addresses import CLOCK_BPM, CLOCK_ORIGIN
from sonorama.engine.control.parameters import Change
from sonorama.engine.plugins.interfaces import BridgePort

from .clock_in import TICKS, ClockIn

SOURCE = "midi clock"
_CLOSE_BEATS, _CLOSE_TEMPO = 0.004, 5e-4
"""Differences up to which the show is not told again: of the beat in beats (2 ms at 120), of the tempo as a ratio."""
_OFFSETS = 4 * TICKS
"""Comparisons with the show's sound that are averaged: a sound card's blocks come unevenly."""


class Clocks:
    """Follows the clock of every port; the first one that plays counts, until it stops.

    Args:
        port: the show.

    """

    def __init__(self, port: BridgePort) -> None:
        self._port = port
        self._clocks: dict[str, ClockIn] = {}
        self._leader = ""
        self._offsets: deque[float] = deque(maxlen=_OFFSETS)
        self._told: tuple[float, float] | None = None
        self._count = 0

    def hear(self, name: str, message: Any, at_ns: int) -> bool:
        """A message of a port at monotonic nanoseconds; whether it was of a clock."""
        clock = self._clocks.get(name) or ClockIn()
        match message.type:
            case "clock":
                clock.hear(at_ns / 1e9)
                self._ticked(name, at_ns)
            case "start":
                clock.start()
            case "continue":
                clock.resume()
            case "stop":
                clock.stop()
            case "songpos":
                clock.locate(message.pos)
            case _:
                return False
        self._clocks[name] = clock
        return True

    def _ticked(self, name: str, at_ns: int) -> None:
        if name != self._leader:
            return
        offset = self._port.second_at(at_ns) - at_ns / 1e9
        if self._offsets and abs(offset - self._offsets[-1]) > 0.25:  # the sound has begun anew
            self._offsets.clear()
        self._offsets.append(offset)
        self._count += 1
        if self._count % TICKS == 0:
            self._tell(at_ns / 1e9)

    def watch(self, now_ns: int) -> None:
        """Find the clock that plays, and say when there is none any more; call it some times a second."""
        now = now_ns / 1e9
        if self._leader and self._clocks[self._leader].alive(now):
            return
        playing = [name for name, clock in self._clocks.items() if clock.beat(now) is not None]
        before, self._leader = self._leader, playing[0] if playing else ""
        if self._leader:
            self._offsets.clear()
            self._offsets.append(self._port.second_at(now_ns) - now)
            self._count = 0
            self._told = None
            self._tell(now)
        elif before:
            self._told = None
            self._port.post(Change(CLOCK_BPM, 0.0, SOURCE))

    def _tell(self, now: float) -> None:
        """Set the show's clock, if it is not there already."""
        beat = self._clocks[self._leader].beat(now)
        if beat is None:
            return
        bpm, began = beat
        origin = began + sum(self._offsets) / len(self._offsets)
        second = self._port.second_at(round(now * 1e9))
        if self._told is not None:
            old_bpm, old_origin = self._told
            apart = ((second - origin) * bpm - (second - old_origin) * old_bpm) / 60
            if abs(apart) < _CLOSE_BEATS and abs(bpm / old_bpm - 1) < _CLOSE_TEMPO:
                return
        self._told = bpm, origin
        self._port.post(Change(CLOCK_BPM, bpm, SOURCE), Change(CLOCK_ORIGIN, origin, SOURCE))
