"""A generator as plain data: the tensors by name, the settings of each of its modules, and which project it is of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sonorama.engine.errors import WorldError

from .pickle_reader import r3gan
from .stand_ins import NdArray, Parameter, Record, Scalar, Strided

MOST_TENSORS = 4096
MOST_SETTINGS = 100_000
_DEEPEST = 12
_LONGEST = 200
NVIDIA, ROSINALITY = "nvidia", "rosinality"


@dataclass
class Network:
    """A generator as its file holds it.

    Attributes:
        project: NVIDIA or ROSINALITY.
        tensors: by the names of that project.
        settings: module ("" is the generator) -> its attributes that are plain values, `_init_kwargs` among them.

    """

    project: str
    tensors: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)


def nvidia_network(content: object, file: str) -> Network:
    """`G_ema` of an unpickled file.

    Raises:
        WorldError: there is none.

    """
    root = content.get("G_ema") if isinstance(content, dict) else content
    if not isinstance(root, Record):
        raise WorldError(
            f"{file} holds no generator G_ema", "Give a network snapshot of stylegan2-ada-pytorch or stylegan3."
        )
    if "R3GAN" in root.source:
        raise r3gan(file)
    network, budget = Network(NVIDIA), _Budget(file)
    for name, record in _modules(root, "", budget, 0):
        network.settings[name] = {k: _plain(v, budget, 0) for k, v in record.state.items() if _is_setting(k, v)}
        prefix = f"{name}." if name else ""
        for key, value in _tensors(record):
            budget.spend(MOST_SETTINGS // MOST_TENSORS)
            network.tensors[prefix + key] = value
    return network


class _Budget:
    """A pickle may hold one object in many places, so that walking it has no end; this counts the steps."""

    def __init__(self, file: str) -> None:
        self._file, self._left = file, MOST_SETTINGS

    def spend(self, steps: int = 1) -> None:
        self._left -= steps
        if self._left < 0:
            raise WorldError(f"{self._file} holds more than any StyleGAN network", "Get the file again.")


def _modules(record: Record, name: str, budget: _Budget, depth: int) -> Iterator[tuple[str, Record]]:
    budget.spend()
    yield name, record
    for key, child in _mapping(record.state.get("_modules")).items():
        if isinstance(child, Record) and isinstance(key, str) and depth < _DEEPEST:
            yield from _modules(child, f"{name}.{key}" if name else key, budget, depth + 1)


def _tensors(record: Record) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for group in ("_parameters", "_buffers"):
        for key, value in _mapping(record.state.get(group)).items():
            tensor = value.tensor if isinstance(value, Parameter) else value
            if isinstance(tensor, Strided) and isinstance(key, str):
                yield key, tensor.array


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _is_setting(key: object, value: object) -> bool:
    return isinstance(key, str) and len(key) < _LONGEST and (not key.startswith("_") or key == "_init_kwargs")


def _plain(value: object, budget: _Budget, depth: int) -> Any:
    """JSON values of what is text, number, list or table; None for what is something else."""
    budget.spend()
    match value:
        case bool() | int() | float():
            return value if not isinstance(value, int) or abs(value) < 2**53 else None
        case str():
            return value[:_LONGEST]
        case Scalar():
            return value.value
        case NdArray() if value.array.size <= _LONGEST:
            return np.asarray(value.array).tolist()
        case list() | tuple() if depth < _DEEPEST:
            return [_plain(one, budget, depth + 1) for one in value]
        case dict() if depth < _DEEPEST:
            return {k: _plain(v, budget, depth + 1) for k, v in value.items() if isinstance(k, str)}
    return None


def rosinality_network(content: object, file: str) -> Network:
    """`g_ema` of a checkpoint, and `latent_avg`.

    Raises:
        WorldError: there is none.

    """
    import torch

    tables = content if isinstance(content, dict) else {}
    state = tables.get("g_ema")
    if not isinstance(state, dict):
        raise WorldError(f"{file} holds no generator g_ema", "Give a checkpoint of rosinality's stylegan2-pytorch.")
    network = Network(ROSINALITY)
    for name, tensor in (*state.items(), ("latent_avg", tables.get("latent_avg"))):
        if isinstance(name, str) and isinstance(tensor, torch.Tensor) and len(network.tensors) < MOST_TENSORS:
            network.tensors[name] = tensor.detach().float().numpy()
    return network
