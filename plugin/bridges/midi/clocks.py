"""The clocks of all ports; the one that plays sets the show's external clock (`/clock/bpm`, `/clock/origin`)."""

from __future__ import annotations

from typing import Any

from sonorama.engine.plugins.interfaces import BridgePort

from ..show_clock import ShowClock
from .clock_in import TICKS, ClockIn

SOURCE = "midi clock"


class Clocks:
    """Follows the clock of every port; the first one that plays counts, until it stops.

    Args:
        port: the show.

    """

    def __init__(self, port: BridgePort) -> None:
        self._show = ShowClock(port, SOURCE)
        self._clocks: dict[str, ClockIn] = {}
        self._leader = ""
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
        self._show.compare(at_ns)
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
            self._show.begin(now_ns)
            self._count = 0
            self._tell(now)
        elif before:
            self._show.end()

    def _tell(self, now: float) -> None:
        """Set the show's clock, if it is not there already."""
        beat = self._clocks[self._leader].beat(now)
        if beat is not None:
            self._show.tell(*beat, now)
