"""The joint space of a named CLIP model: its words and pictures as they are, and F_a taught to land among them.

What the paper does (Lee et al., CVPR 2022). The small space of our own (words.py) stands in where no weights are.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ...engine.model.open_clip_towers import NamedClip, load_joint
from ..data.captions import Captions
from ..data.photos import PictureSet
from ..data.procedural_pictures import CLASSES
from .ears.listening import Listening
from .joint import Material, Targets, heard_windows, level
from .joint_space import JointTraining, Space
from .joint_words import class_codes, label_codes

PICTURES = 240
"""Scenes of each class that are looked at."""


def prepare_named(
    root: Path, work: Path, plan: JointTraining, data: PictureSet, listening: Listening | None = None
) -> Material:
    """What F_a learns from in the space of the model `plan.clip`; windows are kept below `work`.

    WorldError where the model cannot be had.
    """
    clip = load_joint(plan.clip)
    texts = class_codes(clip.text, Captions.load())
    drawn = [data.pictures[(data.class_id == k) & ~data.held][:PICTURES] for k in range(len(CLASSES))]
    images = [_seen(clip, x) if len(x) else t for x, t in zip(drawn, texts, strict=True)]
    space = Space(None, None, None, label_codes(texts), clip)
    return Material(heard_windows(root, work, plan, listening), Targets(level(texts), level(images)), space, listening)


@torch.no_grad()
def _seen(clip: NamedClip, pictures: Tensor) -> Tensor:
    """uint8 [N,3,S,S] -> unit codes [N,D]."""
    return torch.cat([clip.image(chunk.float() / 127.5 - 1) for chunk in pictures.split(16)])
