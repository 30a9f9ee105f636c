"""Plays every condition for every recording and seed, and takes the figures of each film."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

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
from ..metrics.video_distance import clip_descriptor, i3d_scores
from .conditions import FPS, Condition, Playback, Stimulus
from .figures import HEIGHT, Eyes, Reference, film_figures
from .other_models import OtherModel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """Figures of one film; for distances of whole sets, what CLIP of its frames show and how they move
    (`clip_descriptor`, [D]), and what I3D says of them [400], where the film is long enough and I3D is given.
    """

    condition: str
    class_id: str
    source: str
    seed: int
    figures: Mapping[str, float]
    recording: int = 0
    descriptor: Tensor | None = None
    i3d: Tensor | None = None

    @property
    def film(self) -> tuple[int, str, int]:
        """Which one it is: the number of its recording, its condition and its seed."""
        return self.recording, self.condition, self.seed


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


def _row(frames: Tensor, film: tuple[int, str, int], stimulus: Stimulus, known: Reference, eyes: Eyes) -> Row:
    number, name, seed = film
    figures, clip = film_figures(frames, known, eyes), middle(frames)
    row = Row(name, stimulus.class_id, stimulus.source, seed, figures, number)
    if clip is None:
        return row
    said = i3d_scores([clip], eyes.i3d)[0] if eyes.i3d else None
    return replace(row, descriptor=clip_descriptor(clip, eyes.backbone), i3d=said)


def rows(
    playback: Playback,
    heard: Sequence[Stimulus],
    conditions: Mapping[str, Condition],
    seeds: Sequence[int],
    eyes: Eyes,
    done: Set[tuple[int, str, int]] = frozenset(),
    others: Sequence[OtherModel] = (),
) -> Iterator[Row]:
    """Figures of all films, others' too, but those that are `done` (see Row.film)."""
    made = {one.name: one for one in others}
    labels = torch.from_numpy(np.asarray(playback.world.tensors["labels.codes"], np.float32))
    for number, stimulus in enumerate(heard):
        films = [(number, name, seed) for seed in seeds for name in (*conditions, *made)]
        missing = [film for film in films if film not in done]
        if not missing:
            continue
        known = reference(playback, stimulus, labels)
        for film in missing:
            _, name, seed = film
            if name in made:
                frames = made[name].frames(playback, number, seed)
            else:
                frames = paint(playback, conditions[name](playback, stimulus, seed))
            yield _row(frames, film, stimulus, known, eyes)
        log.info("%s (%s) done", stimulus.class_id, stimulus.source)
