"""The sinks `artnet:to=ADDRESS` and `sacn:to=ADDRESS`: the colours of the picture's zones, for lamps and LED walls."""

from __future__ import annotations

import re
import socket
import uuid
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Literal

from ...engine.errors import SonoramaError
from ...engine.osc.sockets import address_of
from ...engine.plugins.interfaces import Available, Picture, StreamInfo
from ..arguments import Words
from ..dmx import artnet, sacn
from ..dmx.levels import CHANNELS
from ..dmx.own import close_sender, open_sender
from ..dmx.zones import COLOURS, MOST, Zones, universes

WORDS = ("to", "zones", "universe", "start", "rate")
_EARLY_NS = 1_000_000
"""A picture may be that much early, since its times are rounded."""


def probe() -> Available:
    """Always available."""
    return Available("colours of the picture's zones for lamps; zones=8x2&to=192.168.1.50&universe=1&start=1")


class _LightSink(ABC):
    """What both have in common."""

    policy: Literal["latest", "every"] = "latest"

    def __init__(self, name: str, words: Words, numbers: range, port: int) -> None:
        zones = re.fullmatch(r"([1-9]\d{0,3})x([1-9]\d{0,3})", words.last("zones", "4x1"), re.ASCII)
        if zones is None or int(zones[1]) * int(zones[2]) > MOST:
            words.refuse("zones", "no grid", f"Say COLUMNSxROWS, such as 8x2; {MOST} zones at most.")
        self._zones = Zones(int(zones[1]), int(zones[2]))
        self._start = words.number("start", 1, range(1, CHANNELS - COLOURS + 2), "channel")
        self._first = words.number("universe", numbers[0], numbers)
        used = sum(1 for _ in universes(bytes(self._zones.count * COLOURS), self._start))
        if self._first + used - 1 not in numbers:
            words.refuse("universe", "too high for so many zones", f"Use {numbers[-1] - used + 1} at most.")
        self._period_ns = 1_000_000_000 // words.number("rate", 40, range(1, 45))
        self._name, self._to, self._port = name, words.all("to") or ["127.0.0.1"], port
        for host in self._to:
            if not host or ":" in host or (host == "multicast" and name != "sACN"):
                hint = "Give an IPv4 address, or the name of a machine."
                raise SonoramaError(f"{words.who}: to={host} is nowhere to send {name} to", hint)
        self._show, self._receivers_named = "", ", ".join(self._to)
        self._socket: socket.socket | None = None
        self._addresses: list[str] = []
        self._wrong, self._sequence, self._sent_ns = "", 0, 0

    @property
    def about(self) -> str:
        """How many zones go where, and what is wrong with the network."""
        where = f"{self._zones.count} zones to {self._receivers_named}, from universe {self._first} on"
        return f"{where}: {self._wrong}" if self._wrong else where

    def open(self, info: StreamInfo) -> None:
        """Look the receivers up.

        Raises:
            SonoramaError: there is no such machine.

        """
        self._show = info.name
        if self._socket is None:
            self._addresses = [self._address(host) for host in self._to]
            self._socket = open_sender()
            self._sent_ns = 0

    def _address(self, host: str) -> str:
        address = address_of(host)
        if ":" in address:
            raise SonoramaError(f"{host} has no IPv4 address", f"{self._name} needs one.")
        return address

    def send(self, picture: Picture) -> None:
        """Send the colours, unless the last ones have just been sent. A network that is down counts as slow, no more:
        lamps are found again when it returns.
        """
        if picture.pts_ns - self._sent_ns < self._period_ns - _EARLY_NS and self._sent_ns:
            return
        self._sent_ns = picture.pts_ns
        self._sequence = self._sequence % 255 + 1
        wrong = ""
        for number, values in enumerate(universes(self._zones.colours(picture.pixels), self._start), self._first):
            wrong = self._send(number, self._packet(number, self._sequence, values)) or wrong
        self._wrong = wrong

    def _send(self, universe: int, packet: bytes) -> str:
        """Send one packet to all; what is wrong, if anything is."""
        wrong = ""
        for address in self._receivers(universe):
            try:
                if self._socket is not None:
                    self._socket.sendto(packet, (address, self._port))
            except BlockingIOError:
                wrong = "the network is too slow"
            except OSError as error:
                wrong = error.strerror or str(error)
        return wrong

    def _receivers(self, universe: int) -> list[str]:
        del universe
        return self._addresses

    @abstractmethod
    def _packet(self, universe: int, sequence: int, values: bytes) -> bytes: ...

    def close(self) -> None:
        """Send no more; lamps hold what they have."""
        one, self._socket = self._socket, None
        if one is not None:
            close_sender(one)


class ArtNetSink(_LightSink):
    """Art-Net 4.

    Args:
        argument: `to=192.168.1.50&zones=8x2&universe=0&start=1&rate=40`, each optional; `to` may be repeated. to: a
            receiver, by default this machine. zones: columns and rows, 4x1 by default; each is a lamp of red, green and
            blue. universe: Port-Address of the first lamp, start: its channel. rate: packets a second, 1 to 44.

    Raises:
        SonoramaError: an unknown word, or a value that is none.

    """

    def __init__(self, argument: str = "") -> None:
        words = Words("The sink artnet", argument, WORDS, alone="to")
        super().__init__("Art-Net", words, range(artnet.UNIVERSES), artnet.PORT)

    def _packet(self, universe: int, sequence: int, values: bytes) -> bytes:
        return artnet.pack_levels(universe, sequence, values)


class SacnSink(_LightSink):
    """sACN (E1.31).

    Args:
        argument: as ArtNetSink takes it, with universes of 1 to 63999, and `priority=100` (0 to 200). `to=multicast`
            sends to the universes' multicast addresses, on the network of `host`, an IPv4 address of this machine.

    Raises:
        SonoramaError: an unknown word, a value that is none, or multicast without a host.

    """

    def __init__(self, argument: str = "") -> None:
        words = Words("The sink sacn", argument, (*WORDS, "priority", "host"), alone="to")
        super().__init__("sACN", words, sacn.UNIVERSES, sacn.PORT)
        self._priority = words.number("priority", 100, sacn.PRIORITIES)
        self._multicast, self._host = "multicast" in self._to, words.last("host", "")
        if self._multicast and not self._host:
            words.refuse("to", "on no network", "Add host=, an IPv4 address of this machine.")
        self._to = [host for host in self._to if host != "multicast"]
        self._receivers_named = ", ".join([*self._to, *([f"multicast of {self._host}"] if self._multicast else ())])
        self._cid = uuid.uuid4()

    def open(self, info: StreamInfo) -> None:
        """See _LightSink."""
        super().open(info)
        if self._multicast and self._socket is not None:
            try:
                network = socket.inet_aton(address_of(self._host))
                self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, network)
            except OSError as error:
                raise SonoramaError(f"{self._host} is no network of this machine", "Give its IPv4 address.") from error

    def _receivers(self, universe: int) -> list[str]:
        return [*self._addresses, *([sacn.group(universe)] if self._multicast else ())]

    def _packet(self, universe: int, sequence: int, values: bytes, ended: bool = False) -> bytes:
        return sacn.pack_levels(universe, sequence, values, self._cid, f"sonorama {self._show}", self._priority, ended)

    def close(self) -> None:
        """Say three times, as E1.31 asks, that the stream ends; receivers then need not wait for it."""
        if self._socket is not None and self._sent_ns:
            with suppress(OSError):
                for more in range(1, 4):
                    for number, _ in enumerate(universes(bytes(self._zones.count * COLOURS), self._start), self._first):
                        sequence = (self._sequence + more - 1) % 255 + 1
                        self._send(number, self._packet(number, sequence, bytes(CHANNELS), ended=True))
        super().close()
