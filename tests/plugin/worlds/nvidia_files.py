"""Networks in the layout of NVIDIA's pickles, with seeded random weights, and what they paint by the equations.

The classes keep the attributes that stylegan2-ada-pytorch and stylegan3 keep, and are pickled as their
`torch_utils.persistence` does: a function, and a table with the source text and the state. `paint` is written from the
equations of StyleGAN2, one picture at a time, and shares nothing with the engine.
"""

from __future__ import annotations

import math
import pickle
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

SOURCE = "raise SystemExit('the source text of the file was run')\n"


class EasyDict(dict[str, Any]):
    """As in dnnlib: it is pickled as a class of that module."""


def _reconstruct_persistent_obj(meta: dict[str, Any]) -> None:
    raise AssertionError("called", meta)


@contextmanager
def named_as_theirs() -> Iterator[None]:
    """While pickling: the modules that the files name."""
    homes: dict[str, Any] = {"torch_utils.persistence": _reconstruct_persistent_obj, "dnnlib.util": EasyDict}
    before = {name: thing.__module__ for name, thing in homes.items()}
    for name, thing in homes.items():
        thing.__module__ = name
        sys.modules[name.partition(".")[0]] = ModuleType(name.partition(".")[0])
        sys.modules[name] = module = ModuleType(name)
        setattr(module, thing.__name__, thing)
    try:
        yield
    finally:
        for name, thing in homes.items():
            thing.__module__ = before[name]
            del sys.modules[name], sys.modules[name.partition(".")[0]]


class Persistent(nn.Module):
    """A module that is pickled as NVIDIA's are."""

    source = SOURCE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self._init_args, self._init_kwargs = args, EasyDict(kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        meta = {"type": "class", "version": 6, "module_src": self.source, "class_name": type(self).__name__,
                "state": self.__dict__}  # fmt: skip
        return _reconstruct_persistent_obj, (meta,), None


class FullyConnectedLayer(Persistent):
    def __init__(self, n_in: int, n_out: int, lr: float = 1.0, bias: float = 0.0) -> None:
        super().__init__(n_in, n_out)
        self.activation = "linear" if lr == 1.0 else "lrelu"
        self.weight = nn.Parameter(torch.randn(n_out, n_in) / lr)
        self.bias = nn.Parameter(torch.randn(n_out) * 0.1 / lr + bias / lr)
        self.weight_gain, self.bias_gain = np.float64(lr / np.sqrt(n_in)), lr


class MappingNetwork(Persistent):
    def __init__(self, z_dim: int, c_dim: int, w_dim: int, num_ws: int, num_layers: int = 8, lr: float = 0.01) -> None:
        super().__init__(z_dim=z_dim, c_dim=c_dim, w_dim=w_dim, num_ws=num_ws)
        self.z_dim, self.c_dim, self.w_dim, self.num_ws, self.num_layers = z_dim, c_dim, w_dim, num_ws, num_layers
        self.w_avg_beta = 0.995
        for i in range(num_layers):
            setattr(self, f"fc{i}", FullyConnectedLayer(z_dim if i == 0 else w_dim, w_dim, lr))
        self.register_buffer("w_avg", torch.randn(w_dim) * 0.1)


def resample_filter() -> Tensor:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    return torch.outer(taps, taps) / 64


class SynthesisLayer(Persistent):
    def __init__(self, n_in: int, n_out: int, w_dim: int, side: int, up: int) -> None:
        super().__init__(n_in, n_out, w_dim=w_dim, resolution=side, up=up)
        self.resolution, self.up, self.use_noise, self.activation, self.conv_clamp = side, up, True, "lrelu", 256
        self.padding, self.act_gain = 1, np.sqrt(2)
        self.register_buffer("resample_filter", resample_filter())
        self.affine = FullyConnectedLayer(w_dim, n_in, bias=1.0)
        self.weight = nn.Parameter(torch.randn(n_out, n_in, 3, 3))
        self.register_buffer("noise_const", torch.randn(side, side))
        self.noise_strength = nn.Parameter(torch.tensor(0.3))
        self.bias = nn.Parameter(torch.randn(n_out) * 0.1)


class ToRGBLayer(Persistent):
    def __init__(self, n_in: int, channels: int, w_dim: int) -> None:
        super().__init__(n_in, channels, w_dim=w_dim)
        self.conv_clamp, self.weight_gain = 256, 1 / np.sqrt(n_in)
        self.affine = FullyConnectedLayer(w_dim, n_in, bias=1.0)
        self.weight = nn.Parameter(torch.randn(channels, n_in, 1, 1))
        self.bias = nn.Parameter(torch.randn(channels) * 0.1)


class SynthesisBlock(Persistent):
    def __init__(self, n_in: int, n_out: int, w_dim: int, side: int, architecture: str, channels: int) -> None:
        super().__init__(n_in, n_out, w_dim=w_dim, resolution=side)
        self.in_channels, self.resolution, self.architecture = n_in, side, architecture
        self.register_buffer("resample_filter", resample_filter())
        if n_in == 0:
            self.const = nn.Parameter(torch.randn(n_out, side, side))
        else:
            self.conv0 = SynthesisLayer(n_in, n_out, w_dim, side, 2)
        self.conv1 = SynthesisLayer(n_out, n_out, w_dim, side, 1)
        self.torgb = ToRGBLayer(n_out, channels, w_dim)


class SynthesisNetwork(Persistent):
    def __init__(
        self, w_dim: int, size: int, base: int, most: int, architecture: str = "skip", channels: int = 3
    ) -> None:
        super().__init__(w_dim=w_dim, img_resolution=size, channel_base=base, channel_max=most)
        self.w_dim, self.img_resolution, self.img_channels = w_dim, size, channels
        self.block_resolutions = [2**i for i in range(2, size.bit_length())]
        self.num_ws = 2 * len(self.block_resolutions)
        before = 0
        for side in self.block_resolutions:
            width = min(base // side, most)
            setattr(self, f"b{side}", SynthesisBlock(before, width, w_dim, side, architecture, channels))
            before = width


class Generator(Persistent):
    """StyleGAN2's, with any sizes."""

    def __init__(
        self, size: int = 64, base: int = 1024, most: int = 16, z_dim: int = 32, w_dim: int = 24, layers: int = 8,
        c_dim: int = 0, lr: float = 0.01, architecture: str = "skip", channels: int = 3,
    ) -> None:  # fmt: skip
        super().__init__(
            z_dim=z_dim, c_dim=c_dim, w_dim=w_dim, img_resolution=size, mapping_kwargs=EasyDict(num_layers=layers)
        )
        self.z_dim, self.c_dim, self.w_dim, self.img_resolution, self.img_channels = z_dim, c_dim, w_dim, size, channels
        self.synthesis = SynthesisNetwork(w_dim, size, base, most, architecture, channels)
        self.num_ws = self.synthesis.num_ws
        self.mapping = MappingNetwork(z_dim, c_dim, w_dim, self.num_ws, layers, lr)


def generator(**sizes: Any) -> Generator:
    torch.manual_seed(2)
    return Generator(**sizes)


def snapshot(g: nn.Module) -> dict[str, Any]:
    """What a training writes."""
    return {"training_set_kwargs": EasyDict(path="faces.zip"), "G": None, "D": None, "G_ema": g, "augment_pipe": None}


def pickled(content: object, protocol: int = 4) -> bytes:
    with named_as_theirs():
        return pickle.dumps(content, protocol)


def write(path: Path, g: nn.Module, protocol: int = 4) -> Path:
    path.write_bytes(pickled(snapshot(g), protocol))
    return path


def rosinality(g: Generator) -> dict[str, Any]:
    """The same network as rosinality's conversion of it would hold it: `g_ema` and `latent_avg`."""
    state: OrderedDict[str, Tensor] = OrderedDict()
    w_avg: Any = g.mapping.w_avg

    def convolution(name: str, layer: Any, noise: int | None) -> None:
        state[f"{name}.conv.weight"] = layer.weight[None]
        state[f"{name}.conv.modulation.weight"], state[f"{name}.conv.modulation.bias"] = (
            layer.affine.weight, layer.affine.bias,
        )  # fmt: skip
        if noise is not None:
            state[f"{name}.noise.weight"] = layer.noise_strength[None]
            state[f"{name}.activate.bias"] = layer.bias
            state[f"noises.noise_{noise}"] = layer.noise_const[None, None]
            if layer.up == 2:
                state[f"{name}.conv.blur.kernel"] = resample_filter() * 4
        else:
            state[f"{name}.bias"] = layer.bias[None, :, None, None]

    for i in range(g.mapping.num_layers):
        layer = getattr(g.mapping, f"fc{i}")
        state[f"style.{i + 1}.weight"], state[f"style.{i + 1}.bias"] = layer.weight, layer.bias
    for i, side in enumerate(g.synthesis.block_resolutions):
        block = getattr(g.synthesis, f"b{side}")
        if i == 0:
            state["input.input"] = block.const[None]
            convolution("conv1", block.conv1, 0)
            convolution("to_rgb1", block.torgb, None)
            continue
        convolution(f"convs.{2 * i - 2}", block.conv0, 2 * i - 1)
        convolution(f"convs.{2 * i - 1}", block.conv1, 2 * i)
        state[f"to_rgbs.{i - 1}.upsample.kernel"] = resample_filter() * 4
        convolution(f"to_rgbs.{i - 1}", block.torgb, None)
    return {
        "g_ema": OrderedDict((k, v.detach().clone()) for k, v in state.items()),
        "latent_avg": w_avg.clone(),
        "d": OrderedDict(a=torch.zeros(2)),
    }


# --- what they paint


def style_of(g: Any, z: Tensor) -> Tensor:
    """z [Z] -> w [W]."""
    x = z / math.sqrt(float((z * z).mean()) + 1e-8)
    for i in range(g.mapping.num_layers):
        layer = getattr(g.mapping, f"fc{i}")
        y = (layer.weight * layer.weight_gain) @ x + layer.bias * layer.bias_gain
        x = torch.where(y > 0, y, 0.2 * y) * math.sqrt(2)
    return x


def _style(layer: Any, w: Tensor) -> Tensor:
    return layer.affine.weight @ w * float(layer.affine.weight_gain) + layer.affine.bias


def _up(x: Tensor) -> Tensor:
    """[C,H,W] -> [C,2H,2W]: zeros between the samples, then the low-pass of sum 4."""
    c, h, w = x.shape
    wide = torch.zeros(c, 2 * h, 2 * w)
    wide[:, ::2, ::2] = x
    padded = F.pad(wide, (2, 1, 2, 1))
    return F.conv2d(padded[:, None], resample_filter().flip(0, 1)[None, None] * 4)[:, 0]


def _layer(layer: Any, x: Tensor, w: Tensor) -> Tensor:
    """x [I,H,W]: modulate, demodulate, convolve (between zeros and low-pass where it goes up), noise, bias, leaky."""
    kernel = layer.weight * _style(layer, w)[None, :, None, None]
    kernel = kernel / torch.sqrt((kernel**2).sum((1, 2, 3), keepdim=True) + 1e-8)
    if layer.up == 2:
        c, h, width = x.shape
        wide = torch.zeros(c, 2 * h - 1, 2 * width - 1)
        wide[:, ::2, ::2] = x
        y = F.conv2d(F.pad(wide, (2, 2, 2, 2))[None], kernel.flip(2, 3))[0]  # a convolution: its kernel is turned
        y = F.conv2d(y[:, None], resample_filter()[None, None] * 4, padding=1)[:, 0]
    else:
        y = F.conv2d(x[None], kernel, padding=1)[0]
    y = y + layer.noise_const * layer.noise_strength + layer.bias[:, None, None]
    return (torch.where(y > 0, y, 0.2 * y) * math.sqrt(2)).clamp(-256, 256)


def _colours(layer: Any, x: Tensor, w: Tensor) -> Tensor:
    style = _style(layer, w) / math.sqrt(len(x))
    y = torch.einsum("oi,ihw->ohw", layer.weight[:, :, 0, 0] * style, x) + layer.bias[:, None, None]
    return y.clamp(-256, 256)


@torch.no_grad()
def paint(g: Generator, w: Tensor) -> Tensor:
    """Style w [W] -> picture [3,H,W]."""
    x, rgb = torch.zeros(0), torch.zeros(0)
    for side in g.synthesis.block_resolutions:
        block = getattr(g.synthesis, f"b{side}")
        if side == 4:
            x = _layer(block.conv1, block.const, w)
            rgb = _colours(block.torgb, x, w)
        else:
            x = _layer(block.conv1, _layer(block.conv0, x, w), w)
            rgb = _up(rgb) + _colours(block.torgb, x, w)
    return rgb
