"""How well ears name recordings that they were not fitted on: by source over all, and makers that were kept out whole.

Balanced top-1: every recording counts once in its class, every class once in the figure. A recording's scores are the
means over its windows of 4 s; a window's code is the mean of its frames'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from ...engine.model.mel import ENCODER_COLUMNS, HOP, log_mel
from ...engine.units import SAMPLE_RATE, Array, Float64Array
from ..data.procedural_pictures import CLASSES
from ..data.recordings import Recording
from ..stages.ears.classes import Discriminants, fit
from ..stages.ears.library import maker_of
from ..stages.ears.student import Student

STRANGERS = ("openclonk-data", "antum", "whynot")
"""Makers that a twin of the ears is trained without."""
FRAME_STEP_S = 0.5
WINDOW_FRAMES = 7
"""Frames of a window of 4 s: 1 s each, every 0.5 s."""
SOUND_DB = -70.0
"""A frame whose loudest column lies below is silence."""
MOST_FRAMES = 240


@dataclass(frozen=True)
class Coded:
    """A recording and the codes of its frames [F,D], those without sound left out."""

    recording: Recording
    codes: Float64Array

    @property
    def class_id(self) -> int:
        """Index of its class."""
        return CLASSES.index(self.recording.class_id)

    def windows(self) -> Float64Array:
        """Codes of its windows [W,D]."""
        n = min(WINDOW_FRAMES, len(self.codes))
        return np.stack([self.codes[i : i + n].mean(0) for i in range(len(self.codes) - n + 1)])


def frames_of(samples: Array) -> Array:
    """Log-mel frames [F,128,88] of a sound [n], every half second, of those that hold sound; of a short one the one
    that holds most of it, padded with silence where the sound is shorter than a frame.
    """
    columns = log_mel(samples)
    columns = np.pad(columns, ((0, 0), (max(0, ENCODER_COLUMNS - columns.shape[1]), 0)))
    step = FRAME_STEP_S * SAMPLE_RATE / HOP
    ends = np.round(np.arange(ENCODER_COLUMNS, columns.shape[1] + 1, step)).astype(int)
    ends = ends[np.unique(np.linspace(0, len(ends) - 1, MOST_FRAMES).round().astype(int))]
    frames = np.stack([columns[:, end - ENCODER_COLUMNS : end] for end in ends])
    loud = frames.max((1, 2)) > 1 + SOUND_DB / 80
    return frames[loud] if loud.any() else frames[:1]


@torch.no_grad()
def coded(student: Student, recordings: Sequence[Recording]) -> list[Coded]:
    """Codes of all recordings."""
    out = []
    for recording in recordings:
        frames = torch.from_numpy(frames_of(recording.samples))
        codes = torch.cat([student.encode(some) for some in frames.split(64)])
        out.append(Coded(recording, codes.double().numpy()))
    return out


def fitted(some: Sequence[Coded]) -> Discriminants:
    """Discriminants of the nine classes on recordings."""
    ids = [one.class_id for one in some for _ in one.codes]
    sources = [one.recording.source for one in some for _ in one.codes]
    return fit(np.concatenate([one.codes for one in some]), ids, sources, len(CLASSES))


def answers(some: Sequence[Coded], ears: Callable[[Coded], Discriminants]) -> Float64Array:
    """Mean scores [N,9] of recordings, each by the discriminants that `ears` gives for it."""
    return np.stack([ears(one).scores(one.windows()).mean(0) for one in some])


def by_source(some: Sequence[Coded], folds: int = 10) -> Float64Array:
    """Scores [N,9], each recording by discriminants that did not see its source."""
    sources = sorted({one.recording.source for one in some})
    fold = {source: i % folds for i, source in enumerate(np.random.default_rng(0).permutation(sources))}
    ears = {k: fitted([one for one in some if fold[one.recording.source] != k]) for k in range(folds)}
    return answers(some, lambda one: ears[fold[one.recording.source]])


def is_stranger(recording: Recording) -> bool:
    """Whether its maker is one that the twin does not know."""
    return maker_of(recording.file) in STRANGERS


def figures(some: Sequence[Coded], scores: Float64Array, rounds: int = 2000) -> dict[str, object]:
    """Balanced top-1 with its 95 % interval (sources drawn anew in each class), top-2, and by class."""
    ids = np.array([one.class_id for one in some])
    order = (-scores).argsort(1)
    first, second = order[:, 0] == ids, (order[:, :2] == ids[:, None]).any(1)
    present = sorted(set(ids.tolist()))

    def balanced(right: npt.NDArray[np.bool_]) -> float:
        return float(np.mean([right[ids == k].mean() for k in present]))

    rng = np.random.default_rng(0)
    groups = [
        [first[[i for i, one in enumerate(some) if one.class_id == k and one.recording.source == s]]
         for s in sorted({one.recording.source for one in some if one.class_id == k})]
        for k in present
    ]  # fmt: skip
    drawn = [
        np.mean([np.concatenate([g[i] for i in rng.integers(0, len(g), len(g))]).mean() for g in groups])
        for _ in range(rounds)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {
        "recordings": len(some),
        "balanced_top1": round(balanced(first), 3),
        "interval_95": [round(float(low), 3), round(float(high), 3)],
        "top2": round(balanced(second), 3),
        "right": int(first.sum()),
        "by_class": {CLASSES[k]: f"{int(first[ids == k].sum())} of {int((ids == k).sum())}" for k in present},
    }
