"""Checkpoints and tensor files of trainings: written whole or not at all, and read without running what is in them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from ..engine.errors import InputError
from ..engine.files.atomic import replacing, tensors_into, translated

UNREADABLE = (
    RuntimeError, UnpicklingError, EOFError, LookupError, ValueError, TypeError, AttributeError, AssertionError,
)  # fmt: skip
"""What torch.load raises for a cut file, a foreign one, and one that holds objects instead of tensors."""
AGAIN = "Give another folder with --work, or move the file away: the stage then begins anew."


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint, in torch's format.

    Through memory: torch.save on a file turns a full disk into a RuntimeError that does not say so.

    Raises:
        OutputError: it cannot be written; the checkpoint before it stays.

    """
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    with _whole(path) as part:
        part.write_bytes(buffer.getbuffer())


def write_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file, with `about` as its metadata. OutputError as `write_state`."""
    plain = {k: v.detach().contiguous() for k, v in tensors.items()}
    with _whole(path) as part, tensors_into(path):
        save_file(plain, part, None if about is None else dict(about))


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, translated(path):
        yield part


def read_state(
    path: Path, hint: str = AGAIN, foreign: str = "a damaged checkpoint, or none of sonorama"
) -> dict[str, Any]:
    """A checkpoint, on the CPU. Only tensors and plain values are read: nothing in the file can run.

    Args:
        path: of the file.
        hint: what to do where it cannot be used.
        foreign: what it is then.

    Raises:
        InputError: the file is damaged, no checkpoint, or cannot be read. It is left as it is.

    """
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", hint) from error
    except UNREADABLE as error:
        raise InputError(f"{path}: {foreign}", hint) from error
    if not isinstance(state, dict):
        raise InputError(f"{path}: {foreign}", hint)
    return state


@contextmanager
def restoring(path: Path) -> Iterator[None]:
    """Turn the errors of a state that does not fit the networks into an InputError."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except UNREADABLE as error:
        raise InputError(f"{path}: a checkpoint of another recipe, or of another version", AGAIN) from error
