"""Converts the generator's float RGB pictures to RGBA8."""

from __future__ import annotations

import numpy as np

from ..units import Array, Pixels


def rgba8(picture: Array, out: Pixels | None = None) -> Pixels:
    """Convert float32 [H,W,3] in 0..1 to uint8 [H,W,4], rounded to the nearest level, with alpha 255.

    Args:
        picture: row 0 at the top; values outside 0..1 are clipped.
        out: the array to write to; must have that shape and alpha 255 already.

    """
    if out is None:
        out = np.full((*picture.shape[:2], 4), 255, np.uint8)
    # One channel at a time takes half as long as all three, because the networks' output is planar.
    scaled = np.empty(picture.shape[:2], np.float32)
    for colour in range(3):
        np.multiply(picture[..., colour], np.float32(255), out=scaled)
        scaled += np.float32(0.5)
        np.clip(scaled, 0, 255, out=scaled)
        out[..., colour] = scaled  # the cast truncates, hence the 0.5
    return out
