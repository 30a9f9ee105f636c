"""Makes a world of a StyleGAN2 or StyleGAN3 file: its generator, and the words, eyes and ears of a base world.

E_a and E_RNN are untrained, small, and give zero: what moves the pictures are the places and directions of the classes
(bank.py) and whatever the player moves by level, onset and beat.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sonorama.engine.errors import OutputError, WorldError
from sonorama.engine.files.atomic import check_folder
from sonorama.engine.files.fingerprint import sha256_of_given
from sonorama.engine.files.folders import worlds_folder
from sonorama.engine.model import stylegan3_config
from sonorama.engine.model.build import as_torch
from sonorama.engine.model.card import Card
from sonorama.engine.model.config import LEVEL_CUTS, EncoderConfig, MotionConfig
from sonorama.engine.model.generator import Generator
from sonorama.engine.model.motion_rnn import MotionNetwork
from sonorama.engine.model.own_worlds import check_name
from sonorama.engine.model.seen_classes import SEEN
from sonorama.engine.model.sound_inversion import SoundInversionEncoder
from sonorama.engine.model.stylegan3_config import StyleGAN3Config
from sonorama.engine.model.world_file import World, load_world, read_card, save_world

from .adopt import adopt, is_world
from .bank import (
    BESIDE_PLACES,
    MIXING,
    TRUNCATION,
    Bank,
    agreement,
    axes_of,
    directions,
    eyes,
    largest_activation,
    measure_styles,
    not_by_chance,
    paint_bank,
    places,
)
from .network_record import Network
from .reading import read_generator
from .stylegan2 import Converted, convert
from .stylegan3 import convert_stylegan3, is_stylegan3

LICENCE = "unknown, non-commercial unless you know better"
SEEDS, FEW = 512, 64
"""Pictures of a bank, unless told otherwise. Those of StyleGAN3 take many times as long."""
NARROW = 8
"""Width of networks that give zero."""
Tell = Callable[[int, int], object]
"""Called with pictures painted and to paint."""


@dataclass(frozen=True)
class Request:
    """What to import.

    Attributes:
        file: NVIDIA's pickle or rosinality's checkpoint.
        world: name of the world.
        out: None: among the user's worlds.
        base: name or path of the world whose words, eyes and ears it takes.
        seeds: size of the seed bank, at least 16; None: SEEDS, of a StyleGAN3 network FEW.
        licence: of the file.

    """

    file: Path
    world: str
    base: str
    out: Path | None = None
    seeds: int | None = None
    licence: str = LICENCE


def import_world(request: Request, tell: Tell = lambda done, total: None) -> Card:
    """Read, convert, paint the bank and write the world; its card. A file that is a world already is copied.

    Raises:
        InputError, WorldError: the file, or the base world, cannot be used.
        OutputError: the world cannot be written, or another file is there.
        MissingExtra: the image backbone is not installed.

    """
    check_name(request.world, request.out)
    out = request.out or worlds_folder() / f"{request.world}.safetensors"
    if is_world(request.file):
        return adopt(request.file, request.world, out, None if request.licence == LICENCE else request.licence)
    made_of = _source_of(out)
    digest = sha256_of_given(request.file)
    if made_of not in (None, digest):
        raise _taken(out)
    base = load_world(request.base)
    see = eyes(base)
    converted = convert_network(read_generator(request.file), request.file.name)
    generator = _generator(converted)
    if request.seeds is None:
        request = replace(request, seeds=FEW if isinstance(converted.config, StyleGAN3Config) else SEEDS)
    with torch.random.fork_rng():
        bank = paint_bank(generator, see, request.seeds or SEEDS, tell)
    card, tensors = _world(request, digest, base, converted, generator, bank)
    return save_world(out, card, tensors)


def convert_network(network: Network, file: str) -> Converted:
    """Our generator's tensors of either kind of network.

    Raises:
        WorldError: it is neither, or has something that our generators do not have.

    """
    return convert_stylegan3(network, file) if is_stylegan3(network) else convert(network, file)


def _source_of(out: Path) -> str | None:
    """The SHA-256 of the file that the world in `out` was imported from; None where nothing is there.

    Raises:
        OutputError: what is there is no imported world, or `out` cannot be written.

    """
    check_folder(next(folder for folder in out.absolute().parents if folder.is_dir()), out)
    if out.is_dir():
        raise OutputError(f"{out} is a folder", "Give the name of a file with -o.")
    if not os.path.lexists(out):
        return None
    try:
        measures = read_card(out).measures
        made_of = None if "taught" in measures else measures.get("source", {}).get("sha256")
    except (WorldError, AttributeError):
        made_of = None
    if made_of is None:
        raise _taken(out)
    return str(made_of)


def _taken(out: Path) -> OutputError:
    message = f"{out} is there already, and is no world that was imported from this file as it is"
    return OutputError(message, "Give another name with --world, or move that file away.")


def _generator(converted: Converted) -> Generator:
    """Our generator with these weights and the statistics of its W."""
    with torch.random.fork_rng():
        generator = Generator(converted.config)
    state = generator.state_dict()
    tensors = as_torch({name: x.reshape(state[name].shape) for name, x in converted.tensors.items()})
    generator.load_state_dict(state | tensors)
    generator.eval().requires_grad_(False)
    measure_styles(generator, "mapping.w_avg" in tensors)
    return generator


def _world(
    request: Request, digest: str, base: World, converted: Converted, generator: Generator, bank: Bank
) -> tuple[Card, dict[str, npt.NDArray[Any]]]:
    shape, labels = converted.config, base.tensors["labels.codes"]
    w_std = generator.mapping.w_std.numpy()
    ways, told = directions(bank, labels, w_std), agreement(bank, labels, w_std).astype(np.float64).round(3)
    found = places(bank, labels, told >= max(SEEN, not_by_chance(len(bank.codes))), generator.mapping.w_avg.numpy())
    ways[np.unique(found[1])] *= BESIDE_PLACES
    seen = dict(zip(base.card.classes, told.tolist(), strict=True))
    widths = (NARROW,) * len(base.card.encoder.widths)
    sizes = (shape.num_ws, shape.w_dim)
    slow = isinstance(shape, StyleGAN3Config)
    cuts = stylegan3_config.LEVEL_CUTS if slow else LEVEL_CUTS
    encoder = EncoderConfig(*sizes, base.card.sound.code_dim, widths, NARROW, cuts, NARROW)
    motion = MotionConfig(*sizes, NARROW, cuts)
    networks = {"generator": generator, **_silent(encoder, motion, generator)}
    tensors = {
        f"{prefix}.{name}": value.detach().numpy()
        for prefix, network in networks.items()
        for name, value in network.state_dict().items()
    }
    shared = ("sound.", "text.", "image.", "labels.", "names.")
    tensors |= {name: value for name, value in base.tensors.items() if name.startswith(shared)}
    tensors["axes.directions"], axis_shares = axes_of(generator)
    tensors["bank.codes"] = bank.codes.astype(np.float16)
    tensors["meaning.displacements"] = np.repeat(ways[:, None], shape.num_ws, 1).astype(np.float16)
    if len(found[0]):
        tensors["meaning.places"], tensors["meaning.place_classes"] = found[0].astype(np.float16), found[1]
    measures: dict[str, Any] = {
        "source": {"file": request.file.name, "sha256": digest},
        "directions": seen,
        "bank": {"seeds": request.seeds},
        "axes": axis_shares,
    }
    largest = largest_activation(generator) if converted.clamp else 0.0
    if converted.clamp:
        measures["clamp"] = {"network": converted.clamp, "largest_activation": round(largest, 2)}
    card = replace(
        base.card, name=request.world, version="1", licence=request.licence,
        description=_description(request, digest, seen, 0 < converted.clamp < largest, slow), generator=shape,
        encoder=encoder, motion=motion, truncation=TRUNCATION, mixing=MIXING, inset=0, path="", measures=measures,
        joint=base.card.joint | {"base": base.card.name},
        credits=(
            f"{request.file.name}: unknown", f"words, eyes and ears of {base.card.name}: {base.card.licence}",
            *base.card.credits,
        ),
    )  # fmt: skip
    return card, tensors


def _silent(
    encoder: EncoderConfig, motion: MotionConfig, generator: Generator
) -> dict[str, SoundInversionEncoder | MotionNetwork]:
    """E_a and E_RNN whose last layers are zero, as they begin a training."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        mapping = generator.mapping
        return {
            "encoder": SoundInversionEncoder(encoder, mapping.w_std),
            "motion": MotionNetwork(motion, mapping.w_avg, mapping.w_std),
        }


def _description(request: Request, digest: str, seen: Mapping[str, float], clamped: bool, slow: bool) -> str:
    """For people."""
    known = [name.replace("_", " ") for name, how in sorted(seen.items(), key=lambda one: -one[1]) if how >= SEEN]
    told = (
        f"Its seeds were found to differ in: {', '.join(known)}; these sounds move the pictures towards them."
        if known
        else "Its pictures are none that the base world's eyes tell apart by sound: directions are by chance."
    )
    text = f"Imported from {request.file.name} (SHA-256 {digest}). {told} E_a and E_RNN are untrained and give zero."
    text += (
        " StyleGAN3: a CPU takes seconds for a picture of the usual widths, so it is for films, or for a GPU."
        if slow
        else ""
    )
    return text + (" Some activations pass the network's clamp, which is not applied." if clamped else "")
