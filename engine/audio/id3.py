"""ID3v2 tags (id3.org, versions 2.2 to 2.4), walked as FFmpeg walks them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from .read_ahead import Patch

_UNREADABLE = {2: 0x40, 3: 0, 4: 0}  # flags of tags that FFmpeg passes over: compression in 2.2
_EXTENDED, _FOOTER = 0x40, 0x10
_CHECKED = 0x7F  # bytes; the same size in seven bits a byte and in eight


@dataclass(frozen=True)
class Tag:
    """A tag: its version, 2 to 4; in bytes, where its first frame begins, and where frames and tag end."""

    version: int
    begin: int
    frames_end: int
    end: int


def seven_bits(size: bytes) -> int:
    """A number of seven bits a byte."""
    return sum((byte & 0x7F) << (7 * (3 - i)) for i, byte in enumerate(size))


def tags(file: BinaryIO, at: int) -> Iterator[Tag]:
    """The tags that follow one another from an offset in bytes on."""
    while (head := _read(file, at, 10))[:3] == b"ID3" and len(head) == 10 and head[3] < 0xFF and head[4] < 0xFF:
        version, flags = head[3], head[5]
        begin, end = at + 10, at + 10 + seven_bits(head[6:])
        readable = version in _UNREADABLE and not flags & _UNREADABLE[version]
        if version > 2 and flags & _EXTENDED:
            begin += seven_bits(_read(file, begin, 4)) + (4 if version == 3 else 0)
        at = end + (10 if version == 4 and flags & _FOOTER else 0)
        yield Tag(version, begin, end if readable else begin, at)


def hidden_pictures(file: BinaryIO, at: int) -> Iterator[Patch]:
    """Patches that give the pictures in tags another name, so that FFmpeg passes them by."""
    for tag in tags(file, at):
        for name, begin in _frames(file, tag):
            if name in (b"APIC", b"PIC"):
                yield Patch(begin, b"X")


def _frames(file: BinaryIO, tag: Tag) -> Iterator[tuple[bytes, int]]:
    """Name of every frame, and where it begins. Sizes are those in the file, also where a tag is unsynchronised."""
    letters, at = (3, tag.begin) if tag.version == 2 else (4, tag.begin)
    head_size = 6 if letters == 3 else 10
    while at + head_size <= tag.frames_end:
        head = _read(file, at, head_size)
        if len(head) < head_size or not head[:letters].isalnum():
            return
        yield head[:letters], at
        size: int | None = int.from_bytes(head[letters : 2 * letters], "big")
        if tag.version == 4 and size > _CHECKED:
            size = _true_size(file, at + 10, size, tag.frames_end)
        if size is None:
            return
        at += head_size + size


def _true_size(file: BinaryIO, begin: int, size: int, end: int) -> int | None:
    """The size of a frame of version 2.4: some write eight bits a byte. What follows tells; None if neither is true."""
    synchsafe = seven_bits(size.to_bytes(4, "big"))
    if begin + size > end or _may_follow(file, begin + synchsafe):
        return synchsafe
    return size if _may_follow(file, begin + size) else None


def _may_follow(file: BinaryIO, at: int) -> bool:
    """Whether the name of a frame, another tag or padding is there."""
    name = _read(file, at, 4)
    return name[:3] == b"ID3" or name == bytes(4) or (len(name) == 4 and name.isalnum() and name.upper() == name)


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)
