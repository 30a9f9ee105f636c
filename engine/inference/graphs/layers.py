"""Layers that several graphs are made of."""

from __future__ import annotations

import numpy as np

from .graph import AnyArray, Graph, Value, Weights, integers

SMALLEST_STYLE = 1e-6


def linear(graph: Graph, x: Value, weight: AnyArray, bias: AnyArray | None = None) -> Value:
    """X [1,I], weight [O,I], bias [O] -> [1,O]."""
    return graph.add("Gemm", x, weight, *([] if bias is None else [bias]), transB=1)


def dense(graph: Graph, x: Value, weights: Weights, name: str, n_in: int, n_out: int | None = None) -> Value:
    """A fully connected layer of a world: x [1,n_in] -> [1,n_out]."""
    weight = weights.take(f"{name}.weight", n_out, n_in)
    return linear(graph, x, weight, weights.take(f"{name}.bias", len(weight)))


def silu(graph: Graph, x: Value) -> Value:
    """The activation x sigmoid(x)."""
    return graph.add("Mul", x, graph.add("Sigmoid", x))


def gelu(graph: Graph, x: Value) -> Value:
    """The activation x Phi(x), with the distribution of the standard normal; one operator from opset 20 on."""
    if graph.opset >= 20:
        return graph.add("Gelu", x)
    both = graph.add("Add", graph.add("Erf", graph.add("Mul", x, np.float32(0.5**0.5))), 1.0)
    return graph.add("Mul", graph.add("Mul", x, 0.5), both)


def total(graph: Graph, x: Value, axis: int, keep: bool = False) -> Value:
    """Sum along one axis."""
    return graph.add("ReduceSum", x, integers(axis), keepdims=int(keep))


def mean(graph: Graph, x: Value, axis: int, keep: bool = False) -> Value:
    """Mean along one axis."""
    return graph.add("ReduceMean", x, integers(axis), keepdims=int(keep))


def square(graph: Graph, x: Value) -> Value:
    """X squared."""
    return graph.add("Pow", x, 2.0)


def unsqueeze(graph: Graph, x: Value, *axes: int) -> Value:
    """New axes of size 1."""
    return graph.add("Unsqueeze", x, integers(*axes))


def at_size_one(graph: Graph, style: Value) -> tuple[Value, Value]:
    """A style [1,I] divided by its largest number [1,1], and that number."""
    size = graph.add("ReduceMax", graph.add("Abs", style), integers(1), keepdims=1)
    size = graph.add("Clip", size, np.float32(SMALLEST_STYLE))
    return graph.add("Div", style, size), size


def unit(graph: Graph, x: Value, result: Value = "") -> Value:
    """The last axis at length 1; zeros stay zeros."""
    length = graph.add("ReduceL2", x, integers(-1), keepdims=1)
    return graph.add("Div", x, graph.add("Clip", length, np.float32(1e-12)), result=result)
