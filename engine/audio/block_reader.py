"""Reads what a source wrote into its ring, for the show: converted to stereo, without channels that others take."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

import numpy as np

from ..units import Samples
from .ring_memory import RingMemory, SamplesLost
from .to_stereo import ToStereo

log = logging.getLogger(__name__)
_LOUD, _CANCELLED = 1e-4, 1e-4
"""Mean square from which sound is loud (-40 dB), and the part of it that is left where channels cancel out (-40 dB)."""
TakeBlock = Callable[[Samples, int, int], None]
"""(float32 [n] of one channel, its rate in Hz, monotonic nanoseconds of its last sample)."""


class BlockReader:
    """The pump's side of a source that plays: takes what is new in its ring, converted.

    Args:
        ring: that the source fills.
        wait: returns when a block may have come, at the latest after so many seconds.
        taken: who gets which channel, from 1, instead of the show; of a mono source it is silence.

    """

    def __init__(
        self, ring: RingMemory, wait: Callable[[float], object], taken: Mapping[int, TakeBlock] | None = None
    ) -> None:
        self._ring, self._position, self.wait = ring, 0, wait
        taken = taken or {}
        self.missing = [number for number in taken if number > ring.channels]
        """Channels that are taken and not there."""
        self._taken = {number - 1: take for number, take in taken.items() if number <= ring.channels}
        self._rest = [channel for channel in range(ring.channels) if channel not in self._taken]
        self._convert = ToStereo(ring.rate, len(self._rest) or 1)
        self.cancelled_s = 0.0
        """Seconds of loud sound without a break whose channels cancelled out in the mix, up to now."""

    @property
    def broken(self) -> int:
        """Samples so far that were NaN, infinite or far too loud."""
        return self._convert.broken

    def take(self) -> tuple[Samples, int, float] | None:
        """What came since the last call: (float32 [2,n] at 44.1 kHz, monotonic nanoseconds of its last sample, its
        length in seconds), or None. What was overwritten meanwhile is skipped.
        """
        start, self._position = self._position, self._ring.count
        if self._position == start:
            return None
        try:
            block = self._ring.read(start, self._position)
        except SamplesLost:
            return None
        captured_ns = self._ring.captured_ns(self._position - 1)
        if self._taken:
            block = self._share(block, captured_ns)
        sound, seconds = self._convert.push(block), block.shape[1] / self._ring.rate
        if sound.size:  # the resampler may hold a short block back
            loud, left = _mean_square(block), _mean_square(sound.mean(axis=0))
            self.cancelled_s = self.cancelled_s + seconds if loud >= _LOUD and left < loud * _CANCELLED else 0.0
        return sound, captured_ns, seconds

    def _share(self, block: Samples, captured_ns: int) -> Samples:
        for channel, take in self._taken.items():
            try:
                take(block[channel], self._ring.rate, captured_ns)
            except Exception:  # (whose it is may be a plug-in, whatever it raises must not end the sound)
                log.exception("A block of channel %d could not be taken", channel + 1)
        return block[self._rest] if self._rest else np.zeros((1, block.shape[1]), np.float32)


def _mean_square(sound: Samples) -> float:
    with np.errstate(all="ignore"):  # samples of a broken source
        return float(np.mean(np.square(sound)))
