"""The meaning mixer: how far each class of a world moves the picture, whether it is heard or not (/meaning/).

A world that has a displacement D_c of its own for every class hears eq. 1 as E_a(x) = R(x) + sum_c a_c(x) D_c: a_c is
how far the class is heard, R what the encoder adds for this sound. The mixer makes of it
rho R(x) + sum_c max(floor_c, amount_c a_c) D_c over the classes that are not muted, with rho = sum_c amount_c share_c.
A world without such displacements has E_a(x) as a whole, which is scaled by rho. All amounts 1 and floors 0: E_a(x).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..control.addresses import meaning
from ..control.render_table import MEANING_SLOTS
from ..units import Array
from .latent_motion import number

QUIET, LOUD_FROM, LOUD_OVER = 0.45, 0.2, 0.5
"""A whisper shows at QUIET of a class's displacement, and all of it from a loudness of LOUD_FROM + LOUD_OVER on (mean
over time of the loudest band, in mel units: 12 dB change it by 0.17)."""
WHOLE_SHARE = 0.5
"""Share of a class from which it counts in full: two sounds at once give both pictures."""


class _Slot(NamedTuple):
    """Addresses of a slot, made once: the mixer runs several times a frame."""

    amount: str
    floor: str
    mute: str
    solo: str


_SLOTS = tuple(
    _Slot(meaning(n, "amount"), meaning(n, "floor"), meaning(n, "mute"), meaning(n, "solo"))
    for n in range(1, MEANING_SLOTS + 1)
)


class Settings(NamedTuple):
    """Amount and floor of every class [K]."""

    amount: Array
    floor: Array


class Displacement(NamedTuple):
    """What the sound makes of the picture at one sample.

    Attributes:
        codes: E_a(x), or R(x) where classes have displacements of their own [L,W].
        presence: 0..1.
        classes: the class's share of what is heard, and a_c [2,K].

    """

    codes: Array
    presence: float
    classes: Array


def class_weights(shares: Array, strength: float, window: Array) -> Array:
    """a_c [K] in 0..1: how far each class is heard.

    Args:
        shares: of the classes, [K] that sums to 1.
        strength: 0..1, of the sound as a whole: its presence, and how far it is any of the classes.
        window: log-mel [128,T] in 0..1, for its loudness.

    """
    loudness = float(window.max(0).mean())
    level = QUIET + (1 - QUIET) * min(1.0, max(0.0, (loudness - LOUD_FROM) / LOUD_OVER))
    return (np.float32(strength * level) * np.minimum(1, shares / np.float32(WHOLE_SHARE))).astype(np.float32)


@dataclass(frozen=True)
class MeaningMixer:
    """The mixer of one world.

    Attributes:
        classes: how many classes it has; those beyond MEANING_SLOTS have no slot and count as they are heard.
        displacements: D_c [K,L,W], or None.

    """

    classes: int
    displacements: Array | None = None

    def __call__(self, values: Mapping[str, object], heard: Displacement) -> Array:
        """The sound displacement [L,W] by the effective values of /meaning/."""
        return self.mixed(self.settings(values), heard)

    def mixed(self, settings: Settings, heard: Displacement) -> Array:
        """The sound displacement [L,W]."""
        amount, shares = settings.amount, heard.classes[0]
        rho = amount @ shares
        codes = heard.codes if (amount == 1).all() else heard.codes * np.float32(rho)
        if self.displacements is None:
            return codes
        weights = self.weights(settings, heard)
        if not weights.any():
            return codes
        return (codes + np.tensordot(weights, self.displacements, 1)).astype(np.float32)

    @staticmethod
    def weights(settings: Settings, heard: Displacement) -> Array:
        """How far each class shows [K]: max(floor_c, amount_c a_c)."""
        return np.maximum(settings.floor, settings.amount * heard.classes[1]).astype(np.float32)

    def settings(self, values: Mapping[str, object]) -> Settings:
        """By the effective values of /meaning/: both 0 where a class is muted, or another is soloed."""
        slots = _SLOTS[: self.classes]
        solo = any(values[slot.solo] for slot in slots)
        amount, floor = np.ones(self.classes, np.float32), np.zeros(self.classes, np.float32)
        for n, slot in enumerate(slots):
            silent = values[slot.mute] or (solo and not values[slot.solo])
            amount[n] = 0.0 if silent else number(values, slot.amount)
            floor[n] = 0.0 if silent else number(values, slot.floor)
        if solo:
            amount[MEANING_SLOTS:] = 0.0
        return Settings(amount, floor)
