"""Writes the graphs of a world for other programs: sound goes in as samples, pictures come out as floats and RGBA8.

Inside are the nodes that the engine plays (engine/inference/graphs), between nodes that do what the engine does in
numpy; engine/inference/exported.py cuts them out again to play an exported folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto

from ...engine.control.addresses import LOOK_PLACE, MotionName, motion
from ...engine.control.render_table import TABLE
from ...engine.inference.graphs.generator import add_synthesis, write_mapping
from ...engine.inference.graphs.graph import Graph
from ...engine.inference.graphs.sound_encoder import add_sound
from ...engine.inference.graphs.sound_inversion import add_encoder, write_silence
from ...engine.inference.graphs.stylegan3 import add_placement
from ...engine.inference.graphs.text_tower import write_text
from ...engine.inference.onnx_backend import open_session
from ...engine.model.card import ENCODER_HZ, SOUND_HZ
from ...engine.model.config import FRAME_STEP
from ...engine.model.mel import ENCODER_COLUMNS, HOP, SOUND_COLUMNS
from ...engine.model.stylegan3_config import PLACEMENT
from ...engine.pipeline.class_places import places_of
from ...engine.pipeline.latent_motion import number
from ...engine.units import LEVELS, SAMPLE_RATE
from .base_latent import add_base
from .log_mel import log_mel_window, samples_of
from .meaning import add_mixer, add_scores
from .motion_step import add_motion_step
from .ports import Exported, Port, add_inputs, save

if TYPE_CHECKING:
    from ...engine.model.world_file import World
    from ...engine.units import Array

_PLACED = "shift to the right and down, in parts of the picture, and turn in degrees clockwise"
_SAMPLES = "mono, full scale -1 to 1; ends at the last multiple of hop at or before the moment, zeros before the sound"


class GraphWriter:
    """Writes the graphs of one world.

    Args:
        world: whose.
        folder: an existing one.
        half: whether G computes in half precision, and constants are kept in it where that loses nothing.
        opset: version of the ONNX operators.

    """

    def __init__(self, world: World, folder: Path, half: bool, opset: int) -> None:
        self._world, self._card, self._folder = world, world.card, folder
        self._half, self._opset = half, opset
        self._codes = 1, self._card.num_ws, self._card.w_dim
        self._code = Port("code", (1, self._card.sound.code_dim), "sound embedding, of length 1; 0 in silence")
        self._classes = len(self._card.classes) if "labels.codes" in world.tensors else 0

    def write(self) -> Iterator[Exported]:
        """Write NAME.onnx of every graph, in the order of their use.

        Raises:
            WorldError: tensors and card of the world do not go together.

        """
        yield self._sound()
        yield self._encoder()
        yield self._base()
        yield self._motion()
        yield self._mapping()
        yield self._synthesis()
        if self._card.text is not None:
            yield self._text()

    def _graph(self, name: str) -> Graph:
        return Graph(name, self._opset, self._half)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.onnx"

    def _sound(self) -> Exported:
        graph, samples = self._graph("sound"), Port("samples", (1, samples_of(SOUND_COLUMNS)), _SAMPLES)
        add_sound(graph, self._world, log_mel_window(graph, add_inputs(graph, [samples])["samples"], SOUND_COLUMNS))
        outputs = (self._code,)
        if count := len(self._world.vocabulary.codes):
            add_scores(graph, self._world, "code", result="scores")
            outputs += (Port("scores", (1, count), "score 0 to 1 of every label, in their order; they sum to 1"),)
        save(graph, self._path("sound"), outputs)
        rate = SOUND_HZ if self._world.card.frames is None else SAMPLE_RATE / (FRAME_STEP * HOP)
        return Exported("sound", "sound embedding F_a of the last 4 seconds", rate, (samples,), outputs)

    def _encoder(self) -> Exported:
        graph, samples = self._graph("encoder"), Port("samples", (1, samples_of(ENCODER_COLUMNS)), _SAMPLES)
        inputs = (samples, self._code)
        outputs = (
            Port("displacement", self._codes, "E_a(x) as the network gives it"),
            Port("presence", (1,), "0 to 1: how far there is sound"),
        )
        if self._classes:
            inputs += (
                Port("amount", (1, self._classes), "0 to 2, of every class: /meaning/N/amount", default=1.0),
                Port("floor", (1, self._classes), "0 to 1, of every class: /meaning/N/floor", default=0.0),
            )
        given = add_inputs(graph, inputs)
        window = log_mel_window(graph, given["samples"], ENCODER_COLUMNS)
        add_encoder(graph, self._world, window, given["code"], self._silent())
        if self._classes:
            outputs += (Port("weights", (1, self._classes), "0 to 2: how far every class shows"),)
            add_mixer(graph, self._world, window, given["code"], given["amount"], given["floor"])
        else:
            graph.add("Identity", "displacement", result="mixed")
        outputs += (Port("mixed", self._codes, "what the sound adds to the style codes, after the meaning mixer"),)
        save(graph, self._path("encoder"), outputs)
        return Exported("encoder", "sound displacement E_a of the last second", ENCODER_HZ, inputs, outputs)

    def _silent(self) -> Array:
        """E_a's answer to silence, as ONNX Runtime computes it where the engine plays: so a played folder has the same
        bits. Left to the graph, OpenVINO 2026.4 would get it wrong, which multiplies transposed constants in another
        order.
        """
        with TemporaryDirectory() as folder:
            path = Path(folder) / "silence.onnx"
            write_silence(self._world, path)
            return open_session(path).run(None, {})[0]

    def _base(self) -> Exported:
        inputs = (
            Port("w", self._codes, "style codes of `mapping`"),
            Port("truncation", (1,), "0 to 1: distance from w_avg", default=self._card.truncation),
        )
        places = places_of(self._world.tensors) if self._classes else None
        if places is not None:
            inputs += (
                Port("weights", (1, self._classes), "of encoder at this moment", default=0.0),
                Port("choice", (1, self._classes), "the place of every class: `places` in the manifest", "int64", 0),
                Port("place", (1,), f"0 to 1: {LOOK_PLACE}", default=_default(LOOK_PLACE)),
                _of_levels("amount"),
            )
        graph, outputs = self._graph("base"), (Port("base", self._codes, "style codes w_0"),)
        add_base(graph, self._world, places, add_inputs(graph, inputs))
        save(graph, self._path("base"), outputs)
        return Exported("base", "base latent w_0, and the places of what is heard", 0.0, inputs, outputs)

    def _motion(self) -> Exported:
        hidden = (1, len(LEVELS), self._card.motion.hidden)
        inputs = (
            Port("base", self._codes, "style codes w_0: of base at this step"),
            Port("mixed", self._codes, "of encoder at this step"),
            Port("presence", (1,), "of encoder at this step"),
            Port("noise", self._codes, "normal random numbers of deviation 1", default=0.0),
            Port("anchor", self._codes, "state", default=0.0, next="anchor_next"),
            Port("residual", self._codes, "state", default=0.0, next="residual_next"),
            Port("h", hidden, "state of E_RNN", default=0.0, next="h_next"),
            *map(_of_levels, LEVEL_PARAMETERS),
        )
        outputs = (
            Port("w", self._codes, "style codes after this step"),
            Port("anchor_next", self._codes, "state"),
            Port("residual_next", self._codes, "state"),
            Port("h_next", hidden, "state"),
        )
        graph = self._graph("motion")
        add_motion_step(graph, self._world, add_inputs(graph, inputs))
        save(graph, self._path("motion"), outputs)
        return Exported("motion", "motion step, E_RNN and residual", self._card.motion_rate, inputs, outputs)

    def _mapping(self) -> Exported:
        z = Port("z", (1, self._card.generator.z_dim), "normal random numbers, or those of a seed of the manifest")
        w = Port("w", self._codes, "style codes without truncation; all rows are equal")
        write_mapping(self._world, self._path("mapping"), self._graph("mapping"))
        return Exported("mapping", "mapping network of G", 0.0, (z,), (w,))

    def _synthesis(self) -> Exported:
        graph, inputs = self._graph("synthesis"), (Port("ws", self._codes, "style codes"),)
        if self._card.painted_rows > self._card.num_ws:
            inputs += (Port("placement", (1, PLACEMENT), _PLACED, default=0.0),)
        given = add_inputs(graph, inputs)
        ws = add_placement(graph, given["ws"], given["placement"], self._card.w_dim) if inputs[1:] else given["ws"]
        shape = add_synthesis(graph, self._world, ws, self._half)
        _, _, height, width = shape
        levels = graph.add("Floor", graph.add("Add", graph.add("Mul", "picture", 255.0), 0.5))
        colours = graph.add("Cast", graph.add("Transpose", levels, perm=[0, 2, 3, 1]), to=TensorProto.UINT8)
        graph.add("Concat", colours, np.full((1, height, width, 1), 255, np.uint8), axis=3, result="rgba")
        outputs = (
            Port("picture", shape, "red, green and blue, 0 to 1, sRGB, row 0 on top"),
            Port("rgba", (1, height, width, 4), "the same as bytes, alpha 255", "uint8"),
        )
        save(graph, self._path("synthesis"), outputs)
        return Exported("synthesis", "synthesis network of G", 0.0, inputs, outputs)

    def _text(self) -> Exported:
        assert self._card.text is not None  # noqa: S101 (asked for by `write`)
        rows = Port("rows", (1, self._card.text.context), "rows of the token table: `text` in the manifest", "int64")
        code = Port("code", self._code.shape, "code in the joint space, of length 1")
        write_text(self._world, self._path("text"), self._graph("text"))
        return Exported("text", "text tower F_t", 0.0, (rows,), (code,))


LEVEL_PARAMETERS: tuple[MotionName, ...] = ("amount", "kappa", "inertia", "follow")
_ABOUT = {"amount": "0 to 2", "kappa": "0 to 2, in standard deviations", "inertia": "seconds", "follow": "seconds"}


def _default(path: str) -> float:
    return number({path: TABLE[path].default}, path)


def _of_levels(name: MotionName) -> Port:
    """A parameter of the motion with one value for each level."""
    defaults = tuple(_default(motion(level, name)) for level in LEVELS)
    return Port(name, (1, len(LEVELS)), f"{_ABOUT[name]}: /motion/LEVEL/{name}", default=defaults)
