"""What a show writes to its terminal and log while it plays: each fault once, repeated ones at most once a minute."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

AGAIN_S = 60.0
"""Seconds between two lines that differ in their numbers only."""
KINDS = 1000
"""Kinds of lines that are remembered; the oldest are forgotten."""
_NUMBER = re.compile(r"(?<![\w/:.#'-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w/']|\.\d)")
"""A number in a sentence; not a part of a name, an address or a quotation."""
_BEFORE = re.compile(r" \(and \d+ more before it\)$")


class _Said(NamedTuple):
    at: float
    line: str


class RepeatedLines:
    """Chooses the lines that are worth writing among those that hold now.

    Lines that differ in their numbers only, such as a count that grows, are of one kind. The first of a kind is written
    at once; after that the newest one, with the sum, each minute at most.

    Args:
        clock: monotonic clock in seconds.

    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: Collection[str] = ()
        self._said: dict[str, _Said] = {}
        self._waiting: dict[str, str] = {}

    def choose(self, lines: Iterable[str]) -> list[str]:
        """The lines to write now, of all that hold now."""
        holding, now = set(lines), self._clock()
        chosen = list[str]()
        for line in sorted(holding.difference(self._held)):
            kind = _kind(line)
            if self._is_due(kind, now):
                chosen.append(self._say(kind, line, now))
            else:
                self._waiting[kind] = line
        self._held = holding
        for kind in [kind for kind in self._waiting if self._is_due(kind, now)]:
            line = self._waiting.pop(kind)
            if line in holding or line != self._said[kind].line:  # otherwise it is over, and was told
                chosen.append(self._say(kind, line, now))
        return chosen

    def _is_due(self, kind: str, now: float) -> bool:
        return kind not in self._said or now - self._said[kind].at >= AGAIN_S

    def _say(self, kind: str, line: str, now: float) -> str:
        self._waiting.pop(kind, None)
        self._said.pop(kind, None)
        self._said[kind] = _Said(now, line)
        if len(self._said) > KINDS and (oldest := next(iter(self._said))) not in self._waiting:
            del self._said[oldest]
        return line


def _kind(line: str) -> str:
    return _NUMBER.sub("#", _BEFORE.sub("", line))
