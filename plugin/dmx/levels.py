"""The levels of one universe as a packet brings them."""

from __future__ import annotations

from dataclasses import dataclass

CHANNELS = 512
"""Channels of a universe."""


@dataclass(frozen=True, slots=True)
class Levels:
    """One packet of levels.

    Attributes:
        universe: its number.
        source: who sends, the same for every packet of one sender.
        name: of the sender, for people.
        sequence: 0 to 255, rising by one with every packet of a universe; None: the sender does not count.
        priority: the higher one plays.
        ended: the sender says that it sends no more; `values` is without meaning.
        values: up to CHANNELS levels, 0 to 255, from channel 1 on.

    """

    universe: int
    source: object
    name: str
    sequence: int | None
    values: bytes
    priority: int = 100
    ended: bool = False


class NotDmx(ValueError):
    """A datagram that is not of this protocol."""
