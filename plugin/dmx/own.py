"""Packets that this process sends itself: a show must not be played by the levels of its own lamps."""

from __future__ import annotations

import socket

_PORTS: set[int] = set()


def open_sender() -> socket.socket:
    """A non-blocking UDP socket whose packets `is_own` knows, until `close_sender`."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setblocking(False)
    one.bind(("", 0))
    _PORTS.add(one.getsockname()[1])
    return one


def close_sender(one: socket.socket) -> None:
    """Close it."""
    _PORTS.discard(one.getsockname()[1])
    one.close()


def is_own(sender: tuple[str, int]) -> bool:
    """Whether a packet from this IPv4 address and port was sent by a socket of `open_sender`."""
    return sender[1] in _PORTS and own_address(sender[0]) == sender[0]


def own_address(peer: str) -> str:
    """The IPv4 address of this machine by which another one reaches it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((peer, 9))
        return str(probe.getsockname()[0])
