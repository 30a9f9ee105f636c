"""The source `tone[:BPM]`: a quiet tone with a click on every beat, for testing."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from ...engine.errors import SonoramaError
from ...engine.plugins.interfaces import Available, Missing
from ...engine.units import SAMPLE_RATE, Samples
from .clocked import ClockedSource

HZ, TONE, CLICK = 220, 0.03, 0.5
_BLOCK = 441
_FADE = 100.0  # decay constant of a click in samples


def probe() -> Available | Missing:
    """Always available."""
    return Available("220 Hz and clicks")


class ToneSource(ClockedSource):
    """A tone of 220 Hz at -30 dBFS, with a click on every beat.

    Args:
        argument: beats per minute, 20 to 400; default 120.

    Raises:
        SonoramaError: the tempo is not a number in that range.

    """

    def __init__(self, argument: str = "") -> None:
        refused = SonoramaError(f"{argument!r} is not a tempo", "Give beats per minute, 20 to 400, such as tone:120")
        try:
            bpm = float(argument or 120)
        except ValueError:
            raise refused from None
        if not 20 <= bpm <= 400:
            raise refused
        super().__init__(SAMPLE_RATE, 1, lambda: _blocks(bpm))


def _blocks(bpm: float) -> Iterator[Samples]:
    period = 60 * SAMPLE_RATE / bpm
    for start in itertools.count(0, _BLOCK):
        at = np.arange(start, start + _BLOCK)
        since = np.mod(at, period)
        click = CLICK * np.sin(2 * np.pi * 1500 / SAMPLE_RATE * since) * np.exp(-since / _FADE)
        yield (TONE * np.sin(2 * np.pi * HZ / SAMPLE_RATE * (at % SAMPLE_RATE)) + click).astype(np.float32)[None]
