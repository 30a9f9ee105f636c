"""Hears whether other programs use Link, without taking part.

Who joins a session that is older takes over its tempo. A show that was the first one would therefore force its tempo
on whoever comes; so it waits until it hears somebody, and joins later.
"""

from __future__ import annotations

import contextlib
import socket

import psutil

from sonorama.engine.errors import SonoramaError

GROUP, PORT = "224.76.78.75", 20_808
"""Where Link's programs announce themselves, four times a second."""
_ALIVE = b"_asdp_v\x01\x01"
"""Beginning of an announcement: protocol, version, and the kind of message."""

_BREAK_S = 1.5
"""Seconds without an announcement after which nobody is there."""


class Presence:
    """Listens on all IPv4 networks of this machine until `close`.

    Raises:
        SonoramaError: the port cannot be opened.

    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(AttributeError, OSError):  # not on Windows, where the one above is enough
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            self._socket.bind(("", PORT))
        except OSError as error:
            self._socket.close()
            message = f"Ableton Link's port {PORT} cannot be opened: {error.strerror}"
            raise SonoramaError(message, "End the program that has it for itself.") from error
        self._joined: set[str] = set()
        self._first = self._last = float("-inf")
        self.look_for_networks()

    def look_for_networks(self) -> None:
        """Listen on networks that came since, too."""
        for addresses in psutil.net_if_addrs().values():
            for one in addresses:
                if one.family == socket.AF_INET and one.address not in self._joined:
                    group = socket.inet_aton(GROUP) + socket.inet_aton(one.address)
                    with contextlib.suppress(OSError):  # one without multicast, or a second address of a network
                        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
                        self._joined.add(one.address)

    def heard_for(self, now: float) -> float:
        """Seconds up to `now` for which others have announced themselves without a break; 0: nobody does."""
        found = False
        with contextlib.suppress(OSError):  # none is left
            while True:
                found = self._socket.recv(1024).startswith(_ALIVE) or found
        if now - self._last > _BREAK_S:
            self._first = now
        if found:
            self._last = now
        return self._last - self._first

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()
