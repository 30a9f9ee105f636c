"""Places of the classes: where the picture goes while a class is heard, in worlds that have such (`meaning.places`).

A displacement that is added to any picture has no picture of its own to lead to, and ends in haze. A class may
therefore have places, latents of pictures that show it: a storm sky, a waterfall. While it is heard the base latent is
w_0 + p (P - w_0), where P is one of them, chosen by the seed; E_a then adds the weather.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..model.seed_bank import along_drift
from ..units import Array
from .travel import HOME, Place

FULL = 0.6
"""Sum of a_c from which the classes that are heard take the picture all the way to their places."""
SHARPNESS = 3.0
"""Of two sounds at once the one that is heard more gives the place: shares are a_c to this power. Halfway between two
places is the blandest picture."""


class Pull(NamedTuple):
    """How far a level goes to the places of what is heard, 0..1, and the share of every class [K]."""

    strength: float
    shares: Array


@dataclass(frozen=True)
class ClassPlaces:
    """The places of a world.

    Attributes:
        latents: of all places, without truncation [N,W].
        classes: the class that each belongs to [N], indices.

    """

    latents: Array
    classes: npt.NDArray[np.integer]
    _chosen: dict[tuple[int, int], int] = field(default_factory=dict)
    _of_seeds: dict[int, Array] = field(default_factory=dict)

    @cached_property
    def having(self) -> npt.NDArray[np.integer]:
        """The classes that have places, rising."""
        return np.unique(self.classes)

    def pull(self, weights: Array, reach: float) -> Pull:
        """By the mixed a_c of all classes [K], and how far the level goes, from 0.

        A way is at most 1: beyond the place there is nothing.
        """
        heard = np.zeros(len(weights), np.float32)
        heard[self.having] = weights[self.having]
        total = float(heard.sum())
        if total <= 0 or reach <= 0:
            return Pull(0.0, np.zeros_like(heard))
        shares = (heard / heard.max()) ** np.float32(SHARPNESS)
        return Pull(min(1.0, reach * min(1.0, total / FULL)), shares / shares.sum())

    def at(self, shares: Array, place: Place, home: int, drifted: float) -> Array:
        """P [W], without truncation: a mixture by the shares of classes [K].

        Args:
            shares: of the classes.
            place: of the journey; its seeds choose the places, HOME being the seed `home`.
            home: see there.
            drifted: as of SeedBank.base; the places go on with the seeds.

        """
        mixed = np.zeros((len(self.having), self.latents.shape[1]), np.float32)
        for seed, weight in place:
            mixed += np.float32(weight) * along_drift(self._latents_of, home if seed == HOME else seed, drifted)
        return shares[self.having] @ mixed

    def _latents_of(self, seed: int) -> Array:
        """The places that a seed has, of every class that has any [k,W]."""
        if seed not in self._of_seeds:
            if len(self._of_seeds) > 64:
                self._of_seeds.clear()
            self._of_seeds[seed] = self.latents[[self.of_seed(int(index), seed) for index in self.having]]
        return self._of_seeds[seed]

    def of_seed(self, index: int, seed: int) -> int:
        """Which place of a class a seed has, always the same; 0 where the class has none."""
        if (index, seed) not in self._chosen:
            if len(self._chosen) > 4096:
                self._chosen.clear()
            own = np.flatnonzero(self.classes == index)
            self._chosen[index, seed] = int(np.random.default_rng((seed, index)).choice(own)) if len(own) else 0
        return self._chosen[index, seed]


def places_of(tensors: Mapping[str, npt.NDArray[Any]]) -> ClassPlaces | None:
    """Those of a world's tensors, None where it has none."""
    if "meaning.places" not in tensors:
        return None
    return ClassPlaces(tensors["meaning.places"].astype(np.float32), tensors["meaning.place_classes"])
