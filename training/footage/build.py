"""Makes a data set of a folder, or continues one.

The data set's folder belongs to its record (`sonorama.files`, with the size and hash of every file): a folder that has
anything in it and no record is refused. On a later run, sources that are as they were, and whose files are as they were
written, stay as they are; all others are read again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from av.error import FFmpegError

from ...engine.errors import InputError, OutputError, one_line, one_line_error
from ...engine.files.atomic import check_folder, sweep, translated
from ...engine.files.record import Record
from . import layouts
from .crops import choose_aspect
from .decode import Film, Kind, kind_of, photo
from .duplicates import Look, Seen
from .layouts import Item
from .manifest import CLIPS, MANIFEST, Made, clip_table, manifest
from .outcome import Outcome, from_json
from .report import counted, report
from .settings import AUTO, SETTINGS, Settings, earlier_settings
from .sheets import CROPS, SHEET, crop_sheet, picture_sheet
from .source import Maker
from .split import Member, plan_split

log = logging.getLogger(__name__)
REPORT, SOURCES = "REPORT.txt", "sources"
_ASKED = 200  # files whose aspect is looked at, at most
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Wishes:
    """What the user asks for.

    Attributes:
        folder: with the footage.
        out: the data set.
        settings: of the data set; its aspect may be AUTO.
        layout: a name of layouts.READERS, or AUTO.
        table: a table of one's own, None for TABLE in the folder, if it is there.
        author, licence: of all files that nothing else is told of.

    """

    folder: Path
    out: Path
    settings: Settings
    layout: str = AUTO
    table: Path | None = None
    author: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Built:
    """What was made: the sentences of the report, and how many sources were kept from an earlier run."""

    sentences: list[str]
    kept: int


def build(wishes: Wishes, progress: Progress) -> Built:
    """Make or continue a data set.

    Raises:
        InputError: nothing in the folder can be used.
        OutputError: the data set's folder is not ours, is of other settings, or cannot be written.

    """
    items, unknown = _items(wishes)
    record = _own(wishes.out)
    _check_sources(wishes.out, record, items)
    earlier = _earlier(wishes.out, record)
    settings = wishes.settings if earlier is None else earlier_settings(earlier, wishes.settings, str(wishes.out))
    kept = _kept(wishes.out, record, items)
    kinds, refused = _kinds(items, kept)
    if not kinds and not kept:
        first = one_line(refused[0].skipped) if refused else ""
        raise InputError(
            f"{wishes.folder} holds nothing that can be used: {counted(len(refused), 'file')} skipped, first {first}",
            "Give a folder with videos, photos or sound files.",
        )
    settings = _with_aspect(settings, items, kinds)
    items = _with_splits(items, kinds, kept)
    with _opened(wishes.out, record):
        run = _Run(wishes.out, record, settings, kept)
        run.write(SETTINGS, json.dumps(settings.facts(), indent=1).encode() + b"\n")
        made = run.all(items, kinds, {o.name: o for o in refused}, progress)
        sentences = report(made, settings, unknown)
        run.finish(made, sentences)
    for path in record.set_aside:
        log.warning("Changed since it was written, and kept as %s", one_line(path))
    return Built(sentences, len(kept))


def key_of(name: str) -> str:
    """What the names of the files of a source begin with: readable, unique, and safe on every disk."""
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:10]
    stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(name).stem)[:40].strip("-")
    return f"{stem or 'file'}-{digest}s"  # a letter at the end: nobody takes the hash for a running number


def _items(wishes: Wishes) -> tuple[list[Item], list[str]]:
    """The files of the folder with what is known of them; names in the table that are not there."""
    if not wishes.folder.is_dir():
        raise InputError(f"{wishes.folder} is no folder", "Give the folder that your videos, photos and sounds are in.")
    if wishes.folder.resolve().is_relative_to(wishes.out.resolve()):
        raise OutputError(f"{wishes.out} holds the footage itself", "Give another folder for the data set.")
    items = layouts.find_items(wishes.folder, wishes.out)
    if not items:
        raise InputError(f"{wishes.folder} is empty", "Put videos, photos or sound files into it.")
    name = layouts.recognise(wishes.folder, items) if wishes.layout == AUTO else wishes.layout
    items = layouts.with_captions(layouts.READERS[name](wishes.folder, items))
    own = wishes.folder / layouts.TABLE
    table = wishes.table or (own if own.is_file() else None)
    items, unknown = layouts.with_table(items, table) if table else (items, [])
    credited = [replace(i, author=i.author or wishes.author, licence=i.licence or wishes.licence) for i in items]
    return credited, unknown


def _own(out: Path) -> Record:
    """The record of the data set's folder. Raises OutputError where the folder is somebody else's."""
    if os.path.lexists(out) and not out.is_dir():
        raise OutputError(f"{out} is no folder", "Choose another name for the data set.")
    if not out.parent.is_dir():
        raise OutputError(f"There is no folder {out.parent}", "Make it first, or choose another name.")
    check_folder(out if out.is_dir() else out.parent, out)
    record = Record(out)
    if not record.begun and out.is_dir() and any(out.iterdir()):
        raise OutputError(f"{out} has files in it that sonorama did not make", "Choose a new or an empty folder.")
    return record


def _check_sources(out: Path, record: Record, items: Sequence[Item]) -> None:
    """Refuse a folder of other footage: all that was made before would drop out of the tables."""
    before = {name for name in record.names if name.startswith(f"{SOURCES}/")}
    if before and not before & {f"{SOURCES}/{key_of(item.name)}.json" for item in items}:
        raise OutputError(f"{out} was made of other files than these", "Choose another folder for the data set.")


def _earlier(out: Path, record: Record) -> dict[str, object] | None:
    if not record.begun:
        return None
    if not record.whole(SETTINGS):
        if any(record.names):
            raise OutputError(f"{out / SETTINGS} is not as it was written", "Choose another folder.")
        return None
    return json.loads((out / SETTINGS).read_bytes())


def _kept(out: Path, record: Record, items: Sequence[Item]) -> dict[str, Outcome]:
    """Outcomes of earlier runs that still hold, by the sources' names."""
    kept: dict[str, Outcome] = {}
    for item in items:
        file = f"{SOURCES}/{key_of(item.name)}.json"
        if not record.whole(file):
            continue
        outcome = from_json((out / file).read_bytes())
        same = outcome.made_of == _made_of(item.path) and outcome.class_id == item.class_id
        split = not item.split or item.split == outcome.split
        if same and split and all(record.whole(made) for made in outcome.files):
            kept[item.name] = outcome
    return kept


def _made_of(path: Path) -> tuple[int, int]:
    try:
        info = path.stat()
    except OSError:
        return 0, 0
    return info.st_size, info.st_mtime_ns


def _kinds(items: Sequence[Item], kept: dict[str, Outcome]) -> tuple[dict[str, Kind], list[Outcome]]:
    """What the sources are that must be read, by name; and those that cannot be."""
    kinds: dict[str, Kind] = {}
    refused = []
    for item in items:
        if item.name in kept:
            continue
        try:
            kinds[item.name] = kind_of(item.path)
        except (InputError, FFmpegError, OSError, ValueError) as error:
            refused.append(_skipped(item, error))
    return kinds, refused


def _skipped(item: Item, error: Exception) -> Outcome:
    reason = one_line_error(error).removeprefix(f"{item.path} ").removeprefix(f"{item.path}: ")
    reason = reason.removeprefix(f"{item.name} ")
    return Outcome(item.name, class_id=item.class_id, made_of=_made_of(item.path), skipped=reason)


def _with_aspect(settings: Settings, items: Sequence[Item], kinds: dict[str, Kind]) -> Settings:
    """The settings with an aspect: what most of up to 200 files have, where none is given."""
    if settings.aspect != AUTO:
        return settings
    seen = [item for item in items if kinds.get(item.name) in ("video", "photo")]
    step = max(1, -(-len(seen) // _ASKED))
    sizes = [size for item in seen[::step] if (size := _shown(item.path, kinds[item.name]))]
    return replace(settings, aspect=choose_aspect(sizes) if sizes else "16:9")


def _shown(path: Path, kind: Kind) -> tuple[int, int] | None:
    try:
        return photo(path)[1].shown if kind == "photo" else Film(path).geometry.shown
    except (InputError, FFmpegError, OSError, ValueError):
        return None


def _with_splits(items: Sequence[Item], kinds: dict[str, Kind], kept: dict[str, Outcome]) -> list[Item]:
    """The items with a split each; what an earlier run decided stays."""
    usable = [(item, kinds.get(item.name) or kept[item.name].kind) for item in items if item.name in {**kinds, **kept}]
    members = []
    for item, kind in usable:
        split = item.split or (kept[item.name].split if item.name in kept else "")
        members.append(Member(item.origin, f"{item.class_id} {kind}", split))
    splits = plan_split(members)
    return [replace(item, split=splits.get(item.origin, item.split)) for item in items]


def _so_far(made: Outcome, skipped: Outcome) -> Outcome:
    """What was made of a file until an error, if anything was."""
    if not any(made.files):
        return skipped
    made.problem = skipped.skipped
    return made


@contextmanager
def _opened(out: Path, record: Record) -> Iterator[None]:
    """Open the record of a folder, which is made where it is missing, for writing."""
    with translated(out):
        out.mkdir(exist_ok=True)
    record.open()
    try:
        for folder in [*(out / name for name in ("photos", "clips", SOURCES)), *out.glob("audio/*")]:
            if folder.is_dir():
                sweep(folder)
        yield
    finally:
        record.close()


class _Run:
    """Writes the files of one data set."""

    def __init__(self, out: Path, record: Record, settings: Settings, kept: dict[str, Outcome]) -> None:
        self._out, self._record, self._settings, self._kept = out, record, settings, kept
        self._seen = Seen()
        for outcome in kept.values():
            for picture in outcome.photos:
                self._seen.add(Look(picture.bits, picture.colours))

    def write(self, name: str, data: bytes) -> None:
        """Write a file unless it is there with this content."""
        path = self._out / name
        if self._record.whole(name) and path.read_bytes() == data:
            return
        self._write(name, lambda part: _write_bytes(part, data))

    def _write(self, name: str, make: Callable[[Path], None]) -> None:
        folder = (self._out / name).parent
        with translated(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._record.write(name, make)

    def all(
        self, items: Sequence[Item], kinds: dict[str, Kind], refused: dict[str, Outcome], progress: Progress
    ) -> Made:
        """Every item with its outcome; those that are not kept are read now."""
        return [*self._outcomes(items, kinds, refused, progress)]

    def _outcomes(
        self, items: Sequence[Item], kinds: dict[str, Kind], refused: dict[str, Outcome], progress: Progress
    ) -> Iterator[tuple[Item, Outcome]]:
        for i, item in enumerate(items):
            outcome = self._kept.get(item.name) or refused.get(item.name) or self._made(item, kinds[item.name])
            yield item, outcome
            progress(i + 1, len(items))

    def _made(self, item: Item, kind: Kind) -> Outcome:
        maker = Maker(key_of(item.name), item, self._settings, self._seen, self._write)
        try:
            outcome = maker.make(kind)
        except (InputError, FFmpegError, OSError, ValueError) as error:
            log.debug("%s", item.name, exc_info=error)
            outcome = _so_far(maker.out, _skipped(item, error))
        outcome.split, outcome.made_of = item.split, _made_of(item.path)
        self.write(f"{SOURCES}/{key_of(item.name)}.json", outcome.to_json())
        return outcome

    def finish(self, made: Made, sentences: Sequence[str]) -> None:
        """Write tables, sheets and report."""
        self.write(MANIFEST, manifest(made))
        self.write(CLIPS, clip_table(made))
        for name, data in ((SHEET, picture_sheet(self._out, made)), (CROPS, crop_sheet(made))):
            if data is not None:
                self.write(name, data)
        self.write(REPORT, ("\n".join(sentences) + "\n").encode())


def _write_bytes(part: Path, data: bytes) -> None:
    with translated(part):
        part.write_bytes(data)
