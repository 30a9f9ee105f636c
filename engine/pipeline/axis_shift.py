"""What /axis/ adds to the style codes: a way along the principal axes of the world's seeds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..control.addresses import axis
from ..control.parameters import Value
from ..units import AXES, Array

_PATHS = tuple(axis(number) for number in range(1, AXES + 1))


def axis_values(value: Callable[[str], Value]) -> Array:
    """The places on the axes [AXES]; value: of an address."""
    return np.array([value(path) for path in _PATHS], np.float32)


def axis_shift(axes: Array, still: Array, moved: Array, openness: Array) -> Array:
    """The way [L,W] along the axes.

    Args:
        axes: of the world [AXES,W], each one standard deviation long.
        still: places without modulators [AXES].
        moved: places with them.
        openness: how far each code follows the sound [L,1] in 0..1: modulators reach it as far as that.

    """
    return ((still + openness * (moved - still)) @ axes).astype(np.float32)
