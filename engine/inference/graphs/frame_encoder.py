"""The frame encoder of F_a as nodes of a graph; in torch, and explained: engine/model/frame_encoder.py."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from ...model.config import FRAME_SOUND, FRAME_STARTS, FramesConfig
from ...model.mel import BANDS, ENCODER_COLUMNS, FLOOR_DB
from .graph import Graph, Value, Weights, integer, integers
from .layers import mean, total, unsqueeze

LOWEST_DB, HIGHEST_DB, ROWS = -50.0, 30.0, 4
"""As in engine/model/frame_encoder.py."""
FRAMES, FRAME_CODES = "frames", "frame_codes"
"""Frames [N,128,88] and their codes [N,code], where `sound_frames.py` cuts the graph; any N will do."""


def frame_codes(graph: Graph, window: Value, weights: Weights, config: FramesConfig) -> tuple[Value, Value]:
    """Log-mel window [1,1,128,344] -> mean code [1,code] of its frames that hold sound, and whether any does [1]."""
    columns = graph.add("Gather", window, integer(0), axis=1)
    cuts = (_cut(graph, columns, 2, at, at + ENCODER_COLUMNS) for at in FRAME_STARTS)
    frames = graph.add("Concat", *cuts, axis=0, result=FRAMES)
    loudest = graph.add("ReduceMax", frames, integers(1, 2), keepdims=0)
    share = graph.add("Cast", graph.add("Greater", loudest, FRAME_SOUND), to=TensorProto.FLOAT)
    x = _linear(graph, _features(graph, _level_free(graph, frames), weights, config), weights, config)
    codes = graph.add("Mul", x, graph.add("Sigmoid", x), result=FRAME_CODES)  # SiLU
    summed = total(graph, graph.add("Mul", codes, unsqueeze(graph, share, 1)), 0, keep=True)
    heard = graph.add("Div", summed, graph.add("Clip", total(graph, share, 0, keep=True), 1.0))
    return heard, graph.add("ReduceMax", share, integers(0), keepdims=1)


def _cut(graph: Graph, x: Value, axis: int, begin: int, end: int) -> Value:
    return graph.add("Slice", x, integers(begin), integers(end), integers(axis))


def _level_free(graph: Graph, frames: Value) -> Value:
    """[N,128,88] in 0..1 -> decibels about each frame's mean power, over 20 [N,1,128,88]."""
    heard = _cut(graph, frames, 1, 1, BANDS)
    db = graph.add("Mul", graph.add("Sub", heard, 1.0), -FLOOR_DB)
    power = graph.add("Pow", np.float32(10), graph.add("Div", db, 10.0))
    power = graph.add("Add", graph.add("ReduceMean", power, integers(1, 2), keepdims=1), 1e-12)
    level = graph.add("Mul", graph.add("Log", power), np.float32(10 / np.log(10)))
    db = graph.add("Clip", graph.add("Sub", db, level), LOWEST_DB, HIGHEST_DB)
    lowest = np.array(LOWEST_DB / 20, np.float32)
    return unsqueeze(graph, graph.add("Pad", graph.add("Div", db, 20.0), integers(0, 1, 0, 0, 0, 0), lowest), 1)


def _features(graph: Graph, x: Value, weights: Weights, config: FramesConfig) -> Value:
    """[N,1,128,88] -> [N,2 C ROWS]."""
    before = 1
    for i, width in enumerate(config.widths):
        kernel, stride = ((7, 5), (4, 2)) if i == 0 else ((3, 3), (2, 2))
        x = graph.add("Relu", _conv(graph, x, weights, f"reduce.{i}", (width, before, *kernel), stride))
        if i >= 2:
            first, second = (f"residual.{i - 2}.{name}" for name in ("first", "second"))
            inner = graph.add("Relu", _conv(graph, x, weights, first, (width, width, 3, 3), (1, 1)))
            inner = _conv(graph, inner, weights, second, (width, width, 3, 3), (1, 1))
            x = graph.add("Relu", graph.add("Add", x, inner))
        before = width
    pooled = graph.add("Concat", mean(graph, x, 3), graph.add("ReduceMax", x, integers(3), keepdims=0), axis=1)
    return graph.add("Flatten", pooled, axis=1)


def _conv(
    graph: Graph, x: Value, weights: Weights, name: str, shape: tuple[int, int, int, int], stride: tuple[int, int]
) -> Value:
    weight, bias = weights.take(f"frames.{name}.weight", *shape), weights.take(f"frames.{name}.bias", shape[0])
    rows, columns = shape[2] // 2, shape[3] // 2
    return graph.add("Conv", x, weight, bias, strides=[*stride], pads=[rows, columns, rows, columns])


def _linear(graph: Graph, x: Value, weights: Weights, config: FramesConfig) -> Value:
    weight = weights.take("frames.linear.weight", config.code, 2 * ROWS * config.widths[-1])
    return graph.add("Gemm", x, weight, weights.take("frames.linear.bias", config.code), transB=1)
