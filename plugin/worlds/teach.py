"""Looks by example: sounds that a user pairs with seeds become classes of a world (`sonorama teach`).

A class's code in the joint space is the mean sound embedding of its recording, its place the latent of the seed
(engine/pipeline/class_places.py). Nothing is trained.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.errors import InputError, ValueRefused, WorldError
from sonorama.engine.files.fingerprint import sha256_of_given
from sonorama.engine.model.card import LONGEST_TEXT, Card
from sonorama.engine.model.joint_space import class_scores
from sonorama.engine.model.mel import ENCODER_COLUMNS, HOP
from sonorama.engine.model.own_worlds import origin
from sonorama.engine.model.principal_axes import seed_styles
from sonorama.engine.model.seen_classes import unseen
from sonorama.engine.model.world_file import World
from sonorama.engine.pipeline.class_places import places_of
from sonorama.engine.pipeline.classify import STEP, sound_windows
from sonorama.engine.units import SAMPLE_RATE, Array

LONGEST_S = 120
"""Seconds of a sound that are listened to, twice a second."""
LOUD = 0.1
"""Loudness of a second (mean over time of the loudest band, in mel units: -70 dB) from which it is listened to."""
LEAD = 2.0
"""How far a taught sound is ahead of the nearest other label, in the exponent of the scores: e^2 times as probable."""
SCALE = 12.0
"""Of the scores of a world that had no labels."""
TOLD = " Taught by example: "
Tensors = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Pair:
    """A sound file, and the seed whose look it stands for."""

    sound: Path
    seed: int

    @property
    def name(self) -> str:
        """Of the class: the file's stem, as it can be part of an address."""
        name = re.sub(r"[^A-Za-z0-9_.+-]+", "_", self.sound.stem).strip("_.")[:40]
        return f"sound_{name}" if not name or name.isdecimal() else name


@dataclass(frozen=True)
class Lesson:
    """A class that was taught.

    Attributes:
        name: of the class.
        seed: whose look it has.
        sounds: names and SHA-256 of the files.
        codes: sound embeddings of their windows, unit [N,D].

    """

    name: str
    seed: int
    sounds: dict[str, str]
    codes: Array


def listen(pairs: Sequence[Pair], embed_sound: Callable[[Array], Array]) -> list[Lesson]:
    """Hear every sound; those of one name and seed become one class.

    Raises:
        InputError: a sound cannot be read, or is silent.
        ValueRefused: sounds of one name with different seeds.

    """
    found: dict[str, Lesson] = {}
    for pair in pairs:
        digest, codes = sha256_of_given(pair.sound), _embedded(pair.sound, embed_sound)
        lesson = found.setdefault(pair.name, Lesson(pair.name, pair.seed, {}, codes[:0]))
        if lesson.seed != pair.seed:
            what = f"{pair.sound}: a sound named {pair.name} is paired with seed {lesson.seed} already"
            raise ValueRefused(what, "Give the file another name.")
        sounds, codes = lesson.sounds | {pair.sound.name: digest}, np.concatenate([lesson.codes, codes])
        found[pair.name] = replace(lesson, sounds=sounds, codes=codes)
    return [*found.values()]


def _embedded(path: Path, embed_sound: Callable[[Array], Array]) -> Array:
    """Sound embeddings [N,D] of the windows that are not silent in their last second, or as long as the sound lasts."""
    with open_sound(path) as sound:
        windows = islice(sound_windows(sound.mono()), 0, LONGEST_S * SAMPLE_RATE // STEP, 2)
        codes = [embed_sound(window) for end, window in windows if _loudness(window, end) > LOUD]
    if not codes:
        raise InputError(f"{path} is silent", "Give a louder recording.")
    return np.stack(codes)


def _loudness(window: Array, end: float) -> float:
    """Mean of the loudest band over the last second, or over a sound that ended after less: `end` seconds."""
    columns = min(ENCODER_COLUMNS, math.ceil(end * SAMPLE_RATE / HOP))
    return float(window[:, -columns:].max(0).mean())


def taught(world: World, tensors: Tensors, lessons: Sequence[Lesson]) -> tuple[Card, Tensors]:
    """Card and tensors of a world that knows these classes besides.

    They come after those that were taught before, and before all others. Classes that an imported world's pictures were
    not found to show are no classes any more: they stay among the other sounds that it knows by name.

    Args:
        world: as it is played.
        tensors: the same, in the precision of its file.
        lessons: the new classes; one takes the place of what the world has of its name.

    Raises:
        WorldError: a world without a mapping network.

    """
    card, known, new = world.card, world.vocabulary, {lesson.name for lesson in lessons}
    first, rest, names = _sorted(card, new)
    scale = known.scale if len(known.codes) else SCALE
    codes = known.codes if len(known.codes) else np.zeros((len(card.classes), card.sound.code_dim), np.float32)
    made = [_class_code(lesson.codes, codes[[*rest, *names]], scale) for lesson in lessons]
    old = world.tensors.get("meaning.displacements")
    if old is None:
        old = np.zeros((len(card.classes), card.num_ws, card.w_dim), np.float32)
    own = np.zeros((len(lessons), *old.shape[1:]), np.float32)
    changed: Tensors = {
        "labels.codes": np.concatenate([codes[first], np.stack(made), codes[rest]]),
        "labels.scale": np.array([scale], np.float32),
        "meaning.displacements": np.concatenate([old[first], own, old[rest]]).astype(np.float16),
    }
    changed |= _places(world, [*first, *(None for _ in lessons), *rest], lessons)
    if names:
        changed["names.codes"] = codes[names]
    every = (*card.classes, *card.names)
    classes = (*(every[i] for i in first), *(lesson.name for lesson in lessons), *(every[i] for i in rest))
    rows = [_row(lesson, classes.index(lesson.name), changed, scale) for lesson in lessons]
    kept = {name: x for name, x in tensors.items() if name != "names.codes"}
    return _card(card, classes, tuple(every[i] for i in names), rows), {**kept, **changed}


def _sorted(card: Card, new: set[str]) -> tuple[list[int], list[int], list[int]]:
    """Indices, among classes and names, of the classes taught before, of those that stay, and of names."""
    before, blind = {row["name"] for row in _rows(card)}, {*unseen(card)}
    every = [(i, name) for i, name in enumerate((*card.classes, *card.names)) if name not in new]
    classes = [(i, name) for i, name in every if i < len(card.classes)]
    first = [i for i, name in classes if name in before]
    rest = [i for i, name in classes if name not in before | blind]
    return first, rest, [i for i, _ in every if i not in {*first, *rest}]


def _rows(card: Card) -> list[dict[str, Any]]:
    """What was taught before."""
    found = card.measures.get("taught")
    rows = found.get("classes", []) if isinstance(found, dict) else []
    return [row for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str)]


def _class_code(heard: Array, others: Array, scale: float) -> Array:
    """The code [D] of a class: the mean sound embedding, as long as makes its own sounds LEAD ahead of other labels.

    Sounds are much nearer to sounds than to the joint space's words and class codes: a mean of unit length would score
    best whatever is heard.
    """
    mean = heard.mean(0)
    mean /= max(float(np.linalg.norm(mean)), 1e-6)
    if not len(others):
        return mean.astype(np.float32)
    best, own = float((heard @ others.T).max(1).mean()), float((heard @ mean).mean())
    return (mean * np.float32(np.clip((best + LEAD / scale) / max(own, 1e-3), 0.3, 1.5))).astype(np.float32)


def _places(world: World, order: Sequence[int | None], lessons: Sequence[Lesson]) -> Tensors:
    """The places of all classes, those of the new ones being their seeds' latents.

    order: for every class of the new world its index in the old one, None for a new one; the new ones are in a row.
    """
    styles = seed_styles(world.card, world.tensors, [lesson.seed for lesson in lessons])
    if styles is None:
        raise WorldError(f"{world.card.name}: this world has no mapping network", "Give the world it was made of.")
    new = range(order.index(None), order.index(None) + len(lessons))
    latents, classes = [*styles], [*new]
    if (old := places_of(world.tensors)) is not None:
        for latent, index in zip(old.latents, old.classes.tolist(), strict=True):
            if index in order:
                latents.append(latent)
                classes.append(order.index(index))
    places = np.stack(latents).astype(np.float16)
    return {"meaning.places": places, "meaning.place_classes": np.array(classes, np.int32)}


def _row(lesson: Lesson, index: int, tensors: Tensors, scale: float) -> dict[str, Any]:
    """What the card says of a class; `heard`: mean score of its own sounds, 0 to 1."""
    codes = np.concatenate([tensors[name] for name in ("labels.codes", "names.codes") if name in tensors])
    heard = float(np.mean([class_scores(code, codes, scale)[index] for code in lesson.codes]))
    return {"name": lesson.name, "seed": lesson.seed, "sounds": lesson.sounds, "heard": round(heard, 3)}


def _card(card: Card, classes: tuple[str, ...], names: tuple[str, ...], rows: list[dict[str, Any]]) -> Card:
    before = [row for row in _rows(card) if row["name"] not in {new["name"] for new in rows}]
    all_rows = [*before, *rows]
    told = "; ".join(f"{row['name']} ({', '.join(row['sounds'])}) like seed {row['seed']}" for row in all_rows)
    description = f"{card.description.split(TOLD)[0]}{TOLD}{told}."
    return replace(
        card, classes=classes, names=names, description=description[:LONGEST_TEXT],
        aliases={name: meant for name, meant in card.aliases.items() if meant in classes},
        measures=card.measures | {"taught": {"from": origin(card), "classes": all_rows}},
    )  # fmt: skip
