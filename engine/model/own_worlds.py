"""Where a command that makes or changes a world writes it: over the user's own world, or to a new file; never over
another, nor under the name of a world that comes with sonorama.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from ..errors import OutputError, ValueRefused, WorldError, one_line
from ..files.atomic import check_folder
from ..files.folders import worlds_folder
from .card import Card
from .world_file import INSTALLED, SUFFIX, read_card, world_files, world_folders
from .world_formats import EXPORTED_WORLD


def check_name(name: str, out: Path | None = None) -> None:
    """Refuse the name of a world that comes with sonorama: it would be played instead of that one, even by default; and
    a file in a folder that is not there.

    Args:
        name: of the new world.
        out: its file; None: NAME among the user's worlds. Elsewhere it is played by its path, so any stem will do.

    Raises:
        ValueRefused: the name.
        OutputError: the folder.

    """
    if out is not None and out.resolve().parent in [folder.resolve() for folder in world_folders()]:
        check_name(out.stem)
    if name.casefold() in {path.stem.casefold() for path in world_files(INSTALLED)}:
        raise ValueRefused(f"{name} is the name of a world that comes with sonorama", "Choose another name.")
    if out is not None and not out.absolute().parent.is_dir():
        raise OutputError(f"There is no folder {out.absolute().parent}", "Make it first, or choose another folder.")


def place_for(path: Path, card: Card, name: str | None, out: Path | None) -> Path:
    """The file to write: the user's own world itself, or one that is not there or was made from it.

    Args:
        path: of the world.
        card: its card.
        name: of a new world among the user's.
        out: a file elsewhere.

    Raises:
        OutputError: another file is there, or the world is not the user's and no name was given.
        ValueRefused: the name is that of a world that comes with sonorama.

    """
    if name is not None or out is not None:
        check_name(name or "", out)
    if name is None and out is None:
        own = [folder.resolve() for folder in world_folders() if folder != INSTALLED]
        if path.resolve().parent not in own or path.suffix != SUFFIX:
            told = card.name if path.parent in world_folders() else path
            stem = path.parent.name if path.name == EXPORTED_WORLD else path.stem
            what = f"{one_line(str(told))} is not among your worlds, and stays as it is"
            raise OutputError(what, f"Name the new world: --name {shlex.quote(f'{stem}-2')}")
        return path
    out = out or worlds_folder() / f"{name}{SUFFIX}"
    if os.path.lexists(out) and _origin_of(out) not in {card.content, origin(card)}:
        what = f"{out} is there already, and is no world that was made from {one_line(card.name)}"
        raise OutputError(what, "Give another name with --name, or move that file away.")
    check_folder(next(folder for folder in out.absolute().parents if folder.is_dir()), out)
    return out


def origin(card: Card) -> str:
    """The content of the world that a world was first made from by such a command; its own where it was not."""
    for made in ("taught", "fitted"):
        found = card.measures.get(made)
        if isinstance(found, dict) and isinstance(found.get("from"), str):
            return found["from"]
    return card.content


def _origin_of(path: Path) -> str:
    """The same of a file that is there; "" for one that was not made so."""
    try:
        card = read_card(path)
    except WorldError:
        return ""
    found = origin(card)
    return "" if found == card.content else found
