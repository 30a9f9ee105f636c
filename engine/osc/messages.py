"""Parses OSC messages, and schedules those with a time tag in the future."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from pythonosc import osc_message

from .validation import RawMessage

Sender = tuple[str, int]
"""Host and port of a datagram's sender."""

AHEAD, WAITING = 5.0, 4096
"""Maximum seconds of a time tag in the future, and maximum number of scheduled messages. A later time tag indicates a
wrong clock; its message acts at once, as one with a time in the past does."""


class Message(NamedTuple):
    """An address or address pattern, the arguments, and the time to act: seconds since 1970, or 0 for at once."""

    address: str
    arguments: list[Any]
    at: float


def parse(raw: RawMessage) -> Message | None:
    """A message of `validation.unpack`; None if it cannot be parsed."""
    try:
        message = osc_message.OscMessage(raw.data)
    except (osc_message.ParseError, ValueError):
        return None
    return Message(message.address, message.params, raw.at)


class Schedule:
    """A queue of future messages, ordered by time and then by arrival. Not thread-safe.

    Args:
        clock: monotonic clock in seconds, by which messages become due.
        wall: clock in seconds since 1970, to which time tags refer.

    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time) -> None:
        self._clock, self._wall = clock, wall
        self._heap: list[tuple[float, int, Message, Sender]] = []
        self._number = 0

    def is_future(self, message: Message) -> bool:
        """Whether the message's time is in the future, at most AHEAD seconds."""
        return message.at != 0.0 and 0.0 < message.at - self._wall() <= AHEAD

    def add(self, message: Message, sender: Sender) -> bool:
        """Queue a message until its time; False if the queue is full."""
        if len(self._heap) >= WAITING:
            return False
        self._number += 1
        due = self._clock() + message.at - self._wall()
        heapq.heappush(self._heap, (due, self._number, message, sender))
        return True

    def due(self) -> list[tuple[Message, Sender]]:
        """Remove and return the messages that are due."""
        ready, now = [], self._clock()
        while self._heap and self._heap[0][0] <= now:
            ready.append(heapq.heappop(self._heap)[2:])
        return ready

    def wait(self) -> float:
        """Seconds until the next message is due; infinite if the queue is empty."""
        return max(0.0, self._heap[0][0] - self._clock()) if self._heap else float("inf")
