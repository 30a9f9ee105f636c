"""A random order that is never the same twice, and never repeats what is shown."""

from __future__ import annotations

import random
from collections.abc import Sequence


class Shuffle:
    """Chooses by chance among numbers: each once a round, and no round is like the one before.

    Args:
        rng: source of chance.

    """

    def __init__(self, rng: random.Random | None = None) -> None:
        self.rng = rng or random.SystemRandom()
        self._round: list[int] = []
        self._left: list[int] = []

    def choose(self, among: Sequence[int], last: int) -> int:
        """The next number.

        Args:
            among: at least one number; they may be others than before.
            last: what is shown now, which is not chosen unless it is the only one.

        """
        left = [one for one in self._left if one in among]
        if not left or left[0] == last:
            left = self._round = self._shuffled(among, last)
        chosen, *self._left = left
        return chosen

    def _shuffled(self, among: Sequence[int], last: int) -> list[int]:
        while True:
            order = self.rng.sample([*among], len(among))
            if len(order) == 1 or (order[0] != last and (order != self._round or len(order) < 3)):
                return order
