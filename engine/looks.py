"""Looks, shows and scenes as JSON files, written whole or not at all; the ten older versions stay.

A look is picture and motion; a show is everything that can be set, except what must not start by itself. Both are
`{address: value}`; what scenes are: scenes.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from .errors import InputError, OutputError, ValueRefused
from .params import Param, Value
from .shared import check_name

Kind = Literal["look", "show"]
OLDER = 10
LARGEST = 1 << 20
LOOK_GROUPS = ("/look/", "/motion/", "/moves/")
NEVER = ("/out/record", "/out/blackout", "/out/freeze")


def folder() -> Path:
    """Where they lie: below $SONORAMA_LOOKS, else in the user's data folder."""
    given = os.environ.get("SONORAMA_LOOKS")
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(given) if given else Path(base) / "sonorama" / "looks"


def file_of(name: str, kind: Kind | Literal["scenes"]) -> Path:
    """The file of a look or show of that name, or of the scenes of the show that runs under it.

    Raises:
        SonoramaError: no name for a file.

    """
    return folder() / f"{check_name(name)}.{kind}.json"


def names() -> list[tuple[str, Kind]]:
    """What is there, by name."""
    kinds: tuple[Kind, ...] = ("look", "show")
    return sorted(
        (p.name.removesuffix(f".{kind}.json"), kind) for kind in kinds for p in folder().glob(f"*.{kind}.json")
    )


def select(values: Mapping[str, Value], table: Mapping[str, Param], kind: Kind) -> dict[str, Value]:
    """Those of the values that a look or show keeps."""
    kept = {path: value for path, value in values.items() if not table[path].event and path not in NEVER}
    return {p: v for p, v in kept.items() if p.startswith(LOOK_GROUPS)} if kind == "look" else kept


def save(path: Path, said: Mapping[str, Any]) -> None:
    """Write a file whole; what was there before becomes version 1 of the older ones. Waits for the disk.

    Raises:
        OutputError: it cannot be written; what was there stays.

    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(16)}.part")
    made = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("x", encoding="utf-8") as file:
            made = True
            json.dump(dict(said), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        _keep_older(path)
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            if made:
                part.unlink(missing_ok=True)
        message = f"{path.name} cannot be saved: {error.strerror or error}"
        raise OutputError(message, f"Make room or allow writing in {path.parent}.") from error


def older(path: Path, number: int) -> Path:
    """File of the version `number` saves ago, 1 to 10."""
    return path.parent / ".older" / f"{path.name}.{number}"


def _keep_older(path: Path) -> None:
    if not path.exists():
        return
    older(path, 1).parent.mkdir(exist_ok=True)
    for number in range(OLDER - 1, 0, -1):
        if older(path, number).exists():
            older(path, number).replace(older(path, number + 1))
    older(path, 1).unlink(missing_ok=True)
    try:
        os.link(path, older(path, 1))
    except OSError:  # USB sticks know no links
        shutil.copy2(path, older(path, 1))


def read(path: Path) -> dict[str, Any]:
    """What a file says, whatever it is.

    Raises:
        InputError: the file cannot be read or holds no JSON object.

    """
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("too large")
        said = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(said, dict):
            raise ValueError("no object of addresses")
        if not _shallow(said):
            raise ValueError("too deep")
    except (OSError, ValueError, RecursionError) as error:
        older_ones = f"Older versions are in {path.parent / '.older'}."
        raise InputError(f"{path.name} is not what it should be: {error}", older_ones) from error
    return said


def _shallow(said: object, levels: int = 8) -> bool:
    """Whether it can be written again from anywhere: each level costs Python a call."""
    parts = said.values() if isinstance(said, dict) else said if isinstance(said, list) else ()
    return levels > 0 and all(_shallow(part, levels - 1) for part in parts)


def load(path: Path, table: Mapping[str, Param]) -> tuple[dict[str, Value], list[str]]:
    """The values of a look or show, and one line for every entry that is none (it is left out).

    Raises:
        InputError: the file cannot be read or holds no look.

    """
    values, left_out = sift(read(path), table)
    return values, [f"{path.name}: {address[:80]!r} is left out" for address in left_out]


def sift(said: Mapping[str, object], table: Mapping[str, Param]) -> tuple[dict[str, Value], list[str]]:
    """The entries that a table takes, clipped, and the addresses of those that it does not, or that must not start
    by themselves.
    """
    values: dict[str, Value] = {}
    left_out: list[str] = []
    for address, value in said.items():
        param = table.get(address)
        try:
            if param is None or param.event or address in NEVER or not isinstance(value, bool | int | float | str):
                left_out.append(address)
            else:
                str(value).encode()  # half a character of a JSON escape can be sent nowhere
                values[address] = param.clip(value)
        except (ValueRefused, OverflowError, UnicodeEncodeError):
            left_out.append(address)
    return values, left_out
