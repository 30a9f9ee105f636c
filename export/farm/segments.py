"""Divides a film's style codes into segments that others paint, and gives the pictures back in their order.

Style codes follow one from the other and are cheap; pictures are dear and do not depend on each other. So the codes are
stepped once, where the film is written, and only they and the pictures travel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...engine.errors import SonoramaError
from ...engine.units import Array

SEGMENT = 8
"""Pictures that are asked for at once: few, so that a worker that dies costs little."""
LONGEST = 256
"""Frames of a segment, with those that nobody needs."""
TRIES = 3
"""How often a segment may lose its worker."""


class WorkerDied(Exception):
    """A worker ended in the middle of a segment; no segment that was asked for will come any more."""


class Farm(Protocol):
    """Workers that paint.

    Attributes:
        workers: how many segments they paint at once.

    """

    workers: int

    def submit(self, codes: Array) -> Any:
        """Have the pictures of style codes [n,L,W] painted; returns what `result` takes."""
        ...

    def result(self, ticket: Any) -> Array:
        """Pictures float32 [n,H,W,3] in 0..1; waits for them. Raises WorkerDied."""
        ...

    def restart(self) -> None:
        """Begin anew after WorkerDied."""
        ...

    def close(self) -> None:
        """End all workers at once."""
        ...


@dataclass
class _Segment:
    """Frames one after the other: which of them are wanted, and the style codes of those [n,L,W]."""

    wanted: list[bool]
    codes: list[Array]
    ticket: Any = None
    tries: int = 0

    @property
    def full(self) -> bool:
        return len(self.codes) == SEGMENT or len(self.wanted) == LONGEST

    def submit(self, farm: Farm) -> None:
        if self.codes:
            self.ticket = farm.submit(np.stack(self.codes))


def painted(codes: Iterable[Array | None], farm: Farm) -> Iterator[Array | None]:
    """Pictures float32 [H,W,3] of style codes [L,W], in the same order; None stays None.

    Raises:
        SonoramaError: a segment lost its worker again and again.

    """
    waiting: deque[_Segment] = deque()
    segment = _Segment([], [])
    for w in codes:
        segment.wanted.append(w is not None)
        if w is not None:
            segment.codes.append(w)
        if segment.full:
            segment.submit(farm)
            waiting.append(segment)
            segment = _Segment([], [])
        if len(waiting) > 2 * farm.workers:
            yield from _pictures(waiting, farm)
    segment.submit(farm)
    waiting.append(segment)
    while waiting:
        yield from _pictures(waiting, farm)


def _pictures(waiting: deque[_Segment], farm: Farm) -> Iterator[Array | None]:
    """Those of the first segment that waits."""
    first = waiting[0]
    pictures = iter(_result(waiting, farm) if first.codes else ())
    waiting.popleft()
    for wanted in first.wanted:
        yield next(pictures) if wanted else None


def _result(waiting: deque[_Segment], farm: Farm) -> Array:
    first = waiting[0]
    while True:
        try:
            return farm.result(first.ticket)
        except WorkerDied as died:
            first.tries += 1
            if first.tries == TRIES:
                message = f"What paints the film ended {TRIES} times on the same pictures"
                raise SonoramaError(message, "Use fewer --jobs: memory may not suffice.") from died
            farm.restart()
            for segment in waiting:
                segment.submit(farm)
