"""The blend surface: points on a plane, each a seed or a code; the picture is their mixture in W+ by nearness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..control.addresses import BLEND_FOCUS, BLEND_X, BLEND_Y, blend
from ..control.parameters import Value
from ..control.render_table import BLEND_POINTS
from .latent_motion import number

NUMBERS = range(1, BLEND_POINTS + 1)
ON_IT = 1e-3
"""Distance below which the cursor is on a point."""


class BlendPoint(NamedTuple):
    """What is at a point: a seed or -1, and the name of a code, which counts before the seed."""

    seed: int = -1
    code: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing."""
        return self.seed < 0 and not self.code


def points_of(values: Mapping[str, Value]) -> tuple[BlendPoint, ...]:
    """What is at each of the points."""
    return tuple(BlendPoint(int(number(values, blend(n, "seed"))), str(values[blend(n, "code")])) for n in NUMBERS)


def shares(values: Mapping[str, Value], points: Sequence[BlendPoint]) -> list[tuple[BlendPoint, float]]:
    """The points that hold something, and how much of each is in the mixture; together 1, or none at all.

    Inverse distance weighting (Shepard, 1968): shares are proportional to distance^-focus.
    """
    at = np.array([number(values, BLEND_X), number(values, BLEND_Y)])
    held = [(n, point) for n, point in zip(NUMBERS, points, strict=True) if not point.empty]
    if not held:
        return []
    places = np.array([[number(values, blend(n, "x")), number(values, blend(n, "y"))] for n, _ in held])
    far = np.maximum(np.linalg.norm(places - at, axis=1), ON_IT)
    weights = (far / far.min()) ** -number(values, BLEND_FOCUS)
    return [(point, float(share)) for (_, point), share in zip(held, weights / weights.sum(), strict=True)]
