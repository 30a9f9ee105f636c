"""What goes into an exported graph and what comes out, as its manifest says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.inference.graphs.graph import Graph, Value


@dataclass(frozen=True)
class Port:
    """An input or output.

    Attributes:
        name: in the graph.
        shape: with the batch of one.
        about: what it is, its unit and range.
        type: numpy's name of the number format.
        default: of an input that may be left alone: a number, or one for each level.
        next: of an input that holds state: the output that it takes at the next call.

    """

    name: str
    shape: tuple[int, ...]
    about: str
    type: str = "float32"
    default: float | tuple[float, ...] | None = None
    next: str = ""

    def to_json(self) -> dict[str, Any]:
        """For the manifest, without what does not hold for it."""
        values = {"name": self.name, "type": self.type, "shape": list(self.shape), "about": self.about}
        default = list(self.default) if isinstance(self.default, tuple) else self.default
        return values | ({} if default is None else {"default": default}) | ({"next": self.next} if self.next else {})


@dataclass(frozen=True)
class Exported:
    """A graph with its ports. rate: calls a second of sound; 0: once a frame, or on request."""

    name: str
    about: str
    rate: float
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def defaults(self) -> dict[str, Any]:
        """Arrays for the inputs that may be left alone."""
        return {
            port.name: np.broadcast_to(np.asarray(port.default, port.type), port.shape).copy()
            for port in self.inputs
            if port.default is not None
        }


def add_inputs(graph: Graph, ports: Sequence[Port]) -> Mapping[str, Value]:
    """The inputs of a graph, by name."""
    return {port.name: graph.input(port.name, *port.shape, kind=np.dtype(port.type).type) for port in ports}


def save(graph: Graph, path: Path, ports: Sequence[Port]) -> None:
    """Write a graph with these outputs."""
    kinds = {port.name: np.dtype(port.type).type for port in ports}
    graph.save(path, kinds, **{port.name: port.shape for port in ports})
