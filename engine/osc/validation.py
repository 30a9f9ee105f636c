"""Splits OSC datagrams into messages before they are parsed: each complete, within limits, and free of what hangs or
crashes parsers. Each message has its own verdict: one that is refused costs its neighbours nothing.

Nothing here recurses, so the time for a datagram is linear in its length.
"""

from __future__ import annotations

from typing import NamedTuple

LARGEST, DEPTH, ARGUMENTS, STARS, LONGEST_ADDRESS = 65_507, 4, 256, 8, 255
"""Limits: bytes of a datagram, nested bundles, arguments, stars and bytes of an address."""
TAGS = "ifhdTFsSNIb"
"""Argument types that are read."""

_BUNDLE = b"#bundle\x00"
_SIZES = {ord("i"): 4, ord("f"): 4, ord("h"): 8, ord("d"): 8, **dict.fromkeys(b"TFNI", 0)}
# python-osc misreads these types: a symbol is replaced by a string, and an impulse by a nil, which has no data either.
_READ_AS = {ord("S"): ord("s"), ord("I"): ord("N")}
_NTP_EPOCH = 2_208_988_800
"""Seconds from 1900, where time tags begin, to 1970."""


class RawMessage(NamedTuple):
    """A message that is safe to parse, and the time to act: seconds since 1970, or 0 for at once."""

    data: bytes
    at: float


class Refusal(NamedTuple):
    """A message, or a part of a datagram, that is refused. address and tags: as far as they can be read, else empty."""

    address: str
    tags: str
    reason: str


class Contents(NamedTuple):
    """What a datagram holds, in order."""

    messages: list[RawMessage]
    refused: list[Refusal]


def unpack(datagram: bytes) -> Contents:
    """All messages of a datagram, and what is refused of it.

    Symbols (`S`) are replaced by strings and impulses (`I`) by nil (`N`). Argument types other than TAGS are refused.
    """
    contents = Contents([], [])
    if not 4 <= len(datagram) <= LARGEST or len(datagram) % 4:
        contents.refused.append(Refusal("", "", f"{len(datagram)} bytes are no OSC packet"))
        return contents
    waiting = [(0, len(datagram), 1, 0.0)]
    while waiting:
        start, stop, depth, at = waiting.pop()
        if not datagram.startswith(_BUNDLE, start, stop):
            _add_message(datagram[start:stop], at, contents)
        elif depth > DEPTH:
            contents.refused.append(Refusal("", "", f"a bundle is inside {DEPTH} others"))
        else:
            parts, whole = _elements(datagram, start, stop)
            when = _time(datagram[start + 8 : start + 16])
            waiting += [(begin, end, depth + 1, when) for begin, end in reversed(parts)]
            if not whole:
                contents.refused.append(Refusal("", "", "a bundle gives a wrong size; what follows in it is lost"))
    return contents


def _time(tag: bytes) -> float:
    """Seconds since 1970 of a time tag; 0 for "immediately"."""
    number = int.from_bytes(tag, "big")
    return 0.0 if number == 1 else number / 2**32 - _NTP_EPOCH


def _elements(data: bytes, start: int, stop: int) -> tuple[list[tuple[int, int]], bool]:
    """Start and end of each element of a bundle, up to the first of a wrong size; and whether there is none such."""
    parts = list[tuple[int, int]]()
    at = start + 16
    while at < stop:
        size = int.from_bytes(data[at : at + 4], "big", signed=True)
        at += 4
        if size <= 0 or size % 4 or size > stop - at:
            return parts, False
        parts.append((at, at + size))
        at += size
    return parts, at == stop


def _add_message(data: bytes, at: float, contents: Contents) -> None:
    head = data.find(b"\x00")
    address = data[:head] if head >= 0 else data
    after = _padded(0, head)
    end = data.find(b"\x00", after)
    tags = data[after:end]  # empty: a message without type tags has no arguments
    reason = _why_no_address(address, head) or (after < len(data) and _why_no_arguments(data, tags, after, end))
    if reason:
        readable = address.startswith(b"/") and head >= 0
        text = (address.decode("ascii", "replace"), tags.decode("ascii", "replace")) if readable else ("", "")
        contents.refused.append(Refusal(*text, reason))
        return
    if any(tag in tags for tag in b"SI"):
        corrected = bytes(_READ_AS.get(tag, tag) for tag in tags)
        data = data[:after] + corrected + data[after + len(tags) :]
    contents.messages.append(RawMessage(data, at))


def _why_no_address(address: bytes, end: int) -> str:
    """Why an address is refused; empty if it is not."""
    if not address.startswith(b"/") or end < 0:
        return "it is no OSC message, which begins with a slash"
    if not address.isascii():
        return "its address is not ASCII"
    if len(address) > LONGEST_ADDRESS:
        return f"its address has more than {LONGEST_ADDRESS} characters"
    return f"its address has more than {STARS} stars" if address.count(b"*") > STARS else ""


def _padded(start: int, end: int) -> int:
    """Offset of the field after a string that starts at `start` and whose first zero byte is at `end`."""
    return end + 4 - (end - start) % 4


def _why_no_arguments(data: bytes, tags: bytes, start: int, end: int) -> str:
    """Why the arguments of a message are refused; empty if they are not. start, end: of its type tags."""
    if end < 0 or not tags.startswith(b","):
        return "it has arguments without type tags"
    if len(tags) - 1 > ARGUMENTS:
        return f"it has more than {ARGUMENTS} arguments"
    at = _padded(start, end)
    for tag in tags[1:]:
        size = _SIZES.get(tag)
        if size is None:
            size = _long(data, tag, at)
        if size < 0 or at + size > len(data):
            known = chr(tag) in TAGS
            return "its data do not fit its type tags" if known else f"its type tag {chr(tag)!a} is none of {TAGS}"
        at += size
    return "" if at == len(data) else "it is longer than its type tags say"


def _long(data: bytes, tag: int, at: int) -> int:
    """Size in bytes of a string or blob with its padding; -1 for other types and invalid data."""
    if tag in b"sS":
        end = data.find(b"\x00", at)
        return _padded(at, end) - at if end >= 0 and _is_text(data[at:end]) else -1
    if tag == 0x62 and at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big", signed=True)
        return 4 + size + -size % 4 if size >= 0 else -1
    return -1


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
