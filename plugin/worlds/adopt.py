"""Files that are worlds already, sonorama's own or those of any world loader: checked and copied among the user's."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from sonorama.engine.errors import OutputError, WorldError
from sonorama.engine.files.atomic import check_folder
from sonorama.engine.model.card import Card
from sonorama.engine.model.world_file import load_world, read_card, save_world
from sonorama.engine.model.world_formats import loader_of


def is_world(file: Path) -> bool:
    """Whether a world loader knows the file."""
    return file.is_file() and loader_of(file).knows(file)


def adopt(file: Path, name: str, out: Path, licence: str | None) -> Card:
    """Read and check a world and write it as a world file; the card of that.

    Args:
        file: of any format that a world loader reads.
        name: of the world from now on.
        out: where it is written: a file that is not there, or holds the same tensors.
        licence: None: what its card says.

    Raises:
        WorldError: it is damaged, or its tensors do not fit its card.
        OutputError: another file is there, or it cannot be written.

    """
    world = load_world(file)
    if os.path.lexists(out) and _content(out) != world.card.content:
        raise OutputError(f"{out} is there already, and is another world", "Give another name with --world.")
    check_folder(next(folder for folder in out.absolute().parents if folder.is_dir()), out)
    card = replace(world.card, name=name, licence=licence or world.card.licence)
    return save_world(out, card, loader_of(file).load(file).tensors)


def _content(path: Path) -> str:
    try:
        return read_card(path).content
    except WorldError:
        return ""
