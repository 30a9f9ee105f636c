"""Interfaces that plug-ins implement, one module a kind; docs/extending.md shows an example of each.

The engine owns these Protocols, so that plug-ins import the engine and never the other way round.
"""

from ...units import Array, Pixels, Samples
from .availability import Available, Missing
from .backends import Backend, BackendFactory
from .bridges import Bridge, BridgePort
from .commands import Check, Command, Finding
from .modulators import Modulator, ModulatorInput
from .sinks import FrameSink, Picture, SinkEnded, StreamInfo
from .sources import SoundSource
from .training import StageRun, TrainingStage
from .worlds import WorldLoader

__all__ = [
    "Array",
    "Available",
    "Backend",
    "BackendFactory",
    "Bridge",
    "BridgePort",
    "Check",
    "Command",
    "Finding",
    "FrameSink",
    "Missing",
    "Modulator",
    "ModulatorInput",
    "Picture",
    "Pixels",
    "Samples",
    "SinkEnded",
    "SoundSource",
    "StageRun",
    "StreamInfo",
    "TrainingStage",
    "WorldLoader",
]
