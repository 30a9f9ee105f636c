"""Fast doubling and halving of pictures for the preview.

Pixels are packed 32-bit integers, and two of them are averaged channel by channel without unpacking. Buffers are
reused: page faults of a new megabyte for each picture would take longer than the arithmetic.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Packed = npt.NDArray[np.uint32]
NO_CARRY = np.uint32(0xFEFEFEFE)
ONE = np.uint32(1)


class Scaler:
    """Scales pictures, reusing the buffers of recent sizes."""

    def __init__(self) -> None:
        self._space: dict[tuple[str, tuple[int, int]], Packed] = {}

    def _get(self, use: str, height: int, width: int) -> Packed:
        key = (use, (height, width))
        if key not in self._space:
            if len(self._space) > 16:  # sizes passed while the window is resized
                self._space.clear()
            self._space[key] = np.empty((height, width), np.uint32)
        return self._space[key]

    def mean(self, one: Packed, other: Packed, out: Packed) -> Packed:
        """Write the average of every channel, rounded down, to `out`, and return it."""
        spare = self._get("spare", *one.shape)
        np.bitwise_xor(one, other, out=spare)
        np.bitwise_and(spare, NO_CARRY, out=spare)
        np.right_shift(spare, ONE, out=spare)
        np.bitwise_and(one, other, out=out)
        return np.add(out, spare, out=out)

    def double(self, packed: Packed) -> Packed:
        """Double a picture: [H,W] -> [2H,2W], with means between the pixels."""
        height, width = packed.shape
        wide = self._get("wide", height, 2 * width)
        wide[:, ::2] = packed
        wide[:, 1:-1:2] = self.mean(packed[:, :-1], packed[:, 1:], self._get("row", height, width - 1))
        wide[:, -1] = packed[:, -1]
        out = self._get("out", 2 * height, 2 * width)
        out[::2] = wide
        self.mean(wide[:-1], wide[1:], out[1:-1:2])
        out[-1] = wide[-1]
        return out

    def halve(self, packed: Packed) -> Packed:
        """Halve a picture: [H,W] -> [H//2,W//2], each pixel the mean of four."""
        height, width = packed.shape[0] // 2, packed.shape[1] // 2
        even = packed[: 2 * height, : 2 * width]
        rows = self.mean(even[::2], even[1::2], self._get("rows", height, 2 * width))
        return self.mean(rows[:, ::2], rows[:, 1::2], self._get("half", height, width))

    def near(self, packed: Packed, scale: float) -> Packed:
        """Double or halve until the remaining scale is between 0.7 and 1.5. The result is valid until the next call."""
        while scale > 1.5:
            packed, scale = self.double(packed), scale / 2
        while scale < 0.7 and min(packed.shape) > 1:
            packed, scale = self.halve(packed), scale * 2
        return packed
