"""The sockets of OSC: ports, buffers, addresses of machines."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
from collections import deque
from collections.abc import Collection

from ..errors import SonoramaError
from .counters import quoted
from .messages import Sender

TRIES = 20
BUFFER = 4 << 20
"""Bytes asked of the system for datagrams that wait."""
_FORCE = 33  # Linux: SO_RCVBUFFORCE, past the system's limit, for those who may


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """An address or network as people write it.

    Raises:
        SonoramaError: it is neither.

    """
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        hint = "Give an address such as 192.168.1.20, or a network such as 192.168.1.0/24."
        raise SonoramaError(f"{quoted(text)} is no network address", hint) from None


def address_of(host: str) -> str:
    """The IPv4 address of a machine by name, looked up once.

    Raises:
        SonoramaError: there is none.

    """
    try:
        return socket.gethostbyname(host)
    except (OSError, UnicodeError):
        raise SonoramaError(f"No machine called {quoted(host)} was found", "Give its address, in numbers.") from None


def is_local(host: str) -> bool:
    """Whether an address is this machine's own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def open_port(host: str, port: int, taken: Collection[int]) -> socket.socket:
    """A datagram socket at the port, or at the next free one that is not `taken`; it never blocks.

    Raises:
        SonoramaError: nothing free in TRIES ports, or not an address of this machine.

    """
    ports = [port, *(other for other in range(port + 1, 65_536) if other not in taken)][:TRIES] if port else [0]
    failed = OSError("no port")
    for candidate in ports:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if sys.platform == "win32":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        try:
            one.bind((host, candidate))
        except (OSError, OverflowError) as error:
            one.close()
            failed = error
        else:
            one.setblocking(False)
            return one
    hint = "Give another port, and an address of this machine."
    raise SonoramaError(f"OSC cannot listen at {host}, ports {ports[0]} to {ports[-1]}: {failed}", hint) from failed


def widen(one: socket.socket, size: int = BUFFER) -> int:
    """Ask for a receive buffer; the bytes that the system really gives."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, _FORCE, size)
    return one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


class Intake:
    """Empties a socket into memory as fast as it can: what the system cannot keep is lost. One thread at a time."""

    COUNT, BYTES = 8192, 64 << 20

    def __init__(self, one: socket.socket) -> None:
        self._socket = one
        self._raw: deque[tuple[bytes, Sender]] = deque()
        self._bytes = 0

    def fill(self) -> bool:
        """Receive until nothing waits, or memory is full; whether anything is here."""
        raw, receive = self._raw, self._socket.recvfrom
        with contextlib.suppress(OSError):  # nothing waits; on Windows also a partner's closed port
            while len(raw) < self.COUNT and self._bytes < self.BYTES:
                raw.append(receive(65_536))
                self._bytes += len(raw[-1][0])
        return bool(raw)

    def take(self, count: int) -> list[tuple[bytes, Sender]]:
        """The oldest `count` datagrams."""
        taken = [self._raw.popleft() for _ in range(min(count, len(self._raw)))]
        self._bytes -= sum(len(datagram) for datagram, _ in taken)
        return taken
