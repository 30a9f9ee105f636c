"""The synthesis network for training: the activations form with fewer passes over memory.

Same parameters and the same numbers as `engine.model.synthesis` within 1e-4. Three things make it faster on a CPU:
gain, demodulation and bias are one fused operation; the activation works in place; the weight gradient of a
convolution is computed in planar layout, where oneDNN is about twice as fast as in channels-last (all else is
faster in channels-last).
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from ....engine.model.synthesis import SQRT2, Block, StyledConv, Synthesis, ToRGB, blur, upsample2

Painted = tuple[Tensor, Tensor]
"""Features [B,C,H,W] and picture [B,3,H,W] of one block."""


class PlanarWeightGradient(torch.autograd.Function):
    """3 x 3 convolution (or its transpose with stride 2) whose weight gradient is computed in planar layout."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, up: bool) -> Tensor:
        """X [B,I,H,W]; weight [O,I,3,3], or [I,O,3,3] for the transposed convolution."""
        ctx.save_for_backward(x, weight)
        ctx.up = up
        return F.conv_transpose2d(x, weight, stride=2) if up else F.conv2d(x, weight, padding=1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """Gradients of x and weight."""
        x, weight = ctx.saved_tensors
        stride, padding = (2, 0) if ctx.up else (1, 1)

        def part(g: Tensor, x: Tensor, mask: list[bool]) -> tuple[Tensor, Tensor, Tensor]:
            return torch.ops.aten.convolution_backward(
                g, x, weight, None, [stride] * 2, [padding] * 2, [1, 1], ctx.up, [0, 0], 1, mask
            )

        for_x = part(grads[0], x, [True, False, False])[0] if ctx.needs_input_grad[0] else None
        for_w = None
        if ctx.needs_input_grad[1]:
            for_w = part(grads[0].contiguous(), x.contiguous(), [False, True, False])[1]
        return for_x, for_w, None


def convolve(x: Tensor, weight: Tensor, up: bool) -> Tensor:
    """Weight [O,I,3,3]: the convolution of `StyledConv`, before its blur."""
    kernel = weight.transpose(0, 1) if up else weight
    if x.device.type == "cpu" and torch.is_grad_enabled():
        return cast(Tensor, PlanarWeightGradient.apply(x, kernel, up))
    return F.conv_transpose2d(x, kernel, stride=2) if up else F.conv2d(x, kernel, padding=1)


def styled(layer: StyledConv, x: Tensor, w: Tensor, kernel: Tensor, noise: bool) -> Tensor:
    """`StyledConv.forward` with random noise or none."""
    s = layer.affine(w)
    y = convolve(x * s[:, :, None, None], layer.weight, layer.up)
    if layer.up:
        y = blur(y, kernel)
    d = (s.square() @ layer.weight.square().sum((2, 3)).T + 1e-8).rsqrt() * SQRT2
    y = torch.addcmul((layer.bias * SQRT2)[None, :, None, None], y, d[:, :, None, None])
    if noise:
        y = y + torch.randn_like(y[:, :1]) * (layer.noise_strength * SQRT2)
    return F.leaky_relu_(y, 0.2)


def colours(layer: ToRGB, x: Tensor, w: Tensor) -> Tensor:
    """`ToRGB.forward`: the style goes into the small kernel's input as a matrix product a sample."""
    kernel = layer.weight[None, :, :, 0, 0] * (layer.affine(w) * layer.gain)[:, None]
    b, c, rows, columns = x.shape
    flat = x.permute(0, 2, 3, 1).reshape(b, rows * columns, c)
    rgb = torch.baddbmm(layer.bias[None, None], flat, kernel.transpose(1, 2))
    return rgb.reshape(b, rows, columns, 3).permute(0, 3, 1, 2)


def run_block(block: Block, before: Painted | None, ws: Tensor, kernel: Tensor, noise: bool) -> Painted:
    """One resolution; ws as in `Block.forward`."""
    if before is None:
        start = block.const[None].expand(len(ws), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        y = styled(block.conv1, start, ws[:, 0], kernel, noise)
        return y, colours(block.torgb, y, ws[:, 1])
    x, rgb = before
    y = styled(block.conv0, x, ws[:, 0], kernel, noise)
    y = styled(block.conv1, y, ws[:, 1], kernel, noise)
    return y, upsample2(rgb, kernel) + colours(block.torgb, y, ws[:, 2])


def paint(
    synthesis: Synthesis, ws: Tensor, side: int, noise: bool = False, before: Painted | None = None, above: int = 0
) -> Painted:
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
