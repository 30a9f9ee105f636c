"""The generator for playing, in torch: constant kernels, everything that does not depend on w computed once.

Same numbers as `Synthesis(form="weights")` within 1e-4, and about twice as fast on a CPU. On a CPU the same operations
play as an ONNX graph (engine/inference/graphs/generator.py).
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .equalised import SQRT2, Linear
from .folded_kernel import fold_kernel
from .generator import Block, StyledConv, Synthesis, ToRGB, fir_kernel


class FoldedAffine(nn.Module):
    """w [B,W] -> style s [B,I], with the layer's gains folded into one matrix."""

    def __init__(self, affine: Linear, gain: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(affine.weight.detach() * affine.gain * gain)
        self.bias = nn.Parameter(affine.bias.detach() * affine.lr_mul * gain)

    def forward(self, w: Tensor) -> Tensor:
        """One matrix product."""
        return F.linear(w, self.weight, self.bias)


class PlayConv(nn.Module):
    """One styled convolution: leaky(d conv(s x) + noise + bias), with sqrt(2) folded into d, noise and bias."""

    weight: Tensor
    energy: Tensor
    shift: Tensor
    kernel: Tensor
    noise: Tensor
    bias: Tensor

    def __init__(self, layer: StyledConv) -> None:
        super().__init__()
        folded, device = fold_kernel(layer.weight.detach().cpu().numpy()), layer.weight.device
        weight, energy = (torch.from_numpy(part).to(device) for part in (folded.weight, folded.energy))
        self.epsilon = float(folded.epsilon)
        self.up = layer.up
        self.affine = FoldedAffine(layer.affine)
        self.register_buffer("weight", weight.transpose(0, 1).contiguous() if layer.up else weight)
        self.register_buffer("energy", energy)
        self.register_buffer("noise", (layer.noise_const * layer.noise_strength * SQRT2).detach()[None, None])
        self.register_buffer("bias", (layer.bias * SQRT2).detach()[None, :, None, None])
        self.register_buffer("kernel", fir_kernel(gain=4.0).expand(weight.shape[0], 1, 4, 4).contiguous())

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """X [B,I,H,W], w [B,W] -> [B,O,H',W']."""
        s = self.affine(w)
        d = (s.square() @ self.energy + self.epsilon).rsqrt() * SQRT2
        x = x * s[:, :, None, None]
        if self.up:
            y = F.conv_transpose2d(x, self.weight, stride=2)
            y = F.conv2d(y, self.kernel, padding=1, groups=y.shape[1])
        else:
            y = F.conv2d(x, self.weight, padding=1)
        return F.leaky_relu(y * d[:, :, None, None] + (self.noise + self.bias), 0.2)


class PlayRGB(nn.Module):
    """Colours: a 1 x 1 convolution with modulated input."""

    def __init__(self, layer: ToRGB) -> None:
        super().__init__()
        self.affine = FoldedAffine(layer.affine, layer.gain)
        self.weight = nn.Parameter(layer.weight.detach())
        self.bias = nn.Parameter(layer.bias.detach())

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """X [B,I,H,W], w [B,W] -> [B,3,H,W]."""
        return F.conv2d(x * self.affine(w)[:, :, None, None], self.weight, self.bias)


class PlaySynthesis(nn.Module):
    """Style codes w [B,L,W] -> picture [B,3,H,W] in 0..1, row 0 on top; noise is the constant one."""

    const: Tensor
    skip: Tensor

    def __init__(self, synthesis: Synthesis, size: int | None = None) -> None:
        """size: leave at a smaller side (early exit), None for the world's own."""
        super().__init__()
        sides = [s for s in synthesis.config.sides if size is None or s <= size]
        blocks = [cast(Block, synthesis.get_submodule(f"b{s}")) for s in sides]
        self.register_buffer("const", blocks[0].const.detach()[None].clone())
        self.register_buffer("skip", fir_kernel(gain=4.0).expand(3, 1, 4, 4).contiguous())
        convs = [[b.conv0, b.conv1] if hasattr(b, "conv0") else [b.conv1] for b in blocks]
        self.counts = [len(pair) for pair in convs]
        self.convs = nn.ModuleList([PlayConv(c) for pair in convs for c in pair])
        self.colours = nn.ModuleList([PlayRGB(b.torgb) for b in blocks])

    def forward(self, ws: Tensor) -> Tensor:
        """One picture a row of ws."""
        x = self.const.expand(ws.shape[0], -1, -1, -1)
        rgb: Tensor | None = None
        i = 0
        for count, colour in zip(self.counts, self.colours, strict=True):
            for conv in self.convs[i : i + count]:
                x = conv(x, ws[:, i])
                i += 1
            y = colour(x, ws[:, i])
            up = rgb
            rgb = y if up is None else y + F.conv_transpose2d(up, self.skip, stride=2, padding=1, groups=3)
        if rgb is None:
            raise ValueError("a generator without resolutions")
        return (rgb * 0.5 + 0.5).clamp(0, 1)
