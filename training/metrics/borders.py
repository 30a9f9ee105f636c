"""How far the outermost pixels of a generator's pictures differ from the rest: the `inset` of a world's card."""

from __future__ import annotations

from torch import Tensor

from ...engine.model.card import MOST_INSET

USUAL = slice(MOST_INSET // 2, 3 * MOST_INSET)
"""Rows from whose steps the usual step is taken."""
EXCESS = 3.0
"""How many times the usual one a step from a row to the next is at the end of what must be left out."""


def inset(pictures: Tensor) -> int:
    """Rows and columns to leave out on every side, 0 to MOST_INSET.

    Args:
        pictures: [N,3,H,W] in -1..1, of seeds; of small ones nothing is left out.

    """
    if min(pictures.shape[2:]) < 2 * USUAL.stop:
        return 0
    grey = pictures.clamp(-1, 1).double().mean(1)
    sides = (grey, grey.flip(1), grey.transpose(1, 2), grey.transpose(1, 2).flip(1))
    return max(_outer(side.mean(2)) for side in sides)


def _outer(rows: Tensor) -> int:
    """How many of the first rows [N,H] are off: up to the last large step."""
    steps = (rows[:, 1:] - rows[:, :-1]).square().mean(0).sqrt()
    large = (steps[:MOST_INSET] > EXCESS * steps[USUAL].median()).nonzero().flatten()
    return int(large[-1]) + 1 if len(large) else 0
