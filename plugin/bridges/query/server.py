"""The HTTP server of an OSCQuery bridge, with an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from importlib import resources
from typing import Any, cast

from aiohttp import web

from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.errors import SonoramaError, ValueRefused
from sonorama.engine.ipc.channel import read_session
from sonorama.engine.osc.bridge import accept_address
from sonorama.engine.osc.counters import OscCounters
from sonorama.engine.osc.messages import parse
from sonorama.engine.osc.routing import ROOT, Accepted, Router
from sonorama.engine.osc.validation import unpack
from sonorama.engine.plugins.interfaces import BridgePort

from .connections import KEPT_S, Connections
from .guard import Guard
from .nodes import ATTRIBUTES, OPTIONAL, Nodes
from .stream import LARGEST, Stream

PAGE = "/tablet"
MOST = 32
"""Web sockets at once."""
_START_S = 10.0
# The page loads nothing from elsewhere, and no other page may show it in a frame.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
}  # fmt: skip


class QueryServer:
    """Answers OSCQuery requests, streams values, and serves the tablet's page at PAGE.

    Args:
        port: the show.
        guard: who may use it.
        listening: the socket that it listens at.

    """

    def __init__(self, port: BridgePort, guard: Guard, listening: socket.socket) -> None:
        self._port, self._guard, self._socket = port, guard, listening
        self.nodes = Nodes(port)
        self._counters = OscCounters()
        self._router = Router(port.table, self._counters, partial(accept_address, port.table))
        self._streams: set[Stream] = set()
        self._connections: Connections | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="oscquery", daemon=True)
        self._ready, self._closing = threading.Event(), asyncio.Event()

    def start(self) -> None:
        """Begin.

        Raises:
            SonoramaError: it does not start in time.

        """
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise SonoramaError("The OSCQuery server does not start", "Try again, with less to do for this machine.")
        self._port.subscribe(self._changed)
        self._port.subscribe_meters(self._measured)

    def faults(self) -> list[str]:
        """What was refused lately, one line each."""
        return self._counters.faults()

    def close(self) -> None:
        """End; may be called twice."""
        if self._thread.is_alive():
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join(5.0)

    # --- from the show's threads

    def _changed(self, changes: Iterable[Change]) -> None:
        self._tell(self.nodes.changed(changes))

    def _measured(self, values: Mapping[str, Value]) -> None:
        self._tell(self.nodes.measured(values))

    def _tell(self, news: Mapping[str, Value]) -> None:
        if news and self._streams:
            with suppress(RuntimeError):  # it has just ended
                self._loop.call_soon_threadsafe(self._publish, news)

    # --- the event loop

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        app = web.Application(client_max_size=LARGEST)
        app.router.add_get("/{address:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, keepalive_timeout=KEPT_S)
        await runner.setup()
        self._connections = Connections(self._socket, cast("web.Server", runner.server))
        accepting = asyncio.create_task(self._connections.accept())
        try:
            self._ready.set()
            await self._closing.wait()
        finally:
            accepting.cancel()
            await runner.cleanup()

    def _publish(self, news: Mapping[str, Value]) -> None:
        for stream in self._streams:
            stream.publish(news)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self._connections is not None:
            self._connections.asked(request.transport)
        headers = request.headers
        why = self._guard.refuses(request.remote or "", headers.get("Host", ""), headers.get("Origin", ""))
        if why:
            return web.json_response({"error": why}, status=403)
        if headers.get("Upgrade", "").lower() == "websocket":
            return await self._stream(request)
        if request.path == PAGE:
            page = resources.files(__package__ or "").joinpath("tablet.html").read_text(encoding="utf-8")
            return web.Response(text=page, content_type="text/html", headers=_HEADERS)
        return self._node(request.path, request.query_string)

    def _node(self, address: str, asked: str) -> web.Response:
        """OSCQuery: 404 for what there is not, 400 for an unknown attribute, 204 for one that the node lacks."""
        if asked == "HOST_INFO":
            return _json(self.host_info())
        node = self.nodes.find(address)
        if node is None:
            return web.Response(status=404)
        if not asked:
            return _json(node)
        if asked not in ATTRIBUTES:
            return web.Response(status=400)
        return _json({asked: node[asked]}) if asked in node else web.Response(status=204)

    def host_info(self) -> dict[str, Any]:
        """HOST_INFO. Without the addresses, which are those that the client has used."""
        info: dict[str, Any] = {"NAME": f"sonorama {self._port.name}", "OSC_TRANSPORT": "UDP"}
        with suppress(SonoramaError, KeyError, TypeError, ValueError):  # a show that is just starting
            info["OSC_PORT"] = int(read_session(self._port.name)["osc_port"])
        info["WS_PORT"] = self._socket.getsockname()[1]
        return {**info, "EXTENSIONS": dict.fromkeys(OPTIONAL, True)}

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if len(self._streams) >= MOST:
            return web.json_response({"error": f"{MOST} clients are connected"}, status=503)
        one = web.WebSocketResponse(heartbeat=20.0, max_msg_size=LARGEST)
        await one.prepare(request)
        peer = request.transport.get_extra_info("peername") if request.transport else None
        sender = (str(peer[0]), int(peer[1])) if peer else ("", 0)
        stream = Stream(one, self.nodes.value, self._is_known, partial(self._route, sender), self._post)
        self._streams.add(stream)
        try:
            await stream.serve()
        finally:
            self._streams.discard(stream)
        return one

    def _is_known(self, address: str) -> bool:
        return self.nodes.has(address.removeprefix(ROOT))

    def _route(self, sender: tuple[str, int], packet: bytes) -> list[Accepted]:
        contents = unpack(packet)
        for refusal in contents.refused:
            self._counters.count("malformed", f"A web socket of {sender[0]}: {refusal.reason}")
        parsed = [message for raw in contents.messages if (message := parse(raw)) is not None]
        found = [self._router.changes(one.address, one.arguments, sender) for one in parsed]
        return [accepted for changes in found for accepted in changes]

    def _post(self, accepted: Accepted) -> None:
        change = accepted.change
        try:
            self._port.post(Change(change.path, change.value, change.source.replace("osc:", "query:", 1)))
        except ValueRefused as error:
            self._counters.count("wrong_type", f"{error.message}. {error.hint}", change.path)


def _json(said: Mapping[str, Any]) -> web.Response:
    return web.json_response(said, headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"})
