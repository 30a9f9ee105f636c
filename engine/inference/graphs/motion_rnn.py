"""E_RNN as a graph; in torch: engine/model/motion_rnn.py."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...model.config import level_sizes
from .graph import Graph, Value, Weights, integer, integers
from .layers import dense, linear, silu, unsqueeze

if TYPE_CHECKING:
    from ...model.world_file import World


def write_motion(world: World, path: Path) -> None:
    """U [1,L,W] style codes, h [1,3,H] -> delta [1,L,W] in units of sigma_w, h_next."""
    graph, card = Graph("motion"), world.card
    codes, state = (1, card.num_ws, card.w_dim), (1, len(level_sizes(card.num_ws, card.level_cuts)), hidden_of(world))
    add_motion(graph, world, graph.input("u", *codes), graph.input("h", *state))
    graph.save(path, delta=codes, h_next=state)


def hidden_of(world: World) -> int:
    """Width of E_RNN's state by its tensors."""
    return Weights(world, "motion").take("levels.0.gru.weight_hh", None, None).shape[1]


def add_motion(graph: Graph, world: World, u: Value, h: Value) -> None:
    """The nodes from u and h to `delta` and `h_next`."""
    weights, card = Weights(world, "motion"), world.card
    w_dim, sizes, hidden = card.w_dim, level_sizes(card.num_ws, card.level_cuts), hidden_of(world)
    x = graph.add("Sub", u, weights.take("w_avg", w_dim))
    x = graph.add("Div", x, weights.take("sigma_w", w_dim))
    deltas, states = list[Value](), list[Value]()
    for level, part in enumerate(graph.split(x, sizes, axis=1)):
        codes = sizes[level]
        before = graph.add("Gather", h, integer(level), axis=1)
        inward = dense(graph, graph.add("Reshape", part, integers(1, codes * w_dim)), weights,
            f"levels.{level}.inward", codes * w_dim, hidden)  # fmt: skip
        state = _gru(graph, silu(graph, inward), before, weights, f"levels.{level}.gru", hidden)
        outward = dense(graph, state, weights, f"levels.{level}.outward", hidden, codes * w_dim)
        deltas.append(graph.add("Reshape", outward, integers(1, codes, w_dim)))
        states.append(unsqueeze(graph, state, 1))
    graph.add("Concat", *deltas, axis=1, result="delta")
    graph.add("Concat", *states, axis=1, result="h_next")


def _gru(graph: Graph, x: Value, h: Value, weights: Weights, name: str, hidden: int) -> Value:
    """One step of a gated recurrent unit, [1,H]."""

    def gates(value: Value, suffix: str) -> list[Value]:
        weight = weights.take(f"{name}.weight_{suffix}", 3 * hidden, hidden)
        bias = weights.take(f"{name}.bias_{suffix}", 3 * hidden)
        return graph.split(linear(graph, value, weight, bias), [hidden] * 3, axis=1)

    (reset_x, update_x, new_x), (reset_h, update_h, new_h) = gates(x, "ih"), gates(h, "hh")
    reset = graph.add("Sigmoid", graph.add("Add", reset_h, reset_x))
    update = graph.add("Sigmoid", graph.add("Add", update_h, update_x))
    new = graph.add("Tanh", graph.add("Add", new_x, graph.add("Mul", new_h, reset)))
    return graph.add("Add", graph.add("Mul", graph.add("Sub", h, new), update), new)
