"""Weights of networks that cannot be shipped, from a file of the user's, of which only numbers are read."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from ...engine.errors import InputError
from ..checkpoints import read_state


def read_given(path: Path, hint: str) -> dict[str, Tensor]:
    """A state dictionary. hint: what file is wanted.

    Raises:
        InputError: no such file, or no state dictionary.

    """
    foreign = "no weights, cut off, or more than numbers"
    state = read_state(path, hint, foreign)
    if not all(isinstance(one, Tensor) for one in state.values()):
        raise InputError(f"{path}: {foreign}", hint)
    return state
