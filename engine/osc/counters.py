"""Counters of received OSC packets and their outcome, and error messages limited in rate."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection

EVERY, SHOWN, SUBJECTS = 5.0, 15.0, 8
"""Minimum seconds between two error messages on one subject; seconds for which a message is reported; subjects of one
kind that are reported at once, beyond which the newest stands for the others."""

NAMES = (
    "received", "applied", "scheduled", "dropped", "malformed", "unknown", "wrong_type", "refused", "unsent", "failed",
)  # fmt: skip
"""received: datagrams. applied: changes passed on. scheduled: messages waiting for their time tag. dropped: datagrams
or messages discarded because a queue was full. malformed: messages, or datagrams, that are not valid OSC. unknown: no
such address. wrong_type: value of a wrong type. refused: datagrams from hosts that are not allowed. unsent: outgoing
datagrams that the system did not accept. failed: changes whose receiver raised an exception."""

Fault = str | Callable[[], str]
"""An error message, or what makes it; called only if it is shown."""
_Key = tuple[str, str | None]
"""Kind and subject of a message; None: all further subjects of that kind."""


class OscCounters:
    """Counters and recent error messages. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._counts = Counter[str](dict.fromkeys(NAMES, 0))
        self._faults: dict[_Key, tuple[float, str]] = {}
        self._waiting: dict[_Key, tuple[Fault, int]] = {}  # newest message, how many came since the one that is shown
        self._clock = clock
        self._lock = threading.Lock()

    def count(self, name: str, fault: Fault = "", subject: str = "") -> None:
        """Increment the counter `name`, one of NAMES; record the message `fault`.

        On each subject, such as an address, a message every EVERY seconds is shown: the newest, and how many came
        before it.
        """
        with self._lock:
            self._counts[name] += 1
            if fault:
                now, key = self._clock(), self._key(name, subject)
                self._waiting[key] = fault, self._waiting.get(key, ("", 0))[1] + 1
                self._show(key, now)

    def _key(self, name: str, subject: str) -> _Key:
        known = self._faults.keys() | self._waiting.keys()
        return (name, subject) if (name, subject) in known or self._room(name, known) else (name, None)

    @staticmethod
    def _room(name: str, known: Collection[_Key]) -> bool:
        return sum(kind == name and subject is not None for kind, subject in known) < SUBJECTS

    def _show(self, key: _Key, now: float) -> None:
        if now - self._faults.get(key, (-EVERY, ""))[0] < EVERY:
            return
        fault, count = self._waiting.pop(key)
        text = fault if isinstance(fault, str) else fault()
        self._faults[key] = now, text if count == 1 else f"{text} (and {count - 1} more before it)"

    @property
    def counts(self) -> dict[str, int]:
        """A copy of all counters."""
        with self._lock:
            return dict(self._counts)

    def faults(self) -> list[str]:
        """Error messages of the last SHOWN seconds, one on each subject, newest last."""
        with self._lock:
            now = self._clock()
            for key in [*self._waiting]:
                self._show(key, now)
            self._faults = {key: shown for key, shown in self._faults.items() if now - shown[0] < SHOWN}
            return [text for _, text in sorted(self._faults.values())]


def quoted(text: str) -> str:
    """Quote untrusted text for a message: without control characters, at most 60 characters."""
    return ascii(text if len(text) <= 60 else text[:57] + "...")
