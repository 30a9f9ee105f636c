"""Interfaces that plug-ins implement, one module a kind; docs/extending.md shows an example of each.

The engine owns these Protocols, so that plug-ins import the engine and never the other way round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .availability import Available, Missing
from .backends import Backend, BackendFactory, EarlyExitBackend, FastBackend, PixelPainter
from .bridges import Bridge, BridgePort
from .commands import Check, Command, Finding
from .modulators import Modulator, ModulatorInput
from .sinks import FrameSink, Picture, SinkEnded, StreamInfo
from .sources import SoundSource
from .training import StageRun, TrainingStage
from .worlds import WorldLoader

if TYPE_CHECKING:
    from ...units import Array, Pixels, Samples

__all__ = [
    "Array",
    "Available",
    "Backend",
    "BackendFactory",
    "Bridge",
    "BridgePort",
    "Check",
    "Command",
    "EarlyExitBackend",
    "FastBackend",
    "Finding",
    "FrameSink",
    "Missing",
    "Modulator",
    "ModulatorInput",
    "Picture",
    "PixelPainter",
    "Pixels",
    "Samples",
    "SinkEnded",
    "SoundSource",
    "StageRun",
    "StreamInfo",
    "TrainingStage",
    "WorldLoader",
]


def __getattr__(name: str) -> Any:
    """The array types, which need numpy: `sonorama --help` does without."""
    if name in ("Array", "Pixels", "Samples"):
        from ... import units

        return getattr(units, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
