"""The judge's own pictures of the nine classes, drawn by a second renderer that no training stage uses.

A judge that learned from `training/data/procedural_pictures` would recognise the drawing, not what is drawn. So these
are made by other means and share no code with it: lists of polygons and particles that are filled on a canvas, whole
compositions as well as such on a photo, other colours. Still pictures only. A test holds the two apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from .canvas import Canvas
from .depths import underwater_bubbling
from .fires import fire_crackling
from .mud import squishing_water
from .shapes import Rng
from .splashes import splashing_water
from .storm_and_rain import raining, thunderstorm
from .volcanoes import volcano_eruption
from .waterfalls import waterfall_burbling
from .winds import wind_noise

__all__ = ["NONE", "SCENES", "draw_judged"]

NONE = "none"
"""A place where none of the nine sounds: the photo as it is."""
STRENGTH = (0.65, 1.0)
"""Least and most opacity of what is drawn on a photo."""
SCENES: Mapping[str, Callable[[Canvas, Rng, bool], None]] = {
    "thunderstorm": thunderstorm,
    "waterfall_burbling": waterfall_burbling,
    "volcano_eruption": volcano_eruption,
    "squishing_water": squishing_water,
    "wind_noise": wind_noise,
    "fire_crackling": fire_crackling,
    "raining": raining,
    "underwater_bubbling": underwater_bubbling,
    "splashing_water": splashing_water,
}
"""Class -> draw(canvas, random numbers, whether the canvas is empty; else it holds a photo)."""


def draw_judged(class_id: str, photo: Tensor | None, seed: int, height: int, width: int) -> Tensor:
    """A picture of a class, float32 [3,height,width] in 0..1, the same for the same arguments.

    class_id: one of SCENES, or NONE; photo: [3,height,width] in 0..1 to draw on, or None for a picture drawn whole.
    ValueError for NONE without a photo and for a photo of another shape, KeyError for an unknown class.
    """
    if photo is not None and photo.shape != (3, height, width):
        raise ValueError(f"the photo is {tuple(photo.shape)}, not {(3, height, width)}")
    if class_id == NONE:
        if photo is None:
            raise ValueError("a picture of no class is a photo: give one")
        return photo.clone()
    scene = SCENES[class_id]
    rng = np.random.default_rng([seed, list(SCENES).index(class_id)])
    canvas = Canvas(height, width, None if photo is None else photo.permute(1, 2, 0).numpy())
    scene(canvas, rng, photo is None)
    if photo is not None:
        before = photo.permute(1, 2, 0).numpy()
        canvas.rgb = before + rng.uniform(*STRENGTH) * (canvas.rgb - before)
    return torch.from_numpy(np.ascontiguousarray(canvas.rgb.clip(0, 1).transpose(2, 0, 1), np.float32))
