"""The beat of an external clock, such as MIDI's, on the show's own timeline of samples.

A bridge says at which second of the show's sound beat 0 was and how fast beats come (`/clock/origin`, `/clock/bpm`).
The beat of a frame follows from these two values alone, so it does not matter at which frame they arrive, and a take
replays it to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..audio.features import Features
from ..control.addresses import CLOCK_BPM, CLOCK_ORIGIN, SOUND_TEMPO
from ..control.parameters import Value
from ..units import SAMPLE_RATE


def clock_beats(values: Mapping[str, Value], sample: int) -> float | None:
    """Beats since beat 0 of the external clock at a sample; None while it is not the source of the beat.

    Args:
        values: of all parameters.
        sample: index of a sample of the show.

    """
    bpm = float(values[CLOCK_BPM])
    if values[SOUND_TEMPO] != "clock" or not bpm:
        return None
    return (sample / SAMPLE_RATE - float(values[CLOCK_ORIGIN])) * bpm / 60


def with_clock(features: Features, values: Mapping[str, Value], sample: int) -> Features:
    """The features with the beat of the external clock, where it is the source of the beat."""
    beats = clock_beats(values, sample)
    return features if beats is None else replace(features, beat=beats % 1.0, bpm=float(values[CLOCK_BPM]))
