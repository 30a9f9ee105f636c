"""Early exit in ONNX graphs: synthesis without its last block, for shows that cannot keep up.

The graph is cut out of the one that plays, so that a folder of graphs needs no second one: the picture of the block
before, as the skip connection enlarges it, goes where the sum of both went.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import WorldError
from ..model.config import GeneratorConfig

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
    from onnx.utils import Extractor

    model = onnx.load(path)
    made = {output: node for node in model.graph.node for output in node.output}
    try:
        scaled = _before(made, _before(made, made["picture"], "Add"), "Mul")
        total = _before(made, scaled, "Add")
        enlarged = _before(made, total, "ConvTranspose")
    except (KeyError, StopIteration) as error:
        raise WorldError(f"{path}: its picture is no sum of two", "Delete this folder; it is made again.") from error
    index = [name in total.output for name in scaled.input].index(True)
    scaled.input[index] = enlarged.output[0]
    return Extractor(model).extract_model(["ws"], ["picture"]).SerializeToString()


def _before(made: dict[str, NodeProto], node: NodeProto, kind: str) -> NodeProto:
    """The node of some kind that makes an input of another."""
    return next(made[name] for name in node.input if name in made and made[name].op_type == kind)
