"""Art-Net and sACN as bridges: the entry points `artnet` and `sacn` of `sonorama.bridges`."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Mapping

from sonorama.engine.control.parameters import Value
from sonorama.engine.errors import SonoramaError
from sonorama.engine.osc.sockets import address_of
from sonorama.engine.plugins.interfaces import Available, BridgePort

from ...arguments import Words
from ...dmx.levels import CHANNELS
from ..query.guard import Guard
from .patch import Channel, read_patch
from .protocols import ARTNET, SACN, Protocol, is_taken, open_socket
from .worker import Worker

WORDS = ("universe", "start", "patch", "host", "allow", "port", "follow")
_LISTENING: set[tuple[str, int]] = set()
"""Addresses and ports at which the bridges of this process listen."""


class _DmxBridge:
    """What both have in common; `protocol` is set by each."""

    protocol: Protocol

    def __init__(self, argument: str) -> None:
        protocol = self.protocol
        words = Words(f"The bridge {protocol.name}", argument, WORDS, alone="universe")
        self._universe = words.number("universe", protocol.universes[0], protocol.universes)
        self._start = words.number("start", 1, range(1, CHANNELS + 1), "channel")
        self._port = words.number("port", protocol.port, range(65_536))
        self._host, self._patch = words.last("host", "127.0.0.1"), words.last("patch", "")
        self._guard, self._follow = Guard(words.all("allow")), words.switch("follow")
        self._place: tuple[str, int] | None = None
        self._worker: Worker | None = None
        self._facts: dict[str, Value] = {}

    @property
    def facts(self) -> Mapping[str, Value]:
        """NAME_port: where it listens. NAME_sources: who plays."""
        if self._worker is None:
            return {}
        return {**self._facts, f"{self.protocol.name}_sources": self._worker.playing}

    def start(self, port: BridgePort) -> None:
        """Read the patch and listen.

        Raises:
            SonoramaError: the patch cannot be used, or the socket not be opened.

        """
        channels: dict[int, list[Channel]] = {self._universe: []}
        for line in read_patch(self._patch):
            universe = self._universe if line.universe is None else line.universe
            if universe not in self.protocol.universes:
                raise SonoramaError(f"The patch: there is no universe {universe}", "See docs/control.md")
            channels.setdefault(universe, []).append(Channel(line, port.table, self._start, self._follow))
        taken = is_taken(address_of(self._host), self._port)
        self._check_alone()
        listening = self._listen([group for one in channels if (group := self.protocol.group(one))])
        self._place = (address_of(self._host), self._port) if self._port else None
        _LISTENING.update([self._place] if self._place else ())
        self._facts = {f"{self.protocol.name}_port": listening.getsockname()[1]}
        self._worker = Worker(port, self.protocol, listening, channels, self._guard)
        if taken:
            self._worker.warn(f"Port {self._port} is open in another program, too: only one of them may get packets")
        self._worker.start()

    def _check_alone(self) -> None:
        """Raises SonoramaError where another bridge of this process listens: only one of them would get packets."""
        host = address_of(self._host)
        if (host, self._port) in _LISTENING:
            message = f"{self.protocol.label} at {host}, port {self._port}, is received by another --bridge already"
            raise SonoramaError(message, 'Use one: the lines of its patch may name a "universe" each.')

    def _listen(self, groups: list[str]) -> socket.socket:
        host = address_of(self._host)
        try:
            ipaddress.IPv4Address(host)
            return open_socket(host, self._port, groups)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no IPv4 address"
            message = f"{self.protocol.label} cannot listen at {host}, port {self._port}: {reason}"
            raise SonoramaError(message, "Give host=, an IPv4 address of this machine.") from error

    def faults(self) -> Iterable[str]:
        """Universes without a source, and what went wrong lately."""
        return [] if self._worker is None else self._worker.problems()

    def stop(self) -> None:
        """End the thread and close the socket."""
        if self._place is not None:
            _LISTENING.discard(self._place)
            self._place = None
        if self._worker is not None:
            self._worker.close()


class ArtNetBridge(_DmxBridge):
    """Art-Net 4: a lighting console plays the parameters.

    Args:
        argument: a universe, or `universe=0&start=1&patch=FILE&host=127.0.0.1&allow=192.168.1.20`, each optional;
            `allow` may be repeated. universe: Port-Address, 0 to 32767. start: channel that is channel 1 of the patch.
            patch: a file of channels and parameters; by default the patch that comes with sonorama. host: IPv4 address
            of the network to listen at. allow: machines or networks that may play besides this one. follow: 1 lets
            the first levels set the parameters, which otherwise wait until a channel changes.

    Raises:
        SonoramaError: an unknown word, or a value that is none.

    """

    protocol = ARTNET

    @staticmethod
    def probe() -> Available:
        """Always available."""
        return Available("a lighting console over Art-Net; artnet:universe=0&host=ADDRESS&allow=CONSOLE for a network")


class SacnBridge(_DmxBridge):
    """sACN (E1.31): a lighting console plays the parameters.

    Args:
        argument: a universe, 1 to 63999, or words, as ArtNetBridge takes them.

    Raises:
        SonoramaError: an unknown word, or a value that is none.

    """

    protocol = SACN

    @staticmethod
    def probe() -> Available:
        """Always available."""
        return Available("a lighting console over sACN; sacn:universe=1&host=ADDRESS&allow=CONSOLE for a network")
