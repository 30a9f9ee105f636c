"""Opens a world on a device (backends are plug-ins: devices.py), and finds the cached ONNX graphs of a world."""

from __future__ import annotations

import ctypes
import importlib.util
import logging
import sys
from typing import TYPE_CHECKING

from ..errors import SonoramaError
from ..plugins.interfaces import Backend
from ..plugins.registry import BACKENDS, make, names
from ..processors import cores
from .graph_cache import found_graphs

if TYPE_CHECKING:
    from ..model.world_file import World

log = logging.getLogger(__name__)
PAINTERS = 2
"""Pictures painted at once on the CPU, each by one thread: two pictures side by side are done sooner than one after the
other with two threads each, and fixed numbers give the same frames on every run."""

MOST_THREADS = 4


def threads_of_one() -> int:
    """CPU threads where pictures are painted one at a time, as in a show."""
    return min(MOST_THREADS, cores())


def graphs_missing(world: World, device: str) -> bool:
    """Whether opening a world on a device would have to make its graphs first."""
    with_graphs = device in ("cpu", "ort") or (device == "auto" and not cuda_available())
    return with_graphs and found_graphs(world) is None


def cuda_available() -> bool:
    """Whether torch is installed and sees an NVIDIA device. It takes seconds to import: without a driver it is not."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    if driver.cuInit(0) != 0 or importlib.util.find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


def openvino_available() -> bool:
    """Whether OpenVINO is installed; there are no wheels of it for some platforms."""
    return importlib.util.find_spec("openvino") is not None


OWN_DEVICES = ("cpu", "cuda", "ort", "reference")


def device_names() -> list[str]:
    """What `--device` takes: auto, ours, then the backends of other packages."""
    return ["auto", *names(BACKENDS, OWN_DEVICES)]


def open_backend(world: World, device: str = "auto", threads: int = 1, painters: int = PAINTERS) -> Backend:
    """Open a world on a device.

    Args:
        world: what to play.
        device: auto (CUDA if there is one, else cpu), cpu (OpenVINO, or ONNX Runtime where there is none), cuda, ort
            (ONNX Runtime on the CPU), reference (torch float32 on the CPU, slow), or a backend of another package.
        threads: CPU threads of one picture.
        painters: pictures at once on the CPU.

    Raises:
        SonoramaError: no such device, or it cannot be opened.

    """
    if device not in device_names():
        raise SonoramaError(f"{device}: no such device", f"Choose one of {', '.join(device_names())}.")
    if device == "auto":
        device = "cuda" if cuda_available() else "cpu"
    return make(BACKENDS, device, world, threads, painters)
