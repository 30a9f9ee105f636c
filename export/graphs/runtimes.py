"""Runs exported graphs in ONNX Runtime and in OpenVINO."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...engine.inference.backend import openvino_available
from ...engine.inference.openvino_backend import EXACT
from ...engine.inference.runtimes import onnxruntime, openvino

AnyArrays = dict[str, npt.NDArray[Any]]
Run = Callable[[Mapping[str, npt.NDArray[Any]]], AnyArrays]
"""Inputs by name -> outputs by name."""
CPU = "CPUExecutionProvider"


def runtimes() -> dict[str, Callable[[Path], Run]]:
    """Name and version of every runtime that is installed -> what opens a graph in it, on the CPU."""
    found: dict[str, Callable[[Path], Run]] = {f"ONNX Runtime {onnxruntime().__version__}": in_onnxruntime}
    if openvino_available():
        found[f"OpenVINO {openvino().__version__.split('-')[0]}"] = in_openvino
    return found


def in_onnxruntime(path: Path, provider: str = CPU) -> Run:
    """A graph in ONNX Runtime. RuntimeError: it runs without the provider, for lack of a device or a library."""
    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = runtime.InferenceSession(str(path), options, providers=[*dict.fromkeys([provider, CPU])])
    if provider not in session.get_providers():
        raise RuntimeError(f"{provider} is listed, but cannot be used on this machine")
    names = [output.name for output in session.get_outputs()]
    return lambda given: dict(zip(names, session.run(names, dict(given)), strict=True))


def in_openvino(path: Path) -> Run:
    """A graph in OpenVINO on the CPU; float32 is float32."""
    compiled = openvino().Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": EXACT})

    def run(given: Mapping[str, npt.NDArray[Any]]) -> AnyArrays:
        found = compiled(dict(given))
        return {name: np.array(found[output]) for output in compiled.outputs for name in output.get_names()}

    return run
