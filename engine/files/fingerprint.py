"""Size and hash of a file, by which it is known for ours."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MADE_BY = "sonorama"


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(path: Path) -> dict[str, Any]:
    """Size in bytes and SHA-256 of a file."""
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def matches(path: Path, told: object) -> bool:
    """Whether a file is there and has this fingerprint."""
    if not isinstance(told, Mapping) or path.is_symlink() or not path.is_file():
        return False
    return path.stat().st_size == told.get("bytes") and sha256(path) == told.get("sha256")
