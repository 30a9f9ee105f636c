"""StyleGAN3's synthesis as a graph, with everything folded that no style changes; in torch: engine/model/stylegan3.py.

Filters are constants of grouped convolutions, as in torch; a transposed one upsamples and crops at once.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ...model.lowpass import down_filter, up_filter
from ...model.stylegan3_config import PLACEMENT, Layer, StyleGAN3Config
from ...units import Array
from .graph import AnyArray, Graph, Value, Weights, integer, integers
from .layers import linear, square, unsqueeze

if TYPE_CHECKING:
    from ...model.world_file import World


def add_stylegan3(graph: Graph, world: World, config: StyleGAN3Config) -> tuple[int, int, int, int]:
    """Style codes and placement, an input ws [1,L+1,W] -> `picture` [1,3,H,W] in 0..1, row 0 on top; its shape."""
    weights = Weights(world, "generator.synthesis")
    ws = graph.input("ws", 1, config.num_ws + 1, config.w_dim)
    codes = [graph.add("Gather", ws, integer(i), axis=1) for i in range(config.num_ws + 1)]
    x = _fourier_input(graph, weights, config, codes[0], codes[-1])
    for name, layer, w in zip(config.names, config.layers, codes[1:-1], strict=True):
        style = _affine(graph, weights, f"{name}.affine", w, config.w_dim, layer.n_in)
        x = (_colours if layer.rgb else _filtered_conv)(graph, weights, config, layer, name, x, style)
    half = graph.add("Add", graph.add("Mul", x, config.output_scale / 2), 0.5)
    graph.add("Clip", half, 0.0, 1.0, result="picture")
    return 1, 3, config.size, config.size


def _affine(graph: Graph, weights: Weights, name: str, w: Value, n_in: int, n_out: int) -> Value:
    weight = weights.take(f"{name}.weight", n_out, n_in) * np.float32(1 / math.sqrt(n_in))
    return linear(graph, w, weight, weights.take(f"{name}.bias", n_out))


def _fourier_input(graph: Graph, weights: Weights, config: StyleGAN3Config, w: Value, placement: Value) -> Value:
    """Waves [1,I,S,S] of the first layer. Turning keeps a wave's frequency, so how far it is faded is constant."""
    first = config.layers[0]
    n, side = first.n_in, first.in_size
    freqs, phases = weights.take("input.freqs", n, 2), weights.take("input.phases", n)[:, None]
    (turn_x, turn_y), (shift_x, shift_y) = _moved(graph, weights, config, w, placement)
    fx, fy = freqs[:, :1], freqs[:, 1:]
    rows = graph.add("Sub", graph.add("Mul", turn_x, fy), graph.add("Mul", turn_y, fx))
    columns = graph.add("Add", graph.add("Mul", turn_x, fx), graph.add("Mul", turn_y, fy))
    moved = graph.add("Add", graph.add("Mul", shift_x, fx), graph.add("Mul", shift_y, fy))
    at = ((np.arange(side, dtype=np.float32) + 0.5 - side / 2) / first.in_rate)[None].astype(np.float32)
    down = graph.add("Add", graph.add("Mul", rows, at), graph.add("Add", moved, phases))
    angles = graph.add("Add", unsqueeze(graph, down, 2), unsqueeze(graph, graph.add("Mul", columns, at), 1))
    waves = graph.add("Sin", graph.add("Mul", angles, 2 * math.pi))
    beyond = (np.linalg.norm(freqs, axis=1) - first.in_cutoff) / (first.in_rate / 2 - first.in_cutoff)
    mixed = weights.take("input.weight", n, n) / math.sqrt(n) * np.clip(1 - beyond, 0, 1)[None]
    flat = graph.add("MatMul", mixed.astype(np.float32), graph.add("Reshape", waves, integers(n, side * side)))
    return graph.add("Reshape", flat, integers(1, n, side, side))


def _moved(
    graph: Graph, weights: Weights, config: StyleGAN3Config, w: Value, placement: Value
) -> tuple[tuple[Value, Value], tuple[Value, Value]]:
    """Cosine and sine [1,1] of the whole turn of a point of the picture, and its whole shift."""
    learned = _affine(graph, weights, "input.affine", w, config.w_dim, 4)
    length = graph.add("ReduceL2", graph.split(learned, [2, 2], 1)[0], integers(1), keepdims=1)
    cosine, sine, along, across = graph.split(graph.add("Div", learned, length), [1] * 4, 1)
    x, y, degrees = graph.split(placement, [1] * PLACEMENT + [config.w_dim - PLACEMENT], 1)[:PLACEMENT]
    angle = graph.add("Mul", degrees, math.pi / 180)
    c, s = graph.add("Cos", angle), graph.add("Sin", angle)

    def turned(a: Value, b: Value, kind: str, p: Value, q: Value) -> Value:
        return graph.add(kind, graph.add("Mul", a, p), graph.add("Mul", b, q))

    x0 = graph.add("Neg", graph.add("Add", turned(c, s, "Add", x, y), along))
    y0 = graph.add("Sub", turned(s, c, "Sub", x, y), across)
    turn = turned(cosine, sine, "Add", c, s), turned(sine, cosine, "Sub", c, s)
    return turn, (turned(cosine, sine, "Sub", x0, y0), turned(sine, cosine, "Add", x0, y0))


def _colours(
    graph: Graph, weights: Weights, config: StyleGAN3Config, layer: Layer, name: str, x: Value, style: Value
) -> Value:
    gain = np.float32(1 / math.sqrt(layer.n_in * float(weights.take(f"{name}.magnitude_ema"))))
    modulated = graph.add("Mul", x, unsqueeze(graph, style, 2, 3))
    weight = weights.take(f"{name}.weight", layer.n_out, layer.n_in, 1, 1) * gain
    return _clamped(graph, graph.add("Conv", modulated, weight, weights.take(f"{name}.bias", layer.n_out)), config)


def _filtered_conv(
    graph: Graph, weights: Weights, config: StyleGAN3Config, layer: Layer, name: str, x: Value, style: Value
) -> Value:
    """down(clamp(leaky(up(d conv(s x) + bias)))), with sqrt(2) and the input's magnitude in d and bias."""
    n, k = layer.n_out, layer.kernel
    weight = weights.take(f"{name}.weight", n, layer.n_in, k, k)
    weight = weight / np.sqrt(np.square(weight).mean((1, 2, 3), keepdims=True))
    gain = np.float32(math.sqrt(2 / float(weights.take(f"{name}.magnitude_ema"))))
    energy = graph.add("MatMul", square(graph, style), np.square(weight).sum((2, 3)).T.copy())
    d = graph.add("Div", gain, graph.add("Sqrt", graph.add("Add", energy, 1e-8)))
    y = graph.add("Conv", graph.add("Mul", x, unsqueeze(graph, style, 2, 3)), weight, pads=[k - 1] * 4)
    bias = weights.take(f"{name}.bias", n)[None, :, None, None] * np.float32(math.sqrt(2))
    y = graph.add("Add", graph.add("Mul", y, unsqueeze(graph, d, 2, 3)), bias)
    y = _clamped(graph, graph.add("LeakyRelu", _upsampled(graph, y, layer), alpha=0.2), config)
    return _downsampled(graph, y, layer, config.radial)


def _clamped(graph: Graph, x: Value, config: StyleGAN3Config) -> Value:
    return graph.add("Clip", x, -config.clamp, config.clamp) if config.clamp else x


def _upsampled(graph: Graph, x: Value, layer: Layer) -> Value:
    n, up, (left, right) = layer.n_out, layer.up, layer.crop
    kernel = (up_filter(layer) * up).astype(np.float32)
    x = graph.add("ConvTranspose", x, _each(kernel[:, None], n), strides=[up, 1], pads=[left, 0, right, 0], group=n)
    return graph.add("ConvTranspose", x, _each(kernel[None], n), strides=[1, up], pads=[0, left, 0, right], group=n)


def _downsampled(graph: Graph, x: Value, layer: Layer, radial: bool) -> Value:
    n, down, kernel = layer.n_out, layer.down, down_filter(layer, radial).astype(np.float32)
    if kernel.ndim == 2:
        return graph.add("Conv", x, _each(kernel, n), strides=[down, down], group=n)
    x = graph.add("Conv", x, _each(kernel[:, None], n), strides=[down, 1], group=n)
    return graph.add("Conv", x, _each(kernel[None], n), strides=[1, down], group=n)


def _each(kernel: Array, channels: int) -> AnyArray:
    return np.ascontiguousarray(np.broadcast_to(kernel, (channels, 1, *kernel.shape)))
