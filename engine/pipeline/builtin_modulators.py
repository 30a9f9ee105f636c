"""The modulators that come with sonorama: waves, steps, the beat, drums, and the features of the sound.

Each is an entry point of `sonorama.modulators`, as those of other packages are.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

from ..plugins.interfaces import ModulatorInput

MOST_STEPS = 64


class _Stateless:
    """A modulator whose height follows from its input alone."""

    def __init__(self, number: int) -> None:
        self._number = number

    def snapshot(self) -> Mapping[str, Any]:
        """Nothing: there is no state."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing: there is no state."""


class _Feature(_Stateless):
    """A modulator that is a feature of the sound, as it is.

    Attributes:
        feature: its name among those of Features.

    """

    feature: ClassVar[str]

    def step(self, now: ModulatorInput) -> float:
        """The feature, 0..1."""
        return float(getattr(now.features, self.feature))


class Lfo(_Stateless):
    """A wave, free at its rate or synced to the beat."""

    def step(self, now: ModulatorInput) -> float:
        """Height of the wave that the slot's shape names."""
        return wave(now.shape, self._number, now.turns())


class Steps(_Stateless):
    """A row of heights, one turn through all of them, free or synced to the beat."""

    def step(self, now: ModulatorInput) -> float:
        """Height of the step that is on."""
        return step_height(now.steps, now.turns())


class Beat(_Stateless):
    """1 on the beat, falling to 0 before the next; 0 without a beat."""

    def step(self, now: ModulatorInput) -> float:
        """(1 - phase)^2."""
        return (1.0 - now.features.beat) ** 2 if now.features.bpm else 0.0


class Level(_Feature):
    """Loudness of the sound."""

    feature = "level"


class Bass(_Feature):
    """Fullness of the low band."""

    feature = "bass"


class Mid(_Feature):
    """Fullness of the middle band."""

    feature = "mid"


class High(_Feature):
    """Fullness of the high band."""

    feature = "high"


class Onset(_Feature):
    """1 at a strong onset, falling within a fraction of a second."""

    feature = "onset"


class Kick(_Feature):
    """1 at a strong hit of the kick drum, then falling."""

    feature = "kick"


class Snare(_Feature):
    """1 at a strong hit of the snare drum, then falling."""

    feature = "snare"


class Hat(_Feature):
    """1 at a strong hit of the hi-hat, then falling."""

    feature = "hat"


class Bar(_Stateless):
    """Four steps from 0 to 1, one a bar; 0 without a beat."""

    def step(self, now: ModulatorInput) -> float:
        """See Features.bar."""
        return max(0.0, now.features.bar - 1) / 3


class Phrase(_Feature):
    """Rises from 0 to 1 over 16 bars; 0 without a beat."""

    feature = "phrase"


class Build(_Feature):
    """How far the sound rises over the last seconds."""

    feature = "build"


class Drop(_Feature):
    """1 where the bass comes back, then falling."""

    feature = "drop"


def wave(shape: str, number: int, turns: float) -> float:
    """Height 0 to 1 of the LFO of a slot after so many turns; highest where a turn begins. `random` holds one height
    for a whole turn.
    """
    whole = math.floor(turns)
    part = turns - whole
    match shape:
        case "triangle":
            return abs(1.0 - 2.0 * part)
        case "saw":
            return 1.0 - part
        case "square":
            return 1.0 if part < 0.5 else 0.0
        case "random":
            return _random_height(number, whole)
        case _:
            return 0.5 + 0.5 * math.cos(2.0 * math.pi * part)


@lru_cache(256)
def _random_height(number: int, turn: int) -> float:
    """A number 0 to 1 that belongs to that turn of that slot, in every run."""
    digest = hashlib.blake2b(f"{number}:{turn}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") / 0xFFFFFFFF


def step_height(text: str, turns: float) -> float:
    """Height of the step that is on after so many turns, of which each goes through all steps; 0 without steps."""
    heights = _heights(text)
    return heights[int((turns - math.floor(turns)) * len(heights)) % len(heights)] if heights else 0.0


def is_steps(text: str) -> bool:
    """Whether a text holds steps, or is empty on purpose."""
    return bool(_heights(text)) or not text.strip()


@lru_cache(256)
def _heights(text: str) -> tuple[float, ...]:
    """`1 0 0.5 0` -> numbers, clipped to 0..1; none at all if one word is no number or there are too many."""
    try:
        heights = [float(word) for word in text.split(maxsplit=MOST_STEPS)]
    except ValueError:
        return ()
    if len(heights) > MOST_STEPS or any(map(math.isnan, heights)):
        return ()
    return tuple(min(max(height, 0.0), 1.0) for height in heights)
