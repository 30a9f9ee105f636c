"""Codes of models and names of films from which participants cannot tell which model is which."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from ...engine.errors import ValueRefused
from .key import Model, StudySound

T = TypeVar("T")
_REAL = "real"


def coded(models: Sequence[Model], sounds: Sequence[StudySound], salt: str) -> tuple[list[Model], list[StudySound]]:
    """Models with the codes A, B ... in an order that is not the given one, and sounds with the names of their films.

    The order follows from worlds, sounds and `salt`, so that the same study gets the same codes again.
    """
    salt = " ".join([salt, *(model.sha256 + model.variant for model in models), *(sound.sha256 for sound in sounds)])
    mixed = shuffled(models, lambda model: f"{salt} {model.sha256} {model.variant}")
    mixed = [replace(model, code=chr(ord("A") + index)) for index, model in enumerate(mixed)]
    films = [(sound.code, model.code) for sound in sounds for model in mixed]
    films += [(sound.code, _REAL) for sound in sounds if sound.reference_sha256 is not None]
    order = shuffled(films, lambda film: f"{salt} {film}")
    files = {film: f"film-{number:03}.mp4" for number, film in enumerate(order, 1)}
    return mixed, [
        replace(
            sound,
            films={model.code: files[sound.code, model.code] for model in mixed},
            reference=files.get((sound.code, _REAL)),
        )
        for sound in sounds
    ]


def shuffled(items: Iterable[T], text: Callable[[T], str]) -> list[T]:
    """Items in an order that looks random and only depends on their texts."""
    return sorted(items, key=lambda item: hashlib.sha256(text(item).encode(errors="surrogateescape")).digest())


def wrong_sound(names: Sequence[str], index: int) -> int:
    """Index of another sound that is of another kind: the next one whose name differs by more than a final number.

    Raises:
        ValueRefused: all are of one kind.

    """
    kinds = [re.sub(r"[\W_]*\d+$", "", name.lower()) for name in names]
    for step in range(1, len(names)):
        other = (index + step) % len(names)
        if kinds[other] != kinds[index]:
            return other
    message = f"wrong-sound needs a sound of another kind than {names[index]}, by its file name"
    raise ValueRefused(message, "Give another --sound, or other variants: --variant ours --variant no-sound")
