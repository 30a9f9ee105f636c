"""G for playing, as two graphs: the mapping network, and synthesis with everything folded that no style changes.

The same networks in torch: engine/model/generator.py and generator_folded.py.
"""

from __future__ import annotations

import math
from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...model.folded_kernel import EARLIER_SIZES, fold_kernel
from .graph import AnyArray, Graph, Value, Weights, integer, integers
from .layers import linear, mean, square, unsqueeze

if TYPE_CHECKING:
    from ...model.world_file import World

SQRT2 = np.float32(math.sqrt(2.0))
MAPPING_RATE = 0.01
"""Learning rate of the mapping network against the others; its weights are stored divided by it."""
SMALLEST = 4
_TAPS = np.array([1, 3, 3, 1], np.float32)
FIR = np.outer(_TAPS, _TAPS) / np.float32(16)
"""The low-pass [4,4] of an upsampling by two; it sums to 4."""


def write_mapping(world: World, path: Path) -> None:
    """Z [1,Z] -> w [1,L,W], without truncation."""
    weights, graph = Weights(world, "generator.mapping"), Graph("mapping")
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


def write_synthesis(world: World, path: Path) -> None:
    """Style codes ws [1,L,W] -> picture [1,3,H,W] in 0..1, row 0 on top; noise is the constant one."""
    synthesis = _Synthesis(world)
    side, code, rgb = SMALLEST, 0, None
    while True:
        if side > SMALLEST:
            synthesis.styled_conv(f"b{side}.conv0", code - 1, up=True)
        synthesis.styled_conv(f"b{side}.conv1", code, up=False)
        rgb = synthesis.colours(f"b{side}.torgb", code + 1, rgb)
        side, code = 2 * side, code + 2
        if side > world.card.generator.size:
            break
    synthesis.save(path, rgb)


class _Synthesis:
    """The graph so far; x: features [1,channels,height,width]."""

    def __init__(self, world: World) -> None:
        self._graph, self._weights = Graph("synthesis"), Weights(world, "generator.synthesis")
        self._w_dim = world.card.w_dim
        self._ws = self._graph.input("ws", 1, world.card.num_ws, self._w_dim)
        constant = self._weights.take(f"b{SMALLEST}.const", None, None, None)
        self._channels, *self._shape = constant.shape
        self._x = self._graph.constant(constant[None])
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

    def _modulated(self, style: Value) -> Value:
        return self._graph.add("Mul", self._x, unsqueeze(self._graph, style, 2, 3))

    def styled_conv(self, name: str, code: int, up: bool) -> None:
        """leaky(d conv(s x) + noise + bias), with sqrt(2) in d, noise and bias; `up` doubles height and width first."""
        graph = self._graph
        kernel = fold_kernel(self._weights.take(f"{name}.weight", None, self._channels, 3, 3), self._sizes.get(name))
        style = self._style(name, code, 1.0)
        energy = graph.add("MatMul", square(graph, style), kernel.energy)
        d = graph.add("Mul", _inverse_root(graph, graph.add("Add", energy, kernel.epsilon)), SQRT2)
        x = self._modulated(style)
        channels = len(kernel.weight)
        if up:
            x = graph.add("ConvTranspose", x, kernel.weight.swapaxes(0, 1), strides=[2, 2])
            x = graph.add("Conv", x, _blurring(channels), pads=[1, 1, 1, 1], group=channels)
            self._shape = [2 * side for side in self._shape]
        else:
            x = graph.add("Conv", x, kernel.weight, pads=[1, 1, 1, 1])
        self._channels = channels
        x = graph.add("Mul", x, unsqueeze(graph, d, 2, 3))
        self._x = graph.add("LeakyRelu", graph.add("Add", x, self._noise_and_bias(name)), alpha=0.2)

    def _noise_and_bias(self, name: str) -> Value:
        noise = self._weights.take(f"{name}.noise_const", *self._shape)
        noise = noise * self._weights.take(f"{name}.noise_strength") * SQRT2
        bias = self._weights.take(f"{name}.bias", self._channels) * SQRT2
        return self._graph.add("Add", noise[None, None], bias[None, :, None, None])

    def colours(self, name: str, code: int, before: Value | None) -> Value:
        """Colours [1,3,H,W] of the features, added to those of the block before at twice its size."""
        weight = self._weights.take(f"{name}.weight", 3, self._channels, 1, 1)
        x = self._modulated(self._style(name, code, 1 / math.sqrt(self._channels)))
        rgb = self._graph.add("Conv", x, weight, self._weights.take(f"{name}.bias", 3))
        if before is None:
            return rgb
        up = self._graph.add("ConvTranspose", before, _blurring(3), strides=[2, 2], pads=[1, 1, 1, 1], group=3)
        return self._graph.add("Add", rgb, up)

    def save(self, path: Path, rgb: Value) -> None:
        """Write the graph, whose picture is rgb [1,3,H,W] of nominally -1..1."""
        half = self._graph.add("Add", self._graph.add("Mul", rgb, 0.5), 0.5)
        self._graph.add("Clip", half, 0.0, 1.0, result="picture")
        self._graph.save(path, picture=(1, 3, *self._shape))


def _inverse_root(graph: Graph, x: Value) -> Value:
    return graph.add("Reciprocal", graph.add("Sqrt", x))


def _blurring(channels: int) -> AnyArray:
    return np.ascontiguousarray(np.broadcast_to(FIR, (channels, 1, 4, 4)))
