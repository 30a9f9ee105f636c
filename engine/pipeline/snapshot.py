"""The state of a player as one file: what a new renderer, or a take that begins in the middle, goes on from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import InputError
from ..ipc.shared_paths import write_private
from .frame_pipeline import FramePipeline

_FORMAT = "sonorama-player"


def save_state(path: Path, player: FramePipeline) -> None:
    """Write a player's state, whole or not at all.

    Raises:
        OSError: it cannot be written.

    """
    arrays, state = player.snapshot()
    whole = {name: np.ascontiguousarray(value) for name, value in arrays.items()}
    data = save(whole, {"format": _FORMAT, "state": json.dumps(state)})
    write_private(path, data)


def read_state(path: Path) -> tuple[dict[str, npt.NDArray[np.generic]], Mapping[str, Any]]:
    """What `save_state` wrote: arrays and JSON values for `Player.restore`.

    Raises:
        InputError: there is none, or it is damaged or foreign.

    """
    refused = InputError(f"{path} holds no state of a player", "Start without it.")
    try:
        with safe_open(path, "np") as file:
            said = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
        state = json.loads(said["state"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise refused from error
    if said.get("format") != _FORMAT or not isinstance(state, dict):
        raise refused
    return arrays, state
