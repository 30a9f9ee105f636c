"""Mixes channels to mono without losing their power: a pair of opposite phase would cancel out and read as silence.

The mean of left and right has (1 + r)/2 of their power, where r = 2 sum(L R) / (sum(L L) + sum(R R)): all of it for
equal channels, half of it for independent ones, nothing for opposite ones (r = -1: a swapped wire, a "wide" effect).
Where less than a tenth would be left (r < -0.8), the right channel of the pair is turned over first. r is measured in
windows of 50 ms on a fixed grid and acts in the window after, faded over 5 ms, so that live sound needs no delay and a
film reads what a show does. Sound whose r never falls that low keeps every bit.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from ..units import Samples

# Gain of each loudspeaker in the mono mix: the ITU-R BS.775 stereo downmix, then the mean of left and right. Heights
# and the LFE, which BS.775 leaves out, are as loud as the surrounds: thunder and explosions are often there only.
_FRONT, _CENTRE, _AROUND = 0.5, math.sqrt(0.5), math.sqrt(0.125)
_GAINS = {"FL": _FRONT, "FR": _FRONT, "FLC": _FRONT, "FRC": _FRONT, "DL": _FRONT, "DR": _FRONT, "FC": _CENTRE}
_GAINS |= {"WL": _FRONT, "WR": _FRONT}
_GAINS |= dict.fromkeys(("LFE", "LFE2", "BL", "BR", "BC", "SL", "SR", "SDL", "SDR"), _AROUND)
_GAINS |= dict.fromkeys(("TC", "TFL", "TFC", "TFR", "TBL", "TBC", "TBR", "TSL", "TSR"), _AROUND)
_PAIRS = [("FL", "FR"), ("FLC", "FRC"), ("DL", "DR"), ("WL", "WR"), ("BL", "BR"), ("SL", "SR"), ("SDL", "SDR")]
_PAIRS += [("TFL", "TFR"), ("TBL", "TBR"), ("TSL", "TSR")]

_WINDOW_S, _FADE_S = 0.05, 0.005
_KEPT, _TURNED = -0.8, -0.95  # r above the first leaves the phase alone, below the second turns it over
_SILENT = 1e-10  # mean square, -100 dB: a window without sound changes nothing


def downmix(names: tuple[str, ...]) -> np.ndarray:
    """Gains of a mono mix, float32 [channels]; all channels are averaged if one of them is unknown."""
    if not all(name in _GAINS for name in names):
        return np.full(len(names), 1 / len(names), np.float32)
    if len(names) == 1:
        return np.ones(1, np.float32)
    return np.array([_GAINS[name] for name in names], np.float32)


def pairs(names: tuple[str, ...]) -> list[tuple[int, int]]:
    """Indices of the channels that are left and right of each other; two unknown channels are a pair, too."""
    if len(names) == 2 and not all(name in _GAINS for name in names):
        return [(0, 1)]
    return [(names.index(left), names.index(right)) for left, right in _PAIRS if left in names and right in names]


class MonoMix:
    """Mixes a stream of blocks to mono.

    Args:
        names: FFmpeg's channel names.
        rate: in Hz.
        first: position of the first sample in the whole sound, for the grid of windows.

    """

    def __init__(self, names: tuple[str, ...], rate: int, first: int = 0) -> None:
        self._gains = downmix(names)
        self._pairs = [(left, right, InPhase(rate, first)) for left, right in pairs(names)]

    def push(self, block: Samples) -> Samples:
        """Blocks float32 [channels, n] -> mono float32 [n]."""
        rows = list(block)
        for left, right, in_phase in self._pairs:
            rows[right] = in_phase.push(rows[left], rows[right])
        # Row by row, because the rounding of a matrix product may depend on the size of the block.
        mono = self._gains[0] * rows[0]
        for gain, row in zip(self._gains[1:], rows[1:], strict=True):
            mono += gain * row
        return mono


class InPhase:
    """Turns over the right channel of a pair where its mean with the left one would lose power.

    Args:
        rate: in Hz.
        first: position of the first sample in the whole sound.

    """

    def __init__(self, rate: int, first: int = 0) -> None:
        self._window, self._fade = max(1, round(_WINDOW_S * rate)), max(1, round(_FADE_S * rate))
        self._at = first % self._window
        self._waiting: list[tuple[Samples, Samples]] = []
        self._before, self._turn = 1.0, 1.0  # factors of the right channel in the last window and in this one

    def push(self, left: Samples, right: Samples) -> Samples:
        """The samples of the right channel [n], float32, in phase with those of the left one [n]."""
        bounds = [0, *range(self._window - self._at, len(left), self._window), len(left)]
        parts = [self._in_window(left[a:b], right[a:b]) for a, b in pairwise(bounds) if b > a]
        if all(part is old for part, old in parts):
            return right
        return np.concatenate([part for part, _ in parts])

    def _in_window(self, left: Samples, right: Samples) -> tuple[Samples, Samples]:
        out = right
        if not self._before == self._turn == 1.0:
            done = np.clip((np.arange(self._at, self._at + len(right), dtype=np.float32) + 1) / self._fade, 0, 1)
            out = right * (self._before + (self._turn - self._before) * done).astype(np.float32)
        self._waiting.append((left, right))
        self._at += len(left)
        if self._at == self._window:
            self._before, self._turn = self._turn, self._measured()
            self._at = 0
            self._waiting = []
        return out, right

    def _measured(self) -> float:
        left, right = (np.concatenate(parts) for parts in zip(*self._waiting, strict=True))
        with np.errstate(all="ignore"):  # live samples may be anything up to 60 dB above full scale
            power = float(left @ left) + float(right @ right)
            product = 2.0 * float(left @ right)
        if not _SILENT * len(left) < power < math.inf:
            return self._turn
        return min(1.0, max(-1.0, 1.0 - 2.0 * (_KEPT - product / power) / (_KEPT - _TURNED)))
