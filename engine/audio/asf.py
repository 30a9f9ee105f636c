"""Objects in the headers of WMA and WMV files (Advanced Systems Format, revision 01.20.05)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from . import id3
from .read_ahead import Patch

HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_EXTENSION = bytes.fromhex("b503bf5f2ea9cf118ee300c00c205365")
_LIBRARIES = tuple(
    bytes.fromhex(identity) for identity in ("941c23449894d149a1411d134e457054", "eacbf8c5af5b77488467aa8c44fa4cca")
)
"""The metadata library and the metadata object, whose records are alike."""
_HEADER_SIZE, _EXTENSION_SIZE, _OBJECT_SIZE = 30, 46, 24  # bytes in front of what is within
_PICTURE, _ID3 = "WM/Picture".encode("utf-16-le"), "ID3".encode("utf-16-le")
_MOST_OBJECTS = 1000


def hidden_pictures(file: BinaryIO) -> Iterator[Patch]:
    """Patches that give the pictures another name, so that FFmpeg passes them by.

    Pictures in the extended content description, of 64 KiB at most, stay.
    """
    file.seek(0)
    head = file.read(_HEADER_SIZE)
    at, end = _HEADER_SIZE, int.from_bytes(head[16:24], "little")
    for _ in range(_MOST_OBJECTS):
        if head[:16] != HEADER or at + _OBJECT_SIZE > min(end, file.seek(0, 2)):
            return
        file.seek(at)
        identity, size = file.read(16), int.from_bytes(file.read(8), "little")
        if identity in _LIBRARIES:
            yield from _of_records(file, at + _OBJECT_SIZE, at + size)
        if size < _OBJECT_SIZE:
            return
        at += _EXTENSION_SIZE if identity == _EXTENSION else size


def _of_records(file: BinaryIO, at: int, end: int) -> Iterator[Patch]:
    file.seek(at)
    count = int.from_bytes(file.read(2), "little")
    at += 2
    for _ in range(count):
        if at + 12 > end:
            return
        file.seek(at)
        head = file.read(12)
        name_size, size = int.from_bytes(head[4:6], "little"), int.from_bytes(head[8:12], "little")
        name = file.read(name_size).removesuffix(bytes(2))
        if name == _PICTURE:
            yield Patch(at + 12, b"X")
        elif name == _ID3:
            yield from id3.hidden_pictures(file, at + 12 + name_size)
        at += 12 + name_size + size
