"""The key of a study: which code is which model and which sound. It is for the researcher, not for participants."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import msgspec

from ...engine.errors import InputError
from ...engine.files.fingerprint import MADE_BY
from ..sidecar import differences, to_json

KEY = "key.json"
LONGEST = 4_000_000
"""Bytes; a longer file is no key."""

Variant = Literal["ours", "no-sound", "wrong-sound", "static"]
VARIANTS: tuple[Variant, ...] = ("ours", "no-sound", "wrong-sound", "static")
_CALLED = {"no-sound": "no sound", "wrong-sound": "wrong sound", "static": "still picture"}


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is compared: a world, and what drives it.

    code: a capital letter, which says nothing of the model. variant: ours (driven by the sound that is heard), no-sound
    (by silence), wrong-sound (by another recording), static (a still picture of the world without sound).
    """

    code: str
    world: str
    version: str
    sha256: str
    variant: Variant

    @property
    def label(self) -> str:
        """For people: `shore`, or `shore (no sound)`."""
        return self.world if self.variant == "ours" else f"{self.world} ({_CALLED[self.variant]})"


class StudySound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sound: a trial of every participant.

    films: model code -> file of the page. seed: of the base latent. wrong: code of the sound that drives the variant
    wrong-sound. reference: file of the real clip; reference_sha256: of the clip that it was made from.
    """

    code: str
    name: str
    sha256: str
    seed: int
    films: dict[str, str]
    wrong: str | None = None
    reference: str | None = None
    reference_sha256: str | None = None


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of a study but its films.

    fps: of the films, as a fraction. settings: texts of `--set`. versions: what painted and encoded the films.
    sound_orders, model_orders: rows of balanced Latin squares, see order.py.
    """

    models: list[Model]
    sounds: list[StudySound]
    seconds: float
    size: tuple[int, int]
    fps: str
    settings: list[str]
    device: str
    sound_orders: list[list[int]]
    model_orders: list[list[int]]
    versions: dict[str, str]
    command: str = ""
    made_by: str = MADE_BY

    @property
    def version(self) -> str:
        """Eight hexadecimal digits that tell this study from every other one; in each row of the answers."""
        facts = self.facts() | {"command": ""}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]

    def facts(self) -> dict[str, Any]:
        """As JSON values."""
        return msgspec.to_builtins(self)

    def encoded(self) -> bytes:
        """What the file holds."""
        return to_json(self.facts())

    def differences(self, other: Key) -> list[str]:
        """Names of the facts in which another study differs; its command does not count."""
        return differences(self.facts(), other.facts())

    @property
    def films(self) -> list[str]:
        """Every film of the page."""
        references = [sound.reference for sound in self.sounds if sound.reference is not None]
        return references + [film for sound in self.sounds for film in sound.films.values()]


def read_key(path: Path) -> Key:
    """Read the key of a study.

    Raises:
        InputError: there is none, or it was not written by sonorama.

    """
    hint = "Name the folder that `sonorama study` made, with --results."
    try:
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", hint) from error
    try:
        key = msgspec.json.decode(data[: LONGEST + 1], type=Key)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f"{path} is not the key of a study: {error}", hint) from error
    if key.made_by != MADE_BY or not key.models or not key.sounds or len(data) > LONGEST:
        raise InputError(f"{path} is not the key of a study", hint)
    return key
