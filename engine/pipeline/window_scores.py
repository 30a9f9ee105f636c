"""The scores of one window of sound."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WindowScores:
    """Scores of a window of sound.

    Attributes:
        start, end: seconds from the beginning of the sound.
        scores: probability 0..1 of every class or label asked about, and of the world's other names that are probable.

    """

    start: float
    end: float
    scores: Mapping[str, float]
