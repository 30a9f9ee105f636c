"""OpenVINO and ONNX Runtime, imported without their telemetry: both would otherwise report to their makers what is run,
and keep files for that in the user's home (~/intel, ~/.cache/Microsoft). No other module of sonorama imports them.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

ORT_SWITCH = "ORT_DISABLE_TELEMETRY"
OPENVINO_TELEMETRY = "openvino_telemetry"
OPENVINO_CONVERTER = "openvino.tools.ovc"


def onnxruntime() -> ModuleType:
    """The module onnxruntime. Processes that are started afterwards inherit the switch."""
    os.environ.setdefault(ORT_SWITCH, "1")
    import onnxruntime as module

    return module


def openvino() -> ModuleType:
    """The module openvino, without its telemetry, and without the converter of models of other frameworks, which takes
    a third of the time to import it. Both are packages that it can do without.

    Raises:
        ModuleNotFoundError: it is not installed; there are no wheels of it for some platforms.

    """
    for name in (OPENVINO_TELEMETRY, OPENVINO_CONVERTER):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # an import of it raises ImportError
    import openvino as module

    return module
