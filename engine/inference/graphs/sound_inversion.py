"""E_a as a graph; in torch: engine/model/sound_inversion.py, which says what it does."""

from __future__ import annotations

from itertools import count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...model.config import level_sizes
from ...model.mel import BANDS, ENCODER_COLUMNS
from .graph import AnyArray, Graph, Value, Weights, integer, integers
from .layers import dense, linear, mean, silu, total, unsqueeze

if TYPE_CHECKING:
    from ...model.world_file import World

GATE_LOW, GATE_HIGH = 0.06, 0.16
"""As in engine/model/sound_inversion.py."""


def write_encoder(world: World, path: Path) -> None:
    """Log-mel window [1,1,128,88] and F_a's code [1,D] -> displacement [1,L,W] and presence [1]."""
    graph = Graph("encoder")
    window = graph.input("window", 1, 1, BANDS, ENCODER_COLUMNS)
    code = graph.input("code", *Weights(world, "encoder").take("silence_code", 1, None).shape)
    add_encoder(graph, world, window, code)
    graph.save(path, displacement=(1, world.card.num_ws, world.card.w_dim), presence=(1,))


def write_silence(world: World, path: Path) -> None:
    """A graph without inputs: `silent` [1,L,W], what E_a answers to silence, in units of sigma_w."""
    encoder = _Encoder(world, Graph("silence"))
    encoder.graph.add("Identity", encoder.silent(), result="silent")
    encoder.graph.save(path, silent=(1, world.card.num_ws, world.card.w_dim))


def add_encoder(graph: Graph, world: World, window: Value, code: Value, silent: AnyArray | None = None) -> None:
    """The nodes from window and code to `displacement` and `presence`. silent: what `write_silence` gives, if known."""
    encoder = _Encoder(world, graph)
    presence = _presence(graph, window)
    silence = encoder.silent() if silent is None else silent
    change = graph.add("Sub", encoder.units(window, code), silence)
    present = graph.add("Mul", unsqueeze(graph, presence, 1, 2), change)
    graph.add("Mul", present, encoder.weights.take("sigma_w", encoder.w_dim), result="displacement")


def _presence(graph: Graph, window: Value) -> Value:
    """How much sound there is, [1] in 0..1."""
    loudest = graph.add("ReduceMax", graph.add("Gather", window, integer(0), axis=1), integers(1), keepdims=0)
    above = graph.add("Sub", mean(graph, loudest, 1), GATE_LOW)
    return graph.add("Clip", graph.add("Div", above, GATE_HIGH - GATE_LOW), 0.0, 1.0, result="presence")


class _Encoder:
    """The part that answers twice: to the window and to silence."""

    def __init__(self, world: World, graph: Graph) -> None:
        card = world.card
        self.weights, self.graph = Weights(world, "encoder"), graph
        self.w_dim, self._levels = card.w_dim, level_sizes(card.num_ws, card.level_cuts)
        self._groups = card.encoder.groups
        self.code_dim = self.weights.take("silence_code", 1, None).shape[1]
        self._shape = integers(1, card.num_ws, self.w_dim)

    def silent(self) -> Value:
        """The answer to silence, made of constants."""
        silence = self.weights.take("silence_code", 1, self.code_dim)
        return self.units(self.graph.constant(np.zeros((1, 1, BANDS, ENCODER_COLUMNS), np.float32)), silence)

    def units(self, window: Value, code: Value | AnyArray) -> Value:
        """The displacement in units of sigma_w, before silence is subtracted: [1,L,W].

        The biases of the last layers are left out: they are the same for silence and cancel.
        """
        graph, weights = self.graph, self.weights
        x, width = self._features(window)
        attention = weights.take("attention.weight", 1, width)
        share = graph.add("Add", graph.add("MatMul", x, attention.T), weights.take("attention.bias", 1))
        x = total(graph, graph.add("Mul", graph.add("Softmax", share, axis=1), x), 1)
        joined = graph.add("Concat", x, graph.constant(code) if isinstance(code, np.ndarray) else code, axis=1)
        x = silu(graph, dense(graph, joined, weights, "join", width + self.code_dim))
        hidden = len(weights.take("join.bias", None))
        levels = []
        for level, codes in enumerate(self._levels):
            first = silu(graph, dense(graph, x, weights, f"first.{level}", hidden, hidden))
            levels.append(linear(graph, first, weights.take(f"last.{level}.weight", codes * self.w_dim, hidden)))
        return graph.add("Reshape", graph.add("Concat", *levels, axis=1), self._shape)

    def _features(self, x: Value) -> tuple[Value, int]:
        """[1,1,128,88] -> [1,T,C], and C."""
        height, width, channels = BANDS, ENCODER_COLUMNS, 1
        for i in takewhile(lambda i: f"blocks.{i}.reduce.weight" in self.weights, count()):
            height, width = (height + 1) // 2, (width + 1) // 2
            x, channels = self._block(x, f"blocks.{i}", channels, (height, width))
        return self.graph.add("Transpose", mean(self.graph, x, 2), perm=[0, 2, 1]), channels

    def _block(self, x: Value, name: str, n_in: int, shape: tuple[int, int]) -> tuple[Value, int]:
        take, graph = self.weights.take, self.graph
        n = len(take(f"{name}.reduce.bias", None))
        x = graph.add("Conv", x, take(f"{name}.reduce.weight", n, n_in, 3, 3), take(f"{name}.reduce.bias", n),
            strides=[2, 2], pads=[1, 1, 1, 1])  # fmt: skip
        x = silu(graph, self._group_norm(x, f"{name}.norm1", (n, *shape)))
        x = graph.add("Conv", x, take(f"{name}.depthwise.weight", n, 1, 3, 3), take(f"{name}.depthwise.bias", n),
            pads=[1, 1, 1, 1], group=n)  # fmt: skip
        x = graph.add("Conv", x, take(f"{name}.mix.weight", n, n, 1, 1), take(f"{name}.mix.bias", n))
        return silu(graph, self._group_norm(x, f"{name}.norm2", (n, *shape))), n

    def _group_norm(self, x: Value, name: str, shape: tuple[int, int, int]) -> Value:
        graph, n = self.graph, shape[0]
        grouped = graph.add("Reshape", x, integers(0, self._groups, -1))
        ones, zeros = np.ones(self._groups, np.float32), np.zeros(self._groups, np.float32)
        normal = graph.add("InstanceNormalization", grouped, ones, zeros, epsilon=1e-5)
        normal = graph.add("Reshape", normal, integers(1, *shape))
        scaled = graph.add("Mul", normal, self.weights.take(f"{name}.weight", n)[:, None, None])
        return graph.add("Add", scaled, self.weights.take(f"{name}.bias", n)[:, None, None])
