"""The state of a frame pipeline as one file: a new renderer, or a take that begins in the middle, continues from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import InputError
from ..ipc.shared_paths import write_private

if TYPE_CHECKING:
    from .frame_pipeline import FramePipeline

_FORMAT = "sonorama-player"


def save_state(path: Path, pipeline: FramePipeline) -> None:
    """Write the state atomically.

    Raises:
        OSError: it cannot be written.

    """
    arrays, state = pipeline.snapshot()
    whole = {name: np.ascontiguousarray(value) for name, value in arrays.items()}
    data = save(whole, {"format": _FORMAT, "state": json.dumps(state)})
    write_private(path, data)


def read_state(path: Path) -> tuple[dict[str, npt.NDArray[np.generic]], Mapping[str, Any]]:
    """What `save_state` wrote: arrays and JSON values for `FramePipeline.restore`.

    Raises:
        InputError: there is no such file, it is damaged, or it is something else.

    """
    refused = InputError(f"{path} holds no saved state of a renderer", "Start without it.")
    try:
        with safe_open(path, "np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is no mapping)
        state = json.loads(metadata["state"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise refused from error
    if metadata.get("format") != _FORMAT or not isinstance(state, dict):
        raise refused
    return arrays, state
