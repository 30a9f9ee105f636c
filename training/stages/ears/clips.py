"""Clips of about a second that the student learns from, with what the teacher says of them; kept in numbered files.

A clip is one sound of the library, mostly bent (speed, tone colour, band width, room), often with a second sound
below it, at any level, with or without a noise floor; one in eight is procedural. Each file of clips follows from its
number and the library alone, so that several processes may make them and an interrupted run goes on.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from ....engine.files.atomic import replacing, tensors_into
from ....engine.model.mel import BANDS, ENCODER_COLUMNS, HOP, N_FFT, log_mel
from ....engine.units import SAMPLE_RATE, Array
from ...data.procedural_pictures import CLASSES
from ...data.procedural_sounds import Draw, Sound, compose, scaled
from ...data.recordings import bend
from .library import LibrarySound, SoundLibrary
from .teacher import Teacher

log = logging.getLogger(__name__)
CLIP = (ENCODER_COLUMNS - 1) * HOP + N_FFT
"""Samples of a clip: 88 whole columns, 1.06 s."""
SHARD = 1024
"""Clips a file."""
TEACHER_BATCH = 64
NONE = -1


@dataclass(frozen=True)
class ClipPlan:
    """How clips are drawn: chances, and decibels.

    procedural: a drawn sound of the nine classes instead of a recorded one. bent: see `bend`. mixed: with a second
    sound `below` dB under it. level: of the clip, about its root mean square plus 18 dB. floor: with noise.
    """

    procedural: float = 0.12
    bent: float = 0.7
    mixed: float = 0.35
    below: tuple[float, float] = (-18.0, 3.0)
    level: tuple[float, float] = (-30.0, 10.0)
    floor: float = 0.35
    floor_db: tuple[float, float] = (-95.0, -55.0)


class ClipMaker:
    """Draws clips from a library."""

    def __init__(self, library: SoundLibrary, plan: ClipPlan) -> None:
        self._library, self._plan = library, plan
        weights = np.array([sound.weight for sound in library.sounds])
        self._chance = np.cumsum(weights / weights.sum())

    def draw(self, d: Draw) -> tuple[Sound, tuple[int, int]]:
        """A clip [CLIP] and the indices of the sounds in it (NONE for none or a procedural one)."""
        plan, first, second = self._plan, NONE, NONE
        if d.flip(plan.procedural):
            clip = compose(CLASSES[d.rng.integers(len(CLASSES))], d.rng, CLIP)
        else:
            clip, first = self._cut(d)
        clip = bend(d, clip) if d.flip(plan.bent) else clip
        if d.flip(plan.mixed):
            other, second = self._cut(d)
            other = bend(d, other) if d.flip(plan.bent) else other
            clip = _over(d, clip, other, 10 ** (d.uni(*plan.below) / 20))
        return finished(d, clip, plan), (first, second)

    def _cut(self, d: Draw) -> tuple[Sound, int]:
        """A random stretch of a random sound, a little longer than a clip (speeds shorten it), and its index."""
        index = int(np.searchsorted(self._chance, d.rng.random()))
        sound: LibrarySound = self._library.sounds[min(index, len(self._library.sounds) - 1)]
        want = round(CLIP * 1.35)
        first = int(d.rng.integers(0, max(1, sound.count - want + 1)))
        return self._library.samples(sound, first, want), index


def finished(d: Draw, x: Sound, plan: ClipPlan | None = None) -> Sound:
    """A sound of any length and loudness as a clip [CLIP], at a random level."""
    return _levelled(d, _fitted(d, x), plan or ClipPlan())


def _over(d: Draw, clip: Sound, other: Sound, level: float) -> Sound:
    n = max(len(clip), len(other))
    y = np.zeros(n)
    at = d.rng.integers(0, n - len(clip) + 1)
    y[at : at + len(clip)] += scaled(clip)
    at = d.rng.integers(0, n - len(other) + 1)
    y[at : at + len(other)] += level * scaled(other)
    return y


def _fitted(d: Draw, x: Sound) -> Sound:
    """Exactly CLIP samples: cut at random, or with silence around what is shorter."""
    if len(x) >= CLIP:
        at = d.rng.integers(0, len(x) - CLIP + 1)
        return x[at : at + CLIP]
    y, at = np.zeros(CLIP), d.rng.integers(0, CLIP - len(x) + 1)
    y[at : at + len(x)] = x
    return y


def _levelled(d: Draw, x: Sound, plan: ClipPlan) -> Sound:
    x = x / max(8 * np.sqrt(np.square(x).mean()), np.abs(x).max(), 1e-9) * 10 ** (d.uni(*plan.level) / 20)
    if d.flip(plan.floor):
        x = x + d.rng.standard_normal(len(x)) * 10 ** (d.uni(*plan.floor_db) / 20)
    return np.clip(x, -1, 1)


def clip_mel(clip: Sound) -> Array:
    """Log-mel [128,88] in 0..1 of a clip [CLIP], each column over sound that is there."""
    return log_mel(clip.astype(np.float32))[:, -ENCODER_COLUMNS:]


@dataclass(frozen=True)
class Clips:
    """Log-mels uint8 [N,128,88] (0..255 for 0..1), the teacher's embedding float16 [N,1024] and scores [N,521], and
    the library's indices of the sounds in each int32 [N,2].
    """

    mel: npt.NDArray[np.uint8]
    embedding: npt.NDArray[np.float16]
    scores: npt.NDArray[np.float16]
    sounds: npt.NDArray[np.int32]


def make_shard(maker: ClipMaker, teacher: Teacher, number: int, folder: Path) -> None:
    """Draw the clips of one file, ask the teacher, and write them."""
    d = Draw(np.random.default_rng([7, number]))
    mel = np.empty((SHARD, BANDS, ENCODER_COLUMNS), np.uint8)
    sounds = np.empty((SHARD, 2), np.int32)
    patches, told = [], []
    for i in range(SHARD):
        clip, sounds[i] = maker.draw(d)
        mel[i] = np.rint(clip_mel(clip) * 255)
        patches.append(teacher.patch(clip, SAMPLE_RATE))
        if len(patches) == TEACHER_BATCH:
            told.append(teacher(np.stack(patches)))
            patches = []
    embedding, scores = (np.concatenate(parts).astype(np.float16) for parts in zip(*told, strict=True))
    path = shard_file(folder, number)
    with replacing(path) as part, tensors_into(path):
        save_file({"mel": mel, "embedding": embedding, "scores": scores, "sounds": sounds}, part)


def shard_file(folder: Path, number: int) -> Path:
    """Where clips of that number lie."""
    return folder / f"clips-{number:04d}.safetensors"


def make_clips(
    library: SoundLibrary, teacher: Teacher, folder: Path, shards: int, plan: ClipPlan | None = None
) -> None:
    """Make the files 0 to shards - 1 that are not there yet."""
    maker = ClipMaker(library, plan or ClipPlan())
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(shards):
        if not shard_file(folder, number).is_file():
            make_shard(maker, teacher, number, folder)
            log.info("clips %d of %d", (number + 1) * SHARD, shards * SHARD)


def read_clips(folder: Path) -> Clips:
    """All clips that were made."""
    parts = [load_file(path) for path in sorted(folder.glob("clips-*.safetensors"))]
    return Clips(*(np.concatenate([part[name] for part in parts]) for name in ("mel", "embedding", "scores", "sounds")))
