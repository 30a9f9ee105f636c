"""Distances of sets of films to real clips, with the distance of real clips to real clips as the floor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...engine.model.config import AnyGenerator
from ..backbone import Backbone
from ..data.footage_clips import footage_clips
from ..data.moving_clips import ClipDraws
from ..data.photos import CropPlan, crops, read_crop
from ..data.procedural_clips import SceneClipPlan, SceneClips, sourced_mels
from ..data.procedural_pictures import CLASSES
from ..data.recordings import of_classes, read_recordings, with_procedural
from ..metrics.distance import SPLITS, split_distance
from ..metrics.i3d import CLIP, I3D
from ..metrics.video_distance import clip_descriptor, frechet, i3d_scores, inception_score, moving_part
from .films import Row

PLAN = SceneClipPlan(clips=6, held_every=1, frames=CLIP)
"""Six clips a class, all of held-out photos."""
LEAST = 2 * SPLITS
"""Clips of a set: two in each split."""


def real_clips(root: Path, shape: AnyGenerator) -> list[Tensor]:
    """Clips [16,3,h,w] in [-1,1] at 15 frames a second: the middle of each held-out clip of the data set; where it has
    none, procedural scenes that recordings move, on held-out photos. None where there are no such photos either.
    """
    height, width = shape.shape()
    wide = round(PLAN.height * width / height)
    filmed = footage_clips(root, silent=True, size=(PLAN.height, wide))
    footage = [c for c in filmed if c.held and len(c.frames) >= CLIP * c.rate / PLAN.rate]
    if footage:
        draws = ClipDraws(footage, CLIP, PLAN.rate)
        firsts = [(draws.room(c) - 1) // 2 for c in draws.clips]
        return [*draws.batch(draws.clips, firsts, [False] * len(firsts)).frames]
    held = [c for c in crops(root, width / height, CropPlan()) if c.held and c.whole]
    if not held:
        return []
    photos = torch.stack([read_crop(c, PLAN.height, wide)[0] for c in held])
    scenes = SceneClips((photos, photos), sourced_mels(with_procedural(of_classes(read_recordings(root)))), PLAN)
    return [scenes.make(i).frames.float() / 127.5 - 1 for i in range(len(CLASSES) * PLAN.clips)]


def clip_distances(rows: Sequence[Row], real: Sequence[Tensor], net: I3D | None) -> dict[str, Any]:
    """Condition -> N, kernel distance (x 1000) of what the clips show and how they move ("distance"), of how they move
    alone ("motion"), and FVD and IS where I3D is given; `real`: the same of every other real clip against the others.
    Empty where there are fewer than LEAST real clips, or films of a condition that are long enough: their splits would
    be too small.
    """
    described: dict[str, list[Row]] = {}
    for row in rows:
        if row.descriptor is not None:
            described.setdefault(row.condition, []).append(row)
    if not described or min(len(real) // 2, *map(len, described.values())) < LEAST:
        return {}
    backbone = Backbone()
    known = torch.stack([clip_descriptor(clip, backbone) for clip in real])
    scores = None if net is None else i3d_scores(real, net)
    mean, std = known.mean(0), known.std(0) + 1e-6
    # Real clips are compared with the other half of them.
    found = {"real": _compared((known[::2] - mean) / std, (known[1::2] - mean) / std)}
    if scores is not None:
        found["real"] |= _scored(scores[::2], scores[1::2])
    for name, films in described.items():
        codes = torch.stack([row.descriptor for row in films if row.descriptor is not None])
        found[name] = _compared((codes - mean) / std, (known - mean) / std)
        if scores is not None:
            found[name] |= _scored(torch.stack([row.i3d for row in films if row.i3d is not None]), scores)
    return found


def _compared(made: Tensor, real: Tensor) -> dict[str, Any]:
    numbers = torch.arange(len(made)), torch.arange(len(real))
    parts = {"distance": (made, real), "motion": (moving_part(made), moving_part(real))}
    far = {name: asdict(split_distance(a, numbers[0], b, numbers[1])) for name, (a, b) in parts.items()}
    return {"N": len(made), **far}


def _scored(made: Tensor, real: Tensor) -> dict[str, Any]:
    return {"FVD": frechet(made, real), "IS": inception_score(made)}
