"""The backends that come with sonorama, by the name that `--device` takes: cpu, ort, cuda and reference (films only).

Each is an entry point of `sonorama.backends`, through the same door as those of other packages. Libraries are imported
when a backend is opened.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from ..errors import SonoramaError, missing_extra
from ..plugins.interfaces import Available, Backend, Missing
from .backend import cuda_available, openvino_available
from .runtimes import onnxruntime

if TYPE_CHECKING:
    from ..model.world_file import World

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Device:
    """A backend factory (see BackendFactory) with its probe. open: the factory. probe: whether it can run here."""

    open: Callable[[World, int, int], Backend]
    probe: Callable[[], Available | Missing]

    def __call__(self, world: World, threads: int, painters: int) -> Backend:
        """Open a world; see BackendFactory."""
        return self.open(world, threads, painters)


def _open_ort(world: World, threads: int, painters: int) -> Backend:
    from .onnx_backend import OnnxBackend

    return OnnxBackend(world, threads, painters)


def _open_cpu(world: World, threads: int, painters: int) -> Backend:
    if not openvino_available():
        log.warning("OpenVINO is not installed: ONNX Runtime plays instead, at about half the speed")
        return _open_ort(world, threads, painters)
    from .openvino_backend import OpenVinoBackend

    return OpenVinoBackend(world, threads, painters)


def _open_cuda(world: World, threads: int, painters: int) -> Backend:
    if importlib.util.find_spec("torch") is None:
        raise missing_extra("torch")
    if not cuda_available():
        raise SonoramaError(
            "no CUDA device is visible", "Use --device cpu, or check the NVIDIA driver with nvidia-smi."
        )
    from .cuda_backend import CudaBackend

    return CudaBackend(world, painters)


def _open_reference(world: World, threads: int, painters: int) -> Backend:
    if importlib.util.find_spec("torch") is None:
        raise missing_extra("torch")
    from .torch_backend import TorchBackend

    return TorchBackend(world)


def _probe_ort() -> Available | Missing:
    return Available(f"ONNX Runtime {onnxruntime().__version__}")


def _probe_cpu() -> Available | Missing:
    if openvino_available():
        return Available(f"OpenVINO {version('openvino')}")
    return Missing("no OpenVINO: ONNX Runtime plays instead, at about half the speed", "pip install openvino")


def _probe_cuda() -> Available | Missing:
    if cuda_available():
        import torch

        return Available(f"{torch.cuda.get_device_name(0)}, torch {torch.__version__}")
    return Missing("no NVIDIA device that torch can use", "Install NVIDIA's driver, and see that nvidia-smi lists it.")


def _probe_reference() -> Available | Missing:
    if importlib.util.find_spec("torch"):
        return Available("torch float32 on the CPU, slow: what the others are compared with")
    return Missing("torch is not installed", "pip install 'sonorama[torch]'")


CPU = Device(_open_cpu, _probe_cpu)
ORT = Device(_open_ort, _probe_ort)
CUDA = Device(_open_cuda, _probe_cuda)
REFERENCE = Device(_open_reference, _probe_reference)
