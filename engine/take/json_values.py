"""Checks and converts the JSON values in the files of a take.

What does not fit raises ValueError, TypeError or ValueRefused, with the reason.
"""

from __future__ import annotations

import math

from ..control.live_table import SHOW
from ..control.parameters import Value

Span = tuple[int, int]
_MOST = 1 << 53
_LARGEST_SIDE = 16384  # px, the same as for films


def whole_number(value: object) -> int:
    """A count: 0 or more."""
    if type(value) is not int or not 0 <= value < _MOST:
        raise ValueError(f"{value!r} is no count")
    return value


def size_of(told: object) -> tuple[int, int]:
    """(width, height), px."""
    if not isinstance(told, list):
        raise TypeError(f"{told!r} is no size")
    width, height = told
    if any(type(side) is not int or not 1 <= side <= _LARGEST_SIDE for side in told):
        raise ValueError(f"no picture is {width} by {height}")
    return width, height


def text_of(value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def path_of(path: object) -> str:
    """The address of a parameter."""
    if not isinstance(path, str) or path not in SHOW:
        raise ValueError(f"there is no control {path!r}")
    return SHOW[path].path  # one string for all


def value_of(path: str, value: object) -> Value:
    """A value of the parameter at an address, within its range."""
    if not isinstance(value, bool | int | float | str):
        raise TypeError(f"{value!r} is no value")
    if not isinstance(value, str) and not math.isfinite(value):
        raise ValueError(f"{path} takes no value without end")
    return SHOW[path].clip(value)


def values_of(told: object) -> dict[str, Value]:
    """Values of all parameters, from those of a mapping by address; the others at their defaults."""
    if not isinstance(told, dict):
        raise TypeError("no values by address")
    missing = {path: param.earlier for path, param in SHOW.items()}  # parameters that are newer than the take
    return {**missing, **{path_of(path): value_of(path, value) for path, value in told.items()}}


def span_of(told: object) -> Span:
    """[first, last) of samples."""
    if not isinstance(told, list):
        raise TypeError("no span of samples")
    first, last = told
    if whole_number(first) > whole_number(last):
        raise ValueError(f"samples {first} to {last} are no span")
    return first, last


def held_of(point: object, taken: object) -> tuple[int, int]:
    """A grid point of the sound, and the earlier one whose answer it took."""
    if whole_number(taken) >= whole_number(point):
        raise ValueError(f"grid point {point} cannot have taken the answer of {taken}")
    return whole_number(point), whole_number(taken)
