"""Fits a world's E_a and E_RNN (eqs. 1 to 5) to its generator; finished stages are kept in a work folder."""

from __future__ import annotations

import copy
import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ...engine.errors import InputError, WorldError
from ...engine.files.atomic import translated, write_bytes
from ...engine.model.build import Networks, as_torch, build_networks
from ...engine.model.card import Card
from ...engine.model.config import EncoderConfig, MotionConfig
from ...engine.model.joint_embedding import ImageHead
from ...engine.model.motion_rnn import MotionNetwork
from ...engine.model.open_clip_towers import load_joint
from ...engine.model.own_worlds import origin, place_for
from ...engine.model.sound_inversion import SoundInversionEncoder
from ...engine.model.world_file import World, find_world, load_world, save_world
from ...engine.model.world_formats import loader_of
from ...engine.pipeline.class_places import places_of
from ..checkpoints import AGAIN, write_tensors
from ..packing import half
from ..stages.directions import PlaceLatents
from ..stages.joint_space import ImageTower
from ..stages.motion_by_sound import Fixed, SoundMotionTraining, guide_motion
from ..stages.motion_rest import RestTraining
from ..stages.sound_inversion import EncoderTraining, Judges, guide_by_sound
from ..status import Tell, silent
from ..train.lock import LOCK, alone_in
from .rest import LEAST, fit_rest, rest_plan, rest_steps
from .sound_files import sound_files
from .sounds import Heard, by_class, digest

log = logging.getLogger(__name__)
PLAN, STAGES = "fit.json", ("encoder", "motion", "rest")
MOST = 2000
"""Steps of E_a and of E_RNN that are fitted into a time."""
ANCHORS = 512
"""Random latents that stand for the places of a world without anchors."""
SILENT = "E_a and E_RNN are untrained and give zero."
FITTED = " E_a and E_RNN were fitted to it by sounds (eqs. 1 to 5), without films."


@dataclass(frozen=True)
class Request:
    """What to fit.

    Attributes:
        world: name or path.
        sounds: files and folders; none: procedural sounds of the classes that have them.
        work: folder in which stages are kept.
        minutes: that it may take; None: as many steps as a training of a world takes.
        name, out: of the new world, see `place_for`.

    """

    world: str
    sounds: tuple[Path, ...]
    work: Path
    minutes: float | None = None
    name: str | None = None
    out: Path | None = None


def fit(request: Request, tell: Callable[[str], Tell]) -> Card:
    """Fit, or go on; the card of the world that was written. `tell` gives each stage its listener.

    Raises:
        InputError: no sounds, or the work folder is of another fit.
        WorldError: a world without displacements by class, or without eyes.
        OutputError: the world cannot be written.

    """
    path = find_world(request.world)
    world = load_world(path)
    if "meaning.displacements" not in world.tensors or "labels.codes" not in world.tensors:
        what = f"{world.card.name}: its classes have no displacements of their own"
        raise WorldError(what, "Give an imported world, or teach it looks first: sonorama teach")
    out = place_for(path, world.card, request.name, request.out)
    files = sound_files(request.sounds)
    if not request.sounds:
        log.info("No sounds were given: procedural ones are used.")
    asked = {"content": world.card.content, "sounds": digest(files)}
    _check(request.work, asked)
    begun, built = time.monotonic(), build_networks(world)
    heard = by_class(world, files, built.sound, set(request.sounds))
    _check(request.work, asked)  # again: that took seconds
    if _plan(request.work) is None:
        with translated(request.work):
            request.work.mkdir(parents=True, exist_ok=True)
        write_bytes(request.work / PLAN, json.dumps(asked).encode())
    with alone_in(request.work):
        networks, told = _train(request, world, built, heard, begun, tell)
        card, tensors = _fitted(world, loader_of(path).load(path).tensors, networks, told)
        made = save_world(out, replace(card, name=request.name or card.name), tensors)
    _sweep(request.work)
    return made


def _check(work: Path, asked: dict[str, str]) -> None:
    """InputError where the work folder is of something else than what is asked for."""
    if (found := _plan(work)) is not None:
        if any(found.get(name) != value for name, value in asked.items()):
            what = f"{work} is of a fit of another world, or by other sounds"
            raise InputError(what, "Give another folder with --work, or delete that one.")
        return
    if os.path.lexists(work) and not (work.is_dir() and not any(work.iterdir())):
        raise InputError(f"{work} is there already, and is no fit", "Give another folder with --work.")


def _plan(work: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((work / PLAN).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _train(
    request: Request, world: World, built: Networks, heard: Heard, begun: float, tell: Callable[[str], Tell]
) -> tuple[tuple[SoundInversionEncoder, MotionNetwork], dict[str, Any]]:
    """E_a and E_RNN, and what the card says of them. begun: the moment that the minutes count from."""
    mels, told = heard
    fixed, (encoder, motion) = _fixed(world, built), _new(world, built)
    plan: dict[str, Any] = _plan(request.work) or {}
    known, hz = list(plan.get("steps", ())), world.card.motion_rate
    if len(known) < len(STAGES):
        seconds = None if request.minutes is None else 60 * request.minutes - (time.monotonic() - begun)
        plan |= {"steps": [*known, *_steps(encoder, motion, fixed, mels, hz, seconds)[len(known) :]]}
        write_bytes(request.work / PLAN, json.dumps(plan).encode())
    how = _how(fixed, plan["steps"])
    figures = _once(request.work, "encoder", encoder, lambda: _guide(encoder, fixed, mels, how, tell("encoder")))
    encoder.eval().requires_grad_(False)
    roll = SoundMotionTraining(steps=plan["steps"][1], hz=hz)
    moved = _once(
        request.work, "motion", motion, lambda: guide_motion(motion, encoder, fixed, mels, roll, how, tell("motion"))
    )
    resting = rest_plan(plan["steps"][2])
    rested = _once(
        request.work, "rest", motion, lambda: fit_rest(motion, encoder, fixed, mels, hz, resting, tell("rest"))
    )
    found = zip(STAGES, (figures, moved, rested), strict=True)
    rounded = {name: {k: round(v, 4) for k, v in one.items()} for name, one in found}
    counts = {name: len(some) for name, some in zip(world.card.classes, mels, strict=True) if some}
    return (encoder, motion), rounded | {"sounds": counts, "files": told, "steps": plan["steps"]}


def _once(
    work: Path, name: str, network: SoundInversionEncoder | MotionNetwork, make: Callable[[], dict[str, float]]
) -> dict[str, float]:
    """A stage's network, from its file where there is one; its figures."""
    path, notes = work / f"{name}.safetensors", work / f"{name}.json"
    if not path.is_file():
        torch.manual_seed(21)
        write_bytes(notes, json.dumps(make()).encode())
        write_tensors(path, network.state_dict())
    try:
        network.load_state_dict(load_file(path))
        return json.loads(notes.read_bytes())
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} is damaged", AGAIN) from error


def _eyes(world: World) -> Callable[[Tensor], Tensor]:
    """F_v. WorldError: the world sees no pictures."""
    if clip := world.card.joint.get("clip"):
        return load_joint(str(clip)).image
    if world.card.image is None:
        raise WorldError(
            f"{world.card.name}: this world sees no pictures",
            "Import it with a base world that does: sonorama import --base",
        )
    return ImageTower(ImageHead.from_tensors(as_torch(world.part("image"))).requires_grad_(False))


def _judges(world: World, built: Networks) -> Judges:
    labels = torch.from_numpy(world.vocabulary.codes[: len(world.card.classes)].copy())
    return Judges(built.sound, _eyes(world), labels / labels.norm(dim=1, keepdim=True).clamp_min(1e-6))


def _fixed(world: World, built: Networks) -> Fixed:
    """What the fit does not change."""
    ways = torch.from_numpy(world.tensors["meaning.displacements"].astype(np.float32)) / built.generator.mapping.w_std
    anchors = world.tensors.get("bank.anchors")
    if anchors is None:
        anchors = np.random.default_rng(4).standard_normal((ANCHORS, world.card.generator.z_dim))
    known, places = places_of(world.tensors), None
    if known is not None:
        places = PlaceLatents(torch.from_numpy(known.latents), torch.from_numpy(known.classes.astype(np.int64)))
    codes = torch.from_numpy(anchors.astype(np.float32))
    return Fixed(built.generator, ways, codes, _judges(world, built), places)


def _guide(
    encoder: SoundInversionEncoder, fixed: Fixed, mels: list[list[Tensor]], how: EncoderTraining, tell: Tell = silent
) -> dict[str, float]:
    """Train E_a in place."""
    return guide_by_sound(
        encoder, fixed.generator, fixed.displacements, mels, fixed.codes, fixed.judges, how, tell, fixed.places
    )  # fmt: skip


def _new(world: World, built: Networks) -> tuple[SoundInversionEncoder, MotionNetwork]:
    """Untrained networks of the usual sizes, which give zero."""
    card, mapping = world.card, built.generator.mapping
    with torch.random.fork_rng():
        torch.manual_seed(21)
        widths = EncoderTraining().widths
        encoder = EncoderConfig(card.num_ws, card.w_dim, card.sound.code_dim, widths, level_cuts=card.level_cuts)
        motion = MotionConfig(card.num_ws, card.w_dim, level_cuts=card.level_cuts)
        return (
            SoundInversionEncoder(encoder, mapping.w_std),
            MotionNetwork(motion, mapping.w_avg, mapping.w_std),
        )


def _how(fixed: Fixed, steps: Sequence[int]) -> EncoderTraining:
    plan = EncoderTraining(steps=steps[0])
    return replace(plan, size=min(plan.size, fixed.generator.config.size))


def _steps(
    encoder: SoundInversionEncoder, motion: MotionNetwork, fixed: Fixed, mels: list[list[Tensor]], hz: float,
    seconds: float | None,
) -> list[int]:  # fmt: skip
    """Steps of the stages: by default those of a training, else as many as fit, after a few of each on copies."""
    if seconds is None:
        return [EncoderTraining().steps, SoundMotionTraining().steps, RestTraining().steps]
    how, roll = _how(fixed, [2]), SoundMotionTraining(steps=2, hz=hz)
    trial, begun = copy.deepcopy(encoder), time.monotonic()
    _guide(trial, fixed, mels, how)
    one = (time.monotonic() - begun) / 2
    begun = time.monotonic()
    guide_motion(copy.deepcopy(motion), trial, fixed, mels, roll, how)
    two = (time.monotonic() - begun) / 2
    resting = rest_steps(motion, trial, fixed, mels, hz, 0.12 * seconds)
    return [*(int(min(max(0.39 * seconds / max(each, 1e-3), LEAST), MOST)) for each in (one, two)), resting]


def _fitted(
    world: World, tensors: dict[str, Any], networks: tuple[SoundInversionEncoder, MotionNetwork], told: dict[str, Any]
) -> tuple[Card, dict[str, Any]]:
    """The world with these networks."""
    encoder, motion = networks
    kept = {name: x for name, x in tensors.items() if not name.startswith(("encoder.", "motion."))}
    card = world.card
    description = card.description.replace(f" {SILENT}", "").replace(FITTED, "") + FITTED
    card = replace(
        card, encoder=encoder.config, motion=motion.config, description=description[:4000],
        measures=card.measures | {"fitted": {"from": origin(card), **told}},
    )  # fmt: skip
    return card, kept | half(encoder.state_dict(), "encoder") | half(motion.state_dict(), "motion")


def _sweep(work: Path) -> None:
    """Delete what the stages left, and the folder where nothing else is in it."""
    for name in (*(f"{stage}.{end}" for stage in STAGES for end in ("safetensors", "json")), LOCK, PLAN):
        (work / name).unlink(missing_ok=True)
    with suppress(OSError):
        work.rmdir()
