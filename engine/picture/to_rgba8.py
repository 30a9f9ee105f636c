"""Pictures of the networks as pixels of the show."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..plugins.interfaces import Pixels


def rgba8(picture: npt.NDArray[np.float32], out: Pixels | None = None) -> Pixels:
    """float32 [H,W,3] in 0..1 -> uint8 [H,W,4], rounded to the nearest, alpha 255.

    Args:
        picture: row 0 on top.
        out: where to put it; must be of that shape, with alpha 255 already.

    """
    if out is None:
        out = np.full((*picture.shape[:2], 4), 255, np.uint8)
    # Colour by colour: half the time of all three at once, since networks give planes.
    scaled = np.empty(picture.shape[:2], np.float32)
    for colour in range(3):
        np.multiply(picture[..., colour], np.float32(255), out=scaled)
        scaled += np.float32(0.5)
        np.clip(scaled, 0, 255, out=scaled)
        out[..., colour] = scaled  # the cast cuts off, so 0.5 more rounds
    return out
