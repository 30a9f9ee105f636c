"""From trained parts to one world file: card, credits, seed bank, half-precision tensors."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..engine.model.generator import Generator
from ..engine.model.seed_bank import seed_to_z
from ..engine.model.world_file import Card, save_world
from .data.procedural_pictures import CLASSES
from .pictures import CLEAN, PictureSet

Arrays = dict[str, npt.NDArray[Any]]
Sight = Callable[[Tensor], Tensor]
"""F_v: pictures [B,3,H,W] in [-1,1] -> unit codes [B,D]."""


def half(tensors: Mapping[str, Tensor], prefix: str) -> Arrays:
    """Tensors below a prefix, floats in half precision."""
    return {
        f"{prefix}.{k}": (v.detach().half() if v.is_floating_point() else v.detach()).cpu().numpy()
        for k, v in tensors.items()
    }


def credit_lines(root: Path) -> tuple[str, ...]:
    """One line a recording and photo that was trained on, from the data's manifest."""
    with (root / "MANIFEST.tsv").open(newline="") as file:
        rows = [r for r in csv.DictReader(file, delimiter="\t") if r["file"].startswith(("audio/", "images/"))]
    return tuple(f"{r['file'].split('/', 1)[1]}: {r['author'] or 'unknown'} ({r['licence']})" for r in rows)


def anchors(data: PictureSet) -> Tensor:
    """Codes [A,Z] of the clean crops: what seeds mix."""
    return data.codes[data.class_id == CLEAN]


@torch.no_grad()
def bank_codes(generator: Generator, data: PictureSet, see: Sight, seeds: int, psi: float = 0.7) -> Tensor:
    """Joint code F_v [seeds,D] of the picture each of the first seeds paints."""
    z_anchors = anchors(data).half().float().numpy()
    z = torch.from_numpy(np.stack([seed_to_z(s, generator.config.z_dim, z_anchors) for s in range(seeds)]))
    size = min(128, generator.config.size)
    rows = [see(generator.synthesis(generator.mapping(c, psi), "const", size, "activations")) for c in z.split(16)]
    return torch.cat(rows)


def pack(
    out: Path, root: Path, parts: Mapping[str, Mapping[str, Tensor]], generator: Generator, *,
    name: str, version: str, measures: Mapping[str, Any], joint: Mapping[str, Any],
    motion_rate: float,
) -> Card:  # fmt: skip
    """Write the world file. parts: prefix -> tensors, besides the generator's own."""
    config = generator.config
    tensors = half(generator.state_dict(), "generator")
    for prefix, values in parts.items():
        tensors |= half(values, prefix)
    card = Card(
        name=name,
        version=version,
        licence="CC BY 4.0",
        description=(
            "Coasts, seas, mountains, deserts and woods that answer to weather, fire and water. Trained on 53 photos "
            "and 55 recordings (CC0, CC BY, public domain) with procedural scenes; it knows about fifty places."
        ),
        size=config.size,
        num_ws=config.num_ws,
        generator=asdict(config),
        motion_rate=motion_rate,
        classes=CLASSES,
        joint=dict(joint),
        credits=credit_lines(root),
        measures=dict(measures),
    )
    return save_world(out, card, tensors)
