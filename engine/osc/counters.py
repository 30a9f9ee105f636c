"""Counters of received OSC packets and their outcome, and error messages limited in rate."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

EVERY, SHOWN = 5.0, 15.0
"""Minimum seconds between two error messages of one kind; seconds for which a message is reported."""

NAMES = (
    "received", "applied", "scheduled", "dropped", "malformed", "unknown", "wrong_type", "refused", "unsent", "failed",
)  # fmt: skip
"""received: datagrams. applied: changes passed on. scheduled: messages waiting for their time tag. dropped: datagrams
or messages discarded because a queue was full. malformed: datagrams that are not valid OSC. unknown: no such address.
wrong_type: value of a wrong type. refused: datagrams from hosts that are not allowed. unsent: outgoing datagrams that
the system did not accept. failed: changes whose receiver raised an exception."""


class OscCounters:
    """Counters and recent error messages. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._counts = Counter[str](dict.fromkeys(NAMES, 0))
        self._faults: dict[str, tuple[float, str]] = {}
        self._waiting: dict[str, tuple[str, int]] = {}  # newest message, and how many came since the one that is shown
        self._clock = clock
        self._lock = threading.Lock()

    def count(self, name: str, fault: str = "") -> None:
        """Increment the counter `name`, one of NAMES; record the message `fault`.

        Of one kind a message every EVERY seconds is shown: the newest, and how many came before it.
        """
        with self._lock:
            self._counts[name] += 1
            if fault:
                self._waiting[name] = fault, self._waiting.get(name, ("", 0))[1] + 1
                self._show(self._clock())

    def _show(self, now: float) -> None:
        for name in [one for one in self._waiting if now - self._faults.get(one, (-EVERY, ""))[0] >= EVERY]:
            text, count = self._waiting.pop(name)
            self._faults[name] = now, text if count == 1 else f"{text} (and {count - 1} more before it)"

    @property
    def counts(self) -> dict[str, int]:
        """A copy of all counters."""
        with self._lock:
            return dict(self._counts)

    def faults(self) -> list[str]:
        """Error messages of the last SHOWN seconds, one of each kind, newest last."""
        with self._lock:
            now = self._clock()
            self._show(now)
            return [text for at, text in sorted(self._faults.values()) if now - at < SHOWN]


def quoted(text: str) -> str:
    """Quote untrusted text for a message: without control characters, at most 60 characters."""
    return ascii(text if len(text) <= 60 else text[:57] + "...")
