"""The teacher's 521 names (AudioSet's) beside a world's classes: which mean a class, and which name no source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ....engine.model.joint_space import Vocabulary
from ...data.procedural_pictures import CLASSES

OF_CLASS: Mapping[str, tuple[str, ...]] = {
    "thunderstorm": ("Thunderstorm", "Thunder"),
    "waterfall_burbling": ("Stream", "Waterfall", "Gurgling", "Trickle, dribble"),
    "volcano_eruption": ("Eruption",),
    "squishing_water": ("Squish",),
    "wind_noise": ("Wind", "Rustling leaves", "Wind noise (microphone)"),
    "fire_crackling": ("Fire", "Crackle"),
    "raining": ("Rain", "Raindrop", "Rain on surface"),
    "underwater_bubbling": (),
    "splashing_water": ("Splash, splatter", "Slosh"),
}
"""Names that say what a class says; they are not among a world's other names."""
EXTRA_CLASSES: Mapping[str, tuple[str, ...]] = {
    "sea_waves": ("Ocean", "Waves, surf"),
    "birds": ("Bird", "Bird vocalization, bird call, bird song", "Chirp, tweet"),
    "crickets": ("Cricket", "Insect"),
}
"""Classes that a world has besides the nine: learned from the teacher by these names, and from recordings
(labelled.py).
"""
WRITTEN: Mapping[str, tuple[str, ...]] = {
    "thunderstorm": ("storm", "lightning", "thunder storm"),
    "waterfall_burbling": ("burbling", "brook", "creek", "river"),
    "volcano_eruption": ("volcano", "lava", "explosion"),
    "squishing_water": ("squishing", "squelching", "mud"),
    "wind_noise": ("windy",),
    "fire_crackling": ("crackling", "fire cracking", "campfire", "flames"),
    "raining": ("rainfall", "rainy", "rain sound"),
    "underwater_bubbling": ("underwater", "under water", "bubbling", "bubbles"),
    "splashing_water": ("splashing", "splashes"),
    "sea_waves": ("sea", "waves"),
    "birds": ("birdsong", "bird singing", "birds singing"),
    "crickets": ("insects", "cicadas"),
}
"""What people call these classes, beside the teacher's names for them."""
UNTOLD = (
    "Silence", "Inside, small room", "Inside, large room or hall", "Inside, public space",
    "Outside, urban or manmade", "Outside, rural or natural", "Reverberation", "Echo", "Environmental noise",
    "Sound effect", "Field recording",
)  # fmt: skip
"""Names that tell where or how a sound was recorded, not what sounds."""
SURE = 0.2
"""Score of the teacher's from which it knows what it hears."""


def other_names(names: Sequence[str]) -> tuple[str, ...]:
    """EXTRA_CLASSES, then the teacher's names beyond all classes and UNTOLD, in their order."""
    known = {name for some in (*OF_CLASS.values(), *EXTRA_CLASSES.values()) for name in some}
    return (*EXTRA_CLASSES, *(name for name in names if name not in known and name not in UNTOLD))


def class_aliases(names: Sequence[str]) -> dict[str, str]:
    """The names that mean a class of a world that knows EXTRA_CLASSES (`names`: its classes and other names)."""
    groups = {**OF_CLASS, **EXTRA_CLASSES}
    if not set(EXTRA_CLASSES) <= set(names):
        return {}
    return {name: class_id for class_id, some in groups.items() for name in some}


def built_in(name: str, classes: Sequence[str]) -> str | None:
    """The class among `classes` (of the nine and EXTRA_CLASSES) that a folder of this name holds: `rain` is raining,
    `Ocean` is sea_waves where a world knows those. None for any other name.
    """
    forms = {
        form: class_id
        for class_id in classes
        for form in (*OF_CLASS.get(class_id, EXTRA_CLASSES.get(class_id, ())), *WRITTEN.get(class_id, ()))
    }
    return Vocabulary(tuple(classes), (), np.zeros((0, 0), np.float32), 1.0, forms).find(name)


def targets(scores: npt.NDArray[np.floating], names: Sequence[str]) -> tuple[Tensor, Tensor]:
    """What clips should be taken for.

    Args:
        scores: the teacher's, of clips [N,521].
        names: the teacher's.

    Returns:
        probabilities over the classes, then `other_names` [N,9+K]; and which clips the teacher is sure of [N].

    """
    x = torch.from_numpy(np.asarray(scores, np.float32))
    at = {name: i for i, name in enumerate(names)}
    groups = {**OF_CLASS, **EXTRA_CLASSES}
    wanted = [groups.get(name, (name,)) for name in (*CLASSES, *other_names(names))]
    columns = [x[:, [at[name] for name in some]].amax(1) if some else x.new_zeros(len(x)) for some in wanted]
    told = torch.stack(columns, 1)
    told = torch.where(told > SURE / 4, told, 0.0)  # hundreds of small scores would outweigh the large one
    return told / told.sum(1, keepdim=True).clamp_min(1e-6), told.amax(1) > SURE


@dataclass(frozen=True)
class NamedClips:
    """Clips with what they should be taken for.

    Attributes:
        heard: codes of the frame encoder [N,F].
        target: see `targets` [N,9+K].
        names: the K other names.
        sources: of the sounds in each clip.

    """

    heard: Tensor
    target: Tensor
    names: tuple[str, ...]
    sources: tuple[tuple[str, ...], ...]

    def without(self, *sources: str) -> NamedClips:
        """Those that hold nothing of these sources."""
        keep = [i for i, some in enumerate(self.sources) if not set(some) & set(sources)]
        return NamedClips(self.heard[keep], self.target[keep], self.names, tuple(self.sources[i] for i in keep))

    def joined(self, more: NamedClips) -> NamedClips:
        """These and others with the same names."""
        heard, target = torch.cat([self.heard, more.heard]), torch.cat([self.target, more.target])
        return NamedClips(heard, target, self.names, (*self.sources, *more.sources))
