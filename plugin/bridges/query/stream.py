"""One web socket of an OSCQuery client: what it listens to is sent as OSC, and what it sends sets parameters."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping

from aiohttp import WSMsgType, web

from sonorama.engine.control.parameters import Value
from sonorama.engine.osc.routing import ROOT, Accepted
from sonorama.engine.osc.subscriptions import encode, pack

PERIOD_S = 0.02
"""Shortest time between two packets to a client; of each address the last value counts."""
LARGEST = 1 << 16
"""Bytes of a message."""
_STALLED_S = 10.0


class Stream:
    """A connection. Belongs to the server's event loop.

    Args:
        socket: prepared.
        read: gives the value at a path.
        known: whether there is something at an address.
        route: makes changes of an OSC packet.
        post: takes them.

    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        read: Callable[[str], Value | None],
        known: Callable[[str], bool],
        route: Callable[[bytes], list[Accepted]],
        post: Callable[[Accepted], None],
    ) -> None:
        self._socket, self._read, self._known = socket, read, known
        self._route, self._post = route, post
        self.listened: set[str] = set()
        self._waiting: dict[str, Value] = {}
        self._sent_by_it: dict[str, Value] = {}
        self._bell = asyncio.Event()

    def publish(self, values: Mapping[str, Value]) -> None:
        """These values hold now, by path without the root."""
        for path in values.keys() & self.listened:
            if path in self._sent_by_it and self._sent_by_it.pop(path) == values[path]:
                continue  # a fader that is being moved is not told where it is
            self._waiting[path] = values[path]
            self._bell.set()

    async def serve(self) -> None:
        """Until the client leaves."""
        sender = asyncio.create_task(self._send())
        try:
            async for message in self._socket:
                if message.type == WSMsgType.TEXT:
                    self._command(message.data)
                elif message.type == WSMsgType.BINARY:
                    self._set(message.data)
        finally:
            sender.cancel()

    def _command(self, text: str) -> None:
        """LISTEN or IGNORE; others are not ours, and pass."""
        try:
            said = json.loads(text)
            command, address = said["COMMAND"], said["DATA"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if not isinstance(address, str) or not self._known(address):
            return
        path = address.removeprefix(ROOT)
        if command == "LISTEN":
            self.listened.add(path)
            if (value := self._read(path)) is not None:
                self.publish({path: value})
        elif command == "IGNORE":
            self.listened.discard(path)

    def _set(self, packet: bytes) -> None:
        for accepted in self._route(packet):
            change = accepted.change
            if change.path in self.listened and accepted.asked == change.value:
                self._sent_by_it[change.path] = change.value
            self._post(accepted)

    async def _send(self) -> None:
        try:
            while True:
                await self._bell.wait()
                self._bell.clear()
                waiting, self._waiting = self._waiting, {}
                messages = [encode(ROOT + path, value) for path, value in waiting.items()]
                for packet in pack(messages):
                    await asyncio.wait_for(self._socket.send_bytes(packet), _STALLED_S)
                await asyncio.sleep(PERIOD_S)
        except (ConnectionError, TimeoutError):
            await self._socket.close()
