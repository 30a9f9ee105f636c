"""Label codes of a data set's own classes in a frozen joint space: a small softmax head of unit codes on F_a.

Windows of an own class should score highest for it, windows of the classes that the space knows for theirs. Only the
own codes learn. They are pulled towards what the space knows of the class already: the code of its name, where the
text tower has read its words, and the mean code of its photos. Seconds on a CPU.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...engine.model.joint_embedding import unit
from ...engine.model.joint_space import Vocabulary, unknown_words
from ...engine.units import SAMPLE_RATE
from ..data.captions import Captions, as_words
from ..data.procedural_pictures import CLASSES
from ..data.recordings import Recording, WindowMaker, ending_window, with_procedural
from .joint_space import Space

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OwnLabelTraining:
    """own, built_in: windows of each own class and of each that the space knows; steps and rate of Adam; pull: weight
    of the cosine distance from the prior.

    weight: how much an own class counts for one that the space knows: what is played to the world is mostly its own
    sounds. sharp: how many times the scale of its scores is learned with; both are a trade between hearing own classes
    and mistaking others for them (docs/footage.md has figures).
    """

    own: int = 64
    built_in: int = 24
    steps: int = 200
    rate: float = 0.03
    pull: float = 0.3
    weight: float = 3.0
    sharp: float = 2.5


@dataclass(frozen=True)
class HeardWindows:
    """F_a of windows: codes [N,D]; class_id [N]: index into the space's classes, then the own ones."""

    codes: Tensor
    class_id: Tensor


@torch.no_grad()
def prior(space: Space, name: str, pictures: Tensor) -> Tensor | None:
    """What the space knows of a class without its sound, a unit code [D]: its name and its photos, whichever there are.

    Args:
        space: the joint space.
        name: of the class.
        pictures: photos that show it [N,3,H,W] in [-1,1].

    """
    known = [code for code in (_of_name(space, name), _of_pictures(space, pictures)) if code is not None]
    return unit(torch.stack(known).sum(0)) if known else None


def _of_name(space: Space, name: str) -> Tensor | None:
    words = as_words(name)
    meant = Vocabulary((), space.names, np.zeros((0, 0), np.float32), 1.0).find(words)
    if meant is not None and space.name_codes is not None:
        return space.name_codes[space.names.index(meant)]
    texts = Captions.load().class_texts(name)
    if space.clip is not None:
        return unit(space.clip.text(texts).mean(0))
    if space.text is None or unknown_words(words, space.text.vocabulary.tolist())[1]:
        return None
    return unit(space.text(texts).mean(0))


def _of_pictures(space: Space, pictures: Tensor) -> Tensor | None:
    return unit(space.eyes()(pictures).mean(0)) if len(pictures) else None


@torch.no_grad()
def hear(
    space: Space, recordings: Sequence[Recording], own: Sequence[str], plan: OwnLabelTraining, seed: int = 0
) -> HeardWindows:
    """Changed windows of the own classes, of the nine (half of them procedural) and of others that have recordings."""
    ears, known = space.ears(), (*space.classes, *own)
    maker, there = WindowMaker(tuple(with_procedural(recordings))), {r.class_id for r in recordings}
    codes, ids = list[Tensor](), list[int]()
    for number, name in enumerate(known):
        half = plan.built_in // 2
        real, drawn = (plan.own, 0) if name in own else (half, half) if name in CLASSES else (plan.built_in, 0)
        if name in CLASSES or name in there:
            windows, _ = maker.windows(name, real, drawn, seed)
            codes.append(ears(torch.stack(windows)[:, None]))
            ids += [number] * len(windows)
    return HeardWindows(torch.cat(codes), torch.tensor(ids))


def learn(
    space: Space, own: Sequence[str], heard: HeardWindows, priors: Mapping[str, Tensor], plan: OwnLabelTraining
) -> Tensor:
    """Unit codes [K,D] of the own classes. One without a window is its prior.

    However many windows a class has, it counts as others of its kind do. Scores are softmax over the space's classes
    and other names and the own classes.
    """
    count, at = len(space.classes), {name: len(space.classes) + i for i, name in enumerate(own)}
    start = [_start(heard, at[name], priors.get(name)) for name in own]
    points = nn.Parameter(torch.stack(start))
    sounding = torch.tensor([bool((heard.class_id == at[name]).any()) for name in own])
    wanted = torch.stack([priors.get(name, torch.zeros(points.shape[1])) for name in own])
    others = space.labels if space.name_codes is None else torch.cat([space.labels, space.name_codes])
    weight = 1 / torch.bincount(heard.class_id, minlength=len(others) + len(own)).clamp_min(1)
    weight[count : count + len(own)] *= plan.weight
    optimiser = torch.optim.Adam([points], plan.rate)
    for _ in range(plan.steps if bool(sounding.any()) else 0):
        codes = unit(points)
        logits = plan.sharp * space.scale * heard.codes @ torch.cat([others[:count], codes, others[count:]]).T
        loss = F.cross_entropy(logits, heard.class_id, weight)
        loss = loss + plan.pull * (wanted.norm(dim=1) - (codes * wanted).sum(1)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    learned = unit(points.detach())
    return torch.where(sounding[:, None], learned, torch.stack(start))


def _start(heard: HeardWindows, number: int, known: Tensor | None) -> Tensor:
    """Mean code of a class's windows and its prior. ValueError where there is neither."""
    codes = heard.codes[heard.class_id == number]
    parts = ([unit(codes.mean(0))] if len(codes) else []) + ([known] if known is not None else [])
    if not parts:
        raise ValueError("a class without sound, photos and a known name has no code")
    return unit(torch.stack(parts).sum(0))


def nearest(space: Space, codes: Tensor) -> Tensor:
    """Which of the space's classes and other names scores highest for sounds, [N] indices into both; codes [N,D]."""
    known = space.labels if space.name_codes is None else torch.cat([space.labels, space.name_codes])
    return (codes @ known.T).argmax(1)


def shares(space: Space, heard: HeardWindows) -> dict[str, float]:
    """Class -> share of its windows that score highest for it."""
    right = nearest(space, heard.codes) == heard.class_id
    there = sorted(set(heard.class_id.tolist()))
    return {space.classes[k]: round(float(right[heard.class_id == k].float().mean()), 3) for k in there}


@torch.no_grad()
def held_out_windows(space: Space, recordings: Sequence[Recording], every_s: float = 2.0) -> HeardWindows:
    """F_a of recordings as they are, of the space's classes: a window every so many seconds, and the one at the end."""
    windows, ids = list[Tensor](), list[int]()
    for r in recordings:
        if r.class_id in space.classes:
            step = round(every_s * SAMPLE_RATE)
            for last in {*range(step, len(r.samples), step), len(r.samples)}:
                windows.append(ending_window(r.samples[:last]))
                ids.append(space.classes.index(r.class_id))
    if not windows:
        return HeardWindows(torch.zeros(0, space.labels.shape[1]), torch.zeros(0, dtype=torch.long))
    return HeardWindows(space.ears()(torch.stack(windows)[:, None]), torch.tensor(ids))
