"""Sounds that a world is fitted to: the user's, each of the class that the world hears in it, or procedural ones."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...engine.audio.audio_file import open_sound
from ...engine.errors import InputError
from ...engine.files.fingerprint import sha256
from ...engine.model.joint_space import NOTHING
from ...engine.model.mel import SOUND_COLUMNS, log_mel
from ...engine.model.world_file import World
from ...engine.units import SAMPLE_RATE
from ..data.procedural_sounds import TEXTURES, compose
from ..data.sound_windows import ending_at

log = logging.getLogger(__name__)
LONGEST_S = 120
DRAWN_EACH, DRAWN_S = 6, 6
"""Procedural sounds of a class, and the seconds of each."""
LEAST_COLUMNS = 86
"""A second."""


def digest(files: Sequence[Path]) -> str:
    """SHA-256 over names and contents."""
    whole = hashlib.sha256()
    for path in files:
        whole.update(path.name.encode(errors="surrogateescape"))
        with suppress(OSError):  # `by_class` leaves such a file out, or says so
            whole.update(bytes.fromhex(sha256(path)))
    return whole.hexdigest()


Heard = tuple[list[list[Tensor]], dict[str, str]]
"""Log-mels [128,T] by class of the world, and the class of each file that has one."""


def by_class(
    world: World, files: Sequence[Path], hear: Callable[[Tensor], Tensor], given: Collection[Path] = ()
) -> Heard:
    """Log-mels [128,T] by class of the world, and the class of each file that has one.

    Args:
        world: knows its classes by its ears.
        files: sounds; those that cannot be read, are shorter than a second or are none of its classes are left out.
            None: procedural ones.
        hear: F_a.
        given: those that must be readable.

    Raises:
        InputError: no class has a sound, or one of `given` cannot be read.

    """
    classes = world.card.classes
    mels: list[list[Tensor]] = [[] for _ in classes]
    told: dict[str, str] = {}
    for path in files:
        try:
            mel = _read(path)
        except InputError as error:
            if path in given:
                raise
            log.warning("%s is left out: %s", path, error.message)
            continue
        if mel is None:
            continue
        if (k := _class_of(world, mel, hear)) is not None:
            mels[k].append(mel)
            told[path.name] = classes[k]
    if not files:
        for k, name in enumerate(classes):
            mels[k] = [_drawn(name, i) for i in range(DRAWN_EACH)] if name in TEXTURES else []
    if not any(mels):
        what = "none of the sounds is of its classes" if files else "there are no procedural sounds of its classes"
        raise InputError(f"{world.card.name}: {what}", "Give sounds of its classes; sonorama hear says what they are.")
    return mels, told


def _read(path: Path) -> Tensor | None:
    """Log-mel [128,T] of its beginning; None: it is silent, or shorter than a second. InputError: see open_sound."""
    with open_sound(path) as sound:
        samples = np.concatenate([*sound.mono(duration=min(float(LONGEST_S), float(sound.duration)))])
    mel = torch.from_numpy(log_mel(samples))
    return mel if mel.shape[1] >= LEAST_COLUMNS and bool(mel.any()) else None


def _drawn(name: str, number: int) -> Tensor:
    rng = np.random.default_rng((number, *name.encode()))
    sound = compose(name, rng, DRAWN_S * SAMPLE_RATE).astype(np.float32)
    return torch.from_numpy(log_mel(0.5 * sound / max(float(np.abs(sound).max()), 1e-9)))


@torch.no_grad()
def _class_of(world: World, mel: Tensor, hear: Callable[[Tensor], Tensor]) -> int | None:
    """The class that is heard most over the sound; None where it is none of them."""
    ends = range(min(mel.shape[1], SOUND_COLUMNS // 2), mel.shape[1] + 1, SOUND_COLUMNS // 2)
    codes = hear(torch.stack([ending_at(mel, end, SOUND_COLUMNS) for end in ends])).numpy()
    if np.mean([world.vocabulary.belonging(code) for code in codes]) < NOTHING:
        return None
    return int(np.mean([world.vocabulary.shares(code) for code in codes], 0).argmax())
