"""Weights of networks that cannot be shipped, from a file of the user's, of which only numbers are read."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ...engine.errors import InputError
from ..checkpoints import UNREADABLE


def read_given(path: Path, hint: str) -> dict[str, Tensor]:
    """A state dictionary. hint: what file is wanted.

    Raises:
        InputError: no such file, or no state dictionary.

    """
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", hint) from error
    except UNREADABLE as error:
        raise InputError(f"{path}: no weights, cut off, or more than numbers", hint) from error
    if not isinstance(state, dict) or not all(isinstance(one, Tensor) for one in state.values()):
        raise InputError(f"{path}: no state dictionary", hint)
    return state
