"""StyleGAN3's synthesis as a graph, with everything folded that no style changes; in torch: engine/model/stylegan3.py.

Filters are constants of grouped convolutions, as in torch; a transposed one upsamples and crops at once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto

from ...model.lowpass import down_filter, up_filter
from ...model.stylegan3_config import PLACEMENT, Layer, StyleGAN3Config
from ...units import Float64Array
from ..exported import PLACED
from .graph import AnyArray, Graph, Operand, Value, Weights, integer, integers
from .layers import at_size_one, linear, square, unsqueeze

if TYPE_CHECKING:
    from ...model.world_file import World


def add_stylegan3(
    graph: Graph, world: World, config: StyleGAN3Config, ws: Value, half: bool = False
) -> tuple[int, int, int, int]:
    """Style codes and placement ws [1,L+1,W] -> `picture` [1,3,H,W] in 0..1, row 0 on top; its shape.

    half: whether features are computed in half precision, with styles divided by their largest number; waves, styles,
    demodulation and the sum of colours stay in single precision.
    """
    made = _Synthesis(graph, Weights(world, "generator.synthesis"), config, half)
    codes = [graph.add("Gather", ws, integer(i), axis=1) for i in range(config.num_ws + 1)]
    x = made.cast(made.waves(codes[0], codes[-1]))
    for name, layer, w in zip(config.names, config.layers, codes[1:-1], strict=True):
        x = (made.colours if layer.rgb else made.filtered_conv)(layer, name, x, w)
    shown = graph.add("Add", graph.add("Mul", x, config.output_scale / 2), 0.5)
    graph.add("Clip", shown, 0.0, 1.0, result="picture")
    return 1, 3, config.size, config.size


def add_placement(graph: Graph, ws: Value, placement: Value, w_dim: int) -> Value:
    """Style codes [1,L,W] and placement [1,3] -> `placed` [1,L+1,W], the `ws` of add_stylegan3."""
    row = graph.add("Pad", placement, integers(0, 0, 0, w_dim - PLACEMENT))
    return graph.add("Concat", ws, unsqueeze(graph, row, 1), axis=1, result=PLACED)


class _Synthesis:
    """The parts of the graph. kind: numpy's number format of features and their kernels."""

    def __init__(self, graph: Graph, weights: Weights, config: StyleGAN3Config, half: bool) -> None:
        self._graph, self._weights, self._config, self._half = graph, weights, config, half
        self._kind = np.float16 if half else np.float32

    def cast(self, x: Value) -> Value:
        """To the number format of features."""
        return self._graph.add("Cast", x, to=TensorProto.FLOAT16) if self._half else x

    def _affine(self, name: str, w: Value, n_out: int) -> Value:
        n_in = self._config.w_dim
        weight = self._weights.take(f"{name}.weight", n_out, n_in) * np.float32(1 / math.sqrt(n_in))
        return linear(self._graph, w, weight, self._weights.take(f"{name}.bias", n_out))

    def waves(self, w: Value, placement: Value) -> Value:
        """Waves [1,I,S,S] of the first layer. Turning keeps a wave's frequency: how far it is faded is constant."""
        graph, first = self._graph, self._config.layers[0]
        n, side = first.n_in, first.in_size
        freqs, phases = self._weights.take("input.freqs", n, 2), self._weights.take("input.phases", n)[:, None]
        (turn_x, turn_y), (shift_x, shift_y) = self._moved(w, placement)
        fx, fy = freqs[:, :1], freqs[:, 1:]
        rows = graph.add("Sub", graph.add("Mul", turn_x, fy), graph.add("Mul", turn_y, fx))
        columns = graph.add("Add", graph.add("Mul", turn_x, fx), graph.add("Mul", turn_y, fy))
        moved = graph.add("Add", graph.add("Mul", shift_x, fx), graph.add("Mul", shift_y, fy))
        at = ((np.arange(side, dtype=np.float32) + 0.5 - side / 2) / first.in_rate)[None].astype(np.float32)
        down = graph.add("Add", graph.add("Mul", rows, at), graph.add("Add", moved, phases))
        angles = graph.add("Add", unsqueeze(graph, down, 2), unsqueeze(graph, graph.add("Mul", columns, at), 1))
        waves = graph.add("Sin", graph.add("Mul", angles, 2 * math.pi))
        beyond = (np.linalg.norm(freqs, axis=1) - first.in_cutoff) / (first.in_rate / 2 - first.in_cutoff)
        mixed = self._weights.take("input.weight", n, n) / math.sqrt(n) * np.clip(1 - beyond, 0, 1)[None]
        flat = graph.add("MatMul", mixed.astype(np.float32), graph.add("Reshape", waves, integers(n, side * side)))
        return graph.add("Reshape", flat, integers(1, n, side, side))

    def _moved(self, w: Value, placement: Value) -> tuple[tuple[Value, Value], tuple[Value, Value]]:
        """Cosine and sine [1,1] of the whole turn of a point of the picture, and its whole shift."""
        graph, learned = self._graph, self._affine("input.affine", w, 4)
        length = graph.add("ReduceL2", graph.split(learned, [2, 2], 1)[0], integers(1), keepdims=1)
        cosine, sine, along, across = graph.split(graph.add("Div", learned, length), [1] * 4, 1)
        x, y, degrees = graph.split(placement, [1] * PLACEMENT + [self._config.w_dim - PLACEMENT], 1)[:PLACEMENT]
        angle = graph.add("Mul", degrees, math.pi / 180)
        c, s = graph.add("Cos", angle), graph.add("Sin", angle)

        def turned(a: Value, b: Value, kind: str, p: Value, q: Value) -> Value:
            return graph.add(kind, graph.add("Mul", a, p), graph.add("Mul", b, q))

        x0 = graph.add("Neg", graph.add("Add", turned(c, s, "Add", x, y), along))
        y0 = graph.add("Sub", turned(s, c, "Sub", x, y), across)
        turn = turned(cosine, sine, "Add", c, s), turned(sine, cosine, "Sub", c, s)
        return turn, (turned(cosine, sine, "Sub", x0, y0), turned(sine, cosine, "Add", x0, y0))

    def colours(self, layer: Layer, name: str, x: Value, w: Value) -> Value:
        """Colours [1,3,H,W] of the last layer's input."""
        graph, style = self._graph, self._affine(f"{name}.affine", w, layer.n_in)
        gain = np.float32(1 / math.sqrt(layer.n_in * float(self._weights.take(f"{name}.magnitude_ema"))))
        weight = self._weights.take(f"{name}.weight", layer.n_out, layer.n_in, 1, 1) * gain
        bias = self._weights.take(f"{name}.bias", layer.n_out)
        if not self._half:
            return self._clamped(graph.add("Conv", self._modulated(x, style), weight, bias))
        style, size = at_size_one(graph, style)
        y = graph.add(
            "Cast", graph.add("Conv", self._modulated(x, style), weight.astype(np.float16)), to=TensorProto.FLOAT
        )
        y = graph.add("Mul", y, unsqueeze(graph, size, 2, 3))
        return self._clamped(graph.add("Add", y, bias[None, :, None, None]), np.float32)

    def filtered_conv(self, layer: Layer, name: str, x: Value, w: Value) -> Value:
        """down(clamp(leaky(up(d conv(s x) + bias)))), with sqrt(2) and the input's magnitude in d and bias."""
        graph, n, k = self._graph, layer.n_out, layer.kernel
        style = self._affine(f"{name}.affine", w, layer.n_in)
        weight = self._weights.take(f"{name}.weight", n, layer.n_in, k, k)
        weight = weight / np.sqrt(np.square(weight).mean((1, 2, 3), keepdims=True))
        gain = np.float32(math.sqrt(2 / float(self._weights.take(f"{name}.magnitude_ema"))))
        epsilon: Operand = 1e-8
        if self._half:  # demodulation makes up for both divisions
            fan_in = np.float32(layer.n_in * k * k)
            weight = weight / np.sqrt(fan_in)
            style, size = at_size_one(graph, style)
            epsilon = graph.add("Div", np.float32(1e-8 / fan_in), square(graph, size))
        energy = graph.add("MatMul", square(graph, style), np.square(weight).sum((2, 3)).T.copy())
        d = graph.add("Div", gain, graph.add("Sqrt", graph.add("Add", energy, epsilon)))
        y = graph.add("Conv", self._modulated(x, style), weight.astype(self._kind), pads=[k - 1] * 4)
        bias = self._weights.take(f"{name}.bias", n)[None, :, None, None] * np.float32(math.sqrt(2))
        y = graph.add("Add", graph.add("Mul", y, unsqueeze(graph, self.cast(d), 2, 3)), bias.astype(self._kind))
        y = self._clamped(graph.add("LeakyRelu", self._upsampled(y, layer), alpha=0.2))
        return self._downsampled(y, layer)

    def _modulated(self, x: Value, style: Value) -> Value:
        return self._graph.add("Mul", x, unsqueeze(self._graph, self.cast(style), 2, 3))

    def _clamped(self, x: Value, kind: type[np.floating[Any]] | None = None) -> Value:
        limit = (kind or self._kind)(self._config.clamp)
        return self._graph.add("Clip", x, -limit, limit) if limit else x

    def _upsampled(self, x: Value, layer: Layer) -> Value:
        graph, n, up, (left, right) = self._graph, layer.n_out, layer.up, layer.crop
        kernel = up_filter(layer) * up
        down, along = self._each(kernel[:, None], n), self._each(kernel[None], n)
        x = graph.add("ConvTranspose", x, down, strides=[up, 1], pads=[left, 0, right, 0], group=n)
        return graph.add("ConvTranspose", x, along, strides=[1, up], pads=[0, left, 0, right], group=n)

    def _downsampled(self, x: Value, layer: Layer) -> Value:
        graph, n, down, kernel = self._graph, layer.n_out, layer.down, down_filter(layer, self._config.radial)
        if kernel.ndim == 2:
            return graph.add("Conv", x, self._each(kernel, n), strides=[down, down], group=n)
        x = graph.add("Conv", x, self._each(kernel[:, None], n), strides=[down, 1], group=n)
        return graph.add("Conv", x, self._each(kernel[None], n), strides=[1, down], group=n)

    def _each(self, kernel: Float64Array, channels: int) -> AnyArray:
        return np.ascontiguousarray(np.broadcast_to(kernel.astype(self._kind), (channels, 1, *kernel.shape)))
