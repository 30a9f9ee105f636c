"""Sends the show's beat as a MIDI clock: 24 ticks a beat, start on the first beat, stop when the beat is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import mido

from .clock_in import TICKS

_FOLLOW = 0.1
"""Part of the difference to the reported phase by which each report moves ours."""
_JUMP = 0.2
"""Difference in beats that is made up at once."""
_IDLE_S = 0.05


class ClockOut:
    """Sends ticks from a thread of its own.

    Args:
        send: sends a message to every output; any thread.

    """

    def __init__(self, send: Callable[[mido.Message], None]) -> None:
        self._send, self.on = send, False
        self._lock = threading.Lock()
        self._bpm = self._beats = self._at = 0.0
        self._sent: int | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="midi-clock", daemon=True)
        self._thread.start()

    def follow(self, bpm: float, phase: float, now: float) -> None:
        """The show is at `phase` of a beat (0 to 1) at `now` (seconds, monotonic); bpm 0: there is no beat."""
        with self._lock:
            beats = self._beats + (now - self._at) * self._bpm / 60
            off = (phase - beats + 0.5) % 1.0 - 0.5
            self._beats = beats + (off if abs(off) > _JUMP or not self._bpm else _FOLLOW * off)
            self._at, self._bpm = now, bpm

    def _due(self, now: float) -> tuple[float, int]:
        """(seconds until the next tick, ticks that should have been sent); the first is -1 without a beat."""
        with self._lock:
            if not (self.on and self._bpm):
                return -1.0, 0
            ticks = (self._beats + (now - self._at) * self._bpm / 60) * TICKS
            return (1 - ticks % 1.0) * 60 / self._bpm / TICKS, int(ticks // 1)

    def _run(self) -> None:
        while not self._closing.is_set():
            wait, ticks = self._due(time.monotonic())
            if wait < 0:
                if self._sent is not None:
                    self._sent = None
                    self._send(mido.Message("stop"))
                self._closing.wait(_IDLE_S)
                continue
            self._advance(ticks)
            self._closing.wait(min(wait, _IDLE_S))

    def _advance(self, ticks: int) -> None:
        if self._sent is None:
            if ticks % TICKS:  # start on a beat
                return
            self._send(mido.Message("start"))
            self._sent = ticks - 1
        if not -TICKS < ticks - self._sent <= TICKS:  # the beat has jumped: go on from there
            self._sent = ticks - 1
        for _ in range(ticks - self._sent):
            self._send(mido.Message("clock"))
        self._sent = max(self._sent, ticks)

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(2.0)
            self._thread = None
