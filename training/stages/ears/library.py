"""All sounds that clips are cut from: labelled recordings and unlabelled packages, decoded once.

A *source* is what must not be split between training and test: a recording's source, or a package. A *maker* is
whoever published it: the part of a file's name before `__`.
"""

from __future__ import annotations

import csv
import json
import logging
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ....engine.audio.audio_file import open_sound
from ....engine.files.atomic import replacing, write_bytes
from ....engine.units import SAMPLE_RATE
from ...data.recordings import list_recordings

log = logging.getLogger(__name__)
LONGEST_S = 25.0
"""A longer sound counts as one of this length: an hour of rain is still one rain."""
SHARE_EXPONENT = 0.7
NATURE = re.compile(
    r"rain|storm|thunder|wind|water|sea|wave|river|stream|splash|bubble|fire|flame|lava|volcan|explo|bird|cricket|"
    r"forest|frog|insect|ambien|dog|cat|animal|horse|cow|sheep",
    re.IGNORECASE,
)
NATURE_WEIGHT = 2.0
"""Names that speak of nature are drawn so much more often: what the world knows lies among them."""
SHORTEST_S = 0.05
PACKAGE = "package "
"""How the source of an unlabelled sound begins: its whole package is one source."""
UNLABELLED = "audio_unlabelled"
"""Folder of the data that holds the unlabelled sounds, with a MANIFEST.tsv of its own."""


@dataclass(frozen=True)
class LibrarySound:
    """One sound.

    Attributes:
        file: path below the data folder; of a package with the sound's own name after a `#`.
        source, maker: see the module.
        class_id: of a labelled recording; empty otherwise.
        first, count: where its samples lie in the library's file.
        weight: how often it is drawn, relative to the others.

    """

    file: str
    source: str
    maker: str
    class_id: str
    first: int
    count: int
    weight: float


class SoundLibrary:
    """Sounds in one file of int16 samples at 44.1 kHz, read as they are needed."""

    def __init__(self, samples: npt.NDArray[np.int16], sounds: list[LibrarySound]) -> None:
        self._samples, self.sounds = samples, sounds

    def samples(self, sound: LibrarySound, first: int = 0, count: int | None = None) -> npt.NDArray[np.float64]:
        """Samples [n] of a sound from `first` on, full scale 1."""
        last = sound.count if count is None else min(sound.count, first + count)
        return self._samples[sound.first + first : sound.first + last].astype(np.float64) / 32768


def is_package(source: str) -> bool:
    """Whether it is a package of unlabelled sounds."""
    return source.startswith(PACKAGE)


def maker_of(file: str) -> str:
    """Who published a file."""
    return Path(file).name.split("__")[0]


def weight_of(seconds: float, name: str) -> float:
    """How often a sound is drawn."""
    return min(seconds, LONGEST_S) ** SHARE_EXPONENT * (NATURE_WEIGHT if NATURE.search(name) else 1.0)


def sound_library(root: Path, work: Path) -> SoundLibrary:
    """The library of a data folder, decoded into `work` once.

    Raises:
        InputError: no data folder.

    """
    index, data = work / "library.json", work / "library.i16"
    if not index.is_file():
        work.mkdir(parents=True, exist_ok=True)
        with replacing(data) as part, part.open("wb") as out:
            sounds, at = [], 0
            for sound, samples in _decoded(root):
                out.write(samples.tobytes())
                sounds.append(LibrarySound(**{**asdict(sound), "first": at}))
                at += len(samples)
        write_bytes(index, json.dumps([asdict(one) for one in sounds]).encode())
        log.info("%d sounds, %.1f h", len(sounds), at / SAMPLE_RATE / 3600)
    sounds = [LibrarySound(**row) for row in json.loads(index.read_text())]
    return SoundLibrary(np.memmap(data, np.int16, "r"), sounds)


def _decoded(root: Path):
    for file, class_id, source in list_recordings(root):
        samples = _read(root / file)
        weight = weight_of(len(samples) / SAMPLE_RATE, class_id)
        yield LibrarySound(file, source, maker_of(file), class_id, 0, len(samples), weight), samples
    folder = root / UNLABELLED
    with (folder / "SEGMENTS.tsv").open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    for file in sorted({row["file"] for row in rows}):
        whole = _read(folder / file)
        for row in (row for row in rows if row["file"] == file):
            first, last = (round(float(row[end]) * SAMPLE_RATE) for end in ("start", "end"))
            samples = whole[first:last]
            if len(samples) >= SHORTEST_S * SAMPLE_RATE:
                name, maker = f"{UNLABELLED}/{file}#{row['original']}", maker_of(file)
                weight = weight_of(len(samples) / SAMPLE_RATE, row["original"])
                yield LibrarySound(name, PACKAGE + maker, maker, "", 0, len(samples), weight), samples


def _read(path: Path) -> npt.NDArray[np.int16]:
    with open_sound(path, strict=True) as sound:
        whole = np.concatenate([*sound.mono(SAMPLE_RATE)])
    return np.clip(whole * 32768, -32768, 32767).astype(np.int16)
