"""Where the whole picture is (`/look/shift_x`, `/look/shift_y`, `/look/turn`), for generators that can move it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..control.addresses import LOOK_SHIFT_X, LOOK_SHIFT_Y, LOOK_TURN
from ..control.parameters import Value
from ..units import Array
from .latent_motion import number

if TYPE_CHECKING:
    from ..model.card import Card

_PATHS = (LOOK_SHIFT_X, LOOK_SHIFT_Y, LOOK_TURN)


def placed(w: Array, values: Mapping[str, Value], card: Card) -> Array:
    """Style codes [L,W] with the placement as one row more, [L+1,W]; as they are where the world has none."""
    if not card.has_placement:
        return w
    row = np.zeros((1, w.shape[1]), np.float32)
    row[0, : len(_PATHS)] = [number(values, path) for path in _PATHS]
    return np.concatenate([w, row])
