"""Does a world do what its sounds mean? Plays recordings into it and measures the pictures.

At the same seed storm must darken, fire warm, rain grey, underwater turn blue-green and silence rest, also when
the sound is 12 dB louder or softer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ...engine.inference.backend import Backend
from ...engine.model.world_file import World
from ...engine.units import SAMPLE_RATE, Array
from .played_codes import play

WANTED = {
    "thunderstorm": ("luma", -1),
    "fire_crackling": ("warmth", 1),
    "raining": ("saturation", -1),
    "underwater_bubbling": ("aqua", 1),
}
"""Class -> what must change, and which way."""


def last_picture(world: World, backend: Backend, sound: Array, seed: int) -> Array:
    """The picture [H,W,3] in 0..1 after 3 s of a sound."""
    return backend.synthesize(play(world, backend, sound, 3.0, look__seed=seed)[-1])


def colours(picture: Tensor) -> dict[str, float]:
    """What storm, fire, rain and water change, of pictures [N,3,H,W] in [-1,1]: luma, red minus blue, saturation,
    blue-green minus red; all on the 0..1 scale.
    """
    r, g, b = (picture.clamp(-1, 1) * 0.5 + 0.5).unbind(1)
    spread = torch.stack([r, g, b]).amax(0) - torch.stack([r, g, b]).amin(0)
    luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    parts = {"luma": luma, "warmth": r - b, "saturation": spread, "aqua": (g + b) / 2 - r}
    return {name: float(x.mean()) for name, x in parts.items()}


def _colours(pictures: Sequence[Array]) -> dict[str, float]:
    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) * 2 - 1
    return colours(batch)


def effect(world: World, backend: Backend, sound: Array, seeds: Sequence[int], gain_db: float) -> dict[str, float]:
    """Colour figures of the pictures of a sound at some gain, mean over seeds."""
    louder = (sound * 10 ** (gain_db / 20)).astype(np.float32)
    return _colours([last_picture(world, backend, louder, s) for s in seeds])


def meaning_table(
    world: World, backend: Backend, sounds: dict[str, list[Array]], seeds: Sequence[int]
) -> dict[str, dict[str, float]]:
    """Class -> what must change against silence: mean over recordings and seeds, at -12, 0 and +12 dB, signed so
    that positive is right; and the share of recordings for which it is right at all three. Without classes that have
    no sound.
    """
    table, silence = {}, effect(world, backend, np.zeros(SAMPLE_RATE, np.float32), seeds, 0.0)
    for class_id, (figure, sign) in WANTED.items():
        if not sounds[class_id]:
            continue
        by_gain = {
            gain: [sign * (effect(world, backend, s, seeds, gain)[figure] - silence[figure]) for s in sounds[class_id]]
            for gain in (-12, 0, 12)
        }
        right = np.all(np.array(list(by_gain.values())) > 0, axis=0)
        row = {f"{figure} {g:+d} dB": round(float(np.mean(v)), 4) for g, v in by_gain.items()}
        table[class_id] = row | {"recordings right at all gains": round(float(right.mean()), 3)}
    return table
