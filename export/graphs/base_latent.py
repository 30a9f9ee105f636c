"""The base latent w_0 as nodes of a graph: truncation, and the way to the places of what is heard.

In numpy, and explained: engine/pipeline/base_latent.py and class_places.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...engine.inference.graphs.graph import Graph, Value
from ...engine.inference.graphs.layers import total, unsqueeze
from ...engine.pipeline.class_places import FULL, SHARPNESS, ClassPlaces

if TYPE_CHECKING:
    from ...engine.model.world_file import World


def add_base(graph: Graph, world: World, places: ClassPlaces | None, given: Mapping[str, Value]) -> None:
    """From the inputs of Exported `base` (build.py) to `base` [1,L,W], w_0 + p (P - w_0).

    places: those of the world; None: it has none, p is 0.
    """
    truncated = _truncated(graph, world, given["w"], unsqueeze(graph, given["truncation"], 1, 2))
    if places is None:
        graph.add("Identity", truncated, result="base")
        return
    known = np.isin(np.arange(len(world.card.classes)), places.classes).astype(np.float32)
    heard = graph.add("Mul", given["weights"], known)
    most = graph.add("Clip", graph.add("ReduceMax", heard, keepdims=1), np.float32(1e-12))
    powers = graph.add("Pow", graph.add("Div", heard, most), np.float32(SHARPNESS))
    shares = graph.add("Div", powers, graph.add("Clip", total(graph, powers, 1, keep=True), np.float32(1e-12)))
    chosen = graph.add("Gather", places.latents, given["choice"], axis=0)  # [1,K,W]
    place = graph.add("MatMul", unsqueeze(graph, shares, 1), chosen)
    place = _truncated(graph, world, place, unsqueeze(graph, given["truncation"], 1, 2))
    part = _part(graph, world, total(graph, heard, 1, keep=True), given)
    graph.add("Add", truncated, graph.add("Mul", part, graph.add("Sub", place, truncated)), result="base")


def _truncated(graph: Graph, world: World, w: Value, psi: Value) -> Value:
    """W_avg + psi (w - w_avg)."""
    mean = world.tensors["generator.mapping.w_avg"].astype(np.float32)
    return graph.add("Add", graph.add("Mul", psi, graph.add("Sub", w, mean)), mean)


def _part(graph: Graph, world: World, heard: Value, given: Mapping[str, Value]) -> Value:
    """How far every style code goes, 0 to 1, [1,L,1]; heard: the sum of the weights [1,1]."""
    strength = graph.add("Min", graph.add("Div", heard, np.float32(FULL)), np.float32(1))
    reach = graph.add("Mul", graph.add("Mul", given["amount"], given["place"]), strength)
    of_levels = graph.add("Min", reach, np.float32(1))
    return unsqueeze(graph, graph.add("Gather", of_levels, levels_of_codes(world), axis=1), 2)


def levels_of_codes(world: World) -> np.ndarray:
    """The level of every style code, [L]."""
    numbers = np.zeros(world.card.num_ws, np.int64)
    for number, codes in enumerate(world.card.level_codes().values()):
        numbers[codes] = number
    return numbers
