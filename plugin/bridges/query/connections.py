"""The connections of an HTTP server: so many at once, and none that is open and asks for nothing.

aiohttp waits for a first request without end, and every connection takes one of the files that the show may have open.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

MOST = 128
"""Connections at once. If there are more, the oldest that has asked for nothing makes room."""
PATIENCE_S = 10.0
"""Seconds within which the first request must have come, whole."""
KEPT_S = 30.0
"""Seconds for which a connection waits for its next request."""
_AGAIN_S = 0.2


class Connections:
    """Accepts connections in an event loop, from `accept` until that is cancelled.

    Args:
        listening: a non-blocking socket that listens.
        make: makes a protocol for each connection.

    """

    def __init__(self, listening: socket.socket, make: Callable[[], asyncio.BaseProtocol]) -> None:
        self._listening, self._make = listening, make
        self._silent: dict[asyncio.BaseTransport, asyncio.TimerHandle] = {}
        self._open: set[asyncio.BaseTransport] = set()

    async def accept(self) -> None:
        """Take connections as they come."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                one, _ = await loop.sock_accept(self._listening)
                transport, _ = await loop.connect_accepted_socket(self._make, one)
            except OSError:  # it left already, or no file may be opened now
                await asyncio.sleep(_AGAIN_S)
                continue
            self._open.add(transport)
            self._silent[transport] = loop.call_later(PATIENCE_S, self._drop, transport)
            self._make_room()

    def asked(self, transport: asyncio.BaseTransport | None) -> None:
        """A whole request has come from a connection."""
        if transport is not None and (timer := self._silent.pop(transport, None)) is not None:
            timer.cancel()

    def _make_room(self) -> None:
        self._open = {one for one in self._open if not one.is_closing()}
        for gone in [one for one in self._silent if one.is_closing()]:
            self.asked(gone)
        if len(self._open) > MOST:
            self._drop(next(iter(self._silent)))  # the newest one is among them

    def _drop(self, transport: asyncio.BaseTransport) -> None:
        self._silent.pop(transport).cancel()
        self._open.discard(transport)
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
