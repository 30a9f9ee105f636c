"""What is put at a point of the blend surface: the picture that a show or a scene begins with."""

from __future__ import annotations

from collections.abc import Mapping

from .addresses import (
    LOOK_CODE,
    LOOK_CODE_WEIGHT,
    LOOK_PROMPT,
    LOOK_SEED,
    LOOK_TEXT,
    LOOK_TEXT_WEIGHT,
    blend,
)
from .parameters import Change, Value
from .pending_load import FOUND, NO_PROMPT

SHOWN = 0.5
"""Weight from which a prompt or code, rather than the seed, is what is seen."""


def put(point: int, values: Mapping[str, Value], source: str) -> list[Change]:
    """The changes that put the code, prompt or seed of these values at a point.

    Args:
        point: its number, from 1.
        values: those of `/look/`, of a show or a scene.
        source: of the changes.

    """
    code = str(values.get(LOOK_CODE, "")) if _weight(values, LOOK_CODE_WEIGHT) >= SHOWN else ""
    prompt = int(values.get(LOOK_PROMPT, NO_PROMPT)) if _weight(values, LOOK_TEXT_WEIGHT) >= SHOWN else NO_PROMPT
    text = str(values.get(LOOK_TEXT, "")) if prompt != NO_PROMPT and not code else ""
    seed = int(values[LOOK_SEED]) if prompt == NO_PROMPT else prompt
    return _changes(point, seed, text, code, source)


def found(point: int, seed: int) -> list[Change]:
    """The changes that put a seed at a point which a renderer found for the sound."""
    return _changes(point, seed, "", "", FOUND)


def _changes(point: int, seed: int, text: str, code: str, source: str) -> list[Change]:
    return [
        Change(blend(point, "seed"), seed, source),
        Change(blend(point, "text"), text, source),
        Change(blend(point, "code"), code, source),
        Change(blend(point, "sound"), "", source),
    ]


def _weight(values: Mapping[str, Value], path: str) -> float:
    return float(values.get(path, 1.0))
