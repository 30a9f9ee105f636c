"""Which files are meant by paths of sounds; without torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def sound_files(paths: Sequence[Path]) -> list[Path]:
    """The files given, and those in the folders given."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(one for one in path.rglob("*") if one.is_file() and not one.name.startswith("."))
        else:
            found.append(path)
    return found
