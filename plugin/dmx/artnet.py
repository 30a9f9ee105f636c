"""Packets of Art-Net 4: levels (ArtDmx), the question who is there (ArtPoll), and the answer to it (ArtPollReply)."""

from __future__ import annotations

import socket
import struct

from .levels import CHANNELS, Levels, NotDmx

PORT = 6454
UNIVERSES = 1 << 15
"""Port-Addresses: of 7 bits of net, 4 of sub-net and 4 of universe."""
_ID = b"Art-Net\0"
_POLL, _POLL_REPLY, _DMX = 0x2000, 0x2100, 0x5000
_VERSION = 14
_HEAD = struct.Struct("<8sH")
_LEVELS = struct.Struct(">BBBBBBH")  # version (2), sequence, physical port, low and high byte of the universe, length
_NO_MAKER, _NO_MODEL = 0x7FF0, 0x00FF
"""What the specification has for makers and models without a number of their own."""
_NODE_REPORT = "#0001 [0000] it listens"


def pack_levels(universe: int, sequence: int, values: bytes) -> bytes:
    """ArtDmx. sequence: 1 to 255, or 0 for none. values: an even number of levels, up to CHANNELS."""
    head = _HEAD.pack(_ID, _DMX) + _LEVELS.pack(0, _VERSION, sequence, 0, universe & 255, universe >> 8, len(values))
    return head + values


def is_poll(datagram: bytes) -> bool:
    """Whether it is an ArtPoll."""
    return datagram[: _HEAD.size] == _HEAD.pack(_ID, _POLL)


def parse(datagram: bytes, sender: str) -> Levels | None:
    """Read an ArtDmx.

    Args:
        datagram: as it came.
        sender: its address, which stands for the source.

    Returns:
        the levels; None for other packets of Art-Net.

    Raises:
        NotDmx: it is no Art-Net, or cut short.

    """
    if datagram[:8] != _ID or len(datagram) < _HEAD.size:
        raise NotDmx("no Art-Net")
    if _HEAD.unpack_from(datagram)[1] != _DMX:
        return None
    if len(datagram) < _HEAD.size + _LEVELS.size:
        raise NotDmx("an ArtDmx that is cut short")
    _, _, sequence, _, low, high, length = _LEVELS.unpack_from(datagram, _HEAD.size)
    values = datagram[_HEAD.size + _LEVELS.size :]
    if not 0 < length <= CHANNELS or len(values) < length:
        raise NotDmx("an ArtDmx of a wrong length")
    universe = (high & 0x7F) << 8 | low
    return Levels(universe, sender, sender, sequence or None, values[:length])


def pack_poll_reply(address: str, universe: int, name: str) -> bytes:
    """ArtPollReply of a node with one output, the universe that it listens to.

    Args:
        address: IPv4 address of this machine.
        universe: Port-Address.
        name: of the show.

    """
    listening, output, by_net_and_subnet = 0x80, 0x80, 0x08
    reply = _HEAD.pack(_ID, _POLL_REPLY) + socket.inet_aton(address) + struct.pack("<H", PORT)
    reply += struct.pack(">HBBHBB", 0, universe >> 8, universe >> 4 & 15, _NO_MODEL, 0, 0)
    reply += struct.pack("<H", _NO_MAKER) + _text("sonorama", 18) + _text(f"sonorama {name}", 64)
    reply += _text(_NODE_REPORT, 64) + struct.pack(">H", 1)
    reply += bytes([output, 0, 0, 0]) + bytes(4) + bytes([listening, 0, 0, 0])
    reply += bytes(4) + bytes([universe & 15, 0, 0, 0]) + bytes(7)  # universes in and out; obsolete; style: a node
    reply += bytes(6) + socket.inet_aton(address) + bytes([1, by_net_and_subnet])
    return reply + bytes(26)


def _text(text: str, size: int) -> bytes:
    """ASCII, ended by a zero byte."""
    return text.encode("ascii", "replace")[: size - 1].ljust(size, b"\0")
