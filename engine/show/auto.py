"""Changes by itself: another scene or seed after some bars and at drops, while /auto/on is on.

It follows the features that the renderer reports with every frame, so what it asks for goes the way of every change:
panels, OSC and takes see it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from ..audio.features import LIVE_METERS
from ..control.addresses import AUTO_BARS, AUTO_CHANGE, AUTO_DROPS, AUTO_NEXT, AUTO_ON, LOOK_SEED, SCENE_RECALL
from ..control.parameters import Change, Value
from ..pipeline.modulators import PHRASE_BARS
from .shuffle import Shuffle

SOURCE = "auto"
HEARD = 0.05
"""Level from which there is sound; in silence nothing changes."""
SEEDS = 2**31
_LEVEL, _BPM, _DROP, _PHRASE, _BAR = (LIVE_METERS.index(name) for name in ("level", "bpm", "drop", "phrase", "bar"))
_USUAL_BAR_S = 2.0


class AutoChanges:
    """Decides when it is time for another picture.

    Args:
        values: of all parameters, as they are now.
        post: called with the change that asks for another picture.
        clock: monotonic time in seconds.

    """

    def __init__(
        self, values: Callable[[], Mapping[str, Value]], post: Callable[[Change], None], clock: Callable[[], float]
    ) -> None:
        self._values, self._post, self._clock = values, post, clock
        self._bars = 0
        self._bar: int | None = None
        self._drop, self._bar_at = 0.0, clock()

    def hear(self, meters: Sequence[float]) -> None:
        """The features of the next frame, named by LIVE_METERS."""
        values, drop = self._values(), meters[_DROP]
        rose, self._drop = drop > self._drop + 0.3, drop
        begun = self._bar_begun(meters)
        if not values[AUTO_ON] or meters[_LEVEL] < HEARD:
            self._bars = 0 if not values[AUTO_ON] else self._bars
            return
        if begun:
            self._bars += 1
        every = int(values[AUTO_BARS])
        aligned = self._bar is None or self._bar % every == 0 or PHRASE_BARS % every != 0
        due = begun and self._bars >= every and (aligned or self._bars >= 2 * every)
        if due or (rose and values[AUTO_DROPS]):
            self._bars = 0
            self._post(Change(AUTO_NEXT, True, SOURCE))

    def _bar_begun(self, meters: Sequence[float]) -> bool:
        """Whether a bar begins; without a beat, bars take 2 s."""
        if not meters[_BPM]:
            self._bar = None
            if self._clock() - self._bar_at < _USUAL_BAR_S:
                return False
            self._bar_at = self._clock()
            return True
        bar = int(meters[_PHRASE] * PHRASE_BARS + 0.01) % PHRASE_BARS
        begun, self._bar = bar != self._bar and self._bar is not None, bar
        self._bar_at = self._clock()
        return begun


class NextPicture:
    """Chooses another scene or seed. The order is random, and no round through the scenes is like the one before.

    Args:
        rng: source of chance.

    """

    def __init__(self, rng: random.Random | None = None) -> None:
        self._shuffle, self._last = Shuffle(rng), 0

    def choose(self, values: Mapping[str, Value], stored: Sequence[int], source: str) -> Change:
        """The change that leads to another picture.

        Args:
            values: of all parameters.
            stored: numbers of the scenes that hold something; fewer than two: a seed is chosen.
            source: of the change.

        """
        if values[AUTO_CHANGE] == "scenes" and len(stored) >= 2:
            self._last = self._shuffle.choose(stored, self._last)
            return Change(SCENE_RECALL, self._last, source)
        seed = (int(values[LOOK_SEED]) + 1 + self._shuffle.rng.randrange(SEEDS - 1)) % SEEDS
        return Change(LOOK_SEED, seed, source)
