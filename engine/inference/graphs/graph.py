"""One ONNX graph while it is written, and the tensors of a world that it is written from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from ...errors import WorldError
from ...units import Array

if TYPE_CHECKING:
    from ...model.world_file import World

OPSET, IR_VERSION = 20, 10
_LARGE = 1024
"""Numbers in a constant that is worth keeping in half precision."""
AnyArray = npt.NDArray[Any]
Value = str
"""The name of a tensor in a graph."""
Operand = Value | AnyArray | np.floating[Any] | float | None
"""What a node takes: a value; an array or a number, which becomes a constant of the graph; None for one left out."""


class Weights:
    """The tensors of one network of a world, float32, their shapes checked as they are taken."""

    def __init__(self, world: World, part: str) -> None:
        """part: the prefix of their names, such as `motion`."""
        self._tensors, self._path, self._part = world.part(part), world.card.path, part

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def take(self, name: str, *shape: int | None) -> Array:
        """A tensor of this shape, where None stands for any size; a single number may also be a list of one.

        Raises:
            WorldError: there is none, or it has another shape.

        """
        if name not in self._tensors:
            raise self.misfit(f"{name} is missing")
        found = np.asarray(self._tensors[name], np.float32)
        found = found.reshape(()) if shape == () and found.shape == (1,) else found
        if len(found.shape) != len(shape) or any(b not in (None, a) for a, b in zip(found.shape, shape, strict=True)):
            wanted = tuple("any" if size is None else size for size in shape)
            raise self.misfit(f"{name} has the shape {found.shape} instead of {wanted}")
        return found

    def misfit(self, reason: str) -> WorldError:
        """The error for tensors that do not go together."""
        return WorldError(f"{self._path}: its {self._part} does not fit its card: {reason}", "Make this world again.")


class Graph:
    """Nodes and constants in the order in which they are added. Values are named by number.

    Args:
        name: of the graph.
        opset: version of the ONNX operators, 18 or later.
        compact: whether large constants that half precision holds exactly are kept in it, and widened in the graph.

    """

    def __init__(self, name: str, opset: int = OPSET, compact: bool = False) -> None:
        self._name, self.opset, self._compact = name, opset, compact
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._known: dict[tuple[str, tuple[int, ...], bytes], Value] = {}
        self._inputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, *shape: int, kind: type[np.generic] = np.float32) -> Value:
        """An input of a fixed shape."""
        self._inputs.append(_tensor(name, shape, kind))
        return name

    def constant(self, value: AnyArray | np.floating[Any]) -> Value:
        """A tensor that is part of the graph; equal ones are kept once."""
        array = np.asarray(value, order="C")
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = f"c{len(self._known)}"
            if self._compact and array.size >= _LARGE and _is_half(array):
                self._constants.append(numpy_helper.from_array(array.astype(np.float16), f"{self._known[key]}.half"))
                widened = {"to": onnx.TensorProto.FLOAT}
                self._append("Cast", (f"{self._known[key]}.half",), [self._known[key]], widened)
            else:
                self._constants.append(numpy_helper.from_array(array, self._known[key]))
        return self._known[key]

    def add(self, kind: str, *inputs: Operand, result: Value = "", **attributes: object) -> Value:
        """Append a node of one output, an operator of the ONNX standard, and return its output.

        result: the name of the output, where it is one of the graph, or the graph is cut there.
        """
        return self._append(kind, inputs, [result or f"v{len(self._nodes)}"], attributes)[0]

    def split(self, x: Value, sizes: list[int], axis: int) -> list[Value]:
        """Cut a value along an axis."""
        names = [f"v{len(self._nodes)}.{i}" for i in range(len(sizes))]
        return self._append("Split", (x, integers(*sizes)), names, {"axis": axis})

    def _append(
        self,
        kind: str,
        inputs: tuple[Operand, ...],
        names: list[Value],
        attributes: dict[str, Any],
    ) -> list[Value]:
        given = [self._name_of(x) for x in inputs]
        self._nodes.append(helper.make_node(kind, given, names, **attributes))
        return names

    def _name_of(self, x: Operand) -> str:
        if x is None:
            return ""
        if isinstance(x, str):
            return x
        return self.constant(np.float32(x) if isinstance(x, float | int) else x)

    def save(
        self, path: Path, kinds: Mapping[str, type[np.generic]] = MappingProxyType({}), **outputs: tuple[int, ...]
    ) -> None:
        """Write it, with these outputs (name -> shape), checked by onnx. kinds: of those that are not float32."""
        ends = [_tensor(name, shape, kinds.get(name, np.float32)) for name, shape in outputs.items()]
        graph = helper.make_graph(self._nodes, self._name, self._inputs, ends, self._constants)
        opset = helper.make_opsetid("", self.opset)
        model = helper.make_model(graph, producer_name="sonorama", ir_version=IR_VERSION, opset_imports=[opset])
        onnx.checker.check_model(model, full_check=self.opset != OPSET)
        onnx.save(model, path)


def integers(*values: int) -> AnyArray:
    """A list of whole numbers, as shapes and axes are given."""
    return np.array(values, np.int64)


def integer(value: int) -> AnyArray:
    """One whole number."""
    return np.array(value, np.int64)


def _is_half(array: AnyArray) -> bool:
    """Whether half precision holds all of its numbers."""
    with np.errstate(over="ignore"):
        return array.dtype == np.float32 and np.array_equal(array.astype(np.float16).astype(np.float32), array)


def _tensor(name: str, shape: tuple[int, ...], kind: type[np.generic]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(kind)), shape)
