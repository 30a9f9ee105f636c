"""The generator for playing on CUDA: few operations, and fit for half precision throughout.

One picture is so little work for a large GPU that starting its operations takes longer than they do. All styles come
from one batched product here, and all demodulations from another.

Half precision: kernels are divided by sqrt(9 I) max|W_o| and styles by max|s|, so that no sum of products is larger
than sqrt(9 I) times the largest feature; demodulation is computed in float32 and makes up for both. Features are those
of the reference divided by sqrt(2); the styles that read them make up for that. NVIDIA's networks, trained in float16,
limit features to 256. That would change pictures of other networks, so here nothing is limited but what the next layer
could not even scale: features beyond the largest float16 number divided by sqrt(2). Where whole sums overflow, the
picture is NaN, and the quality gate (pipeline/quality_gate.py) takes another format.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .equalised import SQRT2, Linear
from .folded_kernel import EPSILON
from .generator import Block, StyledConv, Synthesis, fir_kernel
from .up_convolution import DENSE, FORMS, POLYPHASE, TRANSPOSED, dense_kernel, polyphase_kernel, skip_kernel

ACTIVATIONS, HYBRID = "activations", "hybrid"
SMALLEST_STYLE = 1e-6
"""A style whose largest number is below it is not scaled up further."""


@dataclass(frozen=True)
class Form:
    """How the modulated convolutions are computed.

    Attributes:
        modulation: what styles scale: ACTIVATIONS, or in each layer the fewer numbers of its kernel and its features
            (HYBRID).
        up: a form of up_convolution.py.

    """

    modulation: str = ACTIVATIONS
    up: str = TRANSPOSED

    def __str__(self) -> str:
        return f"{self.modulation} {self.up}"


ALL_FORMS = tuple(Form(modulation, up) for up in FORMS for modulation in (ACTIVATIONS, HYBRID))


class FusedSynthesis(nn.Module):
    """Style codes w [1,L,W], float32 -> picture [1,3,H,W], float32 in 0..1, row 0 on top; noise is the constant one.

    Args:
        synthesis: whose weights are taken.
        form: of its convolutions.
        dtype: of features and kernels; styles, demodulation and the picture are float32.
        early_exit: leave out the last block: its features are not computed, and the picture of the block before is
            enlarged as the skip connection enlarges it.

    """

    const: Tensor
    affine: Tensor
    affine_bias: Tensor
    energy: Tensor
    epsilon: Tensor
    gain: Tensor
    codes: Tensor
    skip: Tensor

    def __init__(
        self, synthesis: Synthesis, form: Form = Form(), dtype: torch.dtype = torch.float32, early_exit: bool = False
    ) -> None:
        super().__init__()
        sides = synthesis.config.sides
        blocks = [cast(Block, synthesis.get_submodule(f"b{side}")) for side in sides]
        blocks = blocks[:-1] if early_exit and len(blocks) > 1 else blocks
        self.enlarge = len(blocks) < len(sides)
        layers = [layer for block in blocks for layer in block.children() if isinstance(layer, StyledConv)]
        self.dtype = dtype
        self.layers = nn.ModuleList([FusedConv(layer, form, dtype) for layer in layers])
        self.colours = nn.ModuleList([FusedRGB(block, dtype) for block in blocks])
        largest = torch.finfo(dtype).max
        self.register_buffer("const", _features(blocks[0].const.detach()[None].clamp(-largest, largest), dtype))
        self.register_buffer("skip", skip_kernel())
        self._batch_styles(layers, blocks)

    def _batch_styles(self, layers: list[StyledConv], blocks: list[Block]) -> None:
        """The matrices of all styles and of all demodulations, as wide as the widest layer; what is beyond is zero."""
        affines = [layer.affine for layer in layers] + [block.torgb.affine for block in blocks]
        gains = [1.0] * len(layers) + [block.torgb.gain * SQRT2 for block in blocks]
        inputs, outputs = (max(layer.weight.shape[axis] for layer in layers) for axis in (1, 0))
        wide, w_dim = max(inputs, outputs), affines[0].weight.shape[1]
        affine, bias = torch.zeros(len(affines), w_dim, wide), torch.zeros(len(affines), 1, wide)
        for i, (one, gain) in enumerate(zip(affines, gains, strict=True)):
            n = one.weight.shape[0]
            affine[i, :, :n], bias[i, 0, :n] = _folded(one, gain)
        energy, epsilon = torch.zeros(len(layers), inputs, outputs), torch.ones(len(layers), 1, outputs)
        for i, layer in enumerate(layers):
            o, n = layer.weight.shape[:2]
            kernel, size = normalised(layer.weight.detach())
            energy[i, :n, :o] = kernel.square().sum((2, 3)).T
            epsilon[i, 0, :o] = EPSILON / size.square()
        gain = torch.full((len(layers), 1, 1), SQRT2)
        gain[0] = 1.0  # the constant is that of the reference
        numbers = [*range(len(layers)), *(2 * k + 1 for k in range(len(blocks)))]
        self.register_buffer("affine", affine)
        self.register_buffer("affine_bias", bias)
        self.register_buffer("energy", energy)
        self.register_buffer("epsilon", epsilon)
        self.register_buffer("gain", gain)
        self.register_buffer("codes", torch.tensor(numbers))

    def _styles(self, ws: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Styles [layers,1,I] and demodulations [layers,1,O] in `dtype`, styles of the colours [blocks,1,I]."""
        count, width = self.energy.shape[:2]
        raw = torch.baddbmm(self.affine_bias, ws[0].index_select(0, self.codes)[:, None], self.affine)
        styles = raw[:count, :, :width]
        size = styles.abs().amax(2, keepdim=True).clamp_min(SMALLEST_STYLE)
        styles = styles / size
        # The root's smallest number keeps its share, so that float32 is as exact as the reference.
        energy = torch.baddbmm(self.epsilon / size.square(), styles.square(), self.energy)
        d = energy.rsqrt().clamp_max(torch.finfo(self.dtype).max)
        return (styles * self.gain).to(self.dtype), d.to(self.dtype), raw[count:]

    def forward(self, ws: Tensor) -> Tensor:
        """One picture."""
        styles, demodulations, colour_styles = self._styles(ws)
        x, rgb, i = self.const, None, 0
        for k, colour in enumerate(self.colours):
            for _ in range(1 if k == 0 else 2):
                x = self.layers[i](x, styles[i, 0], demodulations[i, 0])
                i += 1
            y = colour(x, colour_styles[k, 0])
            rgb = y if rgb is None else self._enlarged(rgb) + y
        if rgb is None:
            raise ValueError("a generator without resolutions")
        rgb = self._enlarged(rgb) if self.enlarge else rgb
        return (rgb * 0.5 + 0.5).clamp(0, 1)

    def _enlarged(self, rgb: Tensor) -> Tensor:
        return F.pixel_shuffle(F.conv2d(rgb, self.skip, padding=1, groups=3), 2)


class FusedConv(nn.Module):
    """One styled convolution: leaky(d conv(s x) + noise + bias), for styles and demodulations that are given."""

    weight: Tensor
    bias: Tensor
    noise: Tensor
    fir: Tensor

    def __init__(self, layer: StyledConv, form: Form, dtype: torch.dtype) -> None:
        super().__init__()
        self.n_out, self.n_in = layer.weight.shape[:2]
        self.up = form.up if layer.up else ""
        kernel, _ = normalised(layer.weight.detach())
        height, width = layer.noise_const.shape
        features = self.n_out * height * width + self.n_in * height * width // (4 if layer.up else 1)
        self.by_weights = form.modulation == HYBRID and kernel.numel() < features
        written = {
            "": lambda: kernel,
            TRANSPOSED: lambda: kernel.transpose(0, 1),
            DENSE: lambda: dense_kernel(kernel),
            POLYPHASE: lambda: polyphase_kernel(kernel),
        }[self.up]()
        noise = (layer.noise_const * layer.noise_strength).detach()[None, None]
        self.has_noise = bool(noise.any())
        self.limit = torch.finfo(dtype).max / SQRT2 if dtype == torch.float16 else 0.0
        self.register_buffer("weight", _features(written.contiguous(), dtype))
        self.register_buffer("bias", layer.bias.detach().to(dtype))
        self.register_buffer("noise", noise.to(dtype))
        self.register_buffer("fir", _features(fir_kernel(4.0).repeat(self.n_out, 1, 1, 1), dtype))

    def forward(self, x: Tensor, style: Tensor, demodulation: Tensor) -> Tensor:
        """X [1,I,H,W], style and demodulation of at least I and O numbers -> [1,O,H',W']."""
        s, d = style[: self.n_in], demodulation[: self.n_out]
        if self.by_weights:
            y = self._convolved(x, self._modulated(s, d), self.bias)
        else:
            y = self._convolved(x * s[:, None, None], self.weight, None)
            y = torch.addcmul(self.bias[:, None, None], y, d[:, None, None])
        y = y.add_(self.noise) if self.has_noise else y
        y = F.leaky_relu_(y, 0.2)
        return y.clamp_(-self.limit, self.limit) if self.limit else y

    def _modulated(self, s: Tensor, d: Tensor) -> Tensor:
        if self.up == TRANSPOSED:
            return self.weight * (s[:, None] * d)[:, :, None, None]
        rows = d if self.up == "" else d[:, None].expand(-1, 4).reshape(-1)
        return self.weight * (rows[:, None] * s)[:, :, None, None]

    def _convolved(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.up == "":
            return F.conv2d(x, weight, bias, padding=1)
        if self.up == POLYPHASE:
            wide = None if bias is None else bias[:, None].expand(-1, 4).reshape(-1)
            return F.pixel_shuffle(F.conv2d(x, weight, wide, padding=1), 2)
        if self.up == TRANSPOSED:
            y = F.conv_transpose2d(x, weight, stride=2)
            return F.conv2d(y, self.fir, bias, padding=1, groups=self.n_out)
        y = F.pad(F.pixel_shuffle(F.conv2d(x, weight, padding=1), 2), [1, 0, 1, 0])
        return F.conv2d(y, self.fir, bias, groups=self.n_out)


class FusedRGB(nn.Module):
    """Colours of one block, float32: a 1 x 1 convolution whose kernel is modulated."""

    weight: Tensor
    bias: Tensor

    def __init__(self, block: Block, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype, self.n_in = dtype, block.torgb.weight.shape[1]
        self.register_buffer("weight", block.torgb.weight.detach()[:, :, 0, 0].contiguous())
        self.register_buffer("bias", block.torgb.bias.detach()[:, None, None].clone())

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """X [1,I,H,W], style of at least I numbers -> [1,3,H,W]."""
        kernel = (self.weight * style[: self.n_in]).to(self.dtype)
        return F.conv2d(x, kernel[:, :, None, None]).float() + self.bias


def normalised(weight: Tensor) -> tuple[Tensor, Tensor]:
    """A kernel [O,I,k,k] divided by sqrt(k k I) max|W_o|, and what it was divided by, [O]."""
    size = weight.abs().amax((1, 2, 3)).clamp_min(EPSILON) * math.sqrt(weight[0].numel())
    return weight / size[:, None, None, None], size


def _folded(affine: Linear, gain: float) -> tuple[Tensor, Tensor]:
    """Matrix [W,I] and bias [I] of an affine map, with its gains in them."""
    weight = affine.weight.detach() * (affine.gain * gain)
    return weight.T, affine.bias.detach() * (affine.lr_mul * gain)


def _features(x: Tensor, dtype: torch.dtype) -> Tensor:
    return x.to(dtype).contiguous(memory_format=torch.channels_last)
