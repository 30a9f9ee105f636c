"""The sway of /look/sway: the picture moves about its place while there is sound, faster where it is loud and at hits.

The base latent gets sway x r sum_k sin(2 pi f_k t) a_k, where a_k are the world's first principal axes, each a standard
deviation long, so that the picture changes the way seeds differ; t is a time of its own that runs with the sound and
stands in silence; and r, 0 to 1, comes and goes with the sound. Before any sound, and some seconds after it, there is
none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..audio.features import Features
from ..control.addresses import LOOK_SWAY
from ..units import LEVELS, SAMPLE_RATE, Array
from .latent_motion import StyleSpace, audible, number

STEP = SAMPLE_RATE // 50
"""Samples from one step to the next: 20 ms, a fixed grid, so that every frame rate shows the same."""
SPEEDS = (1.0, 1.37, 0.61, 1.93, 0.79, 1.61)
"""f_k: turns of an axis in one of t. No two have a common period that one would see."""
STEADY, LOUD, HIT = 0.1, 0.4, 1.0
"""Turns of t a second: while there is sound, added at full loudness, and added by an onset while it fades."""
HEARD = 0.2
"""Level from which there is sound: -48 dBFS."""
COMING_S, GOING_S = 0.3, 2.0
"""Half-lives in seconds with which r comes and goes."""


class _Part(NamedTuple):
    """A level's t in turns and r at the last step; turns a second; what r goes to."""

    turns: float = 0.0
    reach: float = 0.0
    pace: float = 0.0
    wanted: float = 0.0

    def after(self, seconds: float) -> tuple[float, float]:
        """T and r so long after the step."""
        half_life = COMING_S if self.wanted > self.reach else GOING_S
        left = 2.0 ** (-seconds / half_life)
        return self.turns + self.pace * seconds, self.wanted + (self.reach - self.wanted) * left


class Sway:
    """Where each level is in its sway. A muted level stands. Belongs to the frame loop."""

    def __init__(self, sample: int = 0) -> None:
        self._parts: dict[str, _Part] = dict.fromkeys(LEVELS, _Part())
        self._since = sample

    def step(self, values: Mapping[str, object], features: Features, sample: int) -> None:
        """Go by the features at the next point of the grid."""
        sound = min(1.0, features.level / HEARD)
        pace, wanted = STEADY * sound + LOUD * features.level**2 + HIT * features.onset, max(sound, features.onset)
        for level, (turns, reach) in self._at(sample).items():
            heard = audible(values, level)
            self._parts[level] = _Part(turns, reach, pace, wanted) if heard else _Part(turns, reach, 0.0, reach)
        self._since = sample

    def _at(self, sample: int) -> dict[str, tuple[float, float]]:
        seconds = max(0, sample - self._since) / SAMPLE_RATE
        return {level: part.after(seconds) for level, part in self._parts.items()}

    def offset(self, values: Mapping[str, object], axes: Array, space: StyleSpace, sample: int) -> Array | None:
        """What it adds to the style codes at a sample of the current frame [L,W]; None for nothing.

        axes: of the world, [8,W].
        """
        far, parts = number(values, LOOK_SWAY), self._at(sample)
        if not far or not any(reach for _, reach in parts.values()):
            return None
        found = np.zeros((space.num_ws, axes.shape[1]), np.float32)
        for level, codes in space.levels.items():
            turns, reach = parts[level]
            heights = [far * reach * math.sin(2 * math.pi * (speed * turns % 1.0)) for speed in SPEEDS]
            found[codes] = np.array(heights, np.float32) @ axes[: len(SPEEDS)]
        return found

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON values."""
        return {"parts": {level: list(part) for level, part in self._parts.items()}, "since": self._since}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the one that gave this snapshot."""
        self._parts = {level: _Part(*map(float, state["parts"][level])) for level in LEVELS}
        self._since = int(state["since"])
