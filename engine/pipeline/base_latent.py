"""Where the picture stands before sound moves it: w_0 of a seed or prompt, mixed with a second place, walking, and
crossing over to another place when one is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..control.addresses import (
    LOOK_DRIFT,
    LOOK_PROMPT,
    LOOK_SEED,
    LOOK_SEED_B,
    LOOK_TEXT_WEIGHT,
    LOOK_TRUNCATION,
    SCENE_MORPH,
    look_mix,
)
from ..control.parameters import Value
from ..model.seed_bank import WALK_SECONDS
from ..units import SAMPLE_RATE, Array
from .latent_motion import number, per_code
from .loaded_world import LoadedWorld

Identity = tuple[int, int, int]
"""(seed, prompt or -1, second seed)."""


class BaseLatent:
    """w_0 at any sample of the present frame. Belongs to the frame loop."""

    def __init__(self, instrument: LoadedWorld, values: Mapping[str, Value]) -> None:
        self._values = values
        self._psi: Array | float = number(values, LOOK_TRUNCATION)
        self._identity = _identity(values)
        self._walked, self._walked_at, self._pace = 0.0, 0, 0.0
        self._from: Array | None = None
        self._crossing, self._crossing_at = 0.0, 0
        self.use(instrument)

    def use(self, instrument: LoadedWorld) -> None:
        """Stand in another world from now on, at once."""
        self._places, self._space = instrument.places, instrument.space
        self._from = None

    def begin(self, values: Mapping[str, Value], before: int, sample: int, psi: Array) -> None:
        """A new frame: from sample `before` to `sample`, with these effective values and truncation by code [L,1]."""
        pace = number(values, LOOK_DRIFT) / WALK_SECONDS
        if pace != self._pace:
            self._walked, self._walked_at, self._pace = self._walk_at(before), before, pace
        identity = _identity(values)
        if identity == self._identity:
            self._values, self._psi = values, psi
            return
        here = self.at(sample)
        if identity[:2] != self._identity[:2]:  # another place to start from: the walk begins there
            self._walked, self._walked_at = 0.0, sample
        self._identity, self._values, self._psi = identity, values, psi
        self._crossing, self._crossing_at = number(values, SCENE_MORPH) * SAMPLE_RATE, sample
        self._from = here if self._crossing >= 1 else None

    def _walk_at(self, sample: int) -> float:
        return self._walked + self._pace * max(0, sample - self._walked_at) / SAMPLE_RATE

    def at(self, sample: int) -> Array:
        """w_0 [L,W]."""
        there = self._place(sample)
        if self._from is None:
            return there
        part = min(max((sample - self._crossing_at) / self._crossing, 0.0), 1.0)
        if part == 1.0:
            self._from = None
            return there
        eased = np.float32(part * part * (3 - 2 * part))
        return (self._from + eased * (there - self._from)).astype(np.float32)

    def _place(self, sample: int) -> Array:
        values, (seed, prompt, second) = self._values, self._identity
        psi, weight = self._psi, number(values, LOOK_TEXT_WEIGHT)
        walked = self._walk_at(sample)
        here = self._places.base(seed, psi, walked, None if prompt < 0 else prompt, weight)
        mix = per_code(self._space, lambda level: number(values, look_mix(level)))
        if not mix.any():
            return here
        other = self._places.base(second, psi, 0.0, None, 0.0)
        return (here + mix * (other - here)).astype(np.float32)

    def snapshot(self) -> tuple[dict[str, npt.NDArray[np.generic]], dict[str, Any]]:
        """Everything it knows, as arrays and as JSON values."""
        arrays: dict[str, npt.NDArray[np.generic]] = {"psi": np.asarray(self._psi, np.float32)}
        arrays |= {} if self._from is None else {"from": self._from}
        walk = [self._walked, self._walked_at, self._pace, self._crossing, self._crossing_at]
        return arrays, {"identity": list(self._identity), "walk": walk}

    def restore(
        self, arrays: Mapping[str, npt.NDArray[np.generic]], state: Mapping[str, Any], values: Mapping[str, Value]
    ) -> None:
        """Go on as the one that gave them; `values`: the effective ones of the frame before."""
        seed, prompt, second = state["identity"]
        self._identity, self._values = (seed, prompt, second), values
        self._psi = np.array(arrays["psi"], np.float32)
        self._walked, self._walked_at, self._pace, self._crossing, self._crossing_at = state["walk"]
        self._from = np.array(arrays["from"], np.float32) if "from" in arrays else None


def _identity(values: Mapping[str, Value]) -> Identity:
    return int(number(values, LOOK_SEED)), int(number(values, LOOK_PROMPT)), int(number(values, LOOK_SEED_B))
