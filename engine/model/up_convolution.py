"""Kernels of the up-convolution in its other forms: a 3 x 3 convolution transposed with stride 2, then the FIR, written
as convolutions whose output is interleaved by a pixel shuffle.

Which one is fastest depends on the device and its libraries. Each is equal to the first but for rounding.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .generator import fir_kernel

TRANSPOSED, DENSE, POLYPHASE = "transposed", "dense", "polyphase"
FORMS = (TRANSPOSED, DENSE, POLYPHASE)
"""Transposed convolution and FIR; the transposed one as a dense 2 x 2 convolution, and FIR; all as one 3 x 3
convolution, with four times the work.
"""


def dense_kernel(weight: Tensor) -> Tensor:
    """The transposed convolution without FIR: [O,I,3,3] -> [4 O,I,2,2].

    With a padding of 1 and a pixel shuffle by 2 its output is [O,2H+2,2W+2], the last row and column zero.
    """
    o, i = weight.shape[:2]
    kernel = weight.new_zeros(o, 2, 2, i, 2, 2)
    for row in range(2):
        for column in range(2):
            # Row `row` of the output takes row m of the input through row `row` - 2 m of the kernel; m is -1 or 0.
            taps = weight[:, :, row::2, column::2].flip(2, 3)
            kernel[:, row, column, :, 2 - taps.shape[2] :, 2 - taps.shape[3] :] = taps
    return kernel.reshape(4 * o, i, 2, 2)


def polyphase_kernel(weight: Tensor) -> Tensor:
    """Transposed convolution and FIR, sum 4: [O,I,3,3] -> [4 O,I,3,3], for a padding of 1 and a pixel shuffle by 2."""
    o, i = weight.shape[:2]
    both = F.conv2d(F.pad(weight.reshape(o * i, 1, 3, 3), [3] * 4), fir_kernel(4.0).to(weight)[None, None])
    both = both.reshape(o, i, 6, 6)
    kernel = weight.new_zeros(o, 2, 2, i, 3, 3)
    for row in range(2):
        for column in range(2):
            kernel[:, row, column] = both[:, :, row::2, column::2].flip(2, 3)
    return kernel.reshape(4 * o, i, 3, 3)


def skip_kernel() -> Tensor:
    """The upsampling of the picture by the FIR: [12,1,3,3] for 3 groups, a padding of 1 and a pixel shuffle by 2."""
    taps = fir_kernel(4.0)
    kernel = torch.zeros(3, 2, 2, 3, 3)
    for row in range(2):
        for column in range(2):
            for m in range(3):
                for n in range(3):
                    k, l = 2 * m - row, 2 * n - column  # noqa: E741 (of the FIR, as i and j are of matrices)
                    if 0 <= k < 4 and 0 <= l < 4:
                        kernel[:, row, column, m, n] = taps[k, l]
    return kernel.reshape(12, 1, 3, 3)
