"""Which recordings a training may use, and which are kept for figures.

Development sounds are those that stages learn from and choices are made by. Final sounds are kept from E_a and E_RNN
and from every choice; F_a of a shipped world hears all of them (docs/hearing.md has its own held-out figures).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

HELD_OUT = "held-out"
"""What the column `split` of a manifest says of files that are kept out of training."""
FINAL_EVERY = 5
"""Every so many sources of a class are final; classes with fewer than three have none."""


class Sourced(Protocol):
    """A recording."""

    @property
    def class_id(self) -> str:
        """Its class."""
        ...

    @property
    def source(self) -> str:
        """Who recorded it and which sound of theirs."""
        ...


def final_sources(recordings: Iterable[Sourced]) -> set[tuple[str, str]]:
    """(class, source) of the final recordings."""
    by_class: dict[str, set[str]] = {}
    for r in recordings:
        by_class.setdefault(r.class_id, set()).add(r.source)
    return {
        (k, source)
        for k, sources in by_class.items()
        if len(sources) >= 3
        for source in sorted(sources)[FINAL_EVERY // 2 :: FINAL_EVERY]
    }


R = TypeVar("R", bound=Sourced)


def split(recordings: Sequence[R]) -> tuple[list[R], list[R]]:
    """Development and final recordings, in their order; whole sources."""
    final = final_sources(recordings)
    out: tuple[list[R], list[R]] = ([], [])
    for r in recordings:
        out[(r.class_id, r.source) in final].append(r)
    return out
