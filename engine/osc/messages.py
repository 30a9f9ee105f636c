"""Datagrams become messages; those stamped with a time to come wait here, never in a sleeping thread."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from pythonosc import osc_bundle, osc_message

Sender = tuple[str, int]
"""Host and port a datagram came from."""

AHEAD, WAITING = 5.0, 4096
"""Seconds a time tag may lie ahead, and messages that may wait. Further ahead is a clock that is wrong: it means now,
as a time gone by does."""


class Message(NamedTuple):
    """An address (or pattern), its arguments, and when it shall act: seconds since 1970, 0 at once."""

    address: str
    arguments: list[Any]
    at: float


def parse(datagram: bytes) -> list[Message] | None:
    """All messages of a datagram that `osc_guard.clean` let through, in order; None if the parser refuses it."""
    try:
        if not osc_bundle.OscBundle.dgram_is_bundle(datagram):
            message = osc_message.OscMessage(datagram)
            return [Message(message.address, message.params, 0.0)]
        return list(_within(osc_bundle.OscBundle(datagram)))
    except (osc_bundle.ParseError, osc_message.ParseError, ValueError):
        return None


def _within(bundle: osc_bundle.OscBundle) -> Iterator[Message]:
    waiting: list[tuple[Any, float]] = [(part, bundle.timestamp) for part in reversed(list(bundle))]
    while waiting:
        part, at = waiting.pop()
        if isinstance(part, osc_bundle.OscBundle):
            waiting += [(inner, part.timestamp) for inner in reversed(list(part))]
        else:
            yield Message(part.address, part.params, at)


class Schedule:
    """Messages of the future, by time; equal times keep their order. One thread.

    Args:
        clock: seconds that only go forward, by which messages become due.
        wall: seconds since 1970, by which time tags are read.

    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._clock, self._wall = clock, wall
        self._heap: list[tuple[float, int, Message, Sender]] = []
        self._number = 0

    def is_future(self, message: Message) -> bool:
        """Whether the message has to wait."""
        return message.at != 0.0 and 0.0 < message.at - self._wall() <= AHEAD

    def add(self, message: Message, sender: Sender) -> bool:
        """Keep a message until its time; False if too many wait already."""
        if len(self._heap) >= WAITING:
            return False
        self._number += 1
        due = self._clock() + message.at - self._wall()
        heapq.heappush(self._heap, (due, self._number, message, sender))
        return True

    def due(self) -> list[tuple[Message, Sender]]:
        """Take out what is due."""
        ready, now = [], self._clock()
        while self._heap and self._heap[0][0] <= now:
            ready.append(heapq.heappop(self._heap)[2:])
        return ready

    def wait(self) -> float:
        """Seconds until the next one is due; infinite if none waits."""
        return max(0.0, self._heap[0][0] - self._clock()) if self._heap else float("inf")
