"""Envelopes of kick, snare and hat: hits in three frequency bands, each with its own band, scale, smoothing and gate.

A hit is a rise of a band's level. It is measured against the highest rises of the last seconds, so a quiet drum counts
as much as a loud one. Causal, one value per hop of 10 ms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..control import sound_table
from ..units import Float64Array

DRUMS = (*sound_table.DRUMS,)
HOP_S = 0.01
_MEAN_FALL, _PEAK_FALL = 0.5 ** (HOP_S / 2.0), 0.5 ** (HOP_S / 4.0)
_ABOVE = 8.0
"""A hit is measured against at least so many times the mean rise: in noise no rise is far above the others."""
_FLOOR = 0.02
"""Least rise of the square root of a magnitude that a hit is measured against: about -55 dBFS from silence."""


@dataclass(frozen=True, slots=True)
class DrumSettings:
    """One band.

    Attributes:
        low, high: its cut-off frequencies in Hz, in either order.
        scale: factor on the height of its hits.
        smooth: half-life of their decay in s.
        gate: strength of a hit, relative to the strongest of the last seconds, below which it does not count, 0..1.

    """

    low: float
    high: float
    scale: float = 1.0
    smooth: float = 0.12
    gate: float = sound_table.GATE


KIT: Mapping[str, DrumSettings] = {
    name: DrumSettings(low, high, smooth=smooth) for name, (low, high, smooth) in sound_table.DRUMS.items()
}
"""The settings of each drum at the start."""


class Drums:
    """Follows the three drums. heights: of each, 0..1, after the last hop."""

    def __init__(self, bin_hz: float) -> None:
        """`bin_hz`: distance of the spectrum's bins in Hz."""
        self._bin_hz = bin_hz
        self.heights = [0.0] * len(DRUMS)
        self._before = [[0.0] * len(DRUMS), [0.0] * len(DRUMS)]  # roots of magnitudes after the last even and odd hop
        self._peaks, self._means = [_FLOOR] * len(DRUMS), [0.0] * len(DRUMS)

    def roots(self, power: Float64Array, kit: Mapping[str, DrumSettings]) -> list[list[float]]:
        """Square roots of the magnitudes of each drum's band, 0..1, by hop [k,3]: a compression between loudness and
        amplitude. power: spectra of the last 23 ms of each hop [k,n]; a full-scale sine has 1.
        """
        edges = [self._bins(kit[name], power.shape[1]) for name in DRUMS]
        bands = [np.add.reduce(power[:, first:last], axis=1).tolist() for first, last in edges]
        return [[energy**0.25 for energy in energies] for energies in zip(*bands, strict=True)]

    def _bins(self, own: DrumSettings, bins: int) -> tuple[int, int]:
        low, high = sorted((own.low, own.high))
        first = min(max(1, math.ceil(low / self._bin_hz)), bins - 1)
        return first, max(first + 1, math.floor(high / self._bin_hz) + 1)

    def step(self, roots: list[float], odd: int, kit: Mapping[str, DrumSettings]) -> list[float]:
        """The heights after the next hop.

        Args:
            roots: of the hop.
            odd: parity of the hop.
            kit: settings of each of DRUMS.

        """
        before = self._before[odd]
        for i, name in enumerate(DRUMS):
            own = kit[name]
            root = roots[i]
            rise, before[i] = max(0.0, root - before[i]), root
            peak = max(rise, self._peaks[i] * _PEAK_FALL, _FLOOR)
            self._peaks[i] = peak
            self._means[i] = mean = rise + (self._means[i] - rise) * _MEAN_FALL
            strength = rise / max(peak, _ABOVE * mean)
            hit = min(strength * own.scale, 1.0) if strength >= max(own.gate, 1e-3) else 0.0
            fall = 0.5 ** (HOP_S / own.smooth) if own.smooth > 0 else 0.0
            self.heights[i] = max(hit, self.heights[i] * fall)
        return self.heights

    def snapshot(self) -> npt.NDArray[np.float64]:
        """The complete state [5,3]."""
        return np.array([self.heights, *self._before, self._peaks, self._means])

    def restore(self, state: npt.NDArray[np.generic]) -> None:
        """Continue from a state returned by `snapshot`."""
        rows = [list(map(float, row)) for row in state.tolist()]
        self.heights, self._before, self._peaks, self._means = rows[0], rows[1:3], rows[3], rows[4]
