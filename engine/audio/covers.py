"""Covers in sound files: what to read otherwise, so that FFmpeg passes pictures by and does not load them.

Tags beside the pictures stay. Pictures in APEv2 tags, which FFmpeg limits to 16 MB, and in FLAC in Ogg are loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from . import asf, id3, matroska, ogg_comments
from .mp4_boxes import tag_boxes
from .read_ahead import Patch
from .riff import SIZED, chunks, open_size

_LARGE = 1 << 20  # bytes of file; in smaller ones a cover is no burden
_CHUNKED = {b"RIFF": SIZED["wav"], b"RF64": SIZED["wav"], b"FORM": (12, ">I", False)}
_PICTURE, _PADDING = 6, 1  # blocks of FLAC


def hidden_covers(path: Path) -> list[Patch]:
    """Patches that give the covers of a file a name that FFmpeg does not know: of mp3, AAC, wav, aiff and dsf (ID3v2),
    FLAC, mp4, Matroska, ASF, and Opus, Vorbis and Theora in Ogg.
    """
    size = path.stat().st_size
    if size < _LARGE:
        return []
    with path.open("rb") as file:
        begin = max((tag.end for tag in id3.tags(file, 0)), default=0)
        file.seek(begin)
        head = file.read(28)
        return [*id3.hidden_pictures(file, 0), *_of_format(path, file, begin, head)]


def _of_format(path: Path, file: BinaryIO, begin: int, head: bytes) -> Iterator[Patch]:
    """The patches of a file whose sound begins, behind tags, with these bytes."""
    size = path.stat().st_size
    if head[:4] == b"fLaC":
        yield from _flac(file, begin)
    elif head[:4] in _CHUNKED:
        yield from _chunked(file, size, *_CHUNKED[head[:4]], until_data=bool(open_size(path)))
    elif head[4:8] == b"ftyp":
        yield from (Patch(box.at + 4, b"free") for box in tag_boxes(file, 0, size) if box.name == b"covr")
    elif head[:4] == b"\x1a\x45\xdf\xa3":
        yield from matroska.hidden_attachments(file)
    elif head[:4] == b"OggS":
        yield from ogg_comments.hidden_pictures(file)
    elif head[:16] == asf.HEADER:
        yield from asf.hidden_pictures(file)
    elif head[:4] == b"DSD ":
        yield from id3.hidden_pictures(file, min(int.from_bytes(head[20:28], "little"), size))


def _flac(file: BinaryIO, begin: int) -> Iterator[Patch]:
    at, last = begin + 4, 0
    while not last:
        file.seek(at)
        head = file.read(4)
        if len(head) < 4:
            return
        last = head[0] & 0x80
        if head[0] & 0x7F == _PICTURE:
            yield Patch(at, bytes([last | _PADDING]))
        at += 4 + int.from_bytes(head[1:], "big")


def _chunked(
    file: BinaryIO, size: int, start: int, size_format: str, counts_itself: bool, *, until_data: bool
) -> Iterator[Patch]:
    for name, begin, end in chunks(file, size, start, size_format, counts_itself):
        if name.upper() == b"ID3 ":
            yield from id3.hidden_pictures(file, begin)
        elif name in (b"data", b"SSND") and (until_data or not begin < end <= size):
            return  # FFmpeg looks for nothing behind it, where its size is left open
