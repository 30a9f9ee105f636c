"""Synthesis of StyleGAN3 (Karras et al. 2021, arXiv 2106.12423), in plain torch operations.

Fourier features that the first style code turns and shifts, then layers of: modulated convolution, bias, upsampling,
leaky ReLU at the higher rate, downsampling. Filters are designed when it is built (lowpass.py), and are no parameters.

Shapes: B batch, L = num_ws style codes, W = w_dim, I and O channels, S a layer's side with its margin.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..units import Float64Array
from .equalised import SQRT2, Linear
from .lowpass import down_filter, up_filter
from .stylegan3_config import PLACEMENT, Layer, StyleGAN3Config


class FourierInput(nn.Module):
    """Style code w [B,W] and placement [B,3] -> features [B,I,S,S]: waves of fixed frequencies and phases, mixed.

    Every wave is sin(2 pi (f . x + phase)) over x in -0.5..0.5 of the picture and beyond, by the margin. The placement
    (shift to the right, down, in parts of the picture; turn in degrees clockwise) moves the whole picture on top of
    what w itself turns and shifts.
    """

    freqs: Tensor
    phases: Tensor
    grid: Tensor

    def __init__(self, config: StyleGAN3Config) -> None:
        super().__init__()
        first = config.layers[0]
        n, rng = first.n_in, np.random.default_rng(0)
        self.rate, self.bandwidth, self.size = first.in_rate, first.in_cutoff, first.in_size
        self.affine = Linear(config.w_dim, 4)
        self.affine.weight = nn.Parameter(torch.zeros(4, config.w_dim))
        self.affine.bias = nn.Parameter(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        self.weight = nn.Parameter(torch.randn(n, n))
        radius, angle = self.bandwidth * np.sqrt(rng.random(n)), 2 * math.pi * rng.random(n)
        waves = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)  # all over a disc alike
        self.register_buffer("freqs", torch.from_numpy(waves).float())
        self.register_buffer("phases", torch.from_numpy(rng.random(n) - 0.5).float())
        at = (torch.arange(self.size) + 0.5 - self.size / 2) / self.rate
        self.register_buffer("grid", at, persistent=False)

    def forward(self, w: Tensor, placement: Tensor) -> Tensor:
        """See the class."""
        learned = self.affine(w)  # cosine, sine, shift x, shift y
        cosine, sine, along, across = (learned / learned[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        turn = placement[:, 2] * (math.pi / 180)
        c, s = turn.cos(), turn.sin()
        # A point of the picture, shifted and turned back by the placement, then by what w says.
        inner = (c, s, -s, c)
        shift = -(c * placement[:, 0] + s * placement[:, 1]), -(-s * placement[:, 0] + c * placement[:, 1])
        x0, y0 = shift[0] - along, shift[1] - across
        rows = [
            (cosine * inner[0] - sine * inner[2], cosine * inner[1] - sine * inner[3], cosine * x0 - sine * y0),
            (sine * inner[0] + cosine * inner[2], sine * inner[1] + cosine * inner[3], sine * x0 + cosine * y0),
        ]
        moved = torch.stack([torch.stack(row, 1) for row in rows], 1)  # [B,2,3]
        freqs = self.freqs @ moved[:, :, :2]  # [B,I,2]
        phases = self.phases + (self.freqs @ moved[:, :, 2:])[:, :, 0]
        faded = (1 - (freqs.norm(dim=2) - self.bandwidth) / (self.rate / 2 - self.bandwidth)).clamp(0, 1)
        horizontal = freqs[:, :, :1] * self.grid  # [B,I,S]
        vertical = freqs[:, :, 1:] * self.grid + phases[:, :, None]
        waves = torch.sin(2 * math.pi * (horizontal[:, :, None] + vertical[:, :, :, None])) * faded[:, :, None, None]
        return torch.einsum("oi,bihw->bohw", self.weight / math.sqrt(len(self.phases)), waves)


class FilteredConv(nn.Module):
    """One layer: X [B,I,S,S], w [B,W] -> [B,O,S',S'].

    magnitude_ema: mean square of its input in training, by whose root the input is divided.
    """

    magnitude_ema: Tensor
    up_kernel: Tensor
    down_kernel: Tensor

    def __init__(self, layer: Layer, config: StyleGAN3Config) -> None:
        super().__init__()
        self.layer, self.clamp = layer, config.clamp
        self.affine = Linear(config.w_dim, layer.n_in, bias=1.0)
        self.weight = nn.Parameter(torch.randn(layer.n_out, layer.n_in, layer.kernel, layer.kernel))
        self.bias = nn.Parameter(torch.zeros(layer.n_out))
        self.register_buffer("magnitude_ema", torch.ones(()))
        self.register_buffer("up_kernel", _kernel(up_filter(layer) * layer.up), persistent=False)
        self.register_buffer("down_kernel", _kernel(down_filter(layer, config.radial)), persistent=False)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """See the class."""
        style, gain = self.affine(w), self.magnitude_ema.rsqrt()
        if self.layer.rgb:
            style = style / math.sqrt(self.layer.n_in)
            y = F.conv2d(x * (style * gain)[:, :, None, None], self.weight) + self.bias[:, None, None]
            return y.clamp(-self.clamp, self.clamp) if self.clamp else y
        weight = self.weight * self.weight.square().mean((1, 2, 3), keepdim=True).rsqrt()
        style = style * style.square().mean(1, keepdim=True).rsqrt()
        demodulation = (style.square() @ weight.square().sum((2, 3)).T + 1e-8).rsqrt() * gain
        y = F.conv2d(x * style[:, :, None, None], weight, padding=self.layer.kernel - 1)
        return self.filtered(y * demodulation[:, :, None, None] + self.bias[:, None, None])

    def filtered(self, x: Tensor) -> Tensor:
        """The leaky ReLU of the continuous signal: upsample, apply it, downsample."""
        y = upsampled(x, self.up_kernel, self.layer)
        y = F.leaky_relu(y, 0.2) * SQRT2
        return downsampled(y.clamp(-self.clamp, self.clamp) if self.clamp else y, self.down_kernel, self.layer)


def upsampled(x: Tensor, kernel: Tensor, layer: Layer) -> Tensor:
    """X [B,C,S,S] at the nonlinearity's rate, cut to what the downsampling takes; kernel [taps], sum `up`."""
    c, up = x.shape[1], layer.up
    if layer.up_taps > 1:
        x = F.conv_transpose2d(x, kernel[None, None, :, None].expand(c, 1, -1, 1), stride=(up, 1), groups=c)
        x = F.conv_transpose2d(x, kernel[None, None, None].expand(c, 1, 1, -1), stride=(1, up), groups=c)
    left, right = layer.crop
    return F.pad(x, (-left, -right, -left, -right))


def downsampled(x: Tensor, kernel: Tensor, layer: Layer) -> Tensor:
    """Every `down`th sample of X [B,C,S,S] after a low-pass, [taps] or [taps, taps]."""
    c, down = x.shape[1], layer.down
    if layer.down_taps == 1:
        return x
    if kernel.dim() == 2:
        return F.conv2d(x, kernel.expand(c, 1, -1, -1), stride=down, groups=c)
    x = F.conv2d(x, kernel[None, None, :, None].expand(c, 1, -1, 1), stride=(down, 1), groups=c)
    return F.conv2d(x, kernel[None, None, None].expand(c, 1, 1, -1), stride=(1, down), groups=c)


def _kernel(design: Float64Array) -> Tensor:
    return torch.from_numpy(design).float()


class StyleGAN3Synthesis(nn.Module):
    """Style codes w [B,L,W] -> picture [B,3,H,W], nominally in [-1, 1].

    One row more, [B,L+1,W], is the placement: see FourierInput. Without it the picture stays where it is.
    """

    def __init__(self, config: StyleGAN3Config) -> None:
        super().__init__()
        self.config = config
        self.input = FourierInput(config)
        for name, layer in zip(config.names, config.layers, strict=True):
            self.add_module(name, FilteredConv(layer, config))

    def forward(self, ws: Tensor, noise: str = "const", size: int | None = None, form: str = "weights") -> Tensor:
        """size: a smaller side, to which the picture is reduced. noise, form: without effect, there is no noise."""
        del noise, form
        codes, row = self.config.num_ws, ws[:, self.config.num_ws :, :PLACEMENT]
        x = self.input(ws[:, 0], row[:, 0] if row.shape[1] else ws.new_zeros(len(ws), PLACEMENT))
        for i, name in zip(range(1, codes), self.config.names, strict=True):
            x = self.get_submodule(name)(x, ws[:, i])
        picture = x * self.config.output_scale
        return picture if size is None or size >= self.config.size else F.adaptive_avg_pool2d(picture, size)


class PlayStyleGAN3(nn.Module):
    """Style codes and placement [B,L+1,W] -> picture [B,3,H,W] in 0..1, row 0 on top."""

    def __init__(self, synthesis: StyleGAN3Synthesis) -> None:
        super().__init__()
        self.synthesis = synthesis

    def forward(self, ws: Tensor) -> Tensor:
        """One picture a row of ws."""
        return (self.synthesis(ws) * 0.5 + 0.5).clamp(0, 1)
