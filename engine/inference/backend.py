"""Where the networks run: one interface, four ways behind it. All arrays are float32 numpy."""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import SonoramaError
from ..files.folders import cache_folder

if TYPE_CHECKING:
    from ..model.world_file import World

Array = npt.NDArray[np.float32]
log = logging.getLogger(__name__)
GRAPH_VERSION = 1
"""Raise it when the graphs of an unchanged world change."""
PAINTERS = 2
"""Pictures painted at once on the CPU, each by one thread: two pictures side by side are done sooner than one after the
other with two threads each, and fixed numbers give the same frames on every run."""

MOST_THREADS = 4


def threads_of_one() -> int:
    """CPU threads where pictures are painted one at a time, as in a show."""
    return min(MOST_THREADS, os.cpu_count() or 1)


def graph_folder(world: World) -> Path:
    """Where the ONNX graphs of a world are kept: below $SONORAMA_CACHE, else the user's cache folder."""
    return cache_folder() / "graphs" / f"{world.card.content[:32]}-v{GRAPH_VERSION}"


class Backend(Protocol):
    """The networks of one world on one device. painters: how many threads may call `paint` at once."""

    name: str
    painters: int

    def embed_sound(self, window: Array) -> Array:
        """F_a: log-mel [128,344] -> unit code [D]."""
        ...

    def invert_sound(self, window: Array, code: Array) -> tuple[Array, float]:
        """E_a: log-mel [128,88] and F_a's code [D] -> displacement [L,W], presence 0..1."""
        ...

    def step_rnn(self, u: Array, h: Array) -> tuple[Array, Array]:
        """E_RNN: u [L,W], h [3,H] -> Delta [L,W] in units of sigma_w, h."""
        ...

    def map_latent(self, z: Array) -> Array:
        """Z [Z] -> w [W], without truncation."""
        ...

    def synthesize(self, ws: Array) -> Array:
        """G: style codes [L,W] -> picture [H,W,3] in 0..1, row 0 on top."""
        ...


def ready_graphs(world: World) -> Path:
    """The folder of a world's graphs, made if this machine has none yet."""
    folder = graph_folder(world)
    if not folder.is_dir():
        from .onnx_export import export_graphs

        log.warning("%s is new here: making its graphs, once, which takes half a minute", world.card.name)
        export_graphs(world, folder)
    return folder


def graphs_missing(world: World, device: str) -> bool:
    """Whether opening a world on a device would have to make its graphs first."""
    without = device in ("reference", "cuda") or (device == "auto" and cuda_available())
    return not without and not graph_folder(world).is_dir()


class OnnxBackend:
    """ONNX Runtime on the CPU; graphs come from the cache. Spinning is off: it burns the cores that sound,
    video encoding and other programs need. threads: CPU threads of one picture; painters: pictures at once; paints:
    whether G runs here too.
    """

    def __init__(self, world: World, threads: int = 1, painters: int = PAINTERS, paints: bool = True) -> None:
        folder = ready_graphs(world)
        self.name, self.painters = "onnxruntime-cpu", painters
        names = ("sound", "encoder", "motion", "mapping")
        self._run = {name: _session(folder / f"{name}.onnx", 1) for name in names}
        if paints:
            self._run["synthesis"] = _session(folder / "synthesis.onnx", threads)

    def _call(self, part: str, **inputs: Array) -> list[Array]:
        batch = {k: np.ascontiguousarray(v[None], np.float32) for k, v in inputs.items()}
        return [np.asarray(x)[0] for x in self._run[part].run(None, batch)]

    def embed_sound(self, window: Array) -> Array:
        """See Backend."""
        return self._call("sound", window=window[None])[0]

    def invert_sound(self, window: Array, code: Array) -> tuple[Array, float]:
        """See Backend."""
        heard, there = self._call("encoder", window=window[None], code=code)
        return heard, float(there)

    def step_rnn(self, u: Array, h: Array) -> tuple[Array, Array]:
        """See Backend."""
        delta, h = self._call("motion", u=u, h=h)
        return delta, h

    def map_latent(self, z: Array) -> Array:
        """See Backend."""
        return self._call("mapping", z=z)[0][0]

    def synthesize(self, ws: Array) -> Array:
        """See Backend."""
        return self._call("synthesis", ws=ws)[0].transpose(1, 2, 0)


def _session(path: Path, threads: int):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def cuda_available() -> bool:
    """Whether torch sees an NVIDIA device. Where there is no driver torch, which costs seconds, is not asked."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    if driver.cuInit(0) != 0:
        return False
    import torch

    return torch.cuda.is_available()


def openvino_available() -> bool:
    """Whether OpenVINO is installed; there are no wheels of it for some platforms."""
    return importlib.util.find_spec("openvino") is not None


DEVICES = ("auto", "cpu", "cuda", "ort", "reference")


def open_backend(world: World, device: str = "auto", threads: int = 1, painters: int = PAINTERS) -> Backend:
    """Where a world plays.

    Args:
        world: what to play.
        device: auto (CUDA if there is one, else cpu), cpu (OpenVINO, or ONNX Runtime where there is none), cuda, ort
            (ONNX Runtime on the CPU), or reference (torch float32 on the CPU, slow).
        threads: CPU threads of one picture.
        painters: pictures at once on the CPU.

    Raises:
        SonoramaError: no such device.

    """
    if device not in DEVICES:
        raise SonoramaError(f"{device}: no such device", f"choose one of {', '.join(DEVICES)}")
    if device == "reference" or (device in ("auto", "cuda") and cuda_available()):
        from .torch_backend import TorchBackend

        return TorchBackend(world, "cpu" if device == "reference" else "cuda")
    if device == "cuda":
        raise SonoramaError("no CUDA device is visible", "use --device cpu, or check the NVIDIA driver with nvidia-smi")
    if device == "ort":
        return OnnxBackend(world, threads, painters)
    if not openvino_available():
        log.warning("OpenVINO is not installed: ONNX Runtime plays instead, at about half the speed")
        return OnnxBackend(world, threads, painters)
    from .openvino_backend import OpenVinoBackend

    return OpenVinoBackend(world, threads, painters)
