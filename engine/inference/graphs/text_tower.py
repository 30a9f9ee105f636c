"""F_t as a graph: a small CLIP text transformer; in torch: engine/model/joint_embedding.py."""

from __future__ import annotations

from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .graph import AnyArray, Graph, Value, Weights, integers
from .layers import gelu, unit

if TYPE_CHECKING:
    from ...model.world_file import World


def write_text(world: World, path: Path, graph: Graph | None = None) -> None:
    """Rows of the token table [1,C], int64 -> unit code [1,D]. graph: an empty one, for another opset."""
    tower = _Tower(world, graph or Graph("text"))
    graph, take = tower.graph, tower.weights.take
    context, width = tower.context, tower.width
    rows = graph.input("rows", 1, context, kind=np.int64)
    table = take("token_embedding.weight", None, width)
    x = graph.add("Add", graph.add("Gather", table, rows, axis=0), take("positional_embedding", context, width))
    for i in takewhile(lambda i: f"transformer.resblocks.{i}.ln_1.weight" in tower.weights, count()):
        x = tower.block(x, f"transformer.resblocks.{i}")
    x = tower.norm(x, "ln_final")
    last = graph.add("ArgMax", rows, axis=1, keepdims=0)  # the end of text has the last row of all
    pooled = graph.add("Reshape", graph.add("Gather", x, last, axis=1), integers(1, width))
    projection = take("text_projection", width, None)
    unit(graph, graph.add("MatMul", pooled, projection), result="code")
    graph.save(path, code=(1, projection.shape[1]))


class _Tower:
    """The transformer's blocks; x: [1,C,width]."""

    def __init__(self, world: World, graph: Graph) -> None:
        self.graph, self.weights = graph, Weights(world, "text.net")
        self.context, self.width = self.weights.take("positional_embedding", None, None).shape
        self._count = world.card.text.heads if world.card.text else 1
        later = np.triu(np.ones((self.context, self.context), bool), 1)
        self._mask = np.where(later, np.float32("-inf"), np.float32(0))

    def norm(self, x: Value, name: str) -> Value:
        """Layer normalisation of the last axis."""
        weight, bias = (self.weights.take(f"{name}.{part}", self.width) for part in ("weight", "bias"))
        return self.graph.add("LayerNormalization", x, weight, bias, epsilon=1e-5)

    def block(self, x: Value, name: str) -> Value:
        """Attention to what came before, then two dense layers; both add to what goes in."""
        x = self.graph.add("Add", x, self._attention(self.norm(x, f"{name}.ln_1"), f"{name}.attn"))
        inner = self._dense(self.norm(x, f"{name}.ln_2"), f"{name}.mlp.c_fc", 4 * self.width, self.width)
        outer = self._dense(gelu(self.graph, inner), f"{name}.mlp.c_proj", self.width, 4 * self.width)
        return self.graph.add("Add", x, outer)

    def _attention(self, x: Value, name: str) -> Value:
        graph = self.graph
        both = self._product(
            x,
            self.weights.take(f"{name}.in_proj_weight", 3 * self.width, self.width),
            self.weights.take(f"{name}.in_proj_bias", 3 * self.width),
        )
        query, key, value = (self._heads(part) for part in graph.split(both, [self.width] * 3, axis=2))
        query = graph.add("Mul", query, (self.width // self._count) ** -0.5)
        scores = graph.add("MatMul", query, graph.add("Transpose", key, perm=[0, 1, 3, 2]))
        share = graph.add("Softmax", graph.add("Add", scores, self._mask), axis=-1)
        mixed = graph.add("Transpose", graph.add("MatMul", share, value), perm=[0, 2, 1, 3])
        joined = graph.add("Reshape", mixed, integers(1, self.context, self.width))
        return self._dense(joined, f"{name}.out_proj", self.width, self.width)

    def _heads(self, x: Value) -> Value:
        """[1,C,width] -> [1,heads,C,width / heads]."""
        shape = integers(1, self.context, self._count, self.width // self._count)
        return self.graph.add("Transpose", self.graph.add("Reshape", x, shape), perm=[0, 2, 1, 3])

    def _dense(self, x: Value, name: str, n_out: int, n_in: int) -> Value:
        return self._product(
            x, self.weights.take(f"{name}.weight", n_out, n_in), self.weights.take(f"{name}.bias", n_out)
        )

    def _product(self, x: Value, weight: AnyArray, bias: AnyArray) -> Value:
        return self.graph.add("Add", self.graph.add("MatMul", x, weight.T), bias)
