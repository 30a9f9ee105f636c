"""The nine Landscape classes as picture effects that are drawn onto photos and move with time."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from .fire import fire_crackling
from .mud import squishing_water
from .rain import raining
from .storm import thunderstorm
from .underwater import underwater_bubbling
from .view import View, look, mix
from .volcano import volcano_eruption
from .waterfall import waterfall_burbling
from .waves import splashing_water
from .wind import wind_noise

EFFECTS: dict[str, Callable[[View, float, float, int], Tensor]] = {
    f.__name__: f
    for f in (
        thunderstorm,
        waterfall_burbling,
        volcano_eruption,
        squishing_water,
        wind_noise,
        fire_crackling,
        raining,
        underwater_bubbling,
        splashing_water,
    )
}

ROWS = 160
"""Smaller pictures are drawn at a multiple of their size and averaged, so that leaves and lightning are not lost."""

CLASSES = tuple(EFFECTS)
"""The nine classes of the Landscape data set, in the order of every table of this project."""


def draw(photo: Tensor, class_id: str, strength: float, time_s: float, seed: int) -> Tensor:
    """Draw one class onto a photo.

    photo [3,H,W] in 0..1 of any shape -> the same shape and range. strength in 0..1: 0 leaves the photo as it is,
    more changes it more. time_s in seconds moves the scene; seed decides where its parts stand and which way it goes.
    KeyError for a class that is not in CLASSES.
    """
    effect, s = EFFECTS[class_id], min(1.0, max(0.0, float(strength)))
    if s == 0:
        return photo.clone()
    fine = -(-ROWS // photo.shape[1])
    big = photo.repeat_interleave(fine, 1).repeat_interleave(fine, 2) if fine > 1 else photo
    seen = effect(look(big), s, float(time_s), int(seed) * 101).clamp(0, 1)
    seen = F.avg_pool2d(seen[None], fine)[0] if fine > 1 else seen
    # What an effect adds grows with s by itself; what it covers must not stay half transparent for long.
    return mix(photo, seen, 1 - (1 - s) ** 5)
