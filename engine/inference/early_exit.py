"""Early exit in ONNX graphs: synthesis without its last block, for shows that cannot keep up.

The graph is cut out of the one that plays, so that a folder of graphs needs no second one: the picture of the block
before, as the skip connection enlarges it, goes where the sum of both went. It is enlarged by a convolution and a pixel
shuffle, since OpenVINO takes five times as long for the transposed convolution where nothing is added to it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import WorldError
from ..model.config import GeneratorConfig
from ..units import Array

if TYPE_CHECKING:
    from onnx import NodeProto

    from ..model.world_file import World


def leaves_early(world: World) -> bool:
    """Whether a world's generator has a block to leave out: StyleGAN2's have, StyleGAN3 adds up no pictures."""
    config = world.card.generator
    return isinstance(config, GeneratorConfig) and len(config.sides) > 1


def early_graph(path: Path) -> bytes:
    """The file of a synthesis graph -> the same from `ws` to `picture` without the last block.

    Raises:
        WorldError: it is no such graph.

    """
    import onnx
    from onnx import helper, numpy_helper
    from onnx.utils import Extractor

    model = onnx.load(path)
    made = {output: node for node in model.graph.node for output in node.output}
    try:
        scaled = _before(made, _before(made, made["picture"], "Add"), "Mul")
        total = _before(made, scaled, "Add")
        enlarged = _before(made, total, "ConvTranspose")
    except (KeyError, StopIteration) as error:
        raise WorldError(f"{path}: its picture is no sum of two", "Delete this folder; it is made again.") from error
    small = next(name for name in enlarged.input if name in made)
    phases, large = f"{small}-phases", f"{small}-large"
    model.graph.initializer.append(numpy_helper.from_array(_enlarging(), f"{small}-kernel"))
    shuffled = helper.make_node("DepthToSpace", [phases], [large], blocksize=2, mode="CRD")
    convolved = helper.make_node("Conv", [small, f"{small}-kernel"], [phases], group=3, pads=[1, 1, 1, 1])
    index = list(model.graph.node).index(scaled)
    model.graph.node.insert(index, shuffled)
    model.graph.node.insert(index, convolved)
    scaled.input[[name in total.output for name in scaled.input].index(True)] = large
    return Extractor(model).extract_model(["ws"], ["picture"]).SerializeToString()


def _enlarging() -> Array:
    """The low-pass [1,3,3,1] of an upsampling by two, by the place of a pixel in its square: [12,1,3,3]."""
    line = np.array([[1, 3, 0], [0, 3, 1]], np.float32) / np.float32(4)
    square = np.einsum("ai,bj->abij", line, line).reshape(4, 1, 3, 3)
    return np.tile(square, (3, 1, 1, 1))


def _before(made: dict[str, NodeProto], node: NodeProto, kind: str) -> NodeProto:
    """The node of some kind that makes an input of another."""
    return next(made[name] for name in node.input if name in made and made[name].op_type == kind)
