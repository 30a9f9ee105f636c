"""Kernels of modulated convolutions, prepared for playing: in numpy, and with the same bits on every machine.

Demodulation (StyleGAN2, eq. 3) removes any scale of a kernel, so a kernel of unit size may stand in its place; squared
styles stay far from overflow then, in half precision too. A library that adds on several threads rounds differently
on each machine, and so would the last bits of every picture; here nothing depends on the machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..units import Array

EPSILON = 1e-8
"""What demodulation adds under its root, for kernels as they were trained."""
EARLIER_SIZES = {
    # shore, version 1
    "4af76a821e82d441184d3fd7492bd95d1f72434e4dd4f244ab5bf464c2b86979": {
        "b16.conv0": 1.0573, "b32.conv0": 1.0599931, "b64.conv1": 1.0509326, "b256.conv0": 1.0043566,
    },
}  # fmt: skip
"""Content of a world -> sizes of kernels that torch once computed, one unit in the last place off. Takes and films made
with them must come out again bit for bit.
"""


@dataclass(frozen=True)
class FoldedKernel:
    """A kernel of unit size.

    Attributes:
        weight: [O,I,k,k], of mean square 1 / (I k k).
        energy: [I,O], the sum of squares over k x k; demodulation is 1 / sqrt(s^2 @ energy + epsilon) for styles s.
        epsilon: EPSILON at this size.

    """

    weight: Array
    energy: Array
    epsilon: np.float32


def kernel_size(weight: Array) -> float:
    """Root of the mean square of a kernel, exactly added."""
    return math.sqrt(math.fsum(np.square(weight, dtype=np.float64).ravel()) / weight.size)


def fold_kernel(weight: Array, size: float | None = None) -> FoldedKernel:
    """A trained kernel [O,I,k,k] at unit size. size: of the kernel, where it is not to be computed."""
    known, root = max(kernel_size(weight) if size is None else size, EPSILON), math.sqrt(weight[0].size)
    scale = np.float32(known) * np.float32(root)
    unit = weight / np.float32(known) / np.float32(root)
    return FoldedKernel(unit, _energy(unit), np.float32(EPSILON) / np.square(scale))


def _energy(weight: Array) -> Array:
    """Sums of squares [I,O] over k x k: the last, then the others in turn, the order in which torch added them."""
    squares = np.square(weight).reshape(*weight.shape[:2], -1)
    energy = squares[..., -1]
    for k in range(squares.shape[2] - 1):
        energy = energy + squares[..., k]
    return np.ascontiguousarray(energy.T)
