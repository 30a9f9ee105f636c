"""The journey of /look/travel: when and to which seeds the picture goes on by itself, and where it is at any sample.

Between stations the picture creeps towards the next one, so that it never stands still. It goes there over a few
seconds at the end of a phrase: of some bars with a beat, of some seconds without. A strong change of what is heard
starts a way to another seed, one whose picture fits the sound. All follows from the sound and the values on the grid
of E_a, so live, batch and replay agree to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..audio.features import Features
from ..control.addresses import LOOK_TRAVEL
from ..units import LEVELS, SAMPLE_RATE, Array
from .latent_motion import audible, number
from .modulators import BeatCount
from .seed_choice import next_seed
from .sound_change import POINT_S, STATISTICS, ChangeDetector, Limits

PERIOD_S = 5.0
"""Seconds of a phrase without a beat at full travel; with a beat, the power of two of bars that comes closest."""
MOST_BARS = 64
CREEP = 2.5
"""A way that is crept takes so many phrases: at the end of the first one the picture has come a third of it."""
HOME = -1
"""In a Place: the chosen seed or prompt."""
Place = tuple[tuple[int, float], ...]
"""A mixture of latents: (seed or HOME, weight), weights sum to 1."""
AT_HOME: Place = ((HOME, 1.0),)


@dataclass(frozen=True)
class SoundPoint:
    """What there is to hear at a grid point of E_a. code: F_a(x), unit [D]; presence: 0..1."""

    sample: int
    code: Array | None
    presence: float
    features: Features


@dataclass(frozen=True)
class Way:
    """From a place to a seed, in `length` samples from sample `begun` on; standing at the place where length is 0."""

    origin: Place
    target: int
    begun: int
    length: int

    def at(self, sample: int) -> Place:
        """Where it is: eased at both ends."""
        part = min(max((sample - self.begun) / self.length, 0.0), 1.0) if self.length else 0.0
        eased = part * part * (3 - 2 * part)
        if eased in (0.0, 1.0):
            return ((self.target, 1.0),) if eased else self.origin
        weights = {seed: weight * (1 - eased) for seed, weight in self.origin}
        weights[self.target] = weights.get(self.target, 0.0) + eased
        return tuple(weights.items())

    def stopped(self, sample: int) -> Way:
        """Standing where it is."""
        return Way(self.at(sample), HOME, sample, 0)


class Travel:
    """Where each level is on the journey. A muted level stands. Belongs to the frame loop."""

    def __init__(self, sample: int = 0) -> None:
        self._detector, self._count = ChangeDetector(), BeatCount()
        self.go_home(sample)

    def go_home(self, sample: int) -> None:
        """Begin anew at the chosen seed."""
        self._ways = {level: Way(AT_HOME, HOME, sample, 0) for level in LEVELS}
        self._course: Way | None = None  # of the levels that are not muted
        self._chosen = 0
        self._left = self._changed = sample

    @property
    def away(self) -> bool:
        """Whether any level may be elsewhere than at the chosen seed."""
        return any(way.length or way.origin != AT_HOME for way in self._ways.values())

    def at(self, sample: int) -> dict[str, Place]:
        """Level -> where it is, at a sample of the current frame."""
        return {level: way.at(sample) for level, way in self._ways.items()}

    def resync(self) -> None:
        """A phrase begins with the next step."""
        self._count.restart = True

    def step(
        self, values: Mapping[str, object], point: SoundPoint, home: int, codes: Array | None,
        limits: Limits = STATISTICS,
    ) -> None:  # fmt: skip
        """Decide at the next grid point.

        Args:
            values: effective values of the table.
            point: the sound there.
            home: seed of the picture that was chosen, or that a prompt chose.
            codes: joint codes of the pictures of the first seeds [N,D], None where the world has none.
            limits: of changes, for the world's ears.

        """
        travel, sample = number(values, LOOK_TRAVEL), point.sample
        if travel <= 0:
            self._rest(sample)
            return
        period = PERIOD_S / travel
        ready = self._since(self._changed, sample) >= period / 3
        changed = self._detector.step(point.code, point.presence, ready, limits)
        phrase = self._phrase_ended(point, period)
        if changed:
            self._changed = sample
            self._go(self._choose(point, home, codes, changed), sample, _between(1.5, period / 6, 3.0))
        elif phrase and self._course is not None:
            self._go(self._course.target, sample, _between(2.0, period / 3, 6.0))
        elif self._course is None or sample - self._course.begun >= self._course.length:
            target = self._choose(point, home, codes, changed)
            self._course = Way((), target, sample, _samples(CREEP * period))
        self._lead(values, self._course, sample)

    def _rest(self, sample: int) -> None:
        if self.away:
            self._ways = {level: way.stopped(sample) if way.length else way for level, way in self._ways.items()}
        self._detector, self._course = ChangeDetector(), None
        self._left = self._changed = sample

    def _since(self, then: int, sample: int) -> float:
        return (sample - then) / SAMPLE_RATE

    def _phrase_ended(self, point: SoundPoint, period: float) -> bool:
        before = self._count.beats
        self._count.step(point.features, POINT_S)
        gone, bpm = self._since(self._left, point.sample), point.features.bpm
        if not bpm or gone < period / 2:
            return not bpm and gone >= period
        bars = 2.0 ** min(max(round(math.log2(period * bpm / 240)), 0), math.log2(MOST_BARS))
        return self._count.beats // (4 * bars) > before // (4 * bars) or gone >= 2.5 * period

    def _choose(self, point: SoundPoint, home: int, codes: Array | None, changed: bool) -> int:
        now = home if self._course is None else self._course.target
        self._chosen += 1
        sound = point.code if point.presence > 0 else None
        return next_seed(codes, home, now, self._chosen, sound, changed)

    def _go(self, target: int, sample: int, seconds: float) -> None:
        self._course, self._left = Way((), target, sample, _samples(seconds)), sample

    def _lead(self, values: Mapping[str, object], course: Way | None, sample: int) -> None:
        """Put the levels on the course; one that was muted joins it where it is."""
        for level, way in self._ways.items():
            if not audible(values, level):
                self._ways[level] = way.stopped(sample) if way.length else way
            elif course is not None and (not way.length or way.begun < course.begun):
                self._ways[level] = Way(way.at(sample), course.target, sample, course.length)

    # --- state

    def snapshot(self) -> tuple[npt.NDArray[np.generic], dict[str, Any]]:
        """The mean of the change detector [D], and the rest as JSON values."""
        mean, detector = self._detector.snapshot()
        count, course = self._count, self._course
        return mean, {
            "ways": {level: _as_json(way) for level, way in self._ways.items()},
            "course": None if course is None else _as_json(course),
            "numbers": [self._chosen, self._left, self._changed],
            "beats": [count.beats, count.bpm, count.restart],
            "detector": detector,
        }

    def restore(self, mean: npt.NDArray[np.generic], state: Mapping[str, Any]) -> None:
        """Go on as the one that gave this snapshot."""
        self._detector.restore(mean, state["detector"])
        self._ways = {level: _way(state["ways"][level]) for level in LEVELS}
        self._course = None if state["course"] is None else _way(state["course"])
        self._chosen, self._left, self._changed = map(int, state["numbers"])
        beats, bpm, restart = state["beats"]
        self._count.beats, self._count.bpm, self._count.restart = float(beats), float(bpm), bool(restart)


def _as_json(way: Way) -> list[Any]:
    return [[list(part) for part in way.origin], way.target, way.begun, way.length]


def _way(said: list[Any]) -> Way:
    origin, target, begun, length = said
    return Way(tuple((int(seed), float(weight)) for seed, weight in origin), int(target), int(begun), int(length))


def _between(low: float, value: float, high: float) -> float:
    return min(max(value, low), high)


def _samples(seconds: float) -> int:
    return max(1, round(seconds * SAMPLE_RATE))
