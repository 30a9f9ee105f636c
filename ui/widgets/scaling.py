"""Cheap doubling and halving of pictures, for a preview that has to cost little.

A pixel is one 32-bit number here; two are averaged channel by channel without unpacking them. Work space is kept: a
fresh megabyte a picture would cost more in page faults than the arithmetic.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Packed = npt.NDArray[np.uint32]
NO_CARRY = np.uint32(0xFEFEFEFE)
ONE = np.uint32(1)


class Scaler:
    """Scales pictures of mostly one size."""

    def __init__(self) -> None:
        self._space: dict[tuple[str, tuple[int, int]], Packed] = {}

    def _get(self, use: str, height: int, width: int) -> Packed:
        key = (use, (height, width))
        if key not in self._space:
            if len(self._space) > 16:  # sizes that were dragged through
                self._space.clear()
            self._space[key] = np.empty((height, width), np.uint32)
        return self._space[key]

    def mean(self, one: Packed, other: Packed, out: Packed) -> Packed:
        """Average of every channel, rounded down, into `out`."""
        spare = self._get("spare", *one.shape)
        np.bitwise_xor(one, other, out=spare)
        np.bitwise_and(spare, NO_CARRY, out=spare)
        np.right_shift(spare, ONE, out=spare)
        np.bitwise_and(one, other, out=out)
        return np.add(out, spare, out=out)

    def double(self, packed: Packed) -> Packed:
        """[H,W] -> [2H,2W] with means between the pixels."""
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
        """[H,W] -> [H//2,W//2], the mean of each four."""
        height, width = packed.shape[0] // 2, packed.shape[1] // 2
        even = packed[: 2 * height, : 2 * width]
        rows = self.mean(even[::2], even[1::2], self._get("rows", height, 2 * width))
        return self.mean(rows[:, ::2], rows[:, 1::2], self._get("half", height, width))

    def near(self, packed: Packed, scale: float) -> Packed:
        """Doubled or halved until what is left of `scale` is between 0.7 and 1.5. Holds until the next call."""
        while scale > 1.5:
            packed, scale = self.double(packed), scale / 2
        while scale < 0.7 and min(packed.shape) > 1:
            packed, scale = self.halve(packed), scale * 2
        return packed
