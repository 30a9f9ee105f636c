"""Makes a world of a StyleGAN2 or StyleGAN3 file: its generator, and the words, eyes and ears of a base world.

The world is written at once, and again when its seed bank has been painted (painting.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sonorama.engine.errors import OutputError, WorldError
from sonorama.engine.files.atomic import check_folder
from sonorama.engine.files.fingerprint import sha256_of_given
from sonorama.engine.files.folders import worlds_folder
from sonorama.engine.model.card import Card
from sonorama.engine.model.own_worlds import check_name
from sonorama.engine.model.stylegan3_config import StyleGAN3Config
from sonorama.engine.model.world_file import World, load_world, read_card, save_world

from .adopt import adopt, is_world
from .alone import alone
from .bank import eyes
from .imported import Imported, Source
from .network_record import Network
from .painting import paint_banks
from .reading import read_generator
from .stylegan2 import Converted, convert
from .stylegan3 import convert_stylegan3, is_stylegan3

LICENCE = "unknown, non-commercial unless you know better"
SEEDS, FEW = 512, 64
"""Pictures of a bank, unless told otherwise. Those of StyleGAN3 take many times as long."""
FIRST = 64
"""Pictures after which the world is written with what a larger bank has so far."""
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


@dataclass(frozen=True)
class Written:
    """The world as its file is now. seeds: of its bank; wanted: of the whole one, which is painted if that is more."""

    card: Card
    seeds: int
    wanted: int


def import_world(request: Request, tell: Tell = lambda done, total: None) -> Iterator[Written]:
    """Read, convert and write the world; paint its bank, and write it again with that.

    A file that is a world already is copied. A world that was imported from the same file before stays as it is until
    the new one has at least as large a bank.

    Raises:
        InputError, WorldError: the file, or the base world, cannot be used.
        OutputError: the world cannot be written, or another file is there, or the world was changed meanwhile.
        MissingExtra: the image backbone is not installed.

    """
    check_name(request.world, request.out)
    out = request.out or worlds_folder() / f"{request.world}.safetensors"
    if is_world(request.file):
        card = adopt(request.file, request.world, out, None if request.licence == LICENCE else request.licence)
        yield Written(card, 0, 0)
        return
    with alone(out):
        yield from _imported(request, out, tell)


def _imported(request: Request, out: Path, tell: Tell) -> Iterator[Written]:
    before = _before(out)
    digest = sha256_of_given(request.file)
    if before is not None and before.measures["source"]["sha256"] != digest:
        raise _taken(out)
    base = load_world(request.base)
    see = eyes(base)
    converted = convert_network(read_generator(request.file), request.file.name)
    made = Imported(Source(request.file.name, digest, request.world, request.licence), base, converted)
    wanted = request.seeds or (FEW if isinstance(converted.config, StyleGAN3Config) else SEEDS)
    known = _seeds_of(before)
    world = World(*made.world(None))
    content = "" if before is None else before.content
    if known < 0:
        card = save_world(out, world.card, world.tensors)
        content = card.content
        yield Written(card, 0, wanted)
    sizes = [size for size in (FIRST,) if known < size < wanted]
    for bank in paint_banks(world, made.generator, see, [*sizes, wanted], tell):
        _check_unchanged(out, content)
        card = save_world(out, *made.world(bank))
        content = card.content
        yield Written(card, len(bank.codes), wanted)


def convert_network(network: Network, file: str) -> Converted:
    """Our generator's tensors of either kind of network.

    Raises:
        WorldError: it is neither, or has something that our generators do not have.

    """
    return convert_stylegan3(network, file) if is_stylegan3(network) else convert(network, file)


def _before(out: Path) -> Card | None:
    """The card of the imported world that is in `out`; None where nothing is there.

    Raises:
        OutputError: what is there is no imported world, or `out` cannot be written.

    """
    check_folder(next(folder for folder in out.absolute().parents if folder.is_dir()), out)
    if out.is_dir():
        raise OutputError(f"{out} is a folder", "Give the name of a file with -o.")
    if not os.path.lexists(out):
        return None
    try:
        card = read_card(out)
        own = not {"taught", "fitted"} & card.measures.keys()
        if not isinstance(card.measures["source"]["sha256"], str):
            raise _taken(out)
    except (WorldError, KeyError, TypeError):
        raise _taken(out) from None
    if not own:
        message = f"{out} is there already, and was taught or fitted since it was imported"
        raise OutputError(message, "Give another name with --world, or move that file away.")
    return card


def _seeds_of(card: Card | None) -> int:
    """Seeds of the bank that a world has already; -1: there is no world."""
    if card is None:
        return -1
    bank = card.measures.get("bank")
    seeds = bank.get("seeds") if isinstance(bank, dict) else 0
    return seeds if isinstance(seeds, int) else 0


def _taken(out: Path) -> OutputError:
    message = f"{out} is there already, and is no world that was imported from this file as it is"
    return OutputError(message, "Give another name with --world, or move that file away.")


def _check_unchanged(out: Path, content: str) -> None:
    """OutputError where the world is not the one that was written before its bank was painted."""
    try:
        same = read_card(out).content == content
    except WorldError:
        same = False
    if not same:
        message = f"{out} was changed while its seed bank was painted, and stays as it is"
        raise OutputError(message, "Import the file again under another name, with --world.")
