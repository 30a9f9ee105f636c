"""When a training ends: the expected seconds of its steps, corrected by how long those before took."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

EARLY = 0.05
"""Share of a step below which its own pace says nothing yet."""
_TELLING_S = 5.0
"""Expected seconds of a step below which its pace says nothing of others: it is all beginning and end."""


def in_words(seconds: float) -> str:
    """A length of time: `about 3 h 20 min`, `about 4 min`, `less than a minute`."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"about {minutes} min" if minutes < 60 else f"about {minutes // 60} h {minutes % 60:02d} min"


@dataclass
class Schedule:
    """The steps of a training in their order.

    Attributes:
        expected: seconds of each step by its name.
        clock: seconds that only grow.

    """

    expected: Mapping[str, float]
    clock: Callable[[], float] = time.monotonic
    step: str = ""
    share: float = 0.0
    _begun: float = 0.0
    _first: float = 0.0
    _taken: dict[str, float] = field(default_factory=dict)

    def at(self, step: str, share: float) -> None:
        """A step is done to a share in 0..1, and those before it are over. Unexpected names are passed over."""
        if step not in self.expected:
            return
        now = self.clock()
        if step != self.step:
            if self.step and self.share > 0:
                self._taken[self.step] = (now - self._begun) / max(EARLY, 1 - self._first)
            self.step, self._begun, self._first = step, now, share
        self.share = share

    def remaining(self) -> float:
        """Seconds until the end."""
        if not self.step:
            return sum(self.expected.values())
        names = list(self.expected)
        after = names[names.index(self.step) + 1 :]
        return self._rest_of_step() + self._pace() * sum(self.expected[name] for name in after)

    def _rest_of_step(self) -> float:
        done, spent = self.share - self._first, self.clock() - self._begun
        if done < EARLY:
            return max(0.0, self._pace() * self.expected[self.step] * (1 - self._first) - spent)
        return max(0.0, (1 - self.share) * spent / done)

    def _pace(self) -> float:
        """How many times longer than expected the steps took that are over; 1 where none is."""
        telling = {name: s for name, s in self._taken.items() if self.expected[name] >= _TELLING_S}
        expected = sum(self.expected[name] for name in telling)
        return sum(telling.values()) / expected if telling else 1.0
