"""Validates OSC datagrams before they are parsed: complete, within limits, and free of what hangs or crashes parsers.

Nothing here recurses or backtracks, so the time for a packet is linear in its length.
"""

from __future__ import annotations

from collections.abc import Sequence

LARGEST, DEPTH, ELEMENTS, ARGUMENTS, STARS, LONGEST_ADDRESS = 65_507, 4, 256, 256, 8, 255
"""Limits: bytes of a datagram, nested bundles, elements of all bundles, arguments, stars and bytes of an address."""

_BUNDLE = b"#bundle\x00"
_SIZES = {ord("i"): 4, ord("f"): 4, ord("h"): 8, ord("d"): 8, **dict.fromkeys(b"TFNI", 0)}
# python-osc misreads these types: a symbol is replaced by a string, and an impulse by a nil, which has no data either.
_READ_AS = {ord("S"): ord("s"), ord("I"): ord("N")}


def clean(datagram: bytes) -> bytes | None:
    """Return the datagram, safe to parse; None if it is malformed, too large or too deeply nested.

    Symbols (`S`) are replaced by strings and impulses (`I`) by nil (`N`). Argument types other than `ifdhTFsSNIb` are
    treated as malformed.
    """
    if not 4 <= len(datagram) <= LARGEST or len(datagram) % 4:
        return None
    seen, misread = 0, list[int]()
    waiting = [(0, len(datagram), 1)]
    while waiting:
        start, stop, depth = waiting.pop()
        if datagram.startswith(_BUNDLE, start, stop):
            parts = _elements(datagram, start, stop)
            if parts is None or depth > DEPTH or (seen := seen + len(parts)) > ELEMENTS:
                return None
            waiting += [(begin, end, depth + 1) for begin, end in parts]
        elif not _message(datagram, start, stop, misread):
            return None
    return _corrected(datagram, misread) if misread else datagram


def _corrected(datagram: bytes, misread: Sequence[int]) -> bytes:
    copy = bytearray(datagram)
    for place in misread:
        copy[place] = _READ_AS[copy[place]]
    return bytes(copy)


def _elements(data: bytes, start: int, stop: int) -> list[tuple[int, int]] | None:
    """Start and end of each element of a bundle."""
    parts = list[tuple[int, int]]()
    at = start + 16
    while at < stop and len(parts) <= ELEMENTS:
        size = int.from_bytes(data[at : at + 4], "big", signed=True)
        at += 4
        if size <= 0 or size % 4 or size > stop - at:
            return None
        parts.append((at, at + size))
        at += size
    return parts if at <= stop else None


def _message(data: bytes, start: int, stop: int, misread: list[int]) -> bool:
    """Whether data[start:stop] is a message; collects the positions of type tags that python-osc misreads."""
    end = data.find(b"\x00", start, stop)
    if data[start] != 0x2F or end < 0 or end - start > LONGEST_ADDRESS:
        return False
    address = data[start:end]
    if not address.isascii() or address.count(b"*") > STARS:
        return False
    at = _padded(start, end)
    if at == stop:
        return True  # a message without type tags has no arguments
    end = data.find(b"\x00", at, stop)
    if end < 0 or data[at] != 0x2C or end - at - 1 > ARGUMENTS:
        return False
    misread += [place for place in range(at + 1, end) if data[place] in _READ_AS]
    return _arguments(data, data[at + 1 : end], _padded(at, end), stop)


def _padded(start: int, end: int) -> int:
    """Offset of the field after a string that starts at `start` and whose first zero byte is at `end`."""
    return end + 4 - (end - start) % 4


def _arguments(data: bytes, tags: bytes, at: int, stop: int) -> bool:
    for tag in tags:
        size = _SIZES.get(tag)
        if size is None:
            size = _long(data, tag, at, stop)
        if size < 0 or at + size > stop:
            return False
        at += size
    return at == stop


def _long(data: bytes, tag: int, at: int, stop: int) -> int:
    """Size in bytes of a string or blob with its padding; -1 for other types and invalid data."""
    if tag in b"sS":
        end = data.find(b"\x00", at, stop)
        return _padded(at, end) - at if end >= 0 and _is_text(data[at:end]) else -1
    if tag == 0x62 and at + 4 <= stop:
        size = int.from_bytes(data[at : at + 4], "big", signed=True)
        return 4 + size + -size % 4 if size >= 0 else -1
    return -1


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


SPECIAL = frozenset("*?[]{}")
"""Characters that make an address a pattern."""

_Token = str | tuple[str, ...] | tuple[bool, frozenset[str]]


def matches(pattern: str, address: str) -> bool:
    """Whether an OSC address pattern (`*` `?` `[a-z]` `[!a]` `{in,out}`, none across a `/`) matches the address.

    A pattern with an unclosed `[` or `{` matches nothing.
    """
    parts, names = pattern.split("/"), address.split("/")
    return len(parts) == len(names) and all(map(part_matches, parts, names))


def part_matches(pattern: str, name: str) -> bool:
    """Like `matches`, for one part of an address between slashes.

    Tracks the set of positions in `name` that the pattern can have reached: steps <= tokens x len(name).
    """
    if SPECIAL.isdisjoint(pattern):
        return pattern == name
    tokens = _tokens(pattern)
    reached = {0} if tokens is not None else set[int]()
    for token in tokens or ():
        if not reached:
            break
        reached = _reach(token, name, reached)
    return len(name) in reached


def _reach(token: _Token, name: str, reached: set[int]) -> set[int]:
    if token == "*":  # noqa: S105 - a star, not a secret
        return set(range(min(reached), len(name) + 1))
    if isinstance(token, str):
        return {at + 1 for at in reached if at < len(name) and token in ("?", name[at])}
    if isinstance(token[0], bool):
        unlike, letters = token
        return {at + 1 for at in reached if at < len(name) and (name[at] in letters) != unlike}
    words = [word for word in token if isinstance(word, str)]
    return {at + len(word) for at in reached for word in words if name.startswith(word, at)}


def _tokens(pattern: str) -> list[_Token] | None:
    """Tokens: `*`, `?`, letters, ("words", "in", "braces"), (negated, letters in brackets); None if one is unclosed."""
    tokens, at = list[_Token](), 0
    while at < len(pattern):
        letter = pattern[at]
        if letter in "[{":
            end = pattern.find("]" if letter == "[" else "}", at + 1)
            if end < 0:
                return None
            inside = pattern[at + 1 : end]
            tokens.append(_letters(inside) if letter == "[" else tuple(inside.split(",")))
            at = end
        elif letter in "]}":
            return None
        else:
            tokens.append(letter)
        at += 1
    return tokens


def _letters(inside: str) -> tuple[bool, frozenset[str]]:
    unlike = inside.startswith("!")
    rest, letters, at = inside[unlike:], set[str](), 0
    while at < len(rest):
        if rest[at + 1 : at + 2] == "-" and at + 2 < len(rest):
            letters.update(map(chr, range(ord(rest[at]), ord(rest[at + 2]) + 1)))
            at += 3
        else:
            letters.add(rest[at])
            at += 1
    return unlike, frozenset(letters)
