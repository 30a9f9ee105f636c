"""Comments of Ogg files (RFC 3533; Vorbis I, 5; RFC 7845, 5.2) without the pictures in them."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

from .read_ahead import Patch

_HEADS = {b"OpusHead": (b"OpusTags", b""), b"\x01vorbis": (b"\x03vorbis", b"\x01"), b"\x80theora": (b"\x81theora", b"")}
"""Begin of a stream's first packet: begin of its second one, which holds the comments, and what stands behind them."""
_PICTURES = (b"METADATA_BLOCK_PICTURE=", b"COVERART=")
_BEGINS = 2  # flag of a stream's first page
_CONTINUES = 1  # flag of a page that begins within a packet
_MOST_PAGES = 1 << 14  # of headers; some 1 GB
_MOST_COMMENTS = 1 << 16
_SMALLEST = 1 << 16  # bytes of comments; smaller ones are left alone


class _Page(NamedTuple):
    """A page: in bytes, where it, its content and the next page begin; its head, and the sizes of its segments."""

    at: int
    begin: int
    end: int
    head: bytes
    segments: bytes

    @property
    def flags(self) -> int:
        return self.head[5]

    @property
    def stream(self) -> bytes:
        return self.head[14:18]


@dataclass
class _Comments:
    """The packet of comments of one stream: its begin and end as the codec has them, and the pages that it is in.

    Attributes:
        own: how many segments of the last page are its.

    """

    mark: bytes
    tail: bytes
    pages: list[_Page] = field(default_factory=list)
    own: int = 0

    def add(self, page: _Page) -> bool:
        """Add the next page; say whether the packet ends in it."""
        self.pages.append(page)
        self.own = next((k + 1 for k, size in enumerate(page.segments) if size < 255), len(page.segments))
        return self.own > 0 and page.segments[self.own - 1] < 255

    @property
    def size(self) -> int:
        last = self.pages[-1]
        return sum(page.end - page.begin for page in self.pages[:-1]) + sum(last.segments[: self.own])


def hidden_pictures(file: BinaryIO) -> Iterator[Patch]:
    """Patches that put comments without pictures in place of the pages of those that have some."""
    for comments in _found(file):
        first, last = comments.pages[0], comments.pages[-1]
        adjoin = all(one.end == two.at for one, two in zip(comments.pages, comments.pages[1:], strict=False))
        if comments.size < _SMALLEST or first.flags & _CONTINUES or not adjoin:
            continue
        packet = _without_pictures(_Packet(file, comments), comments)
        if packet is None:
            continue
        shown = b"".join([*_pages(first.head, packet), *_rest(file, last, comments.own)])
        if len(shown) <= last.end - first.at:
            yield Patch(first.at, shown, last.end - first.at - len(shown))


def _found(file: BinaryIO) -> Iterator[_Comments]:
    """The comments of every stream of the file, as far as they are whole."""
    waiting = dict[bytes, _Comments]()
    at = 0
    for _ in range(_MOST_PAGES):
        page = _page(file, at)
        if page is None:
            return
        if page.flags & _BEGINS:
            file.seek(page.begin)
            first = file.read(8)
            if (kind := next((head for head in _HEADS if first.startswith(head)), None)) is not None:
                waiting[page.stream] = _Comments(*_HEADS[kind])
        elif (comments := waiting.get(page.stream)) is not None and comments.add(page):
            yield waiting.pop(page.stream)
        if not waiting:
            return
        at = page.end


def _page(file: BinaryIO, at: int) -> _Page | None:
    file.seek(at)
    head = file.read(27)
    if len(head) < 27 or head[:4] != b"OggS":
        return None
    segments = file.read(head[26])
    begin = at + 27 + len(segments)
    return _Page(at, begin, begin + sum(segments), head, segments)


class _Packet:
    """Reads the packet of comments in its pages, from its beginning."""

    def __init__(self, file: BinaryIO, comments: _Comments) -> None:
        self._file, self._comments = file, comments
        self._page, self._at = 0, comments.pages[0].begin

    def read(self, size: int) -> bytes:
        """The next bytes, fewer at the end."""
        return b"".join(self._move(size, kept=True))

    def skip(self, size: int) -> None:
        """Pass bytes over."""
        for _ in self._move(size, kept=False):
            pass

    def _move(self, size: int, *, kept: bool) -> Iterator[bytes]:
        pages = self._comments.pages
        while size > 0 and self._page < len(pages):
            page = pages[self._page]
            own = self._comments.own if self._page == len(pages) - 1 else len(page.segments)
            part = min(size, page.begin + sum(page.segments[:own]) - self._at)
            if kept:
                self._file.seek(self._at)
                yield self._file.read(part)
            self._at += part
            size -= part
            if size > 0:
                self._page += 1
                self._at = pages[self._page].begin if self._page < len(pages) else self._at


def _without_pictures(packet: _Packet, comments: _Comments) -> bytes | None:
    """The packet without its pictures; None if it has none, or is not what it should be."""
    left = comments.size - len(comments.mark)
    if packet.read(len(comments.mark)) != comments.mark or (vendor := _text(packet, left)) is None:
        return None
    left -= len(vendor)
    count = int.from_bytes(packet.read(4), "little")
    if count > _MOST_COMMENTS:
        return None
    kept = list[bytes]()
    for _ in range(count):
        text = _text(packet, left, _PICTURES)
        if text is None:
            return None
        kept += [text] if text else []
    if len(kept) == count:
        return None
    return b"".join([comments.mark, vendor, struct.pack("<I", len(kept)), *kept, comments.tail])


def _text(packet: _Packet, most: int, leave_out: Sequence[bytes] = ()) -> bytes | None:
    """A text with its length in front; empty if it begins like one that is left out; None if it is too long."""
    head = packet.read(4)
    length = int.from_bytes(head, "little")
    if len(head) < 4 or length > most:
        return None
    begin = packet.read(min(length, 32))
    if any(begin.upper().startswith(name) for name in leave_out):
        packet.skip(length - len(begin))
        return b""
    return head + begin + packet.read(length - len(begin))


def _pages(head: bytes, packet: bytes) -> Iterator[bytes]:
    """Pages with one packet and nothing else, of the stream whose page has this head."""
    sizes = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
    at = 0
    for k in range(0, len(sizes), 255):
        segments = sizes[k : k + 255]
        content = packet[at : at + sum(segments)]
        at += len(content)
        ended = segments[-1] < 255
        position = bytes(8) if ended else b"\xff" * 8  # -1: no packet ends here
        yield _written(bytes([_CONTINUES if k else 0]) + position + head[14:22], segments, content)


def _rest(file: BinaryIO, last: _Page, own: int) -> Iterator[bytes]:
    """What other packets have of the last page, as a page of its own."""
    if own == len(last.segments):
        return
    file.seek(last.begin + sum(last.segments[:own]))
    segments = last.segments[own:]
    yield _written(bytes([last.flags & ~_CONTINUES]) + last.head[6:22], segments, file.read(sum(segments)))


def _written(head: bytes, segments: bytes, content: bytes) -> bytes:
    """A page of flags, position, stream and number, with its checksum."""
    begin, end = b"OggS\0" + head, bytes([len(segments)]) + segments + content
    return begin + struct.pack("<I", _checksum(begin + bytes(4) + end)) + end


def _row(value: int) -> int:
    value <<= 24
    for _ in range(8):
        value = (value << 1) ^ (0x104C11DB7 if value & 1 << 31 else 0)
    return value


_ROWS = [_row(value) for value in range(256)]


def _checksum(data: bytes) -> int:
    """RFC 3533's: the CRC of 32 bits with the polynomial 0x04c11db7, from 0 on, most significant bit first."""
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFFFFFF) ^ _ROWS[value >> 24 ^ byte]
    return value
