"""The base latent w_0, which sound displaces: of a seed or prompt, mixed with a second seed, drifting, travelling, and
morphing to another one when it is chosen.
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
from .travel import AT_HOME, HOME, Place, SoundPoint, Travel

Identity = tuple[int, int, int]
"""(seed, prompt or -1, second seed)."""


class BaseLatent:
    """w_0 at any sample of the current frame. Only the frame loop uses it.

    Args:
        instrument: the world.
        values: effective values of all parameters.
        sample: where it begins.

    Attributes:
        travel: where the picture is on its journey from the chosen seed.

    """

    def __init__(self, instrument: LoadedWorld, values: Mapping[str, Value], sample: int = 0) -> None:
        self.travel = Travel(sample)
        self._values = values
        self._psi: Array | float = number(values, LOOK_TRUNCATION)
        self._identity = _identity(values)
        self._drifted, self._drifted_from, self._pace = 0.0, 0, 0.0
        self._from: Array | None = None
        self._morph, self._morph_from = 0.0, 0
        self.use(instrument)

    def use(self, instrument: LoadedWorld) -> None:
        """Switch to another world at once; the journey begins anew at the chosen seed."""
        self._seed_bank, self._space = instrument.seed_bank, instrument.space
        self._from = None

    def hear(self, values: Mapping[str, Value], point: SoundPoint) -> None:
        """Travel on by the sound at the next grid point of E_a, before the frame that contains it begins."""
        seed, prompt, _ = self._identity
        home = prompt if prompt >= 0 and number(values, LOOK_TEXT_WEIGHT) >= 0.5 else seed
        self.travel.step(values, point, home, self._seed_bank.codes)

    def begin(self, values: Mapping[str, Value], before: int, sample: int, psi: Array, chosen: bool = False) -> None:
        """Start a frame, from sample `before` to `sample`, with effective values and truncation by code [L,1].

        chosen: somebody chose the seed or the prompt at this frame, be it the one there was.
        """
        pace = number(values, LOOK_DRIFT) / WALK_SECONDS
        if pace != self._pace:
            self._drifted, self._drifted_from, self._pace = self._drift_at(before), before, pace
        identity = _identity(values)
        another = identity[:2] != self._identity[:2]
        home = another or (chosen and self.travel.away)
        if identity == self._identity and not home:
            self._values, self._psi = values, psi
            return
        current = self.at(sample)
        if another:  # the drift starts at the new seed
            self._drifted, self._drifted_from = 0.0, sample
        if home:
            self.travel.go_home(sample)
        self._identity, self._values, self._psi = identity, values, psi
        self._morph, self._morph_from = number(values, SCENE_MORPH) * SAMPLE_RATE, sample
        self._from = current if self._morph >= 1 else None

    def _drift_at(self, sample: int) -> float:
        return self._drifted + self._pace * max(0, sample - self._drifted_from) / SAMPLE_RATE

    def at(self, sample: int) -> Array:
        """w_0 [L,W]."""
        target = self._unmorphed(sample)
        if self._from is None:
            return target
        part = min(max((sample - self._morph_from) / self._morph, 0.0), 1.0)
        if part == 1.0:
            self._from = None
            return target
        eased = np.float32(part * part * (3 - 2 * part))
        return (self._from + eased * (target - self._from)).astype(np.float32)

    def _unmorphed(self, sample: int) -> Array:
        """w_0 [L,W] of the chosen seeds, without the morph from what was before."""
        values, (seed, prompt, second) = self._values, self._identity
        psi, weight = self._psi, number(values, LOOK_TEXT_WEIGHT)
        drifted = self._drift_at(sample)
        chosen = self._seed_bank.drifted(seed, drifted, None if prompt < 0 else prompt, weight)
        w = np.repeat(chosen[None], self._space.num_ws, 0)
        for level, place in self.travel.at(sample).items():
            if place != AT_HOME:
                w[self._space.levels[level]] = self._mixture(place, chosen, drifted)
        w = self._seed_bank.truncated(w, psi)
        mix = per_code(self._space, lambda level: number(values, look_mix(level)))
        if not mix.any():
            return w
        other = self._seed_bank.base(second, psi, 0.0, None, 0.0)
        return (w + mix * (other - w)).astype(np.float32)

    def _mixture(self, place: Place, chosen: Array, drifted: float) -> Array:
        """The latent [W] of a place, without truncation; drift goes on at every seed of it."""
        parts = [(chosen if seed == HOME else self._seed_bank.drifted(seed, drifted), weight) for seed, weight in place]
        return sum((w * np.float32(weight) for w, weight in parts), np.zeros_like(chosen))

    def snapshot(self) -> tuple[dict[str, npt.NDArray[np.generic]], dict[str, Any]]:
        """The whole state, as arrays and as JSON values."""
        mean, travel = self.travel.snapshot()
        arrays: dict[str, npt.NDArray[np.generic]] = {"psi": np.asarray(self._psi, np.float32), "sound_mean": mean}
        arrays |= {} if self._from is None else {"from": self._from}
        drift = [self._drifted, self._drifted_from, self._pace, self._morph, self._morph_from]
        return arrays, {"identity": list(self._identity), "walk": drift, "travel": travel}

    def restore(
        self, arrays: Mapping[str, npt.NDArray[np.generic]], state: Mapping[str, Any], values: Mapping[str, Value]
    ) -> None:
        """Take over a state that `snapshot` gave; `values`: the effective ones of the frame before."""
        seed, prompt, second = state["identity"]
        self._identity, self._values = (seed, prompt, second), values
        self._psi = np.array(arrays["psi"], np.float32)
        self._drifted, self._drifted_from, self._pace, self._morph, self._morph_from = state["walk"]
        self._from = np.array(arrays["from"], np.float32) if "from" in arrays else None
        if "travel" in state:  # not in states of earlier versions
            self.travel.restore(arrays["sound_mean"], state["travel"])


def _identity(values: Mapping[str, Value]) -> Identity:
    return int(number(values, LOOK_SEED)), int(number(values, LOOK_PROMPT)), int(number(values, LOOK_SEED_B))
