"""The tables of a data set: MANIFEST.tsv (photos and soundtracks) and clips.tsv."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from ...engine.errors import one_line
from .clips import RATE
from .layouts import Item
from .outcome import Outcome

MANIFEST, CLIPS = "MANIFEST.tsv", "clips.tsv"
MANIFEST_COLUMNS = ("file", "class", "source", "author", "licence", "split", "caption", "origin", "sound", "sample")
CLIP_COLUMNS = ("file", "sound", "first_sample", "rate", "frames", "class", "split", "source")

Made = Sequence[tuple[Item, Outcome]]
Row = Mapping[str, object]


def manifest(made: Made) -> bytes:
    """A row for each photo and each soundtrack.

    `sound` and `sample` say where in which soundtrack a picture is shown: what is heard until then are the samples
    before it. `origin` is what a file was cut from.
    """
    sounds = {item.name: outcome.sound.file for item, outcome in made if outcome.sound}
    return _table(MANIFEST_COLUMNS, (row for item, outcome in made for row in _rows(item, outcome, sounds)))


def _rows(item: Item, outcome: Outcome, sounds: Mapping[str, str]) -> Iterable[Row]:
    shared = {
        "class": outcome.class_id, "author": item.author, "licence": item.licence, "split": outcome.split,
        "caption": item.caption, "origin": item.origin,
    }  # fmt: skip
    sound = outcome.sound.file if outcome.sound else sounds.get(item.pair, "")
    for photo in outcome.photos:
        at = f" at {photo.time:.3f} s" if outcome.kind == "video" else ""
        source = (item.source or f"footage:{item.name}") + at
        sample = "" if photo.sample is None else photo.sample
        yield shared | {"file": photo.file, "source": source, "sound": sound, "sample": sample}
    if outcome.sound:
        yield shared | {"file": outcome.sound.file, "source": item.source or f"footage:{item.name}"}


def clip_table(made: Made) -> bytes:
    """A row for each clip; `first_sample` is the sample of the soundtrack when its first frame is shown."""
    rows = (
        {
            "file": clip.file, "sound": outcome.sound.file if outcome.sound else "",
            "first_sample": "" if clip.first_sample is None else clip.first_sample, "rate": RATE,
            "frames": clip.frames, "class": outcome.class_id, "split": outcome.split, "source": item.origin,
        }
        for item, outcome in made
        for clip in outcome.clips
    )  # fmt: skip
    return _table(CLIP_COLUMNS, rows)


def _table(columns: Sequence[str], rows: Iterable[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([one_line(row.get(column, "")) for column in columns])
    return text.getvalue().encode()
