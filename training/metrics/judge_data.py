"""What the judge learns from and is tested on, split before any training: photos by file, drawn pictures by seed and by
the photo that they are drawn on.

Photos that `training/data/photos.py` keeps out of a world's training are the judge's test photos, and the only ones
that its test drawings are drawn on. Its drawings are of the second renderer (`judge_scenes`), which no stage trains on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ...engine.errors import InputError
from ..backbone import Backbone
from ..data.class_photos import TAGS
from ..data.photos import CropPlan, crops, photo_tags, read_crop
from ..data.procedural_pictures import CLASSES, draw
from .distance import pooled
from .judge_scenes import draw_judged

NONE = len(CLASSES)
"""Number of "none of the classes", after those of CLASSES."""
WEATHER = {
    "storm",
    "lava",
    "fire",
    "fire_sparks",
    "rain",
    "underwater",
    "waterfall",
    "waterfall_coast",
    "waves",
    *CLASSES,
}
"""Tags of photos that show a class so plainly that no other is drawn on them, as long as there are other photos."""
TEST_SEEDS = 1_000_000
"""Drawings of the test have this seed and those after it."""


@dataclass(frozen=True)
class JudgePlan:
    """Sizes in pixels; drawings a class for training and for the test, half of them on photos; photo_weight: how many
    drawings a training photo counts for; decay: weight of the squared weights; release: to be counted up when the
    drawings or the fit change, so that kept judges are made anew.
    """

    height: int = 128
    width: int = 192
    train: int = 60
    test: int = 20
    photo_weight: float = 3.0
    decay: float = 0.03
    release: int = 1


@dataclass(frozen=True)
class Photo:
    """A photo of the data folder: its number (as `PictureSet.photo` counts), class (NONE if it shows none), whether it
    is kept out of training, whether others may be drawn on it, its pixels [3,H,W] in 0..1.
    """

    number: int
    class_id: int
    held: bool
    plain: bool
    pixels: Tensor


@dataclass(frozen=True)
class Examples:
    """Pictures as the judge sees them: features [N,432] of the frozen backbone; class_id [N]; photo [N] (number of the
    photo that is shown or drawn on, -1: none); drawn [N].
    """

    features: Tensor
    class_id: Tensor
    photo: Tensor
    drawn: Tensor

    def at(self, rows: Tensor) -> Examples:
        """Those where rows [N] is true."""
        return Examples(self.features[rows], self.class_id[rows], self.photo[rows], self.drawn[rows])


def class_of(tag: str) -> int:
    """Number of the class that a photo's tag shows, or is the name of: of several, the one that lists it first; NONE if
    none does.
    """
    if tag in CLASSES:
        return CLASSES.index(tag)
    found = [(TAGS[name].index(tag), k) for k, name in enumerate(CLASSES) if tag in TAGS[name]]
    return min(found)[1] if found else NONE


def read_photos(root: Path, plan: JudgePlan) -> list[Photo]:
    """Every photo of a data folder once, of a panorama one view."""
    tags, found = photo_tags(root), dict[int, Photo]()
    for crop in crops(root, plan.width / plan.height, CropPlan()):
        if crop.whole and crop.photo not in found:
            pixels, _ = read_crop(crop, plan.height, plan.width)
            tag = tags[crop.photo]
            found[crop.photo] = Photo(crop.photo, class_of(tag), crop.held, tag not in WEATHER, pixels)
    return list(found.values())


def plain(photos: list[Photo]) -> list[Photo]:
    """Photos to draw on: those that show no class plainly, or all if there are no such."""
    return [p for p in photos if p.plain] or photos


def softened(picture: Tensor, number: int) -> Tensor:
    """A training picture [3,H,W]; every second one with half its resolution, as soft as a small world's."""
    if number % 2 == 0:
        return picture
    small = F.interpolate(picture[None], scale_factor=0.5, mode="area")
    return F.interpolate(small, picture.shape[1:], mode="bilinear")[0]


Sample = tuple[Tensor, int, int, bool]
"""Picture [3,H,W] in 0..1, class, number of its photo or -1, whether it is drawn."""


def _drawings(photos: list[Photo], count: int, first_seed: int, plan: JudgePlan) -> Iterator[Sample]:
    """Drawings of every class: one whole, one on a photo, and so on; photos take turns."""
    for k, name in enumerate(CLASSES):
        for i in range(count):
            photo = photos[(i // 2 + 5 * k) % len(photos)] if i % 2 else None
            ground = None if photo is None else photo.pixels
            picture = draw_judged(name, ground, first_seed + i, plan.height, plan.width)
            yield picture, k, -1 if photo is None else photo.number, True


def _other_drawings(photos: list[Photo], count: int) -> Iterator[Sample]:
    """Drawings of the renderer that worlds are trained with, at which the judge is only tested."""
    for k, name in enumerate(CLASSES):
        for i in range(count):
            photo = photos[(i + 5 * k) % len(photos)]
            yield draw(photo.pixels, name, 0.6 + 0.4 * i / count, 1.3 * i, TEST_SEEDS + i), k, photo.number, True


def _shown(photos: list[Photo], mirrored: bool) -> Iterator[Sample]:
    """Photos themselves; those of a class also mirrored, if asked for."""
    for p in photos:
        yield p.pixels, p.class_id, p.number, False
        if mirrored and p.class_id != NONE:
            yield p.pixels.flip(2), p.class_id, p.number, False


def _seen(samples: Iterable[Sample], backbone: Backbone, change: Callable[[Tensor, int], Tensor]) -> Examples:
    features, rest = [], []
    for i, (picture, class_id, photo, drawn) in enumerate(samples):
        x = change(picture, i)[None] * 2 - 1
        features.append(pooled(x, backbone, picture.shape[1]))
        rest.append((class_id, photo, drawn))
    class_ids, numbers, drawn = (torch.tensor(column) for column in zip(*rest, strict=True))
    return Examples(torch.cat(features), class_ids, numbers, drawn)


def joined(*parts: Examples) -> Examples:
    """All examples of several sets."""
    return Examples(*(torch.cat([getattr(p, name) for p in parts]) for name in vars(parts[0])))


@dataclass(frozen=True)
class JudgeData:
    """train, test: photos and drawings; other: drawings of the first renderer on kept-out photos, for the test only."""

    train: Examples
    test: Examples
    other: Examples


def judge_data(root: Path, plan: JudgePlan, backbone: Backbone) -> JudgeData:
    """Read, draw and describe all; about two minutes of one core at the sizes of the plan. InputError if no photo is
    kept out, or all are.
    """
    photos = read_photos(root, plan)
    kept, known = [p for p in photos if p.held], [p for p in photos if not p.held]
    grounds, test_grounds = plain(known), plain(kept)
    if not grounds or not test_grounds:
        raise InputError(f"{root}: too few photos to keep some out of the judge's training", "Give more photos.")

    def same(x: Tensor, _: int) -> Tensor:
        return x

    return JudgeData(
        joined(
            _seen(_shown(known, True), backbone, softened),
            _seen(_drawings(grounds, plan.train, 0, plan), backbone, softened),
        ),
        joined(
            _seen(_shown(kept, False), backbone, same),
            _seen(_drawings(test_grounds, plan.test, TEST_SEEDS, plan), backbone, same),
        ),
        _seen(_other_drawings(test_grounds, plan.test), backbone, same),
    )
