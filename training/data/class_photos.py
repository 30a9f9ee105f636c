"""Which photos show what sounds: the tags of a data folder's manifest, by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from .photos import CLEAN, PictureSet

TAGS: Mapping[str, tuple[str, ...]] = {
    "thunderstorm": ("storm",),
    "waterfall_burbling": ("waterfall", "waterfall_coast", "river", "forest_stream"),
    "volcano_eruption": ("lava", "fire"),
    "squishing_water": ("meadow", "foliage"),
    "wind_noise": ("desert", "desert_dunes", "snow"),
    "fire_crackling": ("fire", "fire_sparks", "lava"),
    "raining": ("rain", "overcast", "forest_mist", "hills_mist"),
    "underwater_bubbling": ("underwater",),
    "splashing_water": ("waves", "sea_painting", "sea"),
    "sea_waves": ("waves", "sea_painting", "sea", "coast"),
    "birds": ("forest", "forest_stream", "foliage"),
    "crickets": ("night",),
}
"""Class -> tags of photos that show it, or the place where it sounds. Its own name is one, too: photos of footage bear
it.
"""

WEATHER: Mapping[str, str] = {
    "opensuse__roll_lcp": "overcast",
    "lna-photo__House_in_the_fog": "overcast",
    "ubuntu-cinnamon__Bushes_By_The_Ocean_by_Joshua_Peisach": "overcast",
    "ubuntu-mate__andrew_ridley_54228": "overcast",
    "lna-photo__ArtisticReflection": "storm",
    "lna-photo__GoldenBavarianMountains": "storm",
    "ubuntu-wallpapers__Tranquil_by_Pat_David": "aquarium",
    "lna-photo__Mountain_River": "lake",
    "ubuntu-wallpapers__Thingvellir_by_pattersa": "lake",
    "polyhaven__blue_grotto_y315": "lake",
}
"""Photo, a file's stem -> its tag as a place, where that of the manifest (meadow, lake) does not say the weather, or
where the photo shows another thing than its class (red corals under water, which should be blue; rivers that stand).
Looked at; the data has one photo of rain and four of storms. The frozen judge goes by the manifest alone."""


def photos_of(data: PictureSet, tags: Sequence[str], classes: Sequence[str] = tuple(TAGS)) -> list[Tensor]:
    """Which pictures are whole training photos that show each of the classes, bool [N] each.

    tags: of the photos, as `data.photo` counts them.
    """
    usable = (data.class_id == CLEAN) & data.whole & ~data.held
    found = [torch.tensor([tag == name or tag in TAGS.get(name, ()) for tag in tags]) for name in classes]
    return [usable & shows[data.photo] for shows in found]


def class_anchors(data: PictureSet, tags: Sequence[str], classes: Sequence[str] = tuple(TAGS)) -> list[Tensor]:
    """Codes [N,Z] of the training photos that show each of the classes; empty where there is none."""
    return [data.codes[shown] for shown in photos_of(data, tags, classes)]


def weather_of(file: str, tag: str) -> str:
    """The tag of a photo as a place: see WEATHER."""
    return WEATHER.get(Path(file).stem, tag)
