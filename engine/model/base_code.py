"""Base codes: base latents w_0 in W+ of a photo, of a text or of the frames of a video, each in a small file.

A code is known by a name that holds the hash of its content, such as `beach-0123456789ab`; that name is the value of
/look/code, so takes and scenes cannot mean another one by it. Files are safetensors: numbers and text, nothing that is
executed.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import OutputError, WorldError
from ..files.atomic import replacing, tensors_into
from ..files.folders import codes_folder, is_there
from ..units import Array

FORMAT, FORMAT_VERSION, SUFFIX = "sonorama-code", "1", ".safetensors"
LARGEST = 1 << 30
"""Bytes of a file that is read."""
_NAME = re.compile(r"[a-z0-9_]{1,24}-[0-9a-f]{12}")
_given: dict[str, BaseCode] = {}


@dataclass(frozen=True, eq=False)
class BaseCode:
    """A base latent of its own.

    Attributes:
        name: its slug and the hash of its content.
        w: float32 [T,L,W], as painted at the default truncation; T is 1 for a photo.
        fps: frames a second, of T > 1.
        world: content hash of the world that it belongs to.
        source: what it was made of: name of a photo or video, or a text.
        source_sha256: hash of that file; empty for a text.
        nearest: the seed whose picture is closest to its own, which is where travel sets out from.

    """

    name: str
    w: Array
    fps: Fraction
    world: str
    source: str
    source_sha256: str
    nearest: int

    def at(self, seconds: float) -> Array:
        """W_0 [L,W], `seconds` after it began to play: between two frames a mixture, after the last one that."""
        place = min(max(seconds * float(self.fps), 0.0), len(self.w) - 1.0)
        frame, part = int(place), np.float32(place % 1.0)
        return self.w[frame] if part == 0 else self.w[frame] + part * (self.w[frame + 1] - self.w[frame])

    def facts(self) -> dict[str, Any]:
        """What it is, as JSON values."""
        return {"name": self.name, "source": self.source, "source_sha256": self.source_sha256, "frames": len(self.w)}


def slug(text: str) -> str:
    """Text as the first part of a name: lower case letters, digits and _, 24 at most."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:24] or "code"


def make_code(
    w: Array, world: str, source: str, source_sha256: str = "", nearest: int = 1, fps: Fraction = Fraction(1)
) -> BaseCode:
    """A code of style codes [L,W] or [T,L,W]; the other arguments as of BaseCode."""
    w = np.ascontiguousarray(w if w.ndim == 3 else w[None], np.float32)
    name = f"{slug(Path(source).stem)}-{_digest(w, world, fps)}"
    return BaseCode(name, w, fps, world, source, source_sha256, nearest)


def _digest(w: Array, world: str, fps: Fraction) -> str:
    return hashlib.sha256(f"{world} {fps} {w.shape}\n".encode() + w.astype("<f4").tobytes()).hexdigest()[:12]


def save_code(code: BaseCode, path: Path) -> None:
    """Write a code, whole or not at all. Raises OutputError: it cannot be written."""
    from safetensors.numpy import save_file

    meta = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": code.name,
        "fps": str(code.fps),
        "world": code.world,
        "source": code.source,
        "source_sha256": code.source_sha256,
        "nearest": str(code.nearest),
    }
    with replacing(path) as part, tensors_into(path):
        save_file({"w": code.w}, part, meta)


def read_code(path: Path) -> BaseCode:
    """Read and check a file that `save_code` wrote.

    Raises:
        WorldError: it cannot be read, is no code, or is damaged.

    """
    from safetensors import SafetensorError, safe_open

    refused = WorldError(f"{path}: not a code of sonorama, or damaged", "Give a file that `sonorama edit` saved.")
    try:
        if path.stat().st_size > LARGEST:
            raise refused
        with safe_open(path, "np") as file:
            meta, w = file.metadata() or {}, file.get_tensor("w")
        if (meta.get("format"), meta.get("format_version")) != (FORMAT, FORMAT_VERSION) or w.dtype != np.float32:
            raise refused
        code = BaseCode(meta["name"], w, Fraction(meta["fps"]), meta["world"], meta["source"], meta["source_sha256"],
                        int(meta["nearest"]))  # fmt: skip
    except FileNotFoundError:
        raise WorldError(f"{path}: there is no such code", "Give a file that `sonorama edit` saved.") from None
    except (SafetensorError, OSError, LookupError, ValueError, ZeroDivisionError) as error:
        raise refused from error
    if not (_NAME.fullmatch(code.name) and w.ndim == 3 and w.size and np.isfinite(w).all() and code.fps > 0):
        raise refused
    if not code.name.endswith(_digest(w, code.world, code.fps)) or not 0 <= code.nearest < 2**31:
        raise refused
    return code


def keep_code(code: BaseCode) -> Path:
    """Put a code into the user's folder of codes, where shows find it by its name; returns its file.

    Raises:
        OutputError: it cannot be written.

    """
    path = _file(code.name)
    if is_there(path):
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"The folder of codes cannot be made: {error.strerror or error}"
        raise OutputError(message, f"Allow writing in {path.parent}, or set SONORAMA_CODES.") from error
    save_code(code, path)
    return path


def remember_code(code: BaseCode) -> str:
    """Let this process find a code by its name without a file in the user's folder; returns the name."""
    _given[code.name] = code
    return code.name


def find_code(name: str) -> BaseCode:
    """The code of this name.

    Raises:
        WorldError: it is not here, or damaged.

    """
    return _given.get(name) or _kept(name)


@lru_cache(maxsize=64)
def _kept(name: str) -> BaseCode:
    path = _file(name) if _NAME.fullmatch(name) else None
    if path is None or not is_there(path):
        raise WorldError(f"The code {name[:60]!r} is not here", "Play its file once with --code FILE, or edit again.")
    code = read_code(path)
    if code.name != name:
        raise WorldError(f"{path} holds another code, {code.name}", "Give the file its own name back.")
    return code


def _file(name: str) -> Path:
    return codes_folder() / f"{name}{SUFFIX}"
