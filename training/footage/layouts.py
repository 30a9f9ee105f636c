"""Finds the files of a folder, and what is known about each: class, split, caption, credit.

Readers: class folders (the layout of the paper's Landscape set, and of most others), Sub-URMP (`img/` and `chunk/`),
LHQ (numbered pictures and metadata.json), VGGSound (a CSV of YouTube names, seconds, labels and splits); and a table
of one's own.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...engine.errors import InputError, one_line
from .settings import SETTINGS

UNLABELLED = "unlabelled"
TRAIN, HELD_OUT = "train", "held-out"
TABLE = "footage.csv"
"""Name of a table that is used where it lies in the folder and none is given."""

_SPLITS = {"train": TRAIN, "training": TRAIN, "test": HELD_OUT, "testing": HELD_OUT, "val": HELD_OUT,
           "valid": HELD_OUT, "validation": HELD_OUT, HELD_OUT: HELD_OUT, "held_out": HELD_OUT}  # fmt: skip
# Names of the Landscape set for the same classes (the paper writes explosion, the world volcano_eruption).
_ALIASES = {"thunder": "thunderstorm", "explosion": "volcano_eruption", "fire_cracking": "fire_crackling"}
LANDSCAPE = ("thunderstorm", "waterfall_burbling", "volcano_eruption", "squishing_water", "wind_noise",
             "fire_crackling", "raining", "underwater_bubbling", "splashing_water")  # fmt: skip
_NOT_MEDIA = {".txt", ".csv", ".tsv", ".json", ".jsonl", ".md", ".xml", ".xmp", ".srt", ".vtt", ".ass", ".pdf",
              ".html", ".ini", ".db", ".lnk", ".url", ".zip", ".py", ".als", ".aep", ".prproj", ".thm"}  # fmt: skip
# Names that cameras and phones give; they say nothing of what is seen.
_CAMERA = re.compile(r"(?i)(img|dsc[fn]?|mvi|mov|vid|pxl|gopr|g[hxp]|dji|p|c|clip|video|photo|rec|zoom)?[\W\d_]*")


@dataclass(frozen=True)
class Item:
    """One file of the folder.

    Attributes:
        path: the file.
        name: its path below the folder, with slashes.
        class_id: what sounds in it, or UNLABELLED.
        split: TRAIN, HELD_OUT, or empty where nothing says.
        caption: what is seen, in words; empty where nothing says.
        origin: what it was cut from; files of one origin stay on one side of the split.
        author, licence, source: credit.
        pair: name of the sound file that belongs to a picture.

    """

    path: Path
    name: str
    class_id: str = UNLABELLED
    split: str = ""
    caption: str = ""
    origin: str = ""
    author: str = ""
    licence: str = ""
    source: str = ""
    pair: str = ""


Reader = Callable[[Path, list[Item]], list[Item]]


def find_items(folder: Path, without: Path) -> list[Item]:
    """Every file below a folder that may be media, by name; hidden files, data sets and the folder `without` are left
    out.
    """
    found, left_out = [], [without.resolve(), *(path.parent.resolve() for path in folder.rglob(SETTINGS))]
    for path in sorted(folder.rglob("*"), key=lambda p: p.as_posix()):
        below = path.relative_to(folder)
        if any(part.startswith(".") for part in below.parts) or path.suffix.lower() in _NOT_MEDIA:
            continue
        if not path.is_file() or any(path.resolve().is_relative_to(one) for one in left_out):
            continue
        found.append(Item(path, below.as_posix(), origin=below.as_posix()))
    return found


def class_name(text: str) -> str:
    """A class as manifests and folders name it: `Sea waves` -> `sea_waves`; names of the Landscape set -> ours."""
    name = re.sub(r"\W+", "_", text.strip().lower()).strip("_")
    return _ALIASES.get(name, name) or UNLABELLED


def _known_split(text: str) -> str:
    """TRAIN or HELD_OUT for the usual names of splits, else nothing."""
    return _SPLITS.get(text.strip().lower().replace(" ", "_"), "")


def by_folders(folder: Path, items: list[Item]) -> list[Item]:
    """Class: the first folder that is none of a split; split: a folder called train, test, validation ..."""
    out = []
    for item in items:
        parents = item.name.split("/")[:-1]
        splits = [s for s in map(_known_split, parents) if s]
        names = [part for part in parents if not _known_split(part)]
        class_id = class_name(names[0]) if names else UNLABELLED
        out.append(replace(item, class_id=class_id, split=splits[0] if splits else ""))
    return out


def by_names(folder: Path, items: list[Item]) -> list[Item]:
    """Class: the file's name without its running number; `raining_03.mp4` is of the class raining."""
    out = []
    for item in items:
        words = re.sub(r"[\W_]*\d*$", "", Path(item.name).stem)
        out.append(replace(item, class_id=UNLABELLED if _CAMERA.fullmatch(words) else class_name(words)))
    return out


def without_classes(folder: Path, items: list[Item]) -> list[Item]:
    """No classes; folders of splits still count."""
    return [replace(item, class_id=UNLABELLED) for item in by_folders(folder, items)]


def by_sub_urmp(folder: Path, items: list[Item]) -> list[Item]:
    """`img/train/cello/cello01_0001.jpg` with `chunk/train/cello/cello01_0001.wav`: instrument, split, performance."""
    sounds = {_pairing(item.name): item.name for item in items if item.name.split("/")[0].lower() != "img"}
    out = []
    for item in items:
        parts = item.name.split("/")
        split, class_id = next((s for s in map(_known_split, parts) if s), ""), class_name(parts[-2])
        origin = f"{class_id}/{re.sub(r'_?[0-9]+$', '', Path(item.name).stem)}"
        pair = sounds.get(_pairing(item.name), "") if parts[0].lower() == "img" else ""
        out.append(replace(item, class_id=class_id, split=split, origin=origin, pair=pair))
    return out


def _pairing(name: str) -> str:
    """What a picture and its sound have in common: the path below img/ or chunk/, without suffix."""
    return name.split("/", 1)[-1].rsplit(".", 1)[0]


def by_lhq(folder: Path, items: list[Item]) -> list[Item]:
    """Numbered landscape photos without classes; authors and licences from metadata.json, where it has them."""
    told = _lhq_metadata(folder / "metadata.json")
    out = []
    for item in items:
        facts = told.get(Path(item.name).stem) or told.get(Path(item.name).name) or {}
        credit = {
            "author": _first(facts, "author", "author_name", "owner", "user", "username"),
            "licence": _first(facts, "license", "licence", "license_name"),
            "source": _first(facts, "url", "source_url", "page_url", "source"),
            "caption": _first(facts, "caption", "description", "title"),
        }
        out.append(replace(item, **credit))
    return out


def _lhq_metadata(path: Path) -> Mapping[str, Mapping[str, object]]:
    """Facts by the pictures' names: from {name: facts}, or from a list of facts in the pictures' order."""
    if not path.is_file():
        return {}
    try:
        told = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON", "Take it out of the folder, or get it again.") from error
    if isinstance(told, list):
        told = {f"{i:07}": facts for i, facts in enumerate(told)}
    return {str(k): v for k, v in told.items() if isinstance(v, dict)} if isinstance(told, dict) else {}


def _first(facts: Mapping[str, object], *names: str) -> str:
    return next((one_line(facts[name]) for name in names if isinstance(facts.get(name), str | int)), "")


def by_vggsound(folder: Path, items: list[Item]) -> list[Item]:
    """Rows `YouTube name, start in s, label, split` for files called NAME_000030.mp4, NAME_30.mp4 or NAME.mp4."""
    told: dict[str, tuple[str, str, str]] = {}
    for path in sorted(folder.glob("*.csv")):
        for row in _vggsound_rows(path):
            name, start, label, split = row
            for stem in (f"{name}_{int(start):06}", f"{name}_{int(start)}", name):
                told[stem] = (name, label, split)
    out = []
    for item in items:
        name, label, split = told.get(Path(item.name).stem, ("", "", ""))
        if name:
            item = replace(
                item, class_id=class_name(label), caption=label, split=_known_split(split),
                origin=name, source=f"youtube:{name}",
            )  # fmt: skip
        out.append(item)
    return out


def _vggsound_rows(path: Path) -> list[list[str]]:
    """The rows of a CSV that have VGGSound's form."""
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        rows = [[cell.strip() for cell in row] for row in csv.reader(file)]
    return [row for row in rows if len(row) == 4 and row[1].isascii() and row[1].isdigit() and _known_split(row[3])]


READERS: Mapping[str, Reader] = {
    "folders": by_folders,
    "names": by_names,
    "none": without_classes,
    "landscape": by_folders,
    "sub-urmp": by_sub_urmp,
    "lhq": by_lhq,
    "vggsound": by_vggsound,
}


def recognise(folder: Path, items: Sequence[Item]) -> str:
    """The name of the layout of a folder."""
    top = {item.name.split("/")[0].lower() for item in items if "/" in item.name}
    if "img" in top and top & {"chunk", "audio", "wav"}:
        return "sub-urmp"
    if any(_vggsound_rows(path) for path in folder.glob("*.csv") if path.name != TABLE):
        return "vggsound"
    numbered = all(re.fullmatch(r"\d{5,}", Path(item.name).stem) for item in items)
    if numbered and (folder / "metadata.json").is_file():
        return "lhq"
    classes = {item.class_id for item in by_folders(folder, list(items))}
    return "landscape" if len(classes & set(LANDSCAPE)) >= 2 else "folders"


def with_captions(items: Sequence[Item]) -> list[Item]:
    """Captions from file names that are words: `rain on a window 2.mp4`; not from those that a camera gave."""
    out = []
    for item in items:
        words = " ".join(re.sub(r"[\W_]*\d*$", "", Path(item.name).stem).replace("_", " ").split())
        plain = item.caption or _CAMERA.fullmatch(words) or class_name(words) == item.class_id or " " not in words
        out.append(item if plain else replace(item, caption=words))
    return out


def with_table(items: Sequence[Item], path: Path) -> tuple[list[Item], list[str]]:
    """What a table says replaces what the layout says; names in it that are not in the folder come second.

    The table has a header with the column `file` and any of class, caption, split, author, licence, source; its
    separator is a comma, a semicolon or a tab.

    Raises:
        InputError: no such file, no column `file`, or a split that is neither train nor held-out.

    """
    rows = _table_rows(path)
    told = {row["file"].strip().replace("\\", "/"): row for row in rows}
    out = [_told(item, told[item.name], path) if item.name in told else item for item in items]
    names = {item.name for item in items}
    return out, [name for name in told if name not in names]


def _table_rows(path: Path) -> list[dict[str, str]]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table", "Give a CSV file in UTF-8.") from error
    head = text.split("\n", 1)[0]
    separator = max(",;\t", key=head.count)
    rows = [
        {(k or "").strip().lower(): v or "" for k, v in row.items() if isinstance(v, str)}
        for row in csv.DictReader(text.splitlines(), delimiter=separator)
    ]
    if not rows or "file" not in rows[0]:
        raise InputError(
            f"{path} has no column `file`", "Its first line must be such as: file,class,caption,author,licence"
        )
    return rows


def _told(item: Item, row: Mapping[str, str], path: Path) -> Item:
    split = row.get("split", "").strip()
    if split and not _known_split(split):
        raise InputError(f"{path}: {split} is no split", "Write train or held-out.")
    class_id = row.get("class", "").strip()
    told = {name: " ".join(row.get(name, "").split()) for name in ("caption", "author", "source")}
    told["licence"] = " ".join((row.get("licence") or row.get("license") or "").split())
    told |= {"split": _known_split(split), "class_id": class_name(class_id) if class_id else ""}
    return replace(item, **{name: value for name, value in told.items() if value})
