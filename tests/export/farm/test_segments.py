"""Segments come back whole and in order, whatever happens to the workers."""

from collections.abc import Iterator

import numpy as np
import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.units import Array
from sonorama.export.farm.segments import LONGEST, SEGMENT, WorkerDied, painted


class Paper:
    """A farm that paints the code's own number; dies when it is told."""

    def __init__(self, workers: int = 2, dies_at: tuple[int, ...] = ()) -> None:
        self.workers, self._dies_at = workers, list(dies_at)
        self.asked = self.open = self.most = self.restarts = 0
        self._alive: set[int] = set()

    def submit(self, codes: Array) -> tuple[int, Array]:
        self.asked += 1
        self.open += 1
        self.most = max(self.most, self.open)
        self._alive.add(self.asked)
        return self.asked, codes[:, :1, :1, None].repeat(3, 3)

    def result(self, ticket: tuple[int, Array]) -> Array:
        number, pictures = ticket
        if self._dies_at and number >= self._dies_at[0]:
            self._dies_at.pop(0)
            self._alive.clear()
        if number not in self._alive:
            raise WorkerDied
        self.open -= 1
        return pictures

    def restart(self) -> None:
        self.restarts += 1
        self.open = 0

    def close(self) -> None:
        """Nothing to end."""


def codes(n: int, missing: range = range(0)) -> Iterator[Array | None]:
    for index in range(n):
        yield None if index in missing else np.full((2, 4), index, np.float32)


def numbers(pictures: Iterator[Array | None]) -> list[int | None]:
    return [None if picture is None else int(picture[0, 0, 0]) for picture in pictures]


@pytest.mark.parametrize("n", [0, 1, SEGMENT - 1, SEGMENT, 10 * SEGMENT + 3])
@pytest.mark.parametrize("missing", [range(0), range(3, 9), range(2 * LONGEST)])
def test_order_and_gaps(n: int, missing: range) -> None:
    farm = Paper()
    assert numbers(painted(codes(n, missing), farm)) == [None if index in missing else index for index in range(n)]
    assert farm.most <= 2 * farm.workers + 1


def test_a_worker_that_dies_costs_time_only() -> None:
    farm = Paper(dies_at=(2, 9))
    assert numbers(painted(codes(60), farm)) == [*range(60)]
    assert farm.restarts == 2


def test_a_segment_that_always_kills_is_given_up() -> None:
    with pytest.raises(SonoramaError, match="3 times"):
        numbers(painted(codes(60), Paper(dies_at=(3, 3, 3, 3))))
