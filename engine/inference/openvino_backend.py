"""G in OpenVINO, which paints about twice as fast as ONNX Runtime on the CPU; the small networks stay in ONNX Runtime,
which is quicker for them. Float32 throughout, so that renders repeat exactly, whatever the number of threads.
"""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

import numpy as np

from ..units import Array
from .graph_cache import graph_folder
from .onnx_backend import OnnxBackend

if TYPE_CHECKING:
    from ..model.world_file import World


class OpenVinoBackend(OnnxBackend):
    """All networks of a world, G in OpenVINO. threads: CPU threads of one picture; painters: pictures at once."""

    def __init__(self, world: World, threads: int, painters: int) -> None:
        super().__init__(world, threads, painters, paints=False)
        import openvino

        self.name = "openvino-cpu"
        folder = graph_folder(world)
        settings = {
            # The CPU plug-in would otherwise use bfloat16 where the processor has it.
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads * painters,
            "NUM_STREAMS": painters,
            "CACHE_DIR": str(folder / "openvino"),
        }
        compiled = openvino.Core().compile_model(str(folder / "synthesis.onnx"), "CPU", settings)
        # A request belongs to one caller at a time.
        self._free: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(painters):
            self._free.put(compiled.create_infer_request())
        # The first call sets up what OpenVINO's bindings share. Two first calls at once may wait for each other:
        # one of 11 renders on a busy machine did (OpenVINO 2026.4).
        self.synthesize(np.zeros((world.card.num_ws, world.card.w_dim), np.float32))

    def synthesize(self, ws: Array) -> Array:
        """See Backend."""
        request = self._free.get()
        try:
            request.infer([np.ascontiguousarray(ws[None], np.float32)])
            return request.get_output_tensor(0).data[0].transpose(1, 2, 0).copy("K")  # planes, as they are
        finally:
            self._free.put(request)
