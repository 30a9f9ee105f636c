"""Plays every condition for every recording and seed, and takes the figures of each film."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...engine.model.mel import HOP, log_mel
from ...engine.units import SAMPLE_RATE, Array
from ..data.procedural_pictures import CLASSES
from ..data.recordings import Recording
from ..metrics.i3d import CLIP
from ..metrics.motion import frame_onsets
from .conditions import FPS, Condition, Playback, Stimulus
from .figures import HEIGHT, Eyes, Reference, film_figures

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """Figures of one film; clip: CLIP of its frames in a row, [T,3,h,w] in [-1,1], for distances of whole sets."""

    condition: str
    class_id: str
    source: str
    seed: int
    figures: Mapping[str, float]
    clip: Tensor | None = None


def stimuli(recordings: Sequence[Recording], each: int, classes: Sequence[str] = CLASSES) -> list[Stimulus]:
    """The first `each` recordings of every class that has any, each with one of another class (where there is another)
    as its wrong sound.
    """
    by_class = {k: [r for r in recordings if r.class_id == k and len(r.samples) > SAMPLE_RATE // 2] for k in classes}
    there = [k for k in classes if by_class[k]]
    found = []
    for i, name in enumerate(there):
        others = by_class[there[(i + max(1, len(there) // 2)) % len(there)]]
        for n, r in enumerate(by_class[name][:each]):
            found.append(Stimulus(r.samples, name, r.source, others[n % len(others)].samples))
    return found


def paint(playback: Playback, codes: Array) -> Tensor:
    """Pictures [T,3,h,w] in [-1,1] of style codes [T,L,W], at most HEIGHT px high. Codes that stay are painted once."""
    pictures: list[Array] = []
    for t, w in enumerate(codes):
        still = t > 0 and np.array_equal(w, codes[t - 1])
        pictures.append(pictures[-1] if still else playback.backend.synthesize(w))
    frames = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) * 2 - 1
    if frames.shape[2] <= HEIGHT:
        return frames
    width = round(frames.shape[3] * HEIGHT / frames.shape[2])
    return F.interpolate(frames, (HEIGHT, width), mode="bilinear", antialias=True)


def middle(frames: Tensor) -> Tensor | None:
    """CLIP frames from the middle of a film, None of a shorter one."""
    first = (len(frames) - CLIP) // 2
    return frames[first : first + CLIP].clone() if first >= 0 else None


def reference(playback: Playback, stimulus: Stimulus, labels: Tensor) -> Reference:
    """What a stimulus is heard as."""
    mel = torch.from_numpy(log_mel(playback.cut(stimulus.sound)))
    columns = [round(t / FPS * SAMPLE_RATE / HOP) for t in range(playback.frames)]
    sound = F.normalize(torch.from_numpy(playback.embeddings(stimulus.sound)).mean(0), dim=0)
    number = playback.world.card.classes.index(stimulus.class_id)
    return Reference(sound, labels[number], labels, number, frame_onsets(mel, columns))


def rows(
    playback: Playback, heard: Sequence[Stimulus], conditions: Mapping[str, Condition], seeds: Sequence[int], eyes: Eyes
) -> Iterator[Row]:
    """Figures of all films."""
    labels = torch.from_numpy(np.asarray(playback.world.tensors["labels.codes"], np.float32))
    for stimulus in heard:
        known = reference(playback, stimulus, labels)
        for seed in seeds:
            for name, condition in conditions.items():
                frames = paint(playback, condition(playback, stimulus, seed))
                figures = film_figures(frames, known, eyes)
                yield Row(name, stimulus.class_id, stimulus.source, seed, figures, middle(frames))
        log.info("%s (%s) done", stimulus.class_id, stimulus.source)
