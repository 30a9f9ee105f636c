"""Converts sound of any rate and channel count to the sample ring's format: float32 stereo at 44,100 Hz. Causal."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from ..units import SAMPLE_RATE, Samples
from .in_phase import InPhase, downmix

LOUDEST = 1000.0
"""60 dB above full scale: louder samples come from driver faults and would dominate all that follows."""
_LEFT = {"FL", "FLC", "DL", "BL", "SL"}
_RIGHT = {"FR", "FRC", "DR", "BR", "SR"}


def stereo_mix(names: tuple[str, ...]) -> Samples:
    """Gains of a stereo mix, float32 [2, channels]; their mean over both sides is `in_phase.downmix`.

    Args:
        names: FFmpeg's channel names. Two channels are left and right; else unknown ones are averaged to both sides.

    """
    if len(names) == 2 and "LFE" not in names:
        return np.eye(2, dtype=np.float32)
    mono = downmix(names)
    known = len(names) > 2 and not np.allclose(mono, 1 / len(names))
    left = np.array([2.0 if known and name in _LEFT else 0.0 if known and name in _RIGHT else 1.0 for name in names])
    return np.stack([mono * left, mono * (2 - left)]).astype(np.float32)


class ToStereo:
    """Converts one stream of blocks.

    Args:
        rate: sample rate of the input in Hz.
        channels: channels of the input. One goes to both sides, two are left and right, more are averaged to both.

    """

    def __init__(self, rate: int, channels: int) -> None:
        self.rate = rate
        self.channels = channels
        self.broken = 0
        """Number of samples so far that were NaN, infinite or above LOUDEST; they are replaced by 0."""
        self._mix = None if channels == 2 else stereo_mix(("?",) * channels)
        self._in_phase = InPhase(rate) if channels == 2 else None
        self._resampler = None if rate == SAMPLE_RATE else AudioResampler("fltp", "stereo", SAMPLE_RATE)
        self._count = 0

    def push(self, block: Samples) -> Samples:
        """Convert a block float32 [channels, n] to float32 [2, m]; m / n is 44100 / rate in the long run."""
        with np.errstate(over="ignore"):
            block = np.asarray(block, np.float32)
        sane = np.abs(block) <= LOUDEST  # also False for NaN
        if not sane.all():
            self.broken += int(sane.size - np.count_nonzero(sane))
            block = np.where(sane, block, np.float32(0))
        if self._mix is not None:
            # Row by row, because the rounding of a matrix product may depend on the block size.
            rows = [sum((g * row for g, row in zip(gains, block, strict=True)), np.float32(0)) for gains in self._mix]
            block = np.stack(rows).astype(np.float32, copy=False)
        if self._in_phase is not None:
            left, right = block
            turned = self._in_phase.push(left, right)
            block = block if turned is right else np.stack([left, turned])
        return block if self._resampler is None else self._resample(self._resampler, block)

    def _resample(self, resampler: AudioResampler, block: Samples) -> Samples:
        if not block.shape[1]:
            return block
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(block, np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = self.rate, self._count, Fraction(1, self.rate)
        self._count += block.shape[1]
        parts = [np.asarray(out.to_ndarray(), np.float32) for out in resampler.resample(frame)]
        return np.concatenate(parts, axis=1) if parts else np.zeros((2, 0), np.float32)
