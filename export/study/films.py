"""Makes the films of a study with the renderer of `sonorama render`; names and metadata do not tell the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from ...engine.audio.audio_file import Sound, open_sound
from ...engine.control.addresses import LOOK_SEED
from ...engine.errors import InputError
from ...engine.files.encode import synthetic_note
from ...engine.pipeline.film_pipeline import MOST_AHEAD_S
from ...engine.versions import versions
from ..film import Look, video_writer
from ..frame_source import WorldFrameSource, world_frame_source
from .folder import StudyFolder
from .key import Variant
from .plan import FPS, PRESET, Film, Plan
from .reference import Clip, clip_frames

Progress = Callable[[int, int], None]
_AFTER_S = MOST_AHEAD_S + 1.0
"""Seconds of sound after a film that its last frames may know of, as in export/film_part.py."""


def make_films(plan: Plan, folder: StudyFolder, progress: Progress) -> int:
    """Paint every film that is not in the folder yet as it was written; how many were made.

    progress: called with (frames done, frames in all), of the films that are made.

    Raises:
        SonoramaError: a world, sound or clip cannot be used any more, or a film cannot be written.

    """
    films = [film for film in plan.films() if not folder.whole(film.file)]
    clips = [
        (sound.reference, index)
        for index, sound in enumerate(plan.key.sounds)
        if sound.reference is not None and not folder.whole(sound.reference)
    ]
    counter = _Counter(progress, (len(films) + len(clips)) * math.ceil(plan.key.seconds * FPS))
    worlds = _Worlds(plan)
    for film in films:
        with open_sound(plan.sounds[film.sound]) as sound:
            _make_film(plan, film, sound, worlds, folder, counter)
    for file, index in clips:
        clip = plan.references[index]
        assert clip is not None  # noqa: S101 (its file has a name)
        _make_reference(plan, clip, plan.sounds[index], folder, file, counter)
    return len(films) + len(clips)


class _Counter:
    """Passes frames on and reports them. Films that are shorter than the others make it jump."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def __call__(self, frames: Iterable[np.ndarray | None]) -> Iterator[np.ndarray | None]:
        for frame in frames:
            yield frame
            self._done += 1
            self._progress(self._done, max(self._total, self._done))


class _Worlds:
    """Opens worlds when a film needs them and keeps the last one, since films come world by world."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._open: tuple[Path, WorldFrameSource] | None = None

    def source(self, model: int, seed: int) -> WorldFrameSource:
        """The world of a model, ready to play from a seed."""
        path = self._plan.worlds[model]
        if self._open is None or self._open[0] != path:
            values = self._plan.values[model]
            self._open = path, world_frame_source(str(path), values, FPS, self._plan.key.device)
        return self._open[1].with_values({LOOK_SEED: seed})


def _make_film(plan: Plan, film: Film, sound: Sound, worlds: _Worlds, folder: StudyFolder, counter: _Counter) -> None:
    seconds, variant = plan.key.seconds, plan.key.models[film.model].variant
    samples = sound.count(duration=seconds) or 0
    n_frames = math.ceil(samples * FPS / sound.rate)
    source = worlds.source(film.model, plan.key.sounds[film.sound].seed)
    driver = Driver(variant, sound, _wrong(plan, film.sound), Fraction(samples, sound.rate))
    metadata = synthetic_note("", f"sonorama {versions()['sonorama']}")  # nothing that names the world
    look = Look(PRESET, source.size, plan.key.size, "cover", FPS, None, metadata, source.inset)
    frames = counter(driver.frames(source, n_frames))
    folder.write(film.file, lambda part: _write(part, folder.path(film.file), look, sound, seconds, frames))


def _wrong(plan: Plan, sound: int) -> Path | None:
    codes = [one.code for one in plan.key.sounds]
    wrong = plan.key.sounds[sound].wrong
    return None if wrong is None else plan.sounds[codes.index(wrong)]


@dataclass(frozen=True)
class Driver:
    """What a variant of a world is driven by, while another sound may be heard.

    Attributes:
        variant: see key.py.
        sound: what is heard.
        wrong: file of another recording, which is repeated where it is too short.
        seconds: of the film.

    """

    variant: Variant
    sound: Sound
    wrong: Path | None
    seconds: Fraction

    def frames(self, source: WorldFrameSource, n_frames: int) -> Iterator[np.ndarray | None]:
        """Exactly `n_frames` pictures, float32 [height, width, 3]."""
        if self.variant == "static":
            return (picture for still in source.frames((), 1) for picture in [still] * n_frames)
        if self.variant == "no-sound":
            return source.frames((), n_frames)
        if self.variant == "wrong-sound":
            return self._wrong_frames(source, n_frames)
        return source.frames(self.sound.mono(duration=float(self.seconds) + _AFTER_S), n_frames)

    def _wrong_frames(self, source: WorldFrameSource, n_frames: int) -> Iterator[np.ndarray | None]:
        if self.wrong is None:
            raise ValueError("wrong-sound has no other recording")
        with open_sound(self.wrong) as wrong:
            yield from source.frames(wrong.mono(duration=float(self.seconds) + _AFTER_S, loop=True), n_frames)


def _make_reference(plan: Plan, clip: Clip, recording: Path, folder: StudyFolder, file: str, counter: _Counter) -> None:
    """A real clip at the size of the other films, with its own sound, or the recording where it is silent."""
    seconds = min(plan.key.seconds, clip.seconds)
    n_frames = max(1, math.ceil(seconds * FPS))
    look = Look(PRESET, clip.size, plan.key.size, "cover", FPS, None, {})
    frames = counter(clip_frames(clip, FPS, n_frames))
    with _sound_of(clip, recording) as sound:
        length = max(seconds, 1 / sound.rate)
        folder.write(file, lambda part: _write(part, folder.path(file), look, sound, length, frames))


def _sound_of(clip: Clip, recording: Path) -> Sound:
    try:
        return open_sound(clip.path)
    except InputError:
        return open_sound(recording)


def _write(
    part: Path, out: Path, look: Look, sound: Sound, seconds: float, frames: Iterable[np.ndarray | None]
) -> None:
    with video_writer(out, look, sound, sound.blocks(0.0, seconds), part) as writer:
        for frame in frames:
            writer.write(frame)
