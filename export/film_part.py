"""Which part of a sound a film is made of, and the sound before it that is stepped through without painting.

The picture of a frame follows from all the sound before it. A film of a part therefore begins with that sound, so that
its frames are those of the whole film, to the bit.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Container, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

import numpy as np

from ..engine.audio.audio_file import Sound, resample
from ..engine.errors import InputError
from ..engine.units import SAMPLE_RATE

log = logging.getLogger(__name__)
MOST_BEFORE_S, SHORT_BEFORE_S = 600.0, 10.0
"""A part that begins later than the first takes only the second from the sound before it, unless told otherwise."""


@dataclass(frozen=True)
class FilmPart:
    """A part of a sound, and what is stepped through before it.

    Attributes:
        sound: the whole.
        fps: frames a second of the film.
        start, duration, loop: the part, see Sound.count; `start` is the time of a frame.
        before: how many frames ahead of the part are stepped through.

    """

    sound: Sound
    fps: Fraction
    start: float
    duration: float | None
    loop: bool
    before: int

    def mono(self, ahead_s: float) -> Iterator[np.ndarray]:
        """Mono blocks at 44.1 kHz from the first frame that is stepped through, to `ahead_s` seconds after the part."""
        first = float((round(Fraction(self.start) * self.fps) - self.before) / self.fps) if self.before else self.start
        # A second more: where a stream is cut, the resampler makes up the last samples.
        length = None if self.duration is None else self.duration + ahead_s + 1.0
        if not self.loop:
            return self.sound.mono(start=first, duration=None if length is None else self.start - first + length)
        if not self.before:
            return self.sound.mono(start=first, duration=length, loop=True)
        led = chain(self.sound.blocks(first, self.start - first), self.sound.blocks(self.start, length, loop=True))
        mixed = self.sound.mixed(led, round(first * self.sound.rate))
        return mixed if self.sound.rate == SAMPLE_RATE else resample(mixed, self.sound.rate, SAMPLE_RATE)


def frame_start(sound: Sound, start: float, fps: Fraction) -> float:
    """The time of the frame that is nearest to `start`, in seconds: a part begins with a frame of the whole.

    In the last half frame of a sound it is the frame before, since the nearest one would lie after the end.
    """
    if not math.isfinite(start):
        return start
    frame = Fraction(start) * fps
    nearest = float(round(frame) / fps)
    if nearest <= start:
        return nearest
    try:
        sound.count(nearest, 1 / sound.rate)
    except InputError:
        return float(math.floor(frame) / fps)
    return nearest


def film_part(
    sound: Sound, fps: Fraction, start: float, duration: float | None, loop: bool, pre_roll_s: float | None
) -> FilmPart:
    """The part, with the sound before it.

    Args:
        sound: the whole.
        fps: frames a second.
        start: seconds, the time of a frame.
        duration: seconds; None: to the end.
        loop: see Sound.count.
        pre_roll_s: seconds before `start` that are stepped through, infinite: all; None: all, if it begins in the first
            MOST_BEFORE_S, else SHORT_BEFORE_S and a warning.

    """
    if pre_roll_s is None:
        pre_roll_s = math.inf if start <= MOST_BEFORE_S else SHORT_BEFORE_S
        if start > MOST_BEFORE_S:
            log.warning(
                "The film begins %.0f s into the sound and hears only the %g s before that: its frames are not those "
                "of the whole film (--pre-roll all makes them so, and takes longer)", start, SHORT_BEFORE_S,
            )  # fmt: skip
    before = round(Fraction(start) * fps) if math.isfinite(start) else 0
    if pre_roll_s < start:
        before = round(Fraction(pre_roll_s) * fps)
    return FilmPart(sound, fps, start, duration, loop, before)


class Without(Container[int]):
    """Indices of frames that nobody needs, of a film whose first `before` frames are not wanted either."""

    def __init__(self, before: int, have: Container[int]) -> None:
        self._before, self._have = before, have

    def __contains__(self, index: object) -> bool:
        return isinstance(index, int) and (index < self._before or index - self._before in self._have)
