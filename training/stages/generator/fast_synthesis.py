"""The synthesis network for training: the activations form with fewer passes over memory.

Same parameters and the same numbers as `engine.model.synthesis` within 1e-4: gain, demodulation and bias are one
fused operation, the activation works in place, and blocks can start from a window of what the block below made.
The layout is that of the weights: channels-last on a GPU; planar on a CPU with AVX2, where oneDNN's weight gradients
take twice as long in channels-last and the whole step 15 % longer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ....engine.model.generator import SQRT2, Block, StyledConv, Synthesis, ToRGB, blur, upsample2

Painted = tuple[Tensor, Tensor]
"""Features [B,C,H,W] and picture [B,3,H,W] of one block."""
Noise = Callable[[Tensor], Tensor]
"""Features [B,C,H,W] -> noise [B,1,H,W] of standard deviation 1."""


def fresh_noise(y: Tensor) -> Tensor:
    """Other noise for every picture."""
    return torch.randn_like(y[:, :1])


def styled(layer: StyledConv, x: Tensor, w: Tensor, kernel: Tensor, noise: Noise | None) -> Tensor:
    """`StyledConv.forward` with the noise given, or none."""
    s = layer.affine(w)
    x = x * s[:, :, None, None]
    if layer.up:
        y = blur(F.conv_transpose2d(x, layer.weight.transpose(0, 1), stride=2), kernel)
    else:
        y = F.conv2d(x, layer.weight, padding=1)
    d = (s.square() @ layer.weight.square().sum((2, 3)).T + 1e-8).rsqrt() * SQRT2
    y = torch.addcmul((layer.bias * SQRT2)[None, :, None, None], y, d[:, :, None, None])
    if noise is not None:
        y = y + noise(y) * (layer.noise_strength * SQRT2)
    return F.leaky_relu_(y, 0.2)


def colours(layer: ToRGB, x: Tensor, w: Tensor) -> Tensor:
    """`ToRGB.forward`."""
    s = layer.affine(w) * layer.gain
    return F.conv2d(x * s[:, :, None, None], layer.weight, layer.bias)


def run_block(block: Block, before: Painted | None, ws: Tensor, kernel: Tensor, noise: Noise | None) -> Painted:
    """One resolution; ws as in `Block.forward`."""
    if before is None:
        start = block.const[None].expand(len(ws), -1, -1, -1)
        y = styled(block.conv1, start, ws[:, 0], kernel, noise)
        return y, colours(block.torgb, y, ws[:, 1])
    x, rgb = before
    y = styled(block.conv0, x, ws[:, 0], kernel, noise)
    y = styled(block.conv1, y, ws[:, 1], kernel, noise)
    return y, upsample2(rgb, kernel) + colours(block.torgb, y, ws[:, 2])


def paint(
    synthesis: Synthesis, ws: Tensor, side: int, noise: Noise | None = None, before: Painted | None = None,
    above: int = 0,
) -> Painted:  # fmt: skip
    """Features and picture of the block `side`; ws [B,L,W]. Given `before`, what the block `above` made (or a
    window of it), only the blocks over that one run.
    """
    for i, s in enumerate(synthesis.config.sides):
        if above < s <= side:
            codes = ws[:, :2] if i == 0 else ws[:, 2 * i - 1 : 2 * i + 2]
            before = run_block(cast(Block, synthesis.get_submodule(f"b{s}")), before, codes, synthesis.fir, noise)
    if before is None:
        raise ValueError(f"no block of {side} px above {above} px")
    return before
