"""Boxes of mp4 and QuickTime files (ISO/IEC 14496-12), and what is looked for in those of their tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from av.audio.stream import AudioStream
from av.container import InputContainer

from .read_ahead import Patch

_INTO = (b"moov", b"trak", b"udta", b"meta", b"ilst", b"----")
_TAG, _HIDDEN = b"iTunSMPB", b"xTunSMPB"
_SLACK = 4096  # samples: writers state a track's length with or without the encoder's padding
_DEEPEST = 8  # boxes within boxes
_MOST_DELAY = 1 << 14  # samples; FFmpeg takes no longer one for true, either


class Box(NamedTuple):
    """A box of a file: its name; in bytes, where it and its content begin, and where it ends."""

    name: bytes
    at: int
    begin: int
    end: int


def tag_boxes(file: BinaryIO, at: int, end: int, depth: int = 0) -> Iterator[Box]:
    """The boxes between two offsets in bytes up to moov, and those within it that hold tags."""
    while at + 8 <= end and depth < _DEEPEST:
        head = _read(file, at, 16)
        size, name = int.from_bytes(head[:4], "big"), head[4:8]
        body = 8
        if size == 1:
            size, body = int.from_bytes(head[8:16], "big"), 16
        if size < body:
            return
        yield Box(name, at, at + body, min(at + size, end))
        if name in _INTO:
            children = at + body + _version_size(file, name, at + body)
            yield from tag_boxes(file, children, min(at + size, end), depth + 1)
        if name == b"moov":
            return
        at += size


def _version_size(file: BinaryIO, name: bytes, begin: int) -> int:
    """Bytes in front of a box' first child: mp4's `meta` has a version, QuickTime's has none."""
    if name != b"meta":
        return 0
    return 0 if _read(file, begin + 4, 4) == b"hdlr" else 4


def hidden_delays(path: Path) -> list[Patch]:
    """Patches that rename iTunes' tag iTunSMPB, so that FFmpeg leaves every sample: it would drop as
    many as the tag says even if the tag is another file's, and keep the stamps of those that follow.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(8)[4:] != b"ftyp":
            return []
        names = [box for box in tag_boxes(file, 0, size) if box.name == b"name" and box.end - box.begin == 12]
        return [Patch(box.begin + 4, _HIDDEN) for box in names if _read(file, box.begin + 4, 8) == _TAG]


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)


def tagged_delay(container: InputContainer, stream: AudioStream) -> tuple[int, int | None]:
    """By the tag iTunSMPB, "zero delay padding samples ..." in hexadecimal: how many samples in front of second 0 are
    the encoder's, and how many there are from there on at most (None: all).

    Where an edit list has moved the stamps already, there is no delay. A tag that does not fit the length of the track
    is that of another file, or damaged, and says nothing.
    """
    words = container.metadata.get(_HIDDEN.decode(), container.metadata.get(_TAG.decode(), "")).split()[:4]
    numbers = [int(word, 16) for word in words if re.fullmatch(r"[0-9A-Fa-f]{1,16}", word)]
    if len(numbers) < 4 or numbers[1] >= _MOST_DELAY or not numbers[3]:
        return 0, None
    _, delay, padding, total = numbers
    index = stream.index_entries
    moved = len(index) > 0 and index[0].timestamp < 0
    length = (stream.duration or 0) * (stream.time_base or 0) * stream.codec_context.sample_rate
    if length and abs(length - (total if moved else delay + padding + total)) > _SLACK:
        return 0, None
    return 0 if moved else delay, total
