"""Which photos show what sounds: the tags of a data folder's manifest, by class."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from .photos import CLEAN, PictureSet, photo_names

TAGS: Mapping[str, tuple[str, ...]] = {
    "thunderstorm": ("storm",),
    "waterfall_burbling": ("waterfall", "waterfall_coast", "river", "forest_stream"),
    "volcano_eruption": ("lava", "fire"),
    "squishing_water": ("meadow", "foliage"),
    "wind_noise": ("desert", "desert_dunes", "snow"),
    "fire_crackling": ("fire", "fire_sparks", "lava"),
    "raining": ("rain", "forest_mist", "hills_mist"),
    "underwater_bubbling": ("underwater",),
    "splashing_water": ("waves", "sea_painting", "sea"),
    "sea_waves": ("waves", "sea_painting", "sea", "coast"),
    "birds": ("forest", "forest_stream", "foliage"),
    "crickets": ("night",),
}
"""Class -> tags of photos that show it, or the place where it sounds."""


def tags_of(root: Path) -> dict[str, str]:
    """Name of a photo or panorama -> its tag."""
    with (root / "MANIFEST.tsv").open(newline="") as file:
        rows = [(row["file"], row["class"]) for row in csv.DictReader(file, delimiter="\t")]
    return {name: tag for (_, tag), name in zip(rows, photo_names(file for file, _ in rows), strict=True)}


def class_anchors(root: Path, data: PictureSet, names: list[str]) -> list[Tensor]:
    """Codes [N,Z] of the training photos that show each of TAGS, in their order; empty where there is none.

    names: of the photos, in the order of `data.photo`.
    """
    tags = tags_of(root)
    shown = [tags.get(name, "") for name in names]
    usable = (data.class_id == CLEAN) & data.whole & ~data.held
    wanted = [torch.tensor([tag in some for tag in shown])[data.photo] for some in TAGS.values()]
    return [data.codes[usable & some] for some in wanted]
