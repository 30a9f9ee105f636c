"""What the panel and OSC show of the sound: scores of the world's classes, and the spectrum in a few bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..units import Array

if TYPE_CHECKING:
    from ..model.world_file import World
    from .conditioning import SoundConditioner

MEL_BANDS = 32
MOST = 5
_COLUMNS = 4  # of the log-mel, 46 ms, whose loudest is shown


def scores(world: World, code: Array | None) -> list[tuple[str, float]]:
    """(class or name, score 0..1) of a sound embedding [D], best first: softmax(scale x cosine). Empty for silence."""
    if code is None or not code.any():
        return []
    found = world.vocabulary.scores(code)
    return sorted(found.items(), key=lambda pair: -pair[1])[:MOST]


def class_scores(world: World, code: Array | None) -> list[float]:
    """Score 0..1 of each of the world's classes for a sound embedding [D]; empty for silence."""
    if code is None or not code.any():
        return []
    found = world.vocabulary.scores(code)
    return [round(found[name], 4) for name in world.card.classes if name in found]


def bands(conditioner: SoundConditioner) -> list[float]:
    """The newest columns of the log-mel as MEL_BANDS numbers 0..1, low first."""
    window = conditioner.window(conditioner.samples, _COLUMNS).max(axis=1)
    return [round(float(one), 3) for one in window.reshape(MEL_BANDS, -1).mean(axis=1)]
