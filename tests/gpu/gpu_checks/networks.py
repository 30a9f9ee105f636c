"""Seeded, untrained generators of any size, and the reference that they are compared with: NVIDIA's formulation, with a
kernel of its own for every sample, in float32 or with float16 in the last four blocks, as their networks are trained.
"""

from __future__ import annotations

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sonorama.engine.model.config import GeneratorConfig
from sonorama.engine.model.generator import Block, StyledConv, Synthesis, blur, convolve_weights, upsample2

HALF_BLOCKS = 4
CLAMP = 256.0


def seeded(config: GeneratorConfig) -> Synthesis:
    """A random generator whose noise and biases count."""
    torch.manual_seed(3)
    made = Synthesis(config).requires_grad_(False).eval()
    for name, tensor in made.named_parameters():
        if name.endswith("noise_strength"):
            tensor.fill_(0.1)
        elif name.endswith("bias") and "affine" not in name:
            tensor.normal_().mul_(0.1)
    return made


def seeded_codes(config: GeneratorConfig, count: int) -> Tensor:
    """Style codes [count,L,W]."""
    shape = count, config.num_ws, config.w_dim
    return torch.randn(shape, generator=torch.Generator().manual_seed(7)) * 0.7


class Reference(nn.Module):
    """Style codes [1,L,W] -> picture [1,3,H,W] in 0..1. half: float16 in the last four blocks."""

    def __init__(self, synthesis: Synthesis, half: bool = False) -> None:
        super().__init__()
        self.synthesis, self.lowered = synthesis, half

    def forward(self, ws: Tensor) -> Tensor:
        picture = self._half(ws) if self.lowered else self.synthesis(ws)
        return (picture * 0.5 + 0.5).clamp(0, 1)

    def _half(self, ws: Tensor) -> Tensor:
        x = rgb = None
        i, kernel, sides = 0, self.synthesis.fir, self.synthesis.config.sides
        for side in sides:
            block = cast(Block, self.synthesis.get_submodule(f"b{side}"))
            dtype = torch.float16 if side in sides[-HALF_BLOCKS:] else torch.float32
            x = block.const[None].to(dtype) if x is None else x.to(dtype)
            for layer in block.children():
                if isinstance(layer, StyledConv):
                    x, i = _styled(layer, x, ws[:, i], kernel), i + 1
            style = block.torgb.affine(ws[:, i]) * block.torgb.gain
            y = convolve_weights(x, block.torgb.weight.to(dtype), style.to(dtype), False, False).float()
            y = y + block.torgb.bias[:, None, None]
            rgb = y if rgb is None else upsample2(rgb, kernel) + y
        if rgb is None:
            raise ValueError("a generator without resolutions")
        return rgb


def _styled(layer: StyledConv, x: Tensor, w: Tensor, kernel: Tensor) -> Tensor:
    style, weight = layer.affine(w), layer.weight
    if x.dtype == torch.float16:
        weight = weight / (weight.abs().amax((1, 2, 3), keepdim=True) * math.sqrt(weight[0].numel()))
        style = style / style.abs().amax(1, keepdim=True)
    modulated = weight[None] * style[:, None, :, None, None]
    modulated = modulated * (modulated.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    modulated = modulated[0].to(x.dtype)
    if layer.up:
        y = blur(F.conv_transpose2d(x, modulated.transpose(0, 1), stride=2), kernel)
    else:
        y = F.conv2d(x, modulated, padding=1)
    y = y + (layer.noise_const * layer.noise_strength).to(x.dtype) + layer.bias.to(x.dtype)[:, None, None]
    y = F.leaky_relu(y, 0.2) * math.sqrt(2)
    return y.clamp(-CLAMP, CLAMP) if x.dtype == torch.float16 else y


def convolution_work(config: GeneratorConfig) -> tuple[float, float]:
    """Floating-point operations of a picture's convolutions, the transposed ones at their true cost, and numbers that
    are read and written at least: every feature once each, every weight once.
    """
    work = features = weights = 0
    for side in config.sides:
        area, below = math.prod(config.shape(side)), math.prod(config.shape(side)) // 4
        n, before = config.channels(side), config.channels(side // 2)
        layers = [(n, n, area)] if side == 4 else [(before, n, below), (n, n, area)]
        for inputs, outputs, pixels in layers:
            work += 2 * 9 * inputs * outputs * pixels
            weights += 9 * inputs * outputs
            features += 2 * outputs * area
    return float(work), float(features + weights)
