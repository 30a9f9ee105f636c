"""What made a film, so that it can be made again: `OUT.json` beside a film, `sonorama.json` in a folder."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_NOT_THE_JOB = ("command", "sound")  # may differ between two runs that make the same frames


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def command_line(command: tuple[str, ...]) -> str:
    """The command as one would type it again."""
    return shlex.join(command)


def to_json(facts: Mapping[str, Any]) -> bytes:
    """Readable JSON with a final line break."""
    return (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode()


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Names of the facts that make another film of it; empty for the same job."""
    old = json.loads(json.dumps(old))
    new = json.loads(json.dumps(new))
    names = sorted((old.keys() | new.keys()) - set(_NOT_THE_JOB))
    return [name for name in names if old.get(name) != new.get(name)]
