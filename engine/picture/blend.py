"""Weighted sums of RGBA8 pictures in integer arithmetic, computed in chunks that fit the CPU cache."""

from __future__ import annotations

import numpy as np

from ..units import Pixels

ONE = 256
"""The weight that leaves a picture unchanged."""
HALF = 128
"""The bias that rounds to the nearest level."""
_PIECE = 1 << 16
_OPAQUE = np.array([0, 0, 0, 255], np.uint8).view(np.uint32)


def weighted(terms: list[tuple[Pixels, int]], bias: int = HALF) -> Pixels:
    """Compute a new picture, (sum of pixels * weight + bias) / 256 rounded down, with alpha 255.

    Args:
        terms: pictures, uint8 [H,W,4], contiguous, all of one shape, each with a weight 0..256; at most 256 in total.
        bias: in 1/256 of a level; no sum may exceed 65535.

    """
    out = np.empty_like(terms[0][0])
    flat = out.reshape(-1)
    flats = [(pixels.reshape(-1), np.uint16(weight)) for pixels, weight in terms]
    sums = np.empty((2, min(_PIECE, flat.size)), np.uint16)
    for start in range(0, flat.size, _PIECE):
        piece = slice(start, min(start + _PIECE, flat.size))
        total, part = sums[:, : piece.stop - piece.start]
        np.multiply(flats[0][0][piece], flats[0][1], out=total, dtype=np.uint16)
        for pixels, weight in flats[1:]:
            total += np.multiply(pixels[piece], weight, out=part, dtype=np.uint16)
        total += np.uint16(bias)
        total >>= 8
        np.copyto(flat[piece], total, casting="unsafe")
    words = out.view(np.uint32)
    words |= _OPAQUE
    return out


def plain(width: int, height: int, level: int) -> Pixels:
    """A picture of one grey level 0..255: uint8 [height,width,4], alpha 255."""
    picture = np.full((height, width, 4), level, np.uint8)
    picture[..., 3] = 255
    return picture
