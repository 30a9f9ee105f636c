"""Style codes of a world that plays a sound for a measure; without torch."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ...engine.control.addresses import LOOK_SWAY, LOOK_TRAVEL
from ...engine.control.render_table import TABLE
from ...engine.inference.backend import Backend
from ...engine.model.world_file import World
from ...engine.pipeline.offline import OfflineRender
from ...engine.units import SAMPLE_RATE, Array


def play(world: World, backend: Backend, sound: Array, seconds: float, **changes: float | str) -> list[Array]:
    """Style codes [L,W] of the first seconds of a sound (repeated where it is shorter), at the table's defaults but
    `changes` (addresses with __ for / and without the first), at the seed and without sway.
    """
    values: dict[str, object] = {path: p.default for path, p in TABLE.items()}
    values |= {LOOK_TRAVEL: 0.0, LOOK_SWAY: 0.0}
    values |= {f"/{k.replace('__', '/')}": v for k, v in changes.items()}
    n = int(seconds * SAMPLE_RATE)
    long = np.tile(sound, -(-n // len(sound)))[:n]
    return list(OfflineRender(world, values, Fraction(15), backend).codes([long], int(seconds * 15)))
