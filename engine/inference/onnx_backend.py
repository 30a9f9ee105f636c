"""The networks of a world in ONNX Runtime on the CPU, float32 throughout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..units import Array
from .early_exit import early_graph, leaves_early
from .graph_cache import ready_graphs
from .placement import with_placement
from .runtimes import onnxruntime
from .sound_frames import SoundFrames, listens_by_frames

if TYPE_CHECKING:
    from ..model.world_file import World


def open_session(graph: Path | bytes, threads: int = 1) -> Any:
    """One graph, of a file or as a file holds it. Spinning is off: it burns the cores that sound, video encoding and
    other programs need.
    """
    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = graph if isinstance(graph, bytes) else str(graph)
    return runtime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def open_sound_encoder(world: World) -> Callable[[Array], Array]:
    """F_a alone: log-mel [128,344] -> unit code [D], in one piece: for windows that do not share frames."""
    return _whole_encoder(ready_graphs(world))


def _whole_encoder(folder: Path) -> Callable[[Array], Array]:
    session = open_session(folder / "sound.onnx")
    return lambda window: session.run(None, {"window": np.ascontiguousarray(window, np.float32)[None, None]})[0][0]


class OnnxBackend:
    """All networks of a world in ONNX Runtime; its graphs come from the cache.

    Args:
        world: what to play.
        threads: CPU threads of one picture.
        painters: pictures at once.
        paints: whether G runs here too; a subclass may run it elsewhere.

    """

    def __init__(self, world: World, threads: int, painters: int, paints: bool = True) -> None:
        folder = self._folder = ready_graphs(world)
        self._rows, self._threads, self._leaves_early = world.card.painted_rows, threads, leaves_early(world)
        self.name, self.painters = "onnxruntime-cpu", painters
        self._embed_sound = SoundFrames(folder, open_session) if listens_by_frames(folder) else _whole_encoder(folder)
        names = ("encoder", "motion", "mapping")
        self._run = {name: open_session(folder / f"{name}.onnx") for name in names}
        if paints:
            self._run["synthesis"] = open_session(folder / "synthesis.onnx", threads)

    def _call(self, part: str, **inputs: Array) -> list[Array]:
        batch = {k: np.ascontiguousarray(v[None], np.float32) for k, v in inputs.items()}
        return [np.asarray(x)[0] for x in self._run[part].run(None, batch)]

    def embed_sound(self, window: Array) -> Array:
        """See Backend."""
        return self._embed_sound(window)

    def invert_sound(self, window: Array, code: Array) -> tuple[Array, float]:
        """See Backend."""
        displacement, presence = self._call("encoder", window=window[None], code=code)
        return displacement, float(presence)

    def step_rnn(self, u: Array, h: Array) -> tuple[Array, Array]:
        """See Backend."""
        delta, h = self._call("motion", u=u, h=h)
        return delta, h

    def map_latent(self, z: Array) -> Array:
        """See Backend."""
        return self._call("mapping", z=z)[0][0]

    def synthesize(self, ws: Array) -> Array:
        """See Backend."""
        return self._call("synthesis", ws=with_placement(ws, self._rows))[0].transpose(1, 2, 0)

    def can_leave_early(self) -> bool:
        """See EarlyExitBackend."""
        return self._leaves_early

    def open_early(self, precision: str) -> Callable[[Array], Array]:
        """See EarlyExitBackend. precision: exact, the only one there is."""
        del precision
        session = open_session(early_graph(self._folder / "synthesis.onnx"), self._threads)
        return lambda ws: session.run(None, {"ws": with_placement(ws, self._rows)[None]})[0][0].transpose(1, 2, 0)
