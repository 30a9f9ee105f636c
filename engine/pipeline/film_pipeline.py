"""The frame pipeline of a film, which hears the sound around each frame: what comes after it, too.

A live show follows the sound, so its picture comes late: by the lag of E_a's grid, by the half of E_a's window that a
new sound needs to fill, and by the follow times. A film knows what is coming. Each frame takes the displacement that
the sound has made `CENTRE_S` later, averaged over the time before and after it instead of after it only, and the
onsets of its own time. Hits divide the sound: before one nothing of it shows, from its frame on all of it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np

from ..audio.features import HIT_AFTER, HIT_LATENCY, HOP, AnalysisSettings, Features
from ..control.addresses import SOUND_FOLLOW, motion
from ..control.parameters import Value
from ..units import LEVELS, SAMPLE_RATE, Array
from .conditioning import ENCODER_STEP, POINTS
from .frame_pipeline import FramePipeline, Open
from .latent_motion import number, unshown
from .travel import SoundPoint

CENTRE_S = 0.6
"""How long a sound must have been in E_a's window of 1.02 s for its displacement to be near its largest, by trial."""
TAIL, MOST_TAIL_S = 3.0, 6.0
"""Half-lives after which an average ends, and seconds at most."""
MOST_AHEAD_S = CENTRE_S + MOST_TAIL_S
"""Seconds of sound after a frame that can matter to it, at most."""
SHORTEST_S = 0.1
"""The grid of E_a: averages over less than that interpolate."""
APART_S = 0.06
"""Hits that follow each other faster are one."""


class FilmPipeline(FramePipeline):
    """Plays a film: like FramePipeline, with `ahead` samples of sound beyond each frame. It begins at sample 0, and the
    follow times stay as they are.

    Args:
        open_instrument, start, fps: see FramePipeline.
        look_ahead_s: how much of what comes a frame may know, in seconds, above 0; infinite: as much as helps.

    """

    def __init__(self, open_instrument: Open, start: Mapping[str, Value], fps: Fraction, look_ahead_s: float) -> None:
        super().__init__(open_instrument, start, fps)
        self._lives = {
            level: number(self.values, SOUND_FOLLOW) * number(self.values, motion(level, "follow")) for level in LEVELS
        }
        tail = min(TAIL * max(self._lives.values()), MOST_TAIL_S)
        self.ahead = _samples(min(look_ahead_s, CENTRE_S + tail))
        self._centre, self._tail = min(_samples(CENTRE_S), self.ahead), _samples(tail)
        # A hit within the time that a frame is shown belongs to it, or to the next where it comes to be known too late.
        self._lead = min(int(SAMPLE_RATE / fps), self.ahead)
        self._hits: deque[int] = deque()
        self._scanned = -1
        self._codes: dict[int, Array | None] = {0: None}  # F_a by grid point
        shape = self.instrument.space.num_ws, len(self.instrument.space.w_avg)
        self._mixes = np.zeros((2 * POINTS, *shape), np.float32)  # a ring, twice, so that any part of it is one piece
        self._shown = np.zeros((2 * POINTS, self.instrument.meaning_mixer.classes), np.float32)  # likewise
        self._mixed_points: set[int] = set()
        self._settings = self.instrument.meaning_mixer.settings(self.values)

    def skip(self, sound: Array) -> None:
        """See FramePipeline; it costs about three quarters of a step."""
        self._begin(sound)
        values, sample = self.values, self.next_sample
        motion = self._motion_values(values)
        state = self._ticked(motion, sample, self._axis_shift(values))
        after = unshown(self.instrument.space, motion, state, float(self.grid.fps))
        if after is None:
            self._move(values, sample)
        else:
            self.motion = after
        self._end(sample)

    def _push(self, sound: Array, settings: AnalysisSettings) -> None:
        super()._push(sound, settings)
        known = self.analysis.samples - (HIT_AFTER + 2) * HOP
        for hit in self.analysis.hits(self._scanned, known):
            if not self._hits or hit - self._hits[-1] >= _samples(APART_S):
                self._hits.append(hit)
        self._scanned = max(known, self._scanned)
        while len(self._hits) > 1 and self._hits[1] <= self.sample - SAMPLE_RATE:
            self._hits.popleft()
        for point in range(next(reversed(self._codes)) + 1, self.conditioner.samples // ENCODER_STEP + 1):
            self.conditioner.point(point)
            self._codes[point] = self.conditioner.code
        oldest = (self.sample - self._tail) // ENCODER_STEP - 2
        while len(self._codes) > 1 and (first := next(iter(self._codes))) < oldest:
            del self._codes[first]

    def _around(self, sample: int) -> tuple[float, range]:
        """For a picture at a sample: the grid position that its displacement is centred on, in points of E_a, and the
        points that it may be made of.
        """
        now = sample + self._lead - HIT_LATENCY
        end = sample + self.ahead
        upper = min([end, *(hit for hit in self._hits if hit > now)])
        before = max((hit for hit in self._hits if hit <= now), default=-math.inf)
        lower = max(before + self._centre, now - self._tail)
        centre = min(max(now + self._centre, lower), upper)
        last = int(upper) // ENCODER_STEP
        first = min(max(0, math.ceil(lower / ENCODER_STEP)), last)
        return centre / ENCODER_STEP, range(first, last + 1)

    def _displaced(self, at: int, values: Mapping[str, Value]) -> tuple[Array, float]:
        centre, points = self._around(at)
        away = _away(points, centre)
        presences = np.array([self.conditioner.point(point).presence for point in points], np.float32)
        presence = float(_weights(away, SHORTEST_S) @ presences)
        return self._averaged(self._mixed(points, values)[0], away), presence

    def _mixed(self, points: range, values: Mapping[str, Value]) -> tuple[Array, Array]:
        """The displacements of grid points [n,L,W], and how far each class shows at them [n,K]; kept until the mixer is
        set otherwise.
        """
        mixer = self.instrument.meaning_mixer
        settings = mixer.settings(values)
        if any(not np.array_equal(old, new) for old, new in zip(self._settings, settings, strict=True)):
            self._settings, self._mixed_points = settings, set()
        kept = {point for point in self._mixed_points if point > points[-1] - POINTS}
        for point in {*points} - kept:
            at, heard = point % POINTS, self.conditioner.point(point)
            self._mixes[at] = self._mixes[at + POINTS] = mixer.mixed(settings, heard)
            self._shown[at] = self._shown[at + POINTS] = mixer.weights(settings, heard)
        self._mixed_points = kept | {*points}
        at = points[0] % POINTS
        return self._mixes[at : at + len(points)], self._shown[at : at + len(points)]

    def _averaged(self, mixed: Array, away: Array) -> Array:
        """Average [L,W] of n displacements [n,L,W], each level by its half-life; away: of each, in seconds [n]."""
        out = np.empty(mixed.shape[1:], np.float32)
        for level, part, weights in self._near(away):
            codes = self.instrument.space.levels[level]
            out[codes] = np.tensordot(weights, mixed[part, codes], 1)
        return out

    def _near(self, away: Array) -> Iterator[tuple[str, slice, Array]]:
        """Which points a level's average takes, and their weights; away: of each, in seconds [n]."""
        for level in self.instrument.space.levels:
            life = max(self._lives[level], SHORTEST_S)
            near = away <= max(TAIL * life, float(away.min()))
            first, last = int(near.argmax()), len(near) - int(near[::-1].argmax())
            yield level, slice(first, last), _weights(away[first:last], life)

    def _class_weights(self, at: int, values: Mapping[str, Value]) -> Mapping[str, Array]:
        centre, points = self._around(at)
        shown = self._mixed(points, values)[1]
        return {level: weights @ shown[part] for level, part, weights in self._near(_away(points, centre))}

    def _motion_values(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        return {**values, SOUND_FOLLOW: 0.0}  # the averages follow already

    def _sound_point(self, at: int, values: Mapping[str, Value]) -> SoundPoint:
        centre, points = self._around(at)
        point = min(max(round(centre), points[0]), points[-1])
        return SoundPoint(
            at, self._codes.get(point), self.conditioner.point(point).presence, self._features(at, values)
        )

    def _features(self, sample: int, values: Mapping[str, Value]) -> Features:
        return super()._features(sample + self._lead, values)  # of the hops until the end of the frame


def _away(points: range, centre: float) -> Array:
    """Seconds between grid points and a position on the grid [n]."""
    return np.abs(np.array(points, np.float32) - np.float32(centre)) * np.float32(ENCODER_STEP / SAMPLE_RATE)


def _weights(away: Array, half_life: float) -> Array:
    """Of an average that falls by half every `half_life` seconds in both directions [n], sum 1."""
    weights = np.float32(2) ** (-away / np.float32(half_life))
    return (weights / weights.sum()).astype(np.float32)


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)
