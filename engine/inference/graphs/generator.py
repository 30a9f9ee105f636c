"""G for playing, as two graphs: the mapping network, and synthesis with everything folded that no style changes.

The same networks in torch: engine/model/generator.py and generator_folded.py.
"""

from __future__ import annotations

import math
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto

from ...model.folded_kernel import EARLIER_SIZES, fold_kernel
from ...model.stylegan3_config import StyleGAN3Config
from .graph import AnyArray, Graph, Operand, Value, Weights, integer, integers
from .layers import at_size_one, linear, mean, square, unsqueeze
from .stylegan3 import add_stylegan3

if TYPE_CHECKING:
    from ...model.world_file import World

SQRT2 = np.float32(math.sqrt(2.0))
MAPPING_RATE = 0.01
"""Learning rate of the mapping network against the others; its weights are stored divided by it."""
SMALLEST = 4
LIMIT = 256.0
"""Of features in half precision."""
_TAPS = np.array([1, 3, 3, 1], np.float32)
FIR = np.outer(_TAPS, _TAPS) / np.float32(16)
"""The low-pass [4,4] of an upsampling by two; it sums to 4."""


def write_mapping(world: World, path: Path, graph: Graph | None = None) -> None:
    """Z [1,Z] -> w [1,L,W], without truncation. graph: an empty one, for another opset."""
    weights, graph = Weights(world, "generator.mapping"), graph or Graph("mapping")
    width, num_ws = world.card.generator.z_dim, world.card.num_ws
    z = graph.input("z", 1, width)
    x = graph.add("Mul", z, _inverse_root(graph, mean(graph, square(graph, z), 1, keep=True)))
    for i in takewhile(lambda i: f"fc{i}.weight" in weights, count()):
        weight = weights.take(f"fc{i}.weight", None, width)
        bias = weights.take(f"fc{i}.bias", len(weight))
        x = linear(graph, x, weight * np.float32(MAPPING_RATE / math.sqrt(width)), bias * np.float32(MAPPING_RATE))
        x = graph.add("Mul", graph.add("LeakyRelu", x, alpha=0.2), SQRT2)
        width = len(weight)
    average = weights.take("w_avg", width)
    codes = graph.add("Tile", unsqueeze(graph, x, 1), integers(1, num_ws, 1))
    graph.add("Add", average, graph.add("Sub", codes, average), result="w")
    graph.save(path, w=(1, num_ws, width))


def write_synthesis(world: World, path: Path, size: int | None = None) -> None:
    """Style codes ws [1,L,W] -> picture [1,3,H,W] in 0..1, row 0 on top; noise is the constant one. StyleGAN3's graph
    takes a placement besides, [1,L+1,W]: stylegan3.py. size: see add_synthesis.
    """
    graph = Graph("synthesis")
    ws = graph.input("ws", 1, world.card.painted_rows, world.card.w_dim)
    graph.save(path, picture=add_synthesis(graph, world, ws, size=size))


def add_synthesis(
    graph: Graph, world: World, ws: Value, half: bool = False, size: int | None = None
) -> tuple[int, int, int, int]:
    """The nodes from `ws` to `picture`; its shape.

    half: whether features are computed in half precision. size: StyleGAN2 leaves at this side (early exit), if it is
    the smaller one; None: at the world's own.
    """
    if isinstance(config := world.card.generator, StyleGAN3Config):
        return add_stylegan3(graph, world, config, ws, half)
    synthesis = _Synthesis(world, graph, ws, half)
    side, code, rgb = SMALLEST, 0, None
    while True:
        if side > SMALLEST:
            synthesis.styled_conv(f"b{side}.conv0", code - 1, up=True)
        synthesis.styled_conv(f"b{side}.conv1", code, up=False)
        rgb = synthesis.colours(f"b{side}.torgb", code + 1, rgb)
        side, code = 2 * side, code + 2
        if side > min(size or math.inf, world.card.generator.size):
            break
    return synthesis.picture(rgb)


class _Synthesis:
    """The graph so far; x: features [1,channels,height,width].

    In half precision styles are divided by their largest number, which demodulation makes up for, and features are
    limited to LIMIT, as NVIDIA's networks limit them; styles, demodulation and colours stay in single precision.
    """

    def __init__(self, world: World, graph: Graph, ws: Value, half: bool) -> None:
        self._graph, self._weights = graph, Weights(world, "generator.synthesis")
        self._half, self._kind = half, np.float16 if half else np.float32
        self._w_dim, self._ws = world.card.w_dim, ws
        constant = self._weights.take(f"b{SMALLEST}.const", None, None, None)
        self._channels, *self._shape = constant.shape
        self._x = self._graph.constant(constant[None].astype(self._kind))
        self._codes: dict[int, Value] = {}
        self._sizes = EARLIER_SIZES.get(world.card.content, {})

    def _style(self, name: str, code: int, gain: float) -> Value:
        """Style s [1,channels] of a layer: an affine map of one style code."""
        if code not in self._codes:
            self._codes[code] = self._graph.add("Gather", self._ws, integer(code), axis=1)
        weight = self._weights.take(f"{name}.affine.weight", self._channels, self._w_dim)
        bias = self._weights.take(f"{name}.affine.bias", self._channels)
        folded = weight * np.float32(1 / math.sqrt(self._w_dim)) * np.float32(gain)
        return linear(self._graph, self._codes[code], folded, bias * np.float32(gain))

    def _cast(self, x: Value) -> Value:
        return self._graph.add("Cast", x, to=TensorProto.FLOAT16) if self._half else x

    def _modulated(self, style: Value) -> Value:
        return self._graph.add("Mul", self._x, unsqueeze(self._graph, self._cast(style), 2, 3))

    def styled_conv(self, name: str, code: int, up: bool) -> None:
        """leaky(d conv(s x) + noise + bias), with sqrt(2) in d, noise and bias; `up` doubles height and width first."""
        graph = self._graph
        kernel = fold_kernel(self._weights.take(f"{name}.weight", None, self._channels, 3, 3), self._sizes.get(name))
        style = self._style(name, code, 1.0)
        epsilon: Operand = kernel.epsilon
        if self._half:
            style, size = at_size_one(graph, style)
            epsilon = graph.add("Div", epsilon, square(graph, size))
        energy = graph.add("MatMul", square(graph, style), kernel.energy)
        d = graph.add("Mul", _inverse_root(graph, graph.add("Add", energy, epsilon)), SQRT2)
        x, weight = self._modulated(style), kernel.weight.astype(self._kind)
        channels = len(weight)
        if up:
            x = graph.add("ConvTranspose", x, weight.swapaxes(0, 1), strides=[2, 2])
            x = graph.add("Conv", x, _blurring(channels).astype(self._kind), pads=[1, 1, 1, 1], group=channels)
            self._shape = [2 * side for side in self._shape]
        else:
            x = graph.add("Conv", x, weight, pads=[1, 1, 1, 1])
        self._channels = channels
        x = graph.add("Mul", x, unsqueeze(graph, self._cast(d), 2, 3))
        x = graph.add("LeakyRelu", graph.add("Add", x, self._noise_and_bias(name)), alpha=0.2)
        self._x = graph.add("Clip", x, np.float16(-LIMIT), np.float16(LIMIT)) if self._half else x

    def _noise_and_bias(self, name: str) -> Value:
        noise = self._weights.take(f"{name}.noise_const", *self._shape)
        noise = noise * self._weights.take(f"{name}.noise_strength") * SQRT2
        bias = self._weights.take(f"{name}.bias", self._channels) * SQRT2
        constants = noise[None, None], bias[None, :, None, None]
        return self._graph.add("Add", *(constant.astype(self._kind) for constant in constants))

    def colours(self, name: str, code: int, before: Value | None) -> Value:
        """Colours [1,3,H,W] of the features, added to those of the block before at twice its size."""
        weight = self._weights.take(f"{name}.weight", 3, self._channels, 1, 1)
        style = self._style(name, code, 1 / math.sqrt(self._channels))
        bias = self._weights.take(f"{name}.bias", 3)
        rgb = self._half_colours(style, weight, bias) if self._half else self._graph.add(
            "Conv", self._modulated(style), weight, bias
        )  # fmt: skip
        if before is None:
            return rgb
        up = self._graph.add("ConvTranspose", before, _blurring(3), strides=[2, 2], pads=[1, 1, 1, 1], group=3)
        return self._graph.add("Add", rgb, up)

    def _half_colours(self, style: Value, weight: AnyArray, bias: AnyArray) -> Value:
        graph = self._graph
        style, size = at_size_one(graph, style)
        rgb = graph.add("Conv", self._modulated(style), weight.astype(np.float16))
        rgb = graph.add("Mul", graph.add("Cast", rgb, to=TensorProto.FLOAT), unsqueeze(graph, size, 2, 3))
        return graph.add("Add", rgb, bias[None, :, None, None])

    def picture(self, rgb: Value) -> tuple[int, int, int, int]:
        """The nodes from colours [1,3,H,W] of nominally -1..1 to `picture`; its shape."""
        half = self._graph.add("Add", self._graph.add("Mul", rgb, 0.5), 0.5)
        self._graph.add("Clip", half, 0.0, 1.0, result="picture")
        height, width = self._shape
        return 1, 3, height, width


def _inverse_root(graph: Graph, x: Value) -> Value:
    return graph.add("Reciprocal", graph.add("Sqrt", x))


def _blurring(channels: int) -> AnyArray:
    return np.ascontiguousarray(np.broadcast_to(FIR, (channels, 1, 4, 4)))
