"""From trained parts to one world file: card, credits, seed bank, half-precision tensors."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..engine.model.card import Card
from ..engine.model.generator import Generator
from ..engine.model.motion_rnn import MotionNetwork
from ..engine.model.seed_bank import seed_to_z
from ..engine.model.sound_inversion import SoundInversionEncoder
from ..engine.model.world_file import save_world
from .data.photos import FOLDERS
from .data.splits import HELD_OUT
from .metrics.borders import inset
from .stages.ears.library import UNLABELLED
from .stages.ears.teacher import teacher_file
from .stages.generator.mixtures import MIXING, TRUNCATION
from .stages.joint_space import Space

Arrays = dict[str, npt.NDArray[Any]]
Sight = Callable[[Tensor], Tensor]
"""F_v: pictures [B,3,H,W] in [-1,1] -> unit codes [B,D]."""


@dataclass(frozen=True)
class Trained:
    """The networks of a world as its stages left them."""

    generator: Generator
    encoder: SoundInversionEncoder
    motion: MotionNetwork
    space: Space


def half(tensors: Mapping[str, Tensor], prefix: str) -> Arrays:
    """Tensors below a prefix, floats in half precision."""
    return {
        f"{prefix}.{k}": (v.detach().half() if v.is_floating_point() else v.detach()).cpu().numpy()
        for k, v in tensors.items()
    }


@dataclass(frozen=True)
class About:
    """What people should know of a world. description, licence: where empty, what the data's manifest tells."""

    name: str
    version: str
    description: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Manifest:
    """Photos and recordings that were trained on: rows of the data folder's MANIFEST.tsv."""

    rows: tuple[dict[str, str], ...]

    @staticmethod
    def read(root: Path) -> Manifest:
        """The rows of recordings and photos."""
        return Manifest(tuple(row for row in _rows(root) if row["file"].split("/")[0] in ("audio", *FOLDERS)))

    def credits(self) -> tuple[str, ...]:
        """One line for each file; of footage, for each file that the user has, not for what was cut from it."""
        told = [
            (r.get("origin") or r["file"].split("/", 1)[1], r["author"] or "unknown", r["licence"]) for r in self.rows
        ]
        return tuple(dict.fromkeys(f"{file}: {author}" + (f" ({own})" if own else "") for file, author, own in told))

    def licence(self) -> str:
        """For a card where the world's own licence is not given: those of the data, in the order of the alphabet."""
        known = ", ".join(sorted({row["licence"] for row in self.rows if row["licence"]}))
        return f"not stated; of its training data: {known}" if known else "not stated, neither of its training data"

    def description(self, classes: Sequence[str]) -> str:
        """How much it was trained on, and which sounds it knows."""
        rows = [row for row in self.rows if row.get("split") != HELD_OUT]
        sounds = sum(row["file"].startswith("audio/") for row in rows)
        shown = "pictures" if any(row.get("origin") for row in rows) else "photos"  # some may be frames of videos
        names = ", ".join(name.replace("_", " ") for name in classes)
        return f"Trained on {len(rows) - sounds} {shown} and {sounds} recordings. Sounds it knows: {names}."


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "MANIFEST.tsv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def distillation_credits(root: Path) -> tuple[str, ...]:
    """One line for the teacher of the ears and for each package of unlabelled sounds that it was asked about."""
    teacher = [row for row in _rows(root) if root / row["file"] == teacher_file(root)]
    packages = [(row["source"], row["licence"]) for row in _rows(root / UNLABELLED)]
    return (
        *(f"ears distilled from {row['source']}: {row['author']} ({row['licence']})" for row in teacher),
        *(f"unlabelled sounds of {source} ({licence})" for source, licence in dict.fromkeys(packages)),
    )


@torch.no_grad()
def bank_codes(generator: Generator, anchors: Tensor, see: Sight, seeds: int, psi: float = TRUNCATION) -> Tensor:
    """Joint code F_v [seeds,D] of the picture each of the first seeds paints, from the anchors [A,Z] that they mix."""
    z = _seeds(generator, anchors, seeds)
    size = min(128, generator.config.size)
    rows = [see(generator.synthesis(generator.mapping(c, psi), "const", size, "activations")) for c in z.split(16)]
    return torch.cat(rows)


@torch.no_grad()
def border_inset(generator: Generator, anchors: Tensor, seeds: int = 24, psi: float = TRUNCATION) -> int:
    """Outermost pixels that are not as the rest of the picture, measured on pictures of the first seeds."""
    codes = generator.mapping(_seeds(generator, anchors, seeds), psi)
    whole = (generator.synthesis(w, "const", generator.config.size, "activations") for w in codes.split(4))
    return inset(torch.cat([*whole]))


def _seeds(generator: Generator, anchors: Tensor, seeds: int) -> Tensor:
    """The latents z [seeds,Z] of the first seeds."""
    z_anchors = anchors.half().float().numpy()
    return torch.from_numpy(np.stack([seed_to_z(s, generator.config.z_dim, z_anchors, MIXING) for s in range(seeds)]))


def pack(
    out: Path, root: Path, parts: Mapping[str, Mapping[str, Tensor]], networks: Trained, about: About, *,
    aliases: Mapping[str, str], measures: Mapping[str, Any], joint: Mapping[str, Any],
    motion_rate: float,
) -> Card:  # fmt: skip
    """Write the world file.

    Args:
        out: the file.
        root: of the data.
        parts: prefix -> tensors, besides the generator's.
        networks: what the stages made.
        about: for people.
        aliases: more names of the classes.
        measures: figures of the training.
        joint: how the joint space was made.
        motion_rate: motion steps a second.

    """
    generator, manifest = networks.generator, Manifest.read(root)
    space, ears = networks.space, networks.space.ears()
    distilled = ears.frames is not None and teacher_file(root).is_file()
    tensors = half(generator.state_dict(), "generator")
    for prefix, values in parts.items():
        tensors |= half(values, prefix)
    card = Card(
        about.name,
        about.version,
        about.licence or manifest.licence(),
        about.description or manifest.description(space.classes),
        generator.config,
        networks.encoder.config,
        networks.motion.config,
        ears.config,
        ears.frames.config if ears.frames is not None else None,
        image=space.image.config if space.image is not None else None,
        text=space.text.config if space.text is not None else None,
        motion_rate=motion_rate,
        classes=space.classes,
        names=space.names,
        aliases=dict(aliases),
        joint=dict(joint),
        credits=manifest.credits() + (distillation_credits(root) if distilled else ()),
        measures=dict(measures),
        truncation=TRUNCATION,
        mixing=MIXING,
        inset=border_inset(generator, parts["bank"]["anchors"]),
    )
    return save_world(out, card, tensors)
