"""What came by OSC and what became of it: counters, and faults that a flood cannot multiply."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

EVERY, SHOWN = 5.0, 15.0
"""Seconds between two faults of one kind; seconds that a fault is shown."""

NAMES = (
    "received", "applied", "scheduled", "dropped", "malformed", "unknown", "wrong_type", "refused", "unsent", "failed",
)  # fmt: skip
"""received: datagrams. applied: changes handed on. scheduled: messages that wait for their time tag. dropped: datagrams
or messages that a full queue did not take. malformed: datagrams that are no OSC. unknown: no such address. wrong_type:
value of a wrong type. refused: datagrams of hosts not allowed. unsent: the system did not take an outgoing datagram.
failed: changes whose receiver raised."""


class OscCounters:
    """Counters and faults. Any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._counts = Counter[str](dict.fromkeys(NAMES, 0))
        self._faults: dict[str, tuple[float, str]] = {}
        self._clock = clock
        self._lock = threading.Lock()

    def count(self, name: str, fault: str = "") -> None:
        """One more of `name`, one of NAMES; `fault` says so to people, at most one of a kind in EVERY seconds."""
        with self._lock:
            self._counts[name] += 1
            if fault and self._clock() - self._faults.get(name, (-EVERY, ""))[0] >= EVERY:
                self._faults[name] = (self._clock(), fault)

    @property
    def counts(self) -> dict[str, int]:
        """A copy of all counters."""
        with self._lock:
            return dict(self._counts)

    def faults(self) -> list[str]:
        """What went wrong in the last SHOWN seconds: one line a kind, newest last."""
        with self._lock:
            now = self._clock()
            return [text for at, text in sorted(self._faults.values()) if now - at < SHOWN]


def quoted(text: str) -> str:
    """Text from outside, fit for a line: no control characters, at most 60 characters."""
    return ascii(text if len(text) <= 60 else text[:57] + "...")
