"""What made a film, so that it can be made again: `OUT.json` beside a film, `sonorama.json` in a folder.

The sidecar of a film also says its size and hash, by which the film is known for ours.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..engine.errors import OutputError
from ..engine.files.atomic import translated
from ..engine.files.fingerprint import MADE_BY, matches

_NOT_THE_JOB = ("command", "sound", "film", "licence")  # may differ between two runs that make the same frames
_OVERWRITE = "Choose another OUT, or replace it with --overwrite."


AS_LIVE = 0.0
"""Look-ahead of films whose sidecar says none: they were made before there was any."""


class OfAnotherJob(OutputError):
    """What is there was made by another job."""


def command_line(command: tuple[str, ...]) -> str:
    """The command as one would type it again."""
    return shlex.join(command)


def to_json(facts: Mapping[str, Any]) -> bytes:
    r"""Readable JSON with a final line break; bytes of names that are no UTF-8 as `\udcNN`, as os.fsdecode has them."""
    return (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode(errors="backslashreplace")


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Names of the facts that make another film of it; empty for the same job."""
    old, new = _as_now(old), _as_now(new)
    names = sorted((old.keys() | new.keys()) - set(_NOT_THE_JOB))
    return [name for name in names if old.get(name) != new.get(name)]


def _as_now(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts as JSON has them, and as they are written today."""
    told: dict[str, Any] = {"look_ahead": AS_LIVE} | json.loads(json.dumps(facts))
    if told["look_ahead"] is None:
        told["look_ahead"] = AS_LIVE if "take" in told else "auto"
    return told


def sidecar_of(out: Path) -> Path:
    """The sidecar of a film."""
    return out.with_name(f"{out.name}.json")


def read_sidecar(path: Path) -> dict[str, Any] | None:
    """What a sidecar says; None when it is none of ours."""
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and told.get("made_by") == MADE_BY else None


def _is_there(path: Path) -> bool:
    """Whether anything has this name. Raises OSError where none can have it."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def check_film(out: Path, overwrite: bool) -> None:
    """Refuse at once to replace what is not ours: a sidecar never, a film only if that is asked for.

    Raises:
        OutputError: it is there.

    """
    sidecar = sidecar_of(out)
    with translated(sidecar):  # its name is longer than that of the film
        there = _is_there(sidecar)
    if there and (sidecar.is_symlink() or read_sidecar(sidecar) is None):
        message = f"{sidecar}, where the facts about the film belong, is a file of unknown origin"
        raise OutputError(message, "Move it away, or choose another OUT.")
    if os.path.lexists(out) and not overwrite and not sidecar.exists():
        raise OutputError(f"{out} is there already, and nothing says that sonorama made it", _OVERWRITE)


def is_made(out: Path, facts: Mapping[str, Any]) -> bool:
    """Whether the film of these facts is there already, whole.

    Raises:
        OfAnotherJob: another film is there, or the sidecar of another one.
        OutputError: it was changed since.

    """
    sidecar = sidecar_of(out)
    told = read_sidecar(sidecar)
    if told is None:
        return False
    changed = differences(told, facts)
    if changed:
        which = f"{out} was made by another job" if os.path.lexists(out) else f"{sidecar} is about another film"
        raise OfAnotherJob(f"{which}: {', '.join(changed)} differ", _OVERWRITE)
    if not os.path.lexists(out):
        return False
    if not matches(out, told.get("film")):
        raise OutputError(f"{out} is not as it was made: its size or hash is another than {sidecar} says", _OVERWRITE)
    return True
