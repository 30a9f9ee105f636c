"""Films that other models made of the same sounds, such as Sound2Sight's or CCVS's, in the tables of `evaluate`.

Their code and checkpoints stay where they are: `--sounds FOLDER` writes what they need, a WAV file for each recording
and the first picture of each film; `--films NAME=FOLDER` then reads a film of each from a folder.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...engine.editing.picture_file import read_video
from ...engine.errors import InputError, OutputError, one_line
from ...engine.files.atomic import translated
from ...engine.files.fingerprint import sha256
from ...engine.picture.contact_sheet import write_png
from ...engine.units import SAMPLE_RATE, Array
from .conditions import FPS, Playback, Stimulus
from .figures import HEIGHT

SUFFIXES = (".mp4", ".mkv", ".mov", ".avi", ".webm")


def film_name(number: int, stimulus: Stimulus, seed: int) -> str:
    """Stem of the film of a recording, counted from 0, and a seed: `01-raining-seed-1`."""
    return f"{number + 1:02d}-{stimulus.class_id}-seed-{seed}"


@dataclass(frozen=True)
class OtherModel:
    """A folder of films that another model made.

    Attributes:
        name: its row in the table.
        files: (number of the recording, seed) -> film.

    """

    name: str
    files: Mapping[tuple[int, int], Path]

    @staticmethod
    def find(given: str, heard: Sequence[Stimulus], seeds: Sequence[int], taken: Sequence[str]) -> OtherModel:
        """Of NAME=FOLDER. InputError: a name that is taken, no folder, or a film is missing or there twice."""
        name, _, folder = given.partition("=")
        if not name or not folder:
            raise InputError(f"--films {one_line(given)}", "Give NAME=FOLDER, such as CCVS=films/.")
        if name.casefold() in [one.casefold() for one in taken]:
            raise InputError(f"--films {one_line(name)}: there is a condition of that name", "Give it another name.")
        if not Path(folder).is_dir():
            raise InputError(f"{one_line(folder)} is no folder", "Give NAME=FOLDER, such as CCVS=films/.")
        wanted = {(n, seed): film_name(n, s, seed) for n, s in enumerate(heard) for seed in seeds}
        found = {key: _film(Path(folder), stem) for key, stem in wanted.items()}
        missing = [stem for key, stem in wanted.items() if found[key] is None]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            hint = f"--sounds FOLDER writes the sounds; name films by sound and seed, with {' '.join(SUFFIXES)}."
            raise InputError(f"{one_line(folder)} has no film {missing[0]}{more}", hint)
        return OtherModel(name, {key: path for key, path in found.items() if path is not None})

    def check(self, playback: Playback) -> None:
        """Read all films. InputError as of `frames`, before anything was measured."""
        for number, seed in self.files:
            self.frames(playback, number, seed)

    def frames(self, playback: Playback, number: int, seed: int) -> Tensor:
        """Pictures [T,3,h,w] in [-1,1] as `paint` makes them, cropped to the world's shape. InputError: too short, or
        it cannot be read.
        """
        path = self.files[number, seed]
        try:
            pictures = list(islice(read_video(path, _size(playback), Fraction(FPS)), playback.frames))
        except InputError as error:
            raise InputError(f"{one_line(path)} is no film that can be read", "Make it anew.") from error
        if len(pictures) < playback.frames:
            lasts = f"{one_line(path)} lasts {len(pictures) / FPS:.1f} s"
            hint = f"Make films of {playback.seconds:g} s, as long as the sounds; --seconds can make all shorter."
            raise InputError(lasts, hint)
        return torch.cat(pictures)

    def fingerprint(self) -> list[str]:
        """Hashes of its films, in order."""
        return [sha256(self.files[key]) for key in sorted(self.files)]


def _film(folder: Path, stem: str) -> Path | None:
    found = [path for suffix in SUFFIXES if (path := folder / f"{stem}{suffix}").is_file()]
    if len(found) > 1:
        raise InputError(f"{one_line(folder)} has {found[0].name} and {found[1].name}", "Leave one of them.")
    return found[0] if found else None


def _size(playback: Playback) -> tuple[int, int]:
    high, wide = playback.world.card.generator.shape()
    height = min(high, HEIGHT)
    return round(wide * height / high), height


def write_sounds(folder: Path, playback: Playback, heard: Sequence[Stimulus], seeds: Sequence[int]) -> None:
    """Write `NN-CLASS.wav` of every recording, as long as the films, and `NN-CLASS-seed-S.png`, the first picture of
    each film.

    Raises:
        OutputError: the folder has something in it, or cannot be written.

    """
    with translated(folder):
        if folder.exists() and any(folder.iterdir()):
            raise OutputError(f"{one_line(folder)} is not empty", "Name a new folder with --sounds.")
        folder.mkdir(parents=True, exist_ok=True)
        for number, stimulus in enumerate(heard):
            _write_wav(folder / f"{number + 1:02d}-{stimulus.class_id}.wav", playback.cut(stimulus.sound))
            for seed, picture in _first_pictures(playback, seeds):
                write_png(folder / f"{film_name(number, stimulus, seed)}.png", picture)


def _first_pictures(playback: Playback, seeds: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    for seed in seeds:
        picture = playback.backend.synthesize(playback.base(seed))
        yield seed, np.round(picture.clip(0, 1) * 255).astype(np.uint8)


def _write_wav(path: Path, sound: Array) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.round(sound.clip(-1, 1) * 32767).astype("<i2").tobytes())
