"""What is heard in a part of a sound, frame by frame: features, scores, onsets, beats, changes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

import numpy as np

from ..audio.feature_track import FeatureTrack, Hit
from ..model.world_file import World
from ..units import Array, Float64Array
from .classify import classify
from .window_scores import WindowScores

SILENCE = "silence"
"""What is heard where nothing is."""
STEADY = 12
"""Windows in a row, three seconds in all, for which a class must be the best for a change to it: a window of four
seconds that holds parts of two sounds may be heard as a third.
"""
_BEAT_SLACK = 0.005  # seconds by which a tracked beat may come early


@dataclass(frozen=True)
class SoundCurves:
    """What is heard in the frames of a film.

    Attributes:
        fps: frames a second.
        features: each of features.METERS -> float32 [frames], see audio/feature_track.py.
        scores: class or label -> float32 [frames], 0..1; all 0 in silence. Of the four seconds around a frame.
        onsets: frame -> strength 0..1 of the strongest onset in it.
        beats: frames with a beat.
        changes: frame -> what is heard from it on, a class, a label or SILENCE; the first is frame 0.

    """

    fps: Fraction
    features: Mapping[str, Array]
    scores: Mapping[str, Array]
    onsets: Mapping[int, float]
    beats: Sequence[int]
    changes: Mapping[int, str]

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(next(iter(self.features.values())))


def sound_curves(
    world: World, blocks: Iterable[Array], fps: Fraction, n_frames: int, before: int = 0, labels: Sequence[str] = ()
) -> SoundCurves:
    """Analyse mono float32 blocks at 44.1 kHz.

    Args:
        world: whose classes are heard.
        blocks: the sound, from `before` frames ahead of the first; after it there is silence.
        fps: frames a second, exact.
        n_frames: number of frames.
        before: number of frames.
        labels: texts to be heard beside the classes.

    Raises:
        SonoramaError: the world has no text encoder for a label, or the sound cannot be read.

    """
    track = FeatureTrack(fps, before + n_frames)

    def passing() -> Iterator[Array]:
        for block in blocks:
            track.push(block)
            yield block

    windows = list(classify(world, passing(), labels))
    features = {name: values[before:] for name, values in track.finish().items()}
    known = world.vocabulary
    names = list(dict.fromkeys([*known.classes, *(known.find(label) or label for label in labels)]))
    scores, ahead = _scores(windows, names), float(before / fps)
    middles = np.array([(one.start + one.end) / 2 for one in windows]) - ahead
    times = (np.arange(n_frames) + 0.5) / float(fps)
    return SoundCurves(
        fps,
        features,
        {name: np.interp(times, middles, scores[:, i]).astype(np.float32) for i, name in enumerate(names)},
        _frames(track.onsets, fps, n_frames, -ahead),
        list(_frames(track.beats, fps, n_frames, _BEAT_SLACK - ahead)),
        _changes(scores, names, middles, fps, n_frames),
    )


def _scores(windows: Sequence[WindowScores], names: list[str]) -> Array:
    """[windows, names]; 0 where all are alike, which is how a world answers to silence."""
    found = np.array([[window.scores.get(name, 0.0) for name in names] for window in windows], np.float32)
    silent = np.ptp(found, axis=1) < 1e-6 if len(names) > 1 else np.zeros(len(found), bool)
    found[silent] = 0
    return found


def _frames(hits: Iterable[Hit], fps: Fraction, n_frames: int, later: float) -> dict[int, float]:
    """Frame -> strongest hit in it; later: seconds to be added to each."""
    found: dict[int, float] = {}
    for hit in hits:
        frame = math.floor((hit.seconds + later) * fps)
        if 0 <= frame < n_frames:
            found[frame] = max(found.get(frame, 0.0), round(hit.strength, 4))
    return found


def _changes(scores: Array, names: list[str], middles: Float64Array, fps: Fraction, n_frames: int) -> dict[int, str]:
    """Where another name becomes the best and stays it for STEADY windows: the middle of the first of them."""
    best = [names[row.argmax()] if row.any() else SILENCE for row in scores]
    runs = [[*run] for _, run in groupby(range(len(best)), lambda index: best[index])]
    steady = [run[0] for run in runs if len(run) >= STEADY] or [max(runs, key=len)[0]]
    found, last = {0: best[steady[0]]}, best[steady[0]]
    for since in steady[1:]:
        frame = max(0, math.floor(middles[since] * fps))
        if best[since] != last and frame < n_frames:
            found[frame] = last = best[since]
    return found
