"""The settings of the sound's analysis, read from the values of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ..audio.drums import DRUMS, DrumSettings
from ..audio.features import AnalysisSettings
from ..control.addresses import SOUND_ONSET, SOUND_TEMPO_GATE, SOUND_TEMPO_PRIOR, DrumName, drum
from ..control.parameters import Value

_NAMES: tuple[DrumName, ...] = ("low", "high", "scale", "smooth", "gate")
_PATHS = (
    SOUND_ONSET,
    SOUND_TEMPO_PRIOR,
    SOUND_TEMPO_GATE,
    *(drum(which, name) for which in DRUMS for name in _NAMES),
)


def analysis_settings(values: Mapping[str, Value]) -> AnalysisSettings:
    """The settings that the effective values of a show's table ask for."""
    return _settings(tuple(float(values[path]) for path in _PATHS))


@lru_cache(4)
def _settings(numbers: tuple[float, ...]) -> AnalysisSettings:
    onset, prior, threshold, *rest = numbers
    size = len(_NAMES)
    kit = {which: DrumSettings(*rest[i * size : (i + 1) * size]) for i, which in enumerate(DRUMS)}
    return AnalysisSettings(onset, prior, threshold, kit)
