"""What the globals of a pickle become: inert records, of which nothing is called and in which nothing is looked up.

A pickle names functions and classes and asks for them to be called. NVIDIA's networks name those of `KNOWN` only; each
is replaced by a class of this module, which keeps its arguments as data after it has checked them. None of them can be
altered by the pickle: all refuse a state but the two that have one.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pickle import UnpicklingError
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

MOST_AXES = 8
_TYPES = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}


class _Fixed(type):
    """A class whose attributes cannot be set, as the BUILD of a pickle would."""

    def __setattr__(cls, name: str, value: object) -> None:
        raise UnpicklingError(f"it alters {cls.__name__}")


class Table(dict[Any, Any], metaclass=_Fixed):
    """`OrderedDict` and `EasyDict`: a dict, without attributes."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        """Attributes of the mapping itself hold no numbers, and are left out."""


class Flags(frozenset[Any], metaclass=_Fixed):
    """`set`: names of buffers that are not saved."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise UnpicklingError("a set with a state")


class Record(metaclass=_Fixed):
    """A network of NVIDIA's `torch_utils.persistence`: name of its class, and its attributes. Its source text is only
    searched for the project that it belongs to.
    """

    __slots__ = ("class_name", "source", "state")

    def __init__(self, meta: object) -> None:
        if not isinstance(meta, dict) or not isinstance(meta.get("state"), dict):
            raise UnpicklingError("a network without a state")
        name, source = meta.get("class_name"), meta.get("module_src")
        self.class_name = name if isinstance(name, str) else ""
        self.source = source if isinstance(source, str) else ""
        self.state: dict[Any, Any] = meta["state"]

    def __setstate__(self, state: object) -> None:
        raise UnpicklingError("a network with two states")


class Storage(metaclass=_Fixed):
    """`torch.storage._load_from_bytes`: the numbers of a tensor, from an inner file that is read by torch as tensors
    only.
    """

    __slots__ = ("flat",)

    def __init__(self, content: object) -> None:
        if not isinstance(content, bytes):
            raise UnpicklingError("numbers of a tensor that are no bytes")
        found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        if not isinstance(found, torch.storage.TypedStorage):
            raise UnpicklingError("numbers of a tensor that are something else")
        # Of the typed storage itself, not of its bytes: those do not know their type.
        self.flat = torch.empty(0, dtype=found.dtype).set_(found._untyped_storage)

    def __setstate__(self, state: object) -> None:
        raise UnpicklingError("a storage with a state")


class Parameter(metaclass=_Fixed):
    """`torch._utils._rebuild_parameter`: a tensor that was trained."""

    __slots__ = ("tensor",)

    def __init__(self, data: object, *_: object) -> None:
        if not isinstance(data, Strided):
            raise UnpicklingError("a parameter that is no tensor")
        self.tensor = data

    def __setstate__(self, state: object) -> None:
        raise UnpicklingError("a parameter with a state")


class Strided(metaclass=_Fixed):
    """`torch._utils._rebuild_tensor_v2`: a window on a storage, which must lie inside it and be no larger."""

    __slots__ = ("array",)

    def __init__(self, storage: object, offset: object, size: object, stride: object, *_: object) -> None:
        if not isinstance(storage, Storage):
            raise UnpicklingError("a tensor without numbers")
        shape, steps, start = _whole_numbers(size), _whole_numbers(stride), _whole_numbers((offset,))[0]
        count = math.prod(shape)
        end = start + sum((n - 1) * step for n, step in zip(shape, steps, strict=True)) + 1 if count else start
        if count > len(storage.flat) or end > len(storage.flat):
            raise UnpicklingError("a tensor that is larger than its numbers")
        view = storage.flat.as_strided(shape, steps, start)
        self.array: npt.NDArray[Any] = (view.float() if view.dtype == torch.bfloat16 else view).numpy()

    def __setstate__(self, state: object) -> None:
        raise UnpicklingError("a tensor with a state")


class NumberType(metaclass=_Fixed):
    """`numpy.dtype`: one of numpy's plain number types."""

    __slots__ = ("order", "text")

    def __init__(self, text: object, *_: object) -> None:
        if not isinstance(text, str) or text not in _TYPES:
            raise UnpicklingError("an array of something else than numbers")
        self.text, self.order = text, "<"

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise UnpicklingError("a number type with another state")
        self.order = str(state[1])

    def numbers(self, content: object) -> npt.NDArray[Any]:
        """Bytes as a flat array."""
        kind = np.dtype(self.order + self.text)
        if not isinstance(content, bytes) or len(content) % kind.itemsize:
            raise UnpicklingError("an array whose bytes do not fit its type")
        return np.frombuffer(content, kind)


class Scalar(metaclass=_Fixed):
    """`numpy.core.multiarray.scalar`: one number."""

    __slots__ = ("value",)

    def __init__(self, kind: object, content: object = b"") -> None:
        found = kind.numbers(content) if isinstance(kind, NumberType) else np.zeros(0)
        if len(found) != 1:
            raise UnpicklingError("a number that is none")
        self.value: float | int | bool = found[0].item()

    def __setstate__(self, state: object) -> None:
        raise UnpicklingError("a number with a state")


class NdArray(metaclass=_Fixed):
    """`numpy.core.multiarray._reconstruct`: an array, which its state fills."""

    __slots__ = ("array",)

    def __init__(self, *_: object) -> None:
        self.array: npt.NDArray[Any] = np.zeros(0)

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], NumberType):
            raise UnpicklingError("an array with another state")
        _, size, kind, by_column, content = state
        shape, numbers = _whole_numbers(size), kind.numbers(content)
        if math.prod(shape) != len(numbers):
            raise UnpicklingError("an array whose bytes do not fit its shape")
        self.array = numbers.reshape(shape, order="F" if by_column is True else "C")


class ArrayClass(metaclass=_Fixed):
    """`numpy.ndarray`, which stands among the arguments of `_reconstruct` only."""

    __slots__ = ()

    def __init__(self, *_: object) -> None:
        raise UnpicklingError("an array that is made by itself")


def _whole_numbers(values: object) -> tuple[int, ...]:
    """A tuple of a few whole numbers from 0."""
    if not isinstance(values, tuple) or len(values) > MOST_AXES:
        raise UnpicklingError("a shape that is none")
    if any(type(n) is not int or not 0 <= n < 2**40 for n in values):
        raise UnpicklingError("a shape that is none")
    return values


_NUMPY = {
    (f"numpy.{core}.multiarray", name): kind
    for core in ("core", "_core")
    for name, kind in (("scalar", Scalar), ("_reconstruct", NdArray))
}
KNOWN: Mapping[tuple[str, str], type] = MappingProxyType({
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): Record,
    ("collections", "OrderedDict"): Table,
    ("dnnlib.util", "EasyDict"): Table,
    ("builtins", "set"): Flags,
    ("torch._utils", "_rebuild_parameter"): Parameter,
    ("torch._utils", "_rebuild_tensor_v2"): Strided,
    ("torch.storage", "_load_from_bytes"): Storage,
    ("numpy", "dtype"): NumberType,
    ("numpy", "ndarray"): ArrayClass,
} | _NUMPY)  # fmt: skip
"""Module and name of each global that is known -> what takes its place."""
