"""Detects strong changes of what is heard: the sound embedding F_a(x) against its own slow mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..units import Float64Array

POINT_S = 0.1
"""Seconds from one step to the next: the grid of E_a."""


@dataclass(frozen=True)
class Limits:
    """Cosine distance from the mean above which the sound has changed, and below which a change can be found again."""

    changed: float
    similar: float


STATISTICS = Limits(0.3, 0.15)
"""For ears that hear statistics: in the joint space of `shore` three quarters of steady recordings stay below 0.12;
from one class to another it is 0.45 to 0.87 (quartiles)."""
FRAMES = Limits(0.2, 0.1)
"""For ears that hear frames: in the joint space of `meridian` three quarters of the same recordings stay below 0.08;
from one class to another it is 0.32 to 0.53."""
QUIET, PRESENT = 0.1, 0.5
"""Presence below which there is silence, and above which there is sound."""
_SLOW = 0.5 ** (POINT_S / 6.0)  # of the mean, half-life of 6 s
_SETTLING = 0.5 ** (POINT_S / 0.7)
# Points: F_a's window of 4 s, in which the new sound replaces the old one; silence that counts; confirmation.
_WINDOW, _SILENCE, _CONFIRM = 40, 15, 5


class ChangeDetector:
    """One step each 100 ms of sound. Belongs to the frame loop.

    A change is a sound that differs from the mean for half a second, or the first half second of sound after 1.5 s of
    silence. After it the mean settles on the new sound quickly, so that one change is found once.
    """

    def __init__(self) -> None:
        self._mean: Float64Array = np.zeros(0)
        self._armed = True
        self._settling = _WINDOW  # points left
        self._quiet = self._present = self._above = 0  # points so far

    def step(
        self, code: npt.NDArray[np.floating[Any]] | None, presence: float, ready: bool, limits: Limits = STATISTICS
    ) -> bool:
        """Whether the sound has changed.

        Args:
            code: F_a(x), unit [D]; None or zero where there is none.
            presence: 0..1, how far there is sound.
            ready: whether a change is wanted now; otherwise it is kept until it is, while it lasts.
            limits: those of the world's ears.

        """
        if presence < QUIET:
            self._quiet, self._present, self._above = self._quiet + 1, 0, 0
            return False
        self._present += presence > PRESENT
        returned = self._quiet >= _SILENCE
        if self._present >= _CONFIRM and not returned:
            self._quiet = 0
        if code is None or not code.any():
            return False
        distance = self._distance(code)
        self._armed = self._armed or distance < limits.similar
        self._above = self._above + 1 if self._armed and distance > limits.changed else 0
        changed = ready and (self._present if returned else self._above) >= _CONFIRM
        if changed:
            self._quiet, self._above, self._armed, self._settling = 0, 0, False, _WINDOW
        self._follow(code)
        return changed

    def _distance(self, code: npt.NDArray[np.floating[Any]]) -> float:
        if self._mean.shape != code.shape:  # the first code, or one of another world
            self._mean = code.astype(np.float64)
        length = float(np.sqrt(np.add.reduce(self._mean * self._mean)))
        return 1.0 - float(np.add.reduce(self._mean * code)) / max(length, 1e-9)

    def _follow(self, code: npt.NDArray[np.floating[Any]]) -> None:
        rho = _SETTLING if self._settling else _SLOW
        self._settling = max(0, self._settling - 1)
        self._mean = rho * self._mean + (1 - rho) * code

    def snapshot(self) -> tuple[Float64Array, list[Any]]:
        """The mean [D], and the rest as JSON values."""
        return self._mean, [self._armed, self._settling, self._quiet, self._present, self._above]

    def restore(self, mean: npt.NDArray[np.generic], state: list[Any]) -> None:
        """Go on as the one that gave this snapshot."""
        self._mean = np.array(mean, np.float64)
        self._armed = bool(state[0])
        self._settling, self._quiet, self._present, self._above = map(int, state[1:])
