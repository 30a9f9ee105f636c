"""G, the StyleGAN2 generator (Karras et al. 2020, arXiv 1912.04958), in plain torch operations; stylegan3.py is its
successor's synthesis, which takes its place where a world's configuration says so.

One file, one set of parameters, named as in NVIDIA's released networks. `form` chooses between two
formulations of the same modulated convolution: "weights" scales the kernel of every sample (the paper,
our fp32 reference), "activations" scales the input and the output instead and keeps the kernel constant
(faster on a CPU, exportable). Both agree within 1e-4; generator_folded.py takes the second one further.

Shapes: B batch, Z = z_dim, W = w_dim, L = num_ws style codes, I and O feature channels, H and W' rows and columns.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import AnyGenerator, GeneratorConfig
from .equalised import SQRT2, Linear
from .stylegan3 import StyleGAN3Synthesis
from .stylegan3_config import StyleGAN3Config

FIR = (1.0, 3.0, 3.0, 1.0)


def fir_kernel(gain: float = 1.0) -> Tensor:
    """The separable FIR [1,3,3,1] as a 4 x 4 kernel of sum `gain`."""
    taps = torch.tensor(FIR)
    kernel = torch.outer(taps, taps)
    return kernel / kernel.sum() * gain


def blur(x: Tensor, kernel: Tensor) -> Tensor:
    """[B,C,H+1,W+1] -> [B,C,H,W], the low-pass after a transposed convolution."""
    c = x.shape[1]
    return F.conv2d(x, kernel.expand(c, 1, 4, 4).to(x.dtype), padding=1, groups=c)


def upsample2(x: Tensor, kernel: Tensor) -> Tensor:
    """[B,C,H,W] -> [B,C,2H,2W] with the FIR (kernel of sum 4)."""
    c = x.shape[1]
    return F.conv_transpose2d(x, kernel.expand(c, 1, 4, 4).to(x.dtype), stride=2, padding=1, groups=c)


def convolve_weights(x: Tensor, weight: Tensor, s: Tensor, demodulate: bool, up: bool) -> Tensor:
    """Modulated convolution with one kernel per sample (eqs. 1 and 3 of StyleGAN2).

    x [B,I,H,W], weight [O,I,k,k], s [B,I] -> [B,O,H',W'].
    """
    b, i, h, w = x.shape
    o, k = weight.shape[0], weight.shape[2]
    kernels = weight[None] * s[:, None, :, None, None]
    if demodulate:
        kernels = kernels * (kernels.square().sum(dim=(2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    x = x.reshape(1, b * i, h, w)
    if up:
        kernels = kernels.transpose(1, 2).reshape(b * i, o, k, k)
        y = F.conv_transpose2d(x, kernels, stride=2, groups=b)
    else:
        y = F.conv2d(x, kernels.reshape(b * o, i, k, k), padding=k // 2, groups=b)
    return y.reshape(b, o, y.shape[2], y.shape[3])


def convolve_activations(x: Tensor, weight: Tensor, s: Tensor, demodulate: bool, up: bool) -> Tensor:
    """The same convolution with a constant kernel: conv(x s) d, d = rsqrt(W2 s^2), W2 = sum_k W^2."""
    x = x * s[:, :, None, None]
    if up:
        y = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
    else:
        y = F.conv2d(x, weight, padding=weight.shape[2] // 2)
    if demodulate:
        d = (s.square() @ weight.square().sum(dim=(2, 3)).T + 1e-8).rsqrt()
        y = y * d[:, :, None, None]
    return y


CONVOLVE = {"weights": convolve_weights, "activations": convolve_activations}


class Mapping(nn.Module):
    """z [B,Z] -> style codes w [B,L,W], truncated towards w_avg: w_avg + psi (w - w_avg).

    num_ws: L; by default as many as the blocks take. What is more is a world's own and not painted.
    """

    w_avg: Tensor
    w_std: Tensor

    def __init__(self, config: AnyGenerator, num_ws: int | None = None) -> None:
        super().__init__()
        self.num_ws, self.depth = num_ws or config.num_ws, config.mapping_layers
        for i in range(self.depth):
            self.add_module(f"fc{i}", Linear(config.z_dim if i == 0 else config.w_dim, config.w_dim, 0.0, 0.01))
        self.register_buffer("w_avg", torch.zeros(config.w_dim))
        self.register_buffer("w_std", torch.ones(config.w_dim))

    def forward(self, z: Tensor, psi: float = 1.0, cutoff: int | None = None) -> Tensor:
        """Truncate the first `cutoff` codes (all when None) by psi in 0..1.2."""
        x = z * (z.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()  # [B,Z]
        for i in range(self.depth):
            x = F.leaky_relu(self.get_submodule(f"fc{i}")(x), 0.2) * SQRT2  # [B,W]
        w = x[:, None].repeat(1, self.num_ws, 1)  # [B,L,W]
        cut = w[:, :cutoff]
        return torch.cat([self.w_avg + psi * (cut - self.w_avg), w[:, cut.shape[1] :]], dim=1)


class StyledConv(nn.Module):
    """Modulated convolution, noise, bias, leaky ReLU; gain sqrt(2)."""

    noise_const: Tensor

    def __init__(self, n_in: int, n_out: int, w_dim: int, shape: tuple[int, int], up: bool) -> None:
        super().__init__()
        self.affine = Linear(w_dim, n_in, bias=1.0)
        self.weight = nn.Parameter(torch.randn(n_out, n_in, 3, 3))
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise_const", torch.randn(shape))
        self.up = up

    def noise(self, mode: str, like: Tensor) -> Tensor | float:
        """The noise input [1 or B,1,H,W] for activations [B,O,H,W], already scaled; 0 for mode "none"."""
        if mode == "none":
            return 0.0
        if mode == "random":
            return torch.randn(len(like), 1, *like.shape[2:], device=like.device) * self.noise_strength
        return self.noise_const[None, None] * self.noise_strength

    def forward(self, x: Tensor, w: Tensor, kernel: Tensor, noise: str, form: str) -> Tensor:
        """X [B,I,H,W], w [B,W] -> [B,O,H,W], or [B,O,2H,2W] after an up-convolution."""
        y = CONVOLVE[form](x, self.weight, self.affine(w), True, self.up)
        if self.up:
            y = blur(y, kernel)
        y = y + self.noise(noise, y) + self.bias[None, :, None, None]
        return F.leaky_relu(y, 0.2) * SQRT2


class ToRGB(nn.Module):
    """1 x 1 modulated convolution to colours, without demodulation."""

    def __init__(self, n_in: int, w_dim: int) -> None:
        super().__init__()
        self.affine = Linear(w_dim, n_in, bias=1.0)
        self.weight = nn.Parameter(torch.randn(3, n_in, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))
        self.gain = 1 / math.sqrt(n_in)

    def forward(self, x: Tensor, w: Tensor, form: str) -> Tensor:
        """X [B,I,H,W], w [B,W] -> [B,3,H,W]."""
        y = CONVOLVE[form](x, self.weight, self.affine(w) * self.gain, False, False)
        return y + self.bias[None, :, None, None]


class Block(nn.Module):
    """One resolution: [up-convolution], convolution, colours added to the upsampled skip image."""

    const: Tensor

    def __init__(self, config: GeneratorConfig, side: int) -> None:
        super().__init__()
        n = config.channels(side)
        if side == 4:
            self.const = nn.Parameter(torch.randn(n, *config.shape(side)))
        else:
            self.conv0 = StyledConv(config.channels(side // 2), n, config.w_dim, config.shape(side), up=True)
        self.conv1 = StyledConv(n, n, config.w_dim, config.shape(side), up=False)
        self.torgb = ToRGB(n, config.w_dim)
        self.side = side

    def forward(
        self, x: Tensor | None, rgb: Tensor | None, ws: Tensor, kernel: Tensor, noise: str, form: str
    ) -> tuple[Tensor, Tensor]:
        """Ws [B, 2 or 3, W]: the codes of conv0 (not at 4 px), conv1 and torgb, in this order."""
        if x is None or rgb is None:
            start = self.const[None].expand(len(ws), -1, -1, -1).contiguous(memory_format=torch.channels_last)
            y: Tensor = self.conv1(start, ws[:, 0], kernel, noise, form)
            return y, self.torgb(y, ws[:, 1], form)
        y = self.conv1(self.conv0(x, ws[:, 0], kernel, noise, form), ws[:, 1], kernel, noise, form)
        return y, upsample2(rgb, kernel) + self.torgb(y, ws[:, 2], form)


class Synthesis(nn.Module):
    """Style codes w [B,L,W] -> picture [B,3,H,W], nominally in [-1, 1]."""

    fir: Tensor

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        for side in config.sides:
            self.add_module(f"b{side}", Block(config, side))
        self.register_buffer("fir", fir_kernel(gain=4.0), persistent=False)

    def forward(self, ws: Tensor, noise: str = "const", size: int | None = None, form: str = "weights") -> Tensor:
        """noise: "const", "none" or "random". size: early exit at a smaller side. form: see the module."""
        x = rgb = None
        i = 0
        for side in self.config.sides:
            n = 2 if side == 4 else 3
            x, rgb = self.get_submodule(f"b{side}")(x, rgb, ws[:, i : i + n], self.fir, noise, form)
            i += n - 1
            if side == size:
                break
        if rgb is None:
            raise ValueError("a generator without resolutions")
        return rgb


class Generator(nn.Module):
    """Mapping and synthesis of one world. num_ws: see Mapping."""

    def __init__(self, config: AnyGenerator, num_ws: int | None = None) -> None:
        super().__init__()
        self.config = config
        self.mapping = Mapping(config, num_ws)
        painted = StyleGAN3Synthesis(config) if isinstance(config, StyleGAN3Config) else Synthesis(config)
        self.synthesis: Synthesis | StyleGAN3Synthesis = painted

    @property
    def stylegan2(self) -> Synthesis:
        """The synthesis of a StyleGAN2 generator, block by block. TypeError: it is another one."""
        if not isinstance(self.synthesis, Synthesis):
            raise TypeError("a StyleGAN2 generator is needed here")
        return self.synthesis

    def forward(self, z: Tensor, psi: float = 1.0, noise: str = "const", form: str = "weights") -> Tensor:
        """Z [B,Z] -> picture [B,3,H,W]."""
        return self.synthesis(self.mapping(z, psi), noise, form=form)
