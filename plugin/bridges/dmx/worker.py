"""The thread of an Art-Net or sACN bridge: takes packets, merges sources, and posts what the patch makes of them."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from sonorama.engine.control.parameters import Change
from sonorama.engine.errors import ValueRefused, one_line, one_line_error
from sonorama.engine.faults import Faults
from sonorama.engine.plugins.interfaces import BridgePort

from ...dmx.levels import NotDmx
from ...dmx.own import is_own, own_address
from ..query.guard import Guard
from .patch import Channel
from .protocols import Protocol
from .sources import Sources

TURN_S = 0.1
LARGEST = 2048
AT_ONCE = 500
"""Datagrams that are taken before lost sources are looked for."""


class Worker:
    """The bridge at work, from `start` to `close`.

    Args:
        port: the show.
        protocol: what is spoken.
        listening: a non-blocking UDP socket, which the worker closes.
        channels: the patch by universe; the first universe is the one that is answered for.
        guard: which machines may play.

    """

    def __init__(
        self, port: BridgePort, protocol: Protocol, listening: socket.socket, channels: dict[int, list[Channel]],
        guard: Guard,
    ) -> None:  # fmt: skip
        self._port, self._protocol, self._socket, self._guard = port, protocol, listening, guard
        self._channels = channels
        self._sources = {universe: Sources(protocol.silent_s) for universe in channels}
        self._faults = Faults()
        self._heard: set[int] = set()
        self._allowed: dict[str, bool] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=protocol.name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def warn(self, line: str) -> None:
        """Something that players should know at the start."""
        self._faults.note("start", line)

    def close(self) -> None:
        """End; may be called twice."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(3.0)
        self._socket.close()

    @property
    def playing(self) -> str:
        """Names of the sources that play, in one line."""
        names = [levels.name for one in self._sources.values() for levels in one.playing]
        return one_line(", ".join(dict.fromkeys(names)))

    def problems(self) -> list[str]:
        """What is wrong now, one line each."""
        lines = self._faults.recent()
        for universe, sources in self._sources.items():
            what = f"{self._protocol.label} universe {universe}"
            if universe not in self._heard:
                lines.append(f"No {what} has come yet")
            elif sources.lost:
                lines.append(f"{what}: {one_line(sources.lost)} sends no more; its values are held")
        return lines

    # --- the thread

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                if select.select([self._socket], [], [], TURN_S)[0]:
                    self._receive()
                self._expire(time.monotonic())
            except Exception as error:  # noqa: BLE001 (whatever a packet does, the next one must be taken)
                line = f"A packet of {self._protocol.label} failed and was skipped: {one_line_error(error)}"
                self._faults.note("packet", line, error)

    def _receive(self) -> None:
        with suppress(BlockingIOError, ConnectionError):
            for _ in range(AT_ONCE):
                datagram, sender = self._socket.recvfrom(LARGEST)
                if self._is_allowed(sender[0]) and not is_own(sender):
                    self._take(datagram, sender)

    def _is_allowed(self, host: str) -> bool:
        if host not in self._allowed:
            if len(self._allowed) > 1000:  # senders that make addresses up
                self._allowed.clear()
            self._allowed[host] = self._guard.is_allowed(host)
        if not self._allowed[host]:
            hint = f"start the bridge with allow={host}"
            self._faults.note("refused", f"{host} sends {self._protocol.label}, but is not allowed: {hint}")
        return self._allowed[host]

    def _take(self, datagram: bytes, sender: tuple[str, int]) -> None:
        """Take one datagram, and play it at once: a trigger may rise and fall from one to the next."""
        try:
            levels = self._protocol.parse(datagram, sender[0])
        except NotDmx as error:
            self._faults.note("malformed", f"{sender[0]} sends {error}")
            return
        if levels is None:
            self._answer(datagram, sender)
        elif levels.universe in self._sources:
            self._sources[levels.universe].hear(levels, time.monotonic())
            self._heard.add(levels.universe)
            self._play(levels.universe)

    def _answer(self, datagram: bytes, sender: tuple[str, int]) -> None:
        for universe in self._channels:
            with suppress(OSError):  # it is lost then, as any datagram may be
                own = own_address(sender[0])
                if answer := self._protocol.answer(datagram, own, universe, self._port.name):
                    self._socket.sendto(answer, sender)

    def _expire(self, now: float) -> None:
        for universe, sources in self._sources.items():
            if sources.expire(now):
                self._play(universe)

    def _play(self, universe: int) -> None:
        sources = self._sources[universe]
        playing = sources.playing
        if len(playing) > 1:
            names = one_line(", ".join(one.name for one in playing))
            line = f"{self._protocol.label} universe {universe}: the higher level counts of {names}"
            self._faults.note(f"merge {universe}", line)
        self._post(self._channels[universe], sources.merged(), playing[0].name if playing else "")

    def _post(self, channels: Sequence[Channel], levels: bytes, name: str) -> None:
        source = f"{self._protocol.name}:{name}"
        values = [(one.param.path, one.play(levels)) for one in channels]
        changes = [Change(path, value, source) for path, value in values if value is not None]
        if not changes:
            return
        try:
            self._port.post(*changes)
        except ValueRefused as error:
            self._faults.note("value", f"{error.message}. {error.hint}")
