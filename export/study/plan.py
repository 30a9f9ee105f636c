"""Plans a study: checks what was asked for, and settles models, sounds, orders and the names of films."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.audio.audio_file import open_sound
from ...engine.control import assignments
from ...engine.control.addresses import LOOK_SEED
from ...engine.errors import InputError, ValueRefused
from ...engine.files.fingerprint import sha256
from ...engine.model.world_file import classes_of, find_world, read_card
from ...engine.versions import versions
from ..presets import PRESETS, check_size
from .codes import coded, wrong_sound
from .key import Key, Model, StudySound, Variant
from .order import balanced_square
from .reference import Clip, clip_of, open_clip

if TYPE_CHECKING:
    from ...engine.control.parameters import Value
    from ...engine.model.card import Card

FPS = Fraction(30)
PRESET = PRESETS["h264"]
FEWEST_MODELS, MOST_MODELS = 2, 8
MOST_SOUNDS = 100
MOST_SEED = 2**31 - 1
RATING_S = 10.0
"""Seconds that a participant takes to answer, roughly: for the estimate of a session's length."""


@dataclass(frozen=True)
class StudyJob:
    """What a study is to compare.

    Attributes:
        worlds: names or paths.
        sounds: sound or video files, of which the first `seconds` are used.
        variants: of each world; empty: ours, and for a single world its baselines without and with the wrong sound.
        reference: folder of real clips with the sounds' file names; None for none.
        seconds: longest film.
        size: (width, height) of the films; None: that of the first world.
        seed: of the first sound; each further one takes the next.
        settings: values of the worlds' parameters, as `/address=value`.
        device: auto, cpu, cuda or ort.
        command: for the key.

    """

    worlds: tuple[str, ...]
    sounds: tuple[Path, ...]
    variants: tuple[Variant, ...] = ()
    reference: Path | None = None
    seconds: float = 5.0
    size: tuple[int, int] | None = None
    seed: int = 1
    settings: tuple[str, ...] = ()
    device: str = "auto"
    command: str = ""


@dataclass(frozen=True)
class Film:
    """A film to paint. model: index among the models. sound: index among the sounds. file: its name on the page."""

    model: int
    sound: int
    file: str


@dataclass(frozen=True)
class Plan:
    """A study before its films are made.

    Attributes:
        key: what goes into key.json.
        worlds: path of each model's world.
        values: address -> value for each model's world, without the seed.
        sounds: path of each sound.
        references: real clip of each sound, or None.

    """

    key: Key
    worlds: tuple[Path, ...]
    values: tuple[Mapping[str, Value], ...]
    sounds: tuple[Path, ...]
    references: tuple[Clip | None, ...]

    def films(self) -> Iterator[Film]:
        """Films of models, those of one world beside each other."""
        order = sorted(range(len(self.worlds)), key=lambda model: str(self.worlds[model]))
        for model in order:
            code = self.key.models[model].code
            for index, sound in enumerate(self.key.sounds):
                yield Film(model, index, sound.films[code])

    @property
    def minutes(self) -> float:
        """How long one participant needs, roughly."""
        shown = sum(1 for sound in self.key.sounds if sound.reference) + len(self.key.sounds) * len(self.key.models)
        return (shown * (self.key.seconds + RATING_S) + len(self.key.sounds) * RATING_S) / 60


def plan_study(job: StudyJob) -> Plan:
    """Check a job and plan it; nothing is painted or written.

    Raises:
        ValueRefused: worlds, variants, sounds or settings that make no study.
        InputError: a sound or a real clip that is missing or cannot be used.
        WorldError: a world that is missing or damaged.
        OutputError: a size that a film cannot have.

    """
    cards = _cards(job.worlds)
    variants = _variants(job)
    _check_sounds(job, variants)
    size = job.size or (cards[0].width, cards[0].height)
    check_size(PRESET, size)
    references = tuple(
        None if job.reference is None else open_clip(clip_of(job.reference, path.stem)) for path in job.sounds
    )
    values = {card.path: _values(job, card.path) for card in cards}
    models, sounds = coded(_models(cards, variants), _sounds(job, variants, references), f"{job.seed} {job.seconds}")
    key = Key(
        models, sounds, job.seconds, size, str(FPS), [*job.settings], job.device,
        balanced_square(len(sounds)), balanced_square(len(models)), versions(), job.command,
    )  # fmt: skip
    paths = {sha256(Path(card.path)): card.path for card in cards}
    worlds = tuple(paths[model.sha256] for model in models)
    return Plan(key, tuple(map(Path, worlds)), tuple(values[path] for path in worlds), job.sounds, references)


def _models(cards: Sequence[Card], variants: Sequence[Variant]) -> list[Model]:
    hashes = {card.path: sha256(Path(card.path)) for card in cards}
    return [Model("", card.name, card.version, hashes[card.path], variant) for card in cards for variant in variants]


def _sounds(job: StudyJob, variants: Sequence[Variant], references: Sequence[Clip | None]) -> list[StudySound]:
    names = [path.stem for path in job.sounds]
    wrong = [f"s{wrong_sound(names, index) + 1}" if "wrong-sound" in variants else None for index in range(len(names))]
    return [
        StudySound(
            f"s{index + 1}", names[index], sha256(path), job.seed + index, {}, wrong[index], None,
            None if clip is None else sha256(clip.path),
        )
        for index, (path, clip) in enumerate(zip(job.sounds, references, strict=True))
    ]  # fmt: skip


def _cards(worlds: Sequence[str]) -> list[Card]:
    if not worlds:
        raise ValueRefused("A study needs a world", "Name one or more: sonorama study shore -o study")
    cards = [read_card(find_world(world)) for world in worlds]
    seen: dict[str, str] = {}
    for world, card in zip(worlds, cards, strict=True):
        digest = sha256(Path(card.path))
        if digest in seen:
            raise ValueRefused(f"{world} is the same world as {seen[digest]}", "Name each world once.")
        seen[digest] = world
    return cards


def _variants(job: StudyJob) -> tuple[Variant, ...]:
    single: tuple[Variant, ...] = ("ours", "no-sound", "wrong-sound")
    variants = tuple(dict.fromkeys(job.variants)) or (single if len(job.worlds) == 1 else ("ours",))
    models = len(job.worlds) * len(variants)
    if models < FEWEST_MODELS:
        raise ValueRefused("There is nothing to compare: one world and one variant", "Add a world or a --variant.")
    if models > MOST_MODELS:
        message = f"{len(job.worlds)} worlds in {len(variants)} variants are {models} models to choose from"
        raise ValueRefused(message, f"Use at most {MOST_MODELS}; people cannot compare more.")
    return variants


def _check_sounds(job: StudyJob, variants: Sequence[Variant]) -> None:
    if not 1 <= len(job.sounds) <= MOST_SOUNDS:
        raise ValueRefused(f"{len(job.sounds)} sounds make no study", f"Use 1 to {MOST_SOUNDS}.")
    names = [path.stem for path in job.sounds]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueRefused(f"Two sounds are called {twice}", "Leave one out or rename it: answers are listed by name.")
    if not 0 <= job.seed <= MOST_SEED - len(names):
        raise ValueRefused(f"--seed {job.seed} is not possible", f"Use 0 to {MOST_SEED - len(names)}.")
    for path in job.sounds:
        with open_sound(path) as sound:
            sound.count(duration=job.seconds)
    if "wrong-sound" in variants:
        for index in range(len(names)):
            wrong_sound(names, index)


def _values(job: StudyJob, world: str) -> dict[str, Value]:
    changes = [assignments.parse(text, classes=partial(classes_of, world)) for text in job.settings]
    if any(change.path == LOOK_SEED for change in changes):
        raise ValueRefused(
            f"{LOOK_SEED} cannot be set: each sound has a seed of its own", "Use --seed N for the first."
        )
    return assignments.start_values(changes)


def default_sounds() -> tuple[Path, ...]:
    """The recordings in examples/ of the checkout that this program runs from.

    Raises:
        InputError: it runs from an installed package, which has none.

    """
    folder = Path(__file__).resolve().parents[2] / "examples"
    found = tuple(sorted(folder.glob("*.ogg")))
    if not found:
        raise InputError("No sound was named, and there are no example recordings here", "Name some: --sound FILE")
    return found
