"""Recorded sounds: finds the seed of a world whose picture fits a sound file best, as prompt.py does for words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..audio.audio_file import open_sound
from ..errors import InputError, WorldError, one_line
from ..inference.onnx_backend import open_sound_encoder
from ..model.seed_bank import bank_part, closest_seed
from ..model.world_file import World
from .classify import sound_windows

LONGEST_S = 300.0
"""Seconds of a sound that are heard; the rest of a longer one is not."""


def sound_seed(world: World, path: Path) -> int:
    """The bank's seed with the highest mean cosine to F_a(x) over the windows of a sound file.

    The windows are those of `sonorama hear`: four a second, of four seconds each. Silent ones do not count, since their
    code is 0.

    Raises:
        WorldError: a world without a seed bank.
        InputError: no such file, no sound in it, or silence.

    """
    codes = bank_part(world.tensors, "codes")
    if codes is None:
        message = f"World {world.card.name} has no seed bank, from which sounds choose"
        raise WorldError(message, "Choose a seed for the point, or play a world with a seed bank.")
    embed_sound = open_sound_encoder(world)
    total = np.zeros(codes.shape[1], np.float32)
    with open_sound(path, duration=LONGEST_S) as sound:
        for _, window in sound_windows(sound.mono(duration=LONGEST_S)):
            total += embed_sound(window)
    if not total.any():
        raise InputError(f"{one_line(path.name)} is silent", "Choose a sound file that can be heard.")
    return closest_seed(total, codes)
