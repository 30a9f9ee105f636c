"""Packets of sACN (ANSI E1.31): the levels of one universe."""

from __future__ import annotations

import struct
import uuid

from .levels import CHANNELS, Levels, NotDmx

PORT = 5568
UNIVERSES = range(1, 64_000)
PRIORITIES = range(201)
_IDENTIFIER = b"ASC-E1.17\0\0\0"
_ROOT_DATA, _FRAMING_DATA, _SET_PROPERTY = 4, 2, 2
_PREVIEW, _TERMINATED = 0x80, 0x40
_HEAD = struct.Struct(">HH12sHI16sHI64sBHBBHHBBHHHB")
"""Root layer (preamble, postamble, identifier, length, vector, CID), framing layer (length, vector, source name,
priority, synchronization universe, sequence, options, universe) and DMP layer (length, vector, address and data type,
first address, increment, count of properties, start code)."""
_FLAGS = 0x7000
_LENGTH = 0x0FFF


def group(universe: int) -> str:
    """The multicast address of a universe."""
    return f"239.255.{universe >> 8}.{universe & 255}"


def pack_levels(
    universe: int, sequence: int, values: bytes, cid: uuid.UUID, name: str, priority: int, ended: bool = False
) -> bytes:
    """A data packet.

    Args:
        universe: of UNIVERSES.
        sequence: 0 to 255.
        values: up to CHANNELS levels.
        cid: identifies the sender.
        name: of the sender.
        priority: of PRIORITIES.
        ended: the sender sends no more.

    """
    size = _HEAD.size + len(values)
    head = _HEAD.pack(
        0x10, 0, _IDENTIFIER, _FLAGS | size - 16, _ROOT_DATA, cid.bytes,
        _FLAGS | size - 38, _FRAMING_DATA, _name(name), priority, 0, sequence, _TERMINATED if ended else 0, universe,
        _FLAGS | size - 115, _SET_PROPERTY, 0xA1, 0, 1, len(values) + 1, 0,
    )  # fmt: skip
    return head + values


def parse(datagram: bytes) -> Levels | None:
    """Read a data packet.

    Returns:
        the levels; None for packets of other kinds, for previews, and for start codes other than 0.

    Raises:
        NotDmx: it is no sACN, or cut short.

    """
    if len(datagram) < 38 or datagram[4:16] != _IDENTIFIER:
        raise NotDmx("no sACN")
    if struct.unpack_from(">I", datagram, 18)[0] != _ROOT_DATA:
        return None
    if len(datagram) < _HEAD.size:
        raise NotDmx("a packet that is cut short")
    fields = _HEAD.unpack_from(datagram)
    cid, framing, name, priority, sequence, options, universe = (fields[at] for at in (5, 7, 8, 9, 11, 12, 13))
    dmp, kind, first, increment, count, start_code = fields[15:]
    if framing != _FRAMING_DATA or options & _PREVIEW or start_code:
        return None
    values = datagram[_HEAD.size : _HEAD.size + count - 1]
    if (dmp, kind, first, increment) != (_SET_PROPERTY, 0xA1, 0, 1) or not 0 < count <= CHANNELS + 1:
        raise NotDmx("a packet of an unknown form")
    if len(values) < count - 1 or universe not in UNIVERSES:
        raise NotDmx("a packet of a wrong length or universe")
    source = name.split(b"\0")[0].decode("utf-8", "replace")
    return Levels(universe, cid, source, sequence, values, min(priority, 200), bool(options & _TERMINATED))


def _name(name: str) -> bytes:
    """UTF-8 of at most 63 bytes and a zero byte, not cut within a character."""
    return name.encode()[:63].decode("utf-8", "ignore").encode().ljust(64, b"\0")
