"""Of which of a world's classes the files of a data set are, and which classes of its own a data set has.

A manifest says in its column `class` what sounds in a file. Names that mean a class which training knows (`rain`) are
that class; all others are classes of the data set's own. Where no file has a class, sounds are grouped by ear instead
(stages/sound_groups.py), and pictures take the group that is heard when they are shown.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from ...engine.errors import InputError
from ...engine.files.atomic import write_bytes
from ..footage.layouts import UNLABELLED
from .photos import FOLDERS
from .recordings import Recording

BACKGROUND = "x_"
"""Names of classes that begin with it are heard in the background of others only."""
NO_CLASS = ("", UNLABELLED)
CLIPS = "clips.tsv"


@dataclass(frozen=True)
class Stretch:
    """A part of a sound, samples first..last at 44.1 kHz, in which one class sounds."""

    first: int
    last: int
    class_id: str


@dataclass(frozen=True)
class Labels:
    """Of which class the files of a data set are.

    Attributes:
        named: class in the manifest -> class of the world, where they differ.
        shown: photo or clip -> its class, where sounds were grouped by ear.
        stretches: sound -> its parts, likewise.

    """

    named: dict[str, str] = field(default_factory=dict[str, str])
    shown: dict[str, str] = field(default_factory=dict[str, str])
    stretches: dict[str, tuple[Stretch, ...]] = field(default_factory=dict[str, tuple[Stretch, ...]])

    def of(self, file: str, name: str) -> str:
        """The class of a picture or clip that the manifest files under `name`."""
        return self.shown.get(file, self.named.get(name, name))

    def recordings(self, found: Sequence[Recording]) -> list[Recording]:
        """The same with the world's classes; a sound with stretches gives one recording for each."""
        return [part for r in found for part in self._parts(r)]

    def _parts(self, r: Recording) -> list[Recording]:
        if r.file not in self.stretches:
            return [replace(r, class_id=self.named.get(r.class_id, r.class_id))]
        return [replace(r, class_id=s.class_id, samples=r.samples[s.first : s.last]) for s in self.stretches[r.file]]

    def write(self, path: Path) -> None:
        """Keep them in a JSON file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, msgspec.json.encode(self))

    @staticmethod
    def read(path: Path) -> Labels:
        """Those of a file; where there is none, files are of the classes that their manifest names.

        InputError where it cannot be read.
        """
        if not path.is_file():
            return Labels()
        try:
            return msgspec.json.decode(path.read_bytes(), type=Labels)
        except msgspec.DecodeError as error:
            raise InputError(f"{path} cannot be read", "Give another folder with --work.") from error


@dataclass(frozen=True)
class Amount:
    """How many photos, clips and sounds a data set has of a class."""

    photos: int = 0
    clips: int = 0
    sounds: int = 0

    @property
    def order(self) -> tuple[bool, int]:
        """The more, the earlier: classes with sound first."""
        return not self.sounds, -(self.photos + self.clips + self.sounds)


def table(path: Path) -> list[dict[str, str]]:
    """Rows of a table of a data set; none where it has no such table."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as lines:
        return [dict(row) for row in csv.DictReader(lines, delimiter="\t")]


def amounts(root: Path) -> dict[str, Amount]:
    """Every class that a data set names -> how much there is of it; files that are missing do not count.

    Photos and clips count in a manifest with the column `split` (`sonorama footage`), where folders are named after
    what sounds. In others the class of a photo tells what it shows.
    """
    rows = table(root / "MANIFEST.tsv")
    filmed = bool(rows) and "split" in rows[0]
    counts: dict[str, Counter[str]] = {"photos": Counter(), "clips": Counter(), "sounds": Counter()}
    for row in [*rows, *table(root / CLIPS)]:
        kind = _kind(row)
        if kind is None or (kind != "sounds" and not filmed) or not (root / row["file"]).is_file():
            continue
        if row["class"] not in NO_CLASS and not row["class"].startswith(BACKGROUND):
            counts[kind][row["class"]] += 1
    names = {name for counter in counts.values() for name in counter}
    return {name: Amount(**{kind: counter[name] for kind, counter in counts.items()}) for name in sorted(names)}


def _kind(row: Mapping[str, str]) -> str | None:
    if "first_sample" in row:
        return "clips"
    top = row["file"].split("/")[0]
    return "photos" if top in FOLDERS else "sounds" if top == "audio" else None


@dataclass(frozen=True)
class OwnClasses:
    """Classes of a data set's own.

    Attributes:
        names: those that the world has, in the order of their amount.
        left_out: those for which it has no room.
        amounts: of `names`.
        labels: of which class the files are.

    """

    names: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    amounts: dict[str, Amount] = field(default_factory=dict[str, Amount])
    labels: Labels = field(default_factory=Labels)


def own_classes(root: Path, known: Callable[[str], str | None], room: int) -> OwnClasses:
    """The classes of a data set that training does not know.

    Args:
        root: the data set.
        known: a name -> the class that training knows by it, or None.
        room: how many classes there may be.

    """
    found = amounts(root)
    meant = {name: class_id for name in found if (class_id := known(name)) is not None}
    own = sorted((name for name in found if name not in meant), key=lambda name: (*found[name].order, name))
    named = {name: class_id for name, class_id in meant.items() if name != class_id}
    kept = {name: found[name] for name in own[:room]}
    return OwnClasses(tuple(kept), tuple(own[room:]), kept, Labels(named))
