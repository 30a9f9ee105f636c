"""Covers in sound files: which bytes to read otherwise, so that FFmpeg passes pictures by and does not load them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .mp4_boxes import tag_boxes

_LARGE = 1 << 20  # bytes of file; in smaller ones a cover is no burden


def hidden_covers(path: Path) -> list[tuple[int, bytes]]:
    """Patches (see `FileView`) that rename the covers of mp3 and AAC (ID3v2), FLAC and mp4 to what players skip."""
    if path.stat().st_size < _LARGE:
        return []
    with path.open("rb") as file:
        head = file.read(10)
        if head[:3] == b"ID3" and head[3] in (3, 4) and not head[5]:
            return list(_id3(file, head[3], _seven_bits(head[6:10])))
        if head[:4] == b"fLaC":
            return list(_flac(file))
        if head[4:8] != b"ftyp":
            return []
        return [(box.at + 4, b"free") for box in tag_boxes(file, 0, path.stat().st_size) if box.name == b"covr"]


def _seven_bits(size: bytes) -> int:
    return sum((byte & 0x7F) << (7 * (3 - i)) for i, byte in enumerate(size))


def _id3(file: BinaryIO, version: int, size: int) -> Iterator[tuple[int, bytes]]:
    at, end = 10, 10 + size
    while at + 10 <= end:
        file.seek(at)
        head = file.read(10)
        if not head[:4].isalnum():
            return
        if head[:4] == b"APIC":
            yield at, b"XPIC"
        at += 10 + (_seven_bits(head[4:8]) if version == 4 else int.from_bytes(head[4:8], "big"))


def _flac(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    at, last = 4, 0
    while not last:
        file.seek(at)
        head = file.read(4)
        if len(head) < 4:
            return
        last = head[0] & 0x80
        if head[0] & 0x7F == 6:  # PICTURE becomes PADDING
            yield at, bytes([last | 1])
        at += 4 + int.from_bytes(head[1:], "big")
