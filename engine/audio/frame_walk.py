"""Finds a frame of an mp3, or of AAC in ADTS, by walking from header to header; ISO/IEC 11172-3 and 13818-7."""

from __future__ import annotations

from bisect import bisect_right
from contextlib import closing
from pathlib import Path
from threading import Event

from .frame_size import frame_bytes
from .read_ahead import FileView

_CHUNK = 1 << 22
_HEAD = 8
_ALIKE = {"mp": 0xFF_FE_0C, "aa": 0xFF_FE_FD}
"""Bits of the first three bytes that are the same in all frames of a file: version, layer, rate, profile."""


def frame_at(path: Path, codec: str, begin: int, number: int, ended: Event) -> int | None:
    """Where the frame of this number begins, in bytes; None if the file ends before, or if a header on the way is
    damaged or of another rate.

    Args:
        path: the file.
        codec: FFmpeg's name of it: mp1, mp2, mp3 or aac.
        begin: where frame 0 begins.
        number: of the frame, from 0.
        ended: see `FileView`.

    """
    info = path.stat()
    file = (path, info.st_size, info.st_mtime_ns, info.st_ino, begin)
    if file not in _passed:
        _passed.clear()
    passed = _passed.setdefault(file, [(0, begin)])
    with closing(FileView(path, ended)) as view:
        found = _walked(view, codec, passed, number)
    return None if ended.is_set() else found


_passed: dict[tuple[Path, int, int, int, int], list[tuple[int, int]]] = {}
"""Of the last file that was walked: numbers and places of frames on the way. A part is looked for several times."""


def _walked(view: FileView, codec: str, passed: list[tuple[int, int]], number: int) -> int | None:
    known, at = passed[bisect_right(passed, number, key=lambda frame: frame[0]) - 1]
    first = _read(view, passed[0][1], _HEAD)
    while known < number:
        chunk = _read(view, at, _CHUNK)
        length, left = (_adts if codec == "aac" else _mpeg)(chunk, codec, first, number - known)
        if length == 0:
            return None
        known, at = number - left, at + length
        if known > passed[-1][0]:
            passed.append((known, at))
    return at


def _read(view: FileView, at: int, size: int) -> bytes:
    view.seek(at)
    return view.read(size)


def _alike(codec: str, head: bytes, first: bytes) -> bool:
    return (int.from_bytes(head[:3], "big") ^ int.from_bytes(first[:3], "big")) & _ALIKE[codec[:2]] == 0


def _mpeg(chunk: bytes, codec: str, first: bytes, left: int) -> tuple[int, int]:
    """Bytes of the frames at the beginning of a chunk, and how many of `left` are left."""
    sizes = dict[bytes, int]()
    at, last = 0, len(chunk) - _HEAD
    while left and at <= last:
        head = chunk[at : at + 3]
        size = sizes.get(head)
        if size is None:
            size = frame_bytes(codec, chunk[at : at + _HEAD]) if _alike(codec, head, first) else None
            if size is None:
                break
            sizes[head] = size
        at += size
        left -= 1
    return at, left


def _adts(chunk: bytes, codec: str, first: bytes, left: int) -> tuple[int, int]:
    """Likewise. No frame may hold several blocks: the last two bits of its seven bytes are 0."""
    alike = _ALIKE[codec[:2]] << 32 | 3
    wanted = int.from_bytes(first[:7], "big") & alike
    at, last = 0, len(chunk) - _HEAD
    while left and at <= last:
        head = int.from_bytes(chunk[at : at + 7], "big")
        size = head >> 13 & 0x1FFF
        if head & alike != wanted or wanted & 3 or size < _HEAD:
            break
        at += size
        left -= 1
    return at, left
