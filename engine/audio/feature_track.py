"""The features of a whole sound at every frame of a film, and the times of its onsets and beats.

Read as films read them (pipeline/film_pipeline.py): frame t has what was heard up to its end, so that a hit shows in
the frame in which it is heard, or, when it comes within 10 ms of the end, in the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..units import SAMPLE_RATE, Array, Float64Array, Samples
from .features import HOP, METERS, FeatureExtractor, Features

_PIECE = SAMPLE_RATE  # samples pushed at once: the extractor remembers 10 s
_APART = 6 * HOP  # samples within which a second rise belongs to the same onset
_BLOCK = HOP // 7  # samples of an energy value by which an onset is placed: 1.4 ms
_SEARCHED = 3 * HOP  # samples before its detection in which an onset lies


@dataclass(frozen=True, slots=True)
class Hit:
    """An onset or a beat.

    Attributes:
        seconds: since the beginning of the sound.
        strength: of an onset, 0..1; of a beat the confidence in it.

    """

    seconds: float
    strength: float


class FeatureTrack:
    """Collects the features of mono sound pushed in blocks.

    Args:
        fps: frames a second, exact.
        n_frames: number of frames.

    """

    def __init__(self, fps: Fraction, n_frames: int) -> None:
        self._extractor = FeatureExtractor()
        self._fps, self._n_frames = fps, n_frames
        self._rows: list[tuple[float, ...]] = []
        self._onsets: list[tuple[int, float]] = []
        self._beats: list[tuple[float, float]] = []
        self._hops = 0
        self._heard: Float64Array = np.zeros(_SEARCHED)  # the last samples, up to those that were pushed last
        self._last = self._extractor.at(0)

    def push(self, sound: Samples) -> None:
        """Add mono float32 [n] at 44.1 kHz, any n."""
        for at in range(0, len(sound), _PIECE):
            piece = sound[at : at + _PIECE]
            self._extractor.push(piece)
            self._heard = np.concatenate([self._heard[-_SEARCHED - HOP :], piece.astype(np.float64)])
            self._read()

    def finish(self) -> dict[str, Array]:
        """Add silence up to the end of the last frame; then each of METERS as float32 [n_frames]."""
        missing = self._end(self._n_frames - 1) - self._extractor.samples
        self.push(np.zeros(max(0, missing), np.float32))
        rows = np.array(self._rows, np.float32).reshape(-1, len(METERS))
        return {name: rows[:, column] for column, name in enumerate(METERS)}

    @property
    def onsets(self) -> list[Hit]:
        """The onsets so far, in order."""
        return [Hit(sample / SAMPLE_RATE, strength) for sample, strength in self._onsets]

    @property
    def beats(self) -> list[Hit]:
        """The beats so far, in order; none in the first seconds, before the tracker has found them."""
        return [Hit(sample / SAMPLE_RATE, confidence) for sample, confidence in self._beats]

    def _end(self, frame: int) -> int:
        """Samples from which the features of a frame are."""
        return int(frame * SAMPLE_RATE / self._fps) + int(SAMPLE_RATE / self._fps)

    def _read(self) -> None:
        while (self._hops + 1) * HOP <= self._extractor.samples:
            self._hops += 1
            now = self._extractor.at(self._hops * HOP)
            self._see_onset(now)
            self._see_beat(now)
            self._last = now
        while len(self._rows) < self._n_frames and self._end(len(self._rows)) <= self._extractor.samples:
            found = self._extractor.at(self._end(len(self._rows)))
            self._rows.append(tuple(getattr(found, name) for name in METERS))

    def _see_onset(self, now: Features) -> None:
        if now.onset <= self._last.onset:
            return
        end = len(self._heard) - (self._extractor.samples - self._hops * HOP)
        sample = self._hops * HOP - _SEARCHED + rise(self._heard[end - _SEARCHED : end])
        if self._onsets and sample - self._onsets[-1][0] <= _APART:
            first, strength = self._onsets[-1]
            self._onsets[-1] = (first, max(strength, now.onset))
        else:
            self._onsets.append((max(0, sample), now.onset))

    def _see_beat(self, now: Features) -> None:
        if not now.bpm or not self._last.bpm or now.beat >= self._last.beat:
            return
        period = 60 * SAMPLE_RATE / now.bpm
        sample = self._hops * HOP - now.beat * period
        if self._last.beat - now.beat > 0.5 and (not self._beats or sample - self._beats[-1][0] > period / 2):
            self._beats.append((sample, now.confidence))


def rise(sound: Float64Array) -> int:
    """Index of the sample at which a sound [_SEARCHED] rises most, to 1.4 ms, and not before it does."""
    energy = np.square(sound).reshape(-1, _BLOCK).sum(axis=1) + 1e-9
    sums = np.concatenate([[0.0], np.cumsum(energy)])
    at = np.arange(7, len(energy) - 2)
    best = int(at[((sums[at + 3] - sums[at]) / (sums[at] - sums[at - 7])).argmax()])
    block = best + int((energy[best : best + 3] > energy[best : best + 3].max() / 2).argmax())
    return (block + 1) * _BLOCK
