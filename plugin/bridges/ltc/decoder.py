"""Decodes linear timecode (LTC, SMPTE ST 12-1): 80 bits a frame as biphase mark, in a channel of sound.

Every bit begins with a change of polarity; a 1 has another one in its middle. The last 16 bits of a frame are a word
that comes nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sonorama.engine.control.timecode import Timecode
from sonorama.engine.units import Samples

BITS = 80
SYNC, SYNC_AT = 0xBFFC, 64
"""The sync word, its first bit lowest, and its place in the frame."""
RATES = (24, 25, 30)
QUIET = 0.003
"""Height (-50 dB) below which there is no signal."""
_MIDDLE_RATE = 27.0
_SLOWEST, _FASTEST = 16.0, 45.0
"""Frames a second that are followed."""
_HALF, _GAP = 0.75, 1.5
"""Of a bit's length: shorter is half a bit, longer is a gap."""
_HYSTERESIS = 0.3
_FOLLOW = 0.05
"""Part of the difference to each bit's length by which the expected one moves."""


class Decoder:
    """Decodes one channel, forward only.

    Args:
        rate: of the samples in Hz.

    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._bit = rate / (BITS * _MIDDLE_RATE)
        self._high = False
        self._since = 0.0
        self._half = False
        self._word = self._count = self._fps = 0
        self._last = 0, 0

    def push(self, samples: Samples) -> Iterator[tuple[Timecode, int]]:
        """The frames that end in these samples, float32 [n]: (label, index of the sample at which the frame ends).
        At least some milliseconds at a time, since the middle between high and low is taken from them.
        """
        if not samples.size:
            return
        low, high = float(samples.min()), float(samples.max())
        if not high - low > QUIET:
            self._lose()
            return
        before = 0
        for change in self._changes(samples, (high + low) / 2, (high - low) / 2):
            length, before, self._since = self._since + change - before, change, 0.0
            bit = self._read(length)
            if bit is not None and (label := self._shift(bit)) is not None:
                yield label, change
        self._since += samples.size - before

    def _changes(self, samples: Samples, middle: float, height: float) -> list[int]:
        """Indices at which the polarity has changed, with hysteresis."""
        apart = samples - middle
        sides = np.where(apart > _HYSTERESIS * height, 1, np.where(apart < -_HYSTERESIS * height, -1, 0))
        at = np.flatnonzero(sides)
        highs = sides[at] > 0
        changed = np.diff(highs, prepend=self._high)
        self._high = bool(highs[-1])
        return at[changed].tolist()

    def _read(self, length: float) -> int | None:
        """The bit that ends with a change after so many samples; None: it is not at its end."""
        if length > _GAP * self._bit:
            self._lose()
            return None
        half = length < _HALF * self._bit
        self._follow(2 * length if half else length)
        if half:
            self._half = not self._half
            return None if self._half else 1
        self._half = False  # else half a bit was of no pair: the changes were counted from the middle of a bit
        return 0

    def _follow(self, length: float) -> None:
        bit = self._bit + _FOLLOW * (length - self._bit)
        self._bit = min(max(bit, self._rate / (BITS * _FASTEST)), self._rate / (BITS * _SLOWEST))

    def _lose(self) -> None:
        self._half, self._count = False, 0

    def _shift(self, bit: int) -> Timecode | None:
        self._word = self._word >> 1 | bit << BITS - 1
        self._count += 1
        if self._count < BITS or self._word >> SYNC_AT != SYNC:
            return None
        self._learn(self._word >> 16 & 15, (self._word & 15) + 10 * (self._word >> 8 & 3))
        return label(self._word, self._fps or min(RATES, key=lambda fps: abs(self._rate / (BITS * self._bit) - fps)))

    def _learn(self, second: int, frame: int) -> None:
        """The frames of a second are known where one ends, whatever the speed."""
        before, self._last = self._last, (second, frame)
        if second != before[0] and frame in (0, 2) and before[1] + 1 in RATES:
            self._fps = before[1] + 1


def label(word: int, fps: int) -> Timecode | None:
    """The label in the 80 bits of a frame, its first bit lowest; None if there is no such time."""

    def digits(at: int, tens: int) -> int:
        return (word >> at & 15) + 10 * (word >> at + 8 & (1 << tens) - 1)

    made = Timecode(digits(48, 2), digits(32, 3), digits(16, 3), digits(0, 2), fps, bool(word >> 10 & 1) and fps == 30)
    return made if made.valid else None
