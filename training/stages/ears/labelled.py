"""Windows of recordings whose labels go beyond one of the nine classes, as clips that F_a learns by name: sea waves,
birds and crickets, and two classes that sound at once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ....engine.model.frame_encoder import FrameEncoder
from ...data.procedural_pictures import CLASSES
from ...data.procedural_sounds import Draw
from ...data.recordings import Recording, WindowMaker, heard, take_window
from .names import NamedClips

log = logging.getLogger(__name__)
LABELLED: Mapping[str, str] = {
    "x_sea_waves": "sea_waves",
    "x_birds": "birds",
    "x_forest": "birds",
    "x_night_crickets": "crickets",
}
"""Label of a recording -> the extra class (names.py) that sounds in it."""
_LOUDNESS = 0.5, 2.0
"""How loud the second of two classes is, as a share of the first: within 6 dB."""


def labelled_clips(
    frames: FrameEncoder, recordings: Sequence[Recording], names: tuple[str, ...], windows: int, mixed: int
) -> NamedClips:
    """Clips whose target is what their recordings are labelled, not what the teacher says.

    Args:
        frames: codes the clips.
        recordings: all of a data folder.
        names: the other names of the world.
        windows: how many of each of the extra classes, where there is a recording of it.
        mixed: how many of two classes (of the nine or extra) at once; the target is a half for each.

    """
    d, maker = Draw(np.random.default_rng(13)), WindowMaker(tuple(recordings))
    there = {one.class_id for one in recordings}
    extra = {label: name for label, name in LABELLED.items() if label in there and name in names}
    number = {name: k for k, name in enumerate((*CLASSES, *names))}
    made: list[tuple[Tensor, tuple[int, ...], tuple[str, ...]]] = []
    for name in dict.fromkeys(extra.values()):
        labels = [label for label, its in extra.items() if its == name]
        for _ in range(windows):
            sound, sources = maker.real(d, maker.of(d, labels).class_id)
            made.append((take_window(d, sound), (number[name],), sources))
    classes = [
        *((name, number[name]) for name in CLASSES if name in there),
        *((k, number[n]) for k, n in extra.items()),
    ]
    for _ in range(mixed if len(classes) > 1 else 0):
        (a, first), (b, second) = (classes[i] for i in d.rng.choice(len(classes), 2, replace=False))
        sound, sources = maker.both(d, a, b, d.log(*_LOUDNESS))
        made.append((take_window(d, sound), (first, second), sources))
    return _coded(frames, made, names)


def _coded(
    frames: FrameEncoder, made: Sequence[tuple[Tensor, tuple[int, ...], tuple[str, ...]]], names: tuple[str, ...]
) -> NamedClips:
    """Windows with the numbers of what is heard in them and their sources -> clips."""
    width = len(CLASSES) + len(names)
    if not made:
        return NamedClips(torch.zeros(0, frames.config.code), torch.zeros(0, width), names, ())
    windows, told, sources = zip(*made, strict=True)
    target = torch.stack([F.one_hot(torch.tensor(some), width).float().mean(0) for some in told])
    log.info("%d clips of recordings with other labels, or of two classes", len(made))
    return NamedClips(heard(windows, frames.window), target, names, tuple(tuple(sorted(set(s))) for s in sources))
