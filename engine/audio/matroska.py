"""Elements of Matroska and WebM files (EBML, RFC 8794; Matroska, RFC 9559)."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO, NamedTuple

from .read_ahead import Patch

_EBML, _SEGMENT, _CLUSTER, _TRACKS = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0x1654AE6B
_SEEK_HEAD, _SEEK, _SEEK_ID, _SEEK_POSITION = 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC
_ATTACHMENTS, _TRACK, _CODEC_DELAY = 0x1941A469, 0xAE, 0x56AA
_LONGEST = 1 << 20  # bytes of a header that are read
_MOST = 1000  # elements in front of the first cluster; a file has some ten


class Element(NamedTuple):
    """An element of a file: its identity; in bytes, where it and its content begin, and where it ends."""

    identity: int
    at: int
    begin: int
    end: int


def codec_delay(path: Path, index: int) -> Fraction:
    """Matroska's CodecDelay of the track with this index, in seconds; 0 if its header states none."""
    with path.open("rb") as file:
        found = _tracks(file)
    entries = [body for name, body in _elements(found) if name == _TRACK]
    if index >= len(entries):
        return Fraction(0)
    delays = [body for name, body in _elements(entries[index]) if name == _CODEC_DELAY]
    return Fraction(int.from_bytes(delays[0], "big"), 10**9) if delays else Fraction(0)


def _tracks(file: BinaryIO) -> bytes:
    """The content of Tracks; empty if that does not come before the first cluster."""
    found = next((one for one in _header(file) if one.identity == _TRACKS), None)
    return b"" if found is None else _content(file, found)


def hidden_attachments(file: BinaryIO) -> Iterator[Patch]:
    """Patches that make the attachments, such as covers and fonts, Void elements: FFmpeg passes these by."""
    header = [*_header(file)]
    segment = next((one for one in header if one.identity == _SEGMENT), None)
    if segment is None:
        return
    heads = [one for one in header if one.identity == _SEEK_HEAD]
    found = {one.at: one for one in header if one.identity == _ATTACHMENTS}
    for head in heads:  # which may lead to others
        for identity, position in _places(_content(file, head)):
            one = _element(file, segment.begin + position)
            if one is None or one.identity != identity:
                continue
            if identity == _ATTACHMENTS:
                found[one.at] = one
            elif identity == _SEEK_HEAD and one not in heads and len(heads) < _MOST:
                heads.append(one)
    yield from (Patch(one.at, _void(one.end - one.at)) for one in found.values() if one.end >= one.at + 9)


def _void(size: int) -> bytes:
    """The head of a Void element of `size` bytes in all, 9 at least."""
    return b"\xec\x01" + (size - 9).to_bytes(7, "big")


def _places(head: bytes) -> Iterator[tuple[int, int]]:
    """(identity, offset from the begin of the segment) of every element that a SeekHead lists."""
    for name, entry in _elements(head):
        if name == _SEEK:
            parts = dict(_elements(entry))
            identity, position = (parts.get(part, b"") for part in (_SEEK_ID, _SEEK_POSITION))
            yield int.from_bytes(identity, "big"), int.from_bytes(position, "big")


def _header(file: BinaryIO) -> Iterator[Element]:
    """The segment and the elements in it that come before the first cluster."""
    at = 0
    for _ in range(_MOST):
        one = _element(file, at)
        if one is None or one.identity == _CLUSTER:
            return
        yield one
        at = one.begin if one.identity == _SEGMENT else one.end


def _element(file: BinaryIO, at: int) -> Element | None:
    if at >= file.seek(0, 2):
        return None
    file.seek(at)
    head = file.read(12)
    name, name_size = _identity(head)
    size, size_bytes = _size(head[name_size:])
    if not name_size or not size_bytes:
        return None
    begin = at + name_size + size_bytes
    return Element(name, at, begin, begin + size)


def _content(file: BinaryIO, one: Element) -> bytes:
    file.seek(one.begin)
    return file.read(min(one.end - one.begin, _LONGEST))


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    """(identity, content) of every element in `data`."""
    found, at = [], 0
    while at < len(data):
        name, name_size = _identity(data[at : at + 4])
        size, size_bytes = _size(data[at + name_size : at + name_size + 8])
        if not name_size or not size_bytes:
            break
        at += name_size + size_bytes
        found.append((name, data[at : at + size]))
        at += size
    return found


def _identity(head: bytes) -> tuple[int, int]:
    length = 9 - head[0].bit_length() if head else 9
    return (int.from_bytes(head[:length], "big"), length) if length <= min(4, len(head)) else (0, 0)


def _size(head: bytes) -> tuple[int, int]:
    length = 9 - head[0].bit_length() if head else 9
    if not 1 <= length <= min(8, len(head)):
        return 0, 0
    return int.from_bytes(head[:length], "big") & ((1 << 7 * length) - 1), length
