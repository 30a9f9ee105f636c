"""Frame rates as exact fractions, and the grid that ties frames to samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from ..units import SAMPLE_RATE

_BROADCAST = (24, 30, 48, 60, 120)


def exact_rate(fps: float | Fraction) -> Fraction:
    """Frames a second: 29.97, 23.976 and their like mean 1000/1001 of a whole rate; others are taken to 1/1000."""
    rate = fps if isinstance(fps, Fraction) else Fraction(round(fps * 1000), 1000)
    exact = (Fraction(1000 * whole, 1001) for whole in _BROADCAST)
    return next((one for one in exact if rate.denominator > 1 and abs(one - rate) < Fraction(6, 1000)), rate)


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """Which sample a frame is about: `sample0 + floor((frame - frame0) * SAMPLE_RATE / fps)`.

    Attributes:
        fps: frames a second.
        frame0, sample0: where the present rate began.

    """

    fps: Fraction
    frame0: int = 0
    sample0: int = 0

    def sample(self, frame: int) -> int:
        """Samples that come before the frame."""
        return self.sample0 + int((frame - self.frame0) * SAMPLE_RATE / self.fps)

    def at_rate(self, fps: Fraction, frame: int) -> FrameGrid:
        """The grid that goes on from `frame` at another rate."""
        return self if fps == self.fps else replace(self, fps=fps, frame0=frame, sample0=self.sample(frame))
