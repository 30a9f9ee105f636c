"""One motion step (E_RNN and residual) as nodes of a graph; in numpy and explained: pipeline/latent_motion.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ...engine.inference.graphs.graph import Graph, Value
from ...engine.inference.graphs.layers import unsqueeze
from ...engine.inference.graphs.motion_rnn import add_motion
from ...engine.pipeline.latent_motion import NOISE
from .base_latent import levels_of_codes

if TYPE_CHECKING:
    from ...engine.model.world_file import World


def add_motion_step(graph: Graph, world: World, given: Mapping[str, Value]) -> None:
    """From the inputs of Exported `motion` (build.py) to `w`, `anchor_next`, `residual_next` and `h_next`.

    u = w_0 + g (anchor + residual) + g E_a(x) + sigma_n sigma_w eps, and w = w_0 + g (anchor_next + residual_next).
    """
    level = levels_of_codes(world)
    sigma = world.tensors["generator.mapping.w_std"].astype(np.float32)
    gain, kappa, inertia, follow = (
        unsqueeze(graph, graph.add("Gather", given[name], level, axis=1), 2)
        for name in ("amount", "kappa", "inertia", "follow")
    )
    presence = unsqueeze(graph, given["presence"], 1, 2)
    kept = _kept(graph, follow, world.card.motion_rate)
    anchor = _mixed(graph, kept, given["anchor"], given["mixed"], "anchor_next")
    before = graph.add("Mul", gain, graph.add("Add", anchor, given["residual"]))
    before = graph.add("Add", given["base"], before)
    noise = graph.add("Mul", graph.add("Mul", given["noise"], sigma), graph.add("Mul", presence, np.float32(NOISE)))
    heard = graph.add("Add", before, graph.add("Mul", gain, given["mixed"]))
    u = graph.add("Add", heard, noise, result="u")
    add_motion(graph, world, u, given["h"])
    learned = graph.add("Tanh", graph.add("Mul", "delta", presence))
    learned = graph.add("Mul", graph.add("Mul", kappa, sigma), learned)
    residual = _mixed(graph, _kept(graph, inertia, world.card.motion_rate), given["residual"], learned, "residual_next")
    moved = graph.add("Mul", gain, graph.add("Add", anchor, residual))
    graph.add("Add", given["base"], moved, result="w")


def _kept(graph: Graph, half_life: Value, rate: float) -> Value:
    """Rho: what remains of a value after one step."""
    return graph.add("Pow", np.float32(2), graph.add("Div", np.float32(-1 / rate), half_life))


def _mixed(graph: Graph, kept: Value, old: Value, new: Value, result: str) -> Value:
    """Rho old + (1 - rho) new."""
    change = graph.add("Mul", graph.add("Sub", np.float32(1), kept), new)
    return graph.add("Add", graph.add("Mul", kept, old), change, result=result)
