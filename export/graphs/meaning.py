"""What a sound means to the picture, as nodes of a graph: scores of classes and names, and the meaning mixer.

In numpy, and explained: engine/model/joint_space.py, engine/pipeline/meaning_mixer.py and conditioning_worker.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...engine.inference.graphs.graph import Graph, Value, integer, integers
from ...engine.inference.graphs.layers import mean, total, unsqueeze
from ...engine.model.joint_space import NOTHING, WHOLE
from ...engine.pipeline.meaning_mixer import LOUD_FROM, LOUD_OVER, QUIET, WHOLE_SHARE

if TYPE_CHECKING:
    from ...engine.model.world_file import World


def add_scores(graph: Graph, world: World, code: Value, result: str = "") -> Value:
    """Score of every class and name, [1,K]; they sum to 1."""
    known = world.vocabulary
    cosines = graph.add("MatMul", code, np.ascontiguousarray(known.codes.T))
    return graph.add("Softmax", graph.add("Mul", cosines, np.float32(known.scale)), axis=-1, result=result)


def add_mixer(graph: Graph, world: World, window: Value, code: Value, amount: Value, floor: Value) -> None:
    """From the values `displacement` and `presence` to `mixed` [1,L,W] and `weights` [1,K]; amount, floor: [1,K]."""
    classes, names = len(world.card.classes), len(world.card.names)
    found = graph.add("Slice", add_scores(graph, world, code), integers(0), integers(classes), integers(1))
    belonging = total(graph, found, 1, keep=True)
    shares = graph.add("Div", found, graph.add("Clip", belonging, np.float32(1e-12)))
    moved: Value = graph.add("Mul", "displacement", unsqueeze(graph, _rho(graph, amount, shares), 1))
    strength = unsqueeze(graph, "presence", 1)
    if names:
        whole = graph.add("Div", graph.add("Sub", belonging, NOTHING), np.float32(WHOLE - NOTHING))
        belongs = graph.add("Clip", whole, 0.0, 1.0)
        moved = graph.add("Mul", moved, unsqueeze(graph, belongs, 2))
        strength = graph.add("Mul", strength, belongs)
    counted = graph.add("Min", graph.add("Div", shares, WHOLE_SHARE), 1.0)
    weights = graph.add("Mul", graph.add("Mul", strength, _loudness(graph, window)), counted)
    weights = graph.add("Max", floor, graph.add("Mul", amount, weights), result="weights")
    own = world.tensors.get("meaning.displacements")
    if own is None:
        graph.add("Identity", moved, result="mixed")
        return
    shape = integers(1, world.card.num_ws, world.card.w_dim)
    sums = graph.add("MatMul", weights, own.astype(np.float32).reshape(classes, -1))
    graph.add("Add", moved, graph.add("Reshape", sums, shape), result="mixed")


def _rho(graph: Graph, amount: Value, shares: Value) -> Value:
    """The mean amount of what is heard, [1,1]."""
    return total(graph, graph.add("Mul", amount, shares), 1, keep=True)


def _loudness(graph: Graph, window: Value) -> Value:
    """How far a sound's loudness counts, [1,1]."""
    loudest = graph.add("ReduceMax", graph.add("Gather", window, integer(0), axis=1), integers(1), keepdims=0)
    above = graph.add("Div", graph.add("Sub", mean(graph, loudest, 1, keep=True), LOUD_FROM), LOUD_OVER)
    return graph.add("Add", graph.add("Mul", graph.add("Clip", above, 0.0, 1.0), 1 - QUIET), QUIET)
