"""The source `silence`: digital silence."""

from __future__ import annotations

import itertools

import numpy as np

from ...engine.errors import SonoramaError
from ...engine.plugins.interfaces import Available, Missing
from ...engine.units import SAMPLE_RATE
from .clocked import ClockedSource


def probe() -> Available | Missing:
    """Always available."""
    return Available("always available")


class SilenceSource(ClockedSource):
    """Endless stereo silence. Takes no argument."""

    def __init__(self, argument: str = "") -> None:
        if argument:
            raise SonoramaError(f"The source silence takes no argument, not {argument!r}", "Use: --source silence")
        super().__init__(SAMPLE_RATE, 2, lambda: itertools.repeat(np.zeros((2, SAMPLE_RATE // 100), np.float32)))
