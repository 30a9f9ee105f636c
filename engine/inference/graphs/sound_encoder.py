"""F_a as a graph: frame codes or statistics of the texture, then a committee.

In torch: engine/model/joint_embedding.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...model.mel import BANDS, SOUND_COLUMNS
from .frame_encoder import frame_codes
from .graph import Graph, Value, Weights, integers
from .layers import mean, silu, unit
from .texture_statistics import FEATURES, TextureStatistics

if TYPE_CHECKING:
    from ...model.world_file import World


def write_sound(world: World, path: Path) -> None:
    """Log-mel window [1,1,128,344] in 0..1 -> unit code [1,D]; the code of silence is 0."""
    graph = Graph("sound")
    window = graph.input("window", 1, 1, BANDS, SOUND_COLUMNS)
    graph.save(path, code=(1, add_sound(graph, world, window)))


def add_sound(graph: Graph, world: World, window: Value) -> int:
    """The nodes from the window to `code`; the width of the code."""
    weights, frames = Weights(world, "sound"), world.card.frames
    features = FEATURES if frames is None else frames.code
    if frames is None:
        statistics = TextureStatistics(graph, window)
        heard, sounding = statistics.all(), graph.add("ReduceMax", statistics.mask, integers(1), keepdims=1)
    else:
        heard, sounding = frame_codes(graph, window, weights, frames)
    x = graph.add("Sub", heard, weights.take("mean", features))
    x = graph.add("Clip", graph.add("Div", x, weights.take("std", features)), -4.0, 4.0)
    codes, width = _committee(graph, x, weights, features)
    code = unit(graph, mean(graph, codes, 0))
    graph.add("Mul", code, sounding, result="code")
    return width


def _committee(graph: Graph, x: Value, weights: Weights, features: int) -> tuple[Value, int]:
    """[1,F] -> the unit codes of all members [M,1,D], and D."""
    members, _, hidden = weights.take("committee.weight0", None, features, None).shape
    width = weights.take("committee.weight2", members, hidden, None).shape[2]

    def layer(x: Value, number: int, n_in: int, n_out: int) -> Value:
        product = graph.add("MatMul", x, weights.take(f"committee.weight{number}", members, n_in, n_out))
        return graph.add("Add", product, weights.take(f"committee.bias{number}", members, 1, n_out))

    x = layer(x, 0, features, hidden)
    x = graph.add("LayerNormalization", x, np.ones(hidden, np.float32), epsilon=1e-5)
    x = graph.add("Mul", x, weights.take("committee.gain", members, 1, hidden))
    x = silu(graph, graph.add("Add", x, weights.take("committee.shift", members, 1, hidden)))
    x = silu(graph, layer(x, 1, hidden, hidden))
    return unit(graph, layer(x, 2, hidden, width)), width
