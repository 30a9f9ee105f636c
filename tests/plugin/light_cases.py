"""Cases of the sinks for lamps: a socket receives."""

import itertools
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sonorama.engine.plugins.interfaces import FrameSink
from sonorama.plugin.dmx import artnet, sacn
from sonorama.plugin.dmx.levels import Levels
from sonorama.plugin.sinks import lights

from .sink_cases import Case, Seen
from .sinks import grey

_NUMBERS = itertools.count(1)


def own_address() -> str:
    """An address of loopback that no other test listens at, since the ports of these protocols are fixed."""
    return f"127.{os.getpid() >> 8 & 127 | 64}.{os.getpid() & 255}.{next(_NUMBERS) % 254 + 1}"


class ArtNetCase(Case):
    """One lamp for the whole picture."""

    module = lights
    port = artnet.PORT
    parse: Callable[[bytes], Levels | None] = staticmethod(lambda datagram: artnet.parse(datagram, ""))

    def __init__(self, name: str, room: Path) -> None:
        self.address = own_address()
        super().__init__(name, room)
        self._seen: Seen = []
        self._listen()

    def make(self) -> FrameSink:
        return lights.ArtNetSink(f"to={self.address}&zones=1x1")

    def _listen(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.address, self.port))
        self._socket.setblocking(False)

    def leave(self) -> None:
        self.seen()
        self._socket.close()

    def come_back(self) -> None:
        self._listen()

    def seen(self) -> Seen:
        with suppress(BlockingIOError):
            while True:
                levels = self.parse(self._socket.recv(2000))
                assert levels is not None
                if not levels.ended:
                    assert levels.values[:3] == levels.values[:1] * 3 and not any(levels.values[3:])
                    self._seen.append((round((levels.values[0] - grey(0)) / 5), 0))
        return self._seen

    def end(self) -> None:
        super().end()
        self._socket.close()


class SacnCase(ArtNetCase):
    """The same over sACN."""

    port = sacn.PORT
    parse = staticmethod(sacn.parse)

    def make(self) -> FrameSink:
        return lights.SacnSink(f"to={self.address}&zones=1x1")
