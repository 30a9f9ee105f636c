"""G in OpenVINO, which paints about twice as fast as ONNX Runtime on the CPU; the small networks stay in ONNX Runtime,
which is quicker for them. Float32 throughout, so that renders repeat exactly, whatever the number of threads; besides,
G alone in bfloat16 or float16 where the processor computes in them (`/engine/precision`).
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import units
from ..errors import SonoramaError
from ..units import Array
from .early_exit import early_graph
from .graph_cache import compiled_folders, ready_graphs
from .onnx_backend import OnnxBackend
from .placement import with_placement
from .precision import HINT
from .runtimes import openvino

if TYPE_CHECKING:
    from ..model.world_file import World

log = logging.getLogger(__name__)
EXACT = "f32"
_FAST = {"BF16": "bf16", "FP16": "f16"}
"""Capabilities that OpenVINO lists for a processor with such instructions -> its names of the formats."""


def fast_formats() -> tuple[str, ...]:
    """The formats below float32 that this processor has instructions for, by OpenVINO's names."""
    capabilities = openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return tuple(name for capability, name in _FAST.items() if capability in capabilities)


class OpenVinoBackend(OnnxBackend):
    """All networks of a world, G in OpenVINO. threads: CPU threads of one picture; painters: pictures at once."""

    def __init__(self, world: World, threads: int, painters: int) -> None:
        super().__init__(world, threads, painters, paints=False)
        self.name = "openvino-cpu"
        ws_shape = world.card.painted_rows, world.card.w_dim
        self._compiled = partial(CompiledSynthesis, ready_graphs(world), ws_shape, threads, painters)
        self._paint = self._compiled(EXACT)

    def synthesize(self, ws: Array) -> Array:
        """See Backend."""
        return self._paint(ws)

    def fast_precisions(self) -> tuple[str, ...]:
        """See FastBackend."""
        return fast_formats()

    def open_fast(self, precision: str) -> Callable[[Array], Array]:
        """See FastBackend."""
        return self._compiled(precision)

    def open_early(self, precision: str) -> Callable[[Array], Array]:
        """See EarlyExitBackend."""
        return self._compiled(EXACT if precision == units.EXACT else precision, early_exit=True)


def _compile(graph: Path | bytes, settings: Mapping[str, Any], folders: Iterable[str]) -> Any:
    """Compile a graph, and keep the result in the first of the folders where that is possible; "" keeps none."""
    core = openvino().Core()
    model = core.read_model(graph) if isinstance(graph, bytes) else str(graph)
    for folder in folders:
        try:
            return core.compile_model(model, "CPU", {**settings, "CACHE_DIR": folder})
        except RuntimeError as error:
            if not folder:
                raise
            log.info("OpenVINO keeps nothing in %s: %s", folder, error)
    raise AssertionError("the last folder is none")


class CompiledSynthesis:
    """G, compiled for one number format: style codes [L,W] -> picture [H,W,3], from `painters` threads at once.

    Args:
        folder: of the world's graphs.
        ws_shape: (L, W), of StyleGAN3 (L + 1, W).
        threads: CPU threads of one picture.
        painters: pictures at once.
        precision: f32, bf16 or f16.
        early_exit: whether the last block is left out; what is compiled of that is not kept.

    Raises:
        SonoramaError: OpenVINO would compute in another format. It does so without saying where the processor has no
            instructions for the one that was asked for.

    """

    def __init__(
        self, folder: Path, ws_shape: tuple[int, int], threads: int, painters: int, precision: str,
        early_exit: bool = False,
    ) -> None:  # fmt: skip
        settings = {
            # The CPU plug-in would otherwise use bfloat16 where the processor has it.
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads * painters,
            "NUM_STREAMS": painters,
        }
        # Apart, because not every version of OpenVINO tells what it has compiled for other formats by this setting.
        name = "openvino" if precision == EXACT else f"openvino-{precision}"
        graph = folder / "synthesis.onnx"
        if early_exit:
            compiled = _compile(early_graph(graph), settings, [""])
        else:
            compiled = _compile(graph, settings, compiled_folders(folder, name))
        used = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        if used != precision:
            raise SonoramaError(f"OpenVINO computes in {used} here, not in {precision}", HINT)
        # A request belongs to one caller at a time.
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(painters):
            self._free.put(compiled.create_infer_request())
        self._rows = ws_shape[0]
        # The first call sets up what OpenVINO's bindings share. Two first calls at once may wait for each other:
        # one of 11 renders on a busy machine did (OpenVINO 2026.4).
        self(np.zeros(ws_shape, np.float32))

    def __call__(self, ws: Array) -> Array:
        """Paint one picture."""
        request = self._free.get()
        try:
            request.infer([np.ascontiguousarray(with_placement(ws, self._rows)[None], np.float32)])
            return request.get_output_tensor(0).data[0].transpose(1, 2, 0).copy("K")  # planes, as they are
        finally:
            self._free.put(request)
