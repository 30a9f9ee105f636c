"""Presets and scenes as JSON files, written atomically; the last ten versions of each are kept.

A preset holds `{address: value}`: of kind `look` the picture and motion parameters, of kind `show` all parameters but
those that would start something, such as a recording. The meaning mixer is kept by class (class_addresses.py).
scenes.py describes the file of scenes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from ..errors import InputError, OutputError, SonoramaError, ValueRefused
from ..files.folders import files_in, presets_folder
from ..ipc.messages import SCENES
from .addresses import (
    CLOCK_BPM,
    CLOCK_ORIGIN,
    LOOK_DRIFT,
    LOOK_SWAY,
    LOOK_TRAVEL,
    MIDI_LEARN,
    OUT_BLACKOUT,
    OUT_FREEZE,
    OUT_RECORD,
    TIMECODE_ORIGIN,
    TIMECODE_RUNNING,
    scene,
)
from .class_addresses import is_target, parameter_of, parts
from .names import tidy_name
from .parameters import Parameter, Value

Kind = Literal["look", "show"]
OLDER = 10
LARGEST = 1 << 20
LOOK_GROUPS = ("/look/", "/motion/", "/moves/", "/meaning/", "/picture/", "/blend/", "/axis/")
NEVER = (
    OUT_RECORD, OUT_BLACKOUT, OUT_FREEZE, CLOCK_BPM, CLOCK_ORIGIN, TIMECODE_RUNNING, TIMECODE_ORIGIN, MIDI_LEARN,
)  # fmt: skip
"""Parameters that no preset, scene or undo sets."""
LABELS = tuple(scene(slot, name) for slot in range(1, SCENES + 1) for name in ("name", "colour"))
"""What the file of scenes holds besides the scenes."""
_NO_NAME = re.compile(r'[<>:"/\\|?*\0]|^\.')
"""Found in what some file system takes for more than a name."""


def folder() -> Path:
    """Folder of presets and scenes: $SONORAMA_LOOKS, else in the user's data folder."""
    return presets_folder()


def file_of(name: str, kind: Kind | Literal["scenes", "cues"]) -> Path:
    """The file of a preset, or of the scenes or cues of a show of that name.

    Raises:
        SonoramaError: the name cannot be part of a file name.

    """
    return folder() / f"{preset_name(name)}.{kind}.json"


def preset_name(name: str) -> str:
    """The name as it is in the file's name: composed characters (NFC), single spaces, none at the ends.

    Raises:
        SonoramaError: empty, more than 64 characters or 200 bytes, or not the name of a file on every system.

    """
    plain = tidy_name(name)
    if not plain:
        raise SonoramaError("There is no name", "Type one, such as: night one")
    if _NO_NAME.search(plain):
        hint = 'Leave out / \\ : * ? " < > | and a dot at the beginning, such as: night one'
        raise SonoramaError(f"{plain!r} cannot be the name of a file", hint)
    return plain


def names() -> list[tuple[str, Kind]]:
    """Name and kind of all presets, sorted."""
    kinds: tuple[Kind, ...] = ("look", "show")
    return sorted(
        (p.name.removesuffix(f".{kind}.json"), kind) for kind in kinds for p in files_in(folder(), f"*.{kind}.json")
    )


def select(values: Mapping[str, Value], table: Mapping[str, Parameter], kind: Kind) -> dict[str, Value]:
    """Those of the values that a preset of this kind holds."""
    left_out = (*NEVER, *LABELS)
    kept = {path: value for path, value in values.items() if not table[path].event and path not in left_out}
    return {p: v for p, v in kept.items() if p.startswith(LOOK_GROUPS)} if kind == "look" else kept


def save(path: Path, said: Mapping[str, Any]) -> None:
    """Write a file atomically; the one before becomes version 1 of the older ones. Waits for the disk.

    Raises:
        OutputError: it cannot be written; the file before stays.

    """
    from ..files.atomic import replacing  # imported late: it loads FFmpeg, which the panel does not need

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_text(json.dumps(dict(said), indent=1), encoding="utf-8")
            _keep_older(path)
    except (OSError, OutputError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        reason = getattr(cause, "strerror", None) or cause
        message = f"{path.name} cannot be saved: {reason}"
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
    except OSError:  # file systems without links, such as on USB sticks
        shutil.copy2(path, older(path, 1))


def read(path: Path, what: str = "preset file") -> dict[str, Any]:
    """The JSON object in a file; a byte order mark, as Windows' editor writes, may stand before it.

    Args:
        path: of the file.
        what: it should be, for the error.

    Raises:
        InputError: the file cannot be read or holds no JSON object.

    """
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("too large")
        said = json.loads(path.read_text(encoding="utf-8-sig"))
        if not isinstance(said, dict):
            raise ValueError("no JSON object, which is written in { }")
        if not _shallow(said):
            raise ValueError("too deep")
    except (OSError, ValueError, RecursionError) as error:
        kept = older(path, 1).exists()
        hint = f"Older versions are in {path.parent / '.older'}." if kept else "Correct it in a text editor."
        raise InputError(f"{path.name} is not a valid {what}: {_reason(error)}", hint) from error
    return said


def _reason(error: Exception) -> str:
    """Why a file could not be read, for people."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, RecursionError):
        return "too deep"
    if isinstance(error, UnicodeDecodeError):
        return "no text in UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return "it is empty" if not error.doc.strip() else f"line {error.lineno}: {error.msg}"
    return str(error).partition(";")[0]


def _shallow(said: object, levels: int = 8) -> bool:
    """Whether it is nested at most `levels` deep; writing it recurses once for each."""
    parts = said.values() if isinstance(said, dict) else said if isinstance(said, list) else ()
    return levels > 0 and all(_shallow(part, levels - 1) for part in parts)


def load(path: Path, table: Mapping[str, Parameter]) -> tuple[dict[str, Value], list[str]]:
    """The values of a preset, and one line for every entry that is invalid and left out.

    Raises:
        InputError: the file cannot be read or holds no preset.

    """
    values, left_out = sift(read(path), table)
    return completed(values, table), [f"{path.name}: {address[:80]!r} is left out" for address in left_out]


def completed(values: Mapping[str, Value], table: Mapping[str, Parameter]) -> dict[str, Value]:
    """The values of a preset or scene, with what its picture needs where a version before /look/travel or /look/sway
    saved it: every version saved drift, and those pictures did not travel or sway.
    """
    newer = [path for path in (LOOK_TRAVEL, LOOK_SWAY) if path in table and path not in values]
    return {**values, **{path: table[path].earlier for path in newer if LOOK_DRIFT in values}}


def sift(said: Mapping[str, object], table: Mapping[str, Parameter]) -> tuple[dict[str, Value], list[str]]:
    """The valid entries, clipped, and the addresses of the others: unknown, of a wrong type, or in NEVER."""
    values: dict[str, Value] = {}
    left_out: list[str] = []
    for address, value in said.items():
        param = parameter_of(address, table)
        try:
            if param is None or param.event or address in NEVER or not isinstance(value, bool | int | float | str):
                left_out.append(address)
            else:
                str(value).encode()  # an unpaired surrogate cannot be sent as UTF-8
                by_name = is_target(address) and parts(str(value)) and parameter_of(str(value), table)
                values[address] = value if by_name else param.clip(value)
        except (ValueRefused, OverflowError, UnicodeEncodeError):
            left_out.append(address)
    return values, left_out
