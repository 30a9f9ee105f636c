"""Follows a MIDI clock: tempo and beat from the times of its ticks, by a line fitted through the last 24 to 96."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

TICKS = 24
"""Ticks in a beat."""
FEWEST, MOST = TICKS, 4 * TICKS
"""Ticks that are averaged: a beat, and a bar once the tempo is steady."""
LOST_S = 1.0
"""Seconds without a tick after which there is no clock."""
_SLOWEST, _FASTEST = 20.0, 1000.0
_STRANGE_S, _STRANGE_TICKS = 0.012, 8
"""Distance from the line from which a tick belongs to another tempo, and how many of them in a row mean one."""
_SIXTEENTH = TICKS // 4


class ClockIn:
    """The clock of one port.

    Attributes:
        running: whether it plays; one that never said start or stop plays while it ticks.

    """

    def __init__(self) -> None:
        self.running = True
        self._ticks: deque[tuple[int, float]] = deque(maxlen=MOST)
        self._next = 0
        self._strange = 0
        self._heard = -math.inf

    def start(self) -> None:
        """The next tick is beat 0."""
        self._ticks.clear()
        self._next, self.running = 0, True

    def resume(self) -> None:
        """Play on from where it was stopped, or from the position that came since."""
        self._ticks.clear()
        self.running = True

    def stop(self) -> None:
        """It stands still; ticks may go on."""
        self.running = False

    def locate(self, sixteenths: int) -> None:
        """Song position: the next tick is so many sixteenths from the start."""
        self._ticks.clear()
        self._next = sixteenths * _SIXTEENTH

    def hear(self, second: float) -> None:
        """A tick came at this second."""
        if not self.running:
            return
        self._heard = second
        if self._ticks and second - self._ticks[-1][1] > LOST_S:
            self._ticks.clear()
        self._forget_other_tempo(second)
        self._ticks.append((self._next, second))
        self._next += 1

    def _forget_other_tempo(self, second: float) -> None:
        if len(self._ticks) < FEWEST:
            return
        per_tick, first = self._line()
        strange = abs(first + per_tick * self._next - second) > _STRANGE_S
        self._strange = self._strange + 1 if strange else 0
        if self._strange >= _STRANGE_TICKS:
            self._strange = 0
            while len(self._ticks) > _STRANGE_TICKS:
                self._ticks.popleft()

    def _line(self) -> tuple[float, float]:
        """(seconds a tick, second of tick 0), by least squares."""
        numbers, seconds = np.array(self._ticks).T
        middle = numbers.mean()
        apart = numbers - middle
        per_tick = float((apart * seconds).sum() / (apart * apart).sum())
        return per_tick, float(seconds.mean()) - per_tick * float(middle)

    def alive(self, now: float) -> bool:
        """Whether it plays at second `now`, even if its new tempo is not known yet."""
        return self.running and now - self._heard <= LOST_S

    def beat(self, now: float) -> tuple[float, float] | None:
        """(beats per minute, second of beat 0) at second `now`; None without 24 ticks, when stopped, or lost."""
        if not self.alive(now) or len(self._ticks) < FEWEST:
            return None
        per_tick, origin = self._line()
        bpm = 60 / (per_tick * TICKS) if per_tick > 0 else 0.0
        return (bpm, origin) if _SLOWEST <= bpm <= _FASTEST else None
