"""Measures a packed world as a user plays it: pictures, meaning, motion; writes figures, grids, contact sheets."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ...engine.files.atomic import names_after, write_bytes
from ...engine.inference.backend import Backend, open_backend
from ...engine.model.build import build_networks
from ...engine.model.seed_bank import TRUNCATION
from ...engine.model.world_file import World, load_world
from ...engine.pipeline.classify import classify
from ...engine.pipeline.loaded_world import LoadedWorld
from ...engine.units import LEVELS, SAMPLE_RATE, Array
from ..backbone import Backbone
from ..data.photos import PICTURES, picture_set
from ..data.procedural_pictures import CLASSES
from ..data.recordings import Recording, of_classes, read_recordings, with_procedural
from ..data.splits import split
from ..stages.generator.plan import WIDE
from ..stages.generator.progress import distances
from .distance import HeldOutPhotos
from .grids import save_grid
from .meaning import last_picture, meaning_table, play

log = logging.getLogger(__name__)
MOST = 6
"""Recordings of a class."""
FILES = ("measures.json", "seeds.png", "classes.png")


def film(world: World, backend: Backend, sound: Array, seconds: float, **changes: float) -> Array:
    """Pictures [T,H,W,3] of the first seconds of a sound; see `play`."""
    return np.stack([backend.synthesize(w) for w in play(world, backend, sound, seconds, **changes)])


def seed_grid(world: World, backend: Backend, count: int = 64) -> torch.Tensor:
    """Pictures of the first seeds [N,3,H,W] in [-1,1]."""
    bank = LoadedWorld(world, backend).seed_bank
    pictures = [backend.synthesize(bank.base(s, TRUNCATION, 0.0, None, 1.0)) for s in range(1, count + 1)]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2) * 2 - 1


def motion_table(world: World, backend: Backend, sound: Array) -> dict[str, float]:
    """Mean change from frame to frame (8-bit steps) over 4 s: all levels, each alone muted, all muted."""

    def liveliness(pictures: Array) -> float:
        return float(np.abs(np.diff(pictures[15:], axis=0)).mean() * 255)

    def muted(*levels: str) -> Array:
        return film(world, backend, sound, 4.0, **{f"motion__{name}__mute": True for name in levels})

    everything = muted()
    table = {"all levels": liveliness(everything)}
    for name in LEVELS:
        without = muted(name)
        table[f"{name} muted"] = liveliness(without)
        table[f"{name} muted, difference to all levels"] = float(np.abs(without - everything).mean() * 255)
    table["all muted"] = liveliness(muted(*LEVELS))
    return {k: round(v, 3) for k, v in table.items()}


def class_sheet(world: World, backend: Backend, sounds: dict[str, Array], seeds: tuple[int, ...]) -> torch.Tensor:
    """One row a seed: silence, then a sound of each of the nine classes after 3 s: [N,3,H,W] in [-1,1]."""
    rows = []
    for seed in seeds:
        heard = (np.zeros(SAMPLE_RATE, np.float32), *(sounds[k] for k in CLASSES))
        rows += [last_picture(world, backend, sound, seed) for sound in heard]
    return torch.from_numpy(np.stack(rows)).permute(0, 3, 1, 2) * 2 - 1


def picture_table(world: World, root: Path, work: Path, count: int = 300) -> dict[str, Any]:
    """Distances of the pictures of the first seeds, as played and at psi 1 and 0.7, to photos that were kept out of
    training; those of a square world are compared with the central squares of the same photos.
    """
    generator, anchors = build_networks(world).generator, torch.from_numpy(world.tensors["bank.anchors"]).float()
    data = picture_set(root, work / PICTURES, *WIDE.shape(), WIDE.z_dim)
    height, width = generator.config.shape()
    photos = HeldOutPhotos(data, Backbone(), square=height == width)
    played, mixing = world.card.truncation, world.card.mixing
    psis = dict.fromkeys((played, 1.0, 0.7))
    return {f"psi {psi}": distances(generator, anchors, photos, count, psi, mixing).table() for psi in psis}


def sounds_by_class(recordings: Iterable[Recording]) -> dict[str, list[Array]]:
    """Class -> the first MOST of its sounds of more than half a second."""
    found = [r for r in recordings if len(r.samples) > SAMPLE_RATE // 2]
    return {k: [r.samples for r in found if r.class_id == k][:MOST] for k in CLASSES}


def clearest(world: World, sounds: dict[str, list[Array]]) -> dict[str, Array]:
    """Class -> of its sounds the one that the world takes for it most surely."""

    def score(sound: Array, name: str) -> float:
        return float(np.mean([window.scores[name] for window in classify(world, [sound])]))

    return {k: max(some, key=lambda sound, k=k: score(sound, k)) for k, some in sounds.items()}


def measure(name: str, root: Path, work: Path, out: Path) -> dict[str, Any]:
    """All measures of one world; writes FILES below `out`, or OUT-2 and so on where such are there already."""
    world = load_world(name)
    backend = open_backend(world, "cpu")
    recordings = with_procedural(of_classes(read_recordings(root)))
    sounds = sounds_by_class(recordings)
    out = next(folder for folder in names_after(out) if not any((folder / name).exists() for name in FILES))
    out.mkdir(parents=True, exist_ok=True)
    save_grid(seed_grid(world, backend), out / "seeds.png")
    save_grid(
        class_sheet(world, backend, clearest(world, sounds), (7, 34, 35, 46)), out / "classes.png", 1 + len(CLASSES)
    )
    figures: dict[str, Any] = {"world": world.card.name, "content": world.card.content}
    figures["motion"] = motion_table(world, backend, sounds["thunderstorm"][0])
    log.info("motion %s", figures["motion"])
    figures["meaning"] = meaning_table(world, backend, sounds, (1, 2, 3))
    log.info("meaning %s", figures["meaning"])
    figures["meaning, final recordings"] = meaning_table(
        world, backend, sounds_by_class(split(recordings)[1]), (1, 2, 3)
    )
    log.info("of recordings that E_a never heard %s", figures["meaning, final recordings"])
    figures["pictures"] = picture_table(world, root, work)
    write_bytes(out / "measures.json", json.dumps(figures, indent=1).encode())
    log.info("written into %s", out)
    return figures
