"""UDP sockets for OSC: ports, receive buffers and host addresses."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
from collections import deque
from collections.abc import Callable, Collection

from ..errors import SonoramaError
from .counters import quoted
from .messages import Sender

TRIES = 20
BUFFER = 4 << 20
"""Requested size of the receive buffer in bytes."""
EVERYWHERE = "::"
"""The address of all networks, IPv6 and IPv4."""
_FORCE = 33  # Linux: SO_RCVBUFFORCE, which exceeds the system's limit if the process is privileged


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Parse an IP address or network, such as `192.168.1.20` or `192.168.1.0/24`.

    Raises:
        SonoramaError: it is neither.

    """
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        hint = "Give an address such as 192.168.1.20, or a network such as 192.168.1.0/24."
        raise SonoramaError(f"{quoted(text)} is not a network address", hint) from None


def address_of(host: str) -> str:
    """Look up the address of a host: IPv4 if it has one, else IPv6.

    Raises:
        SonoramaError: the host is not found.

    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        raise SonoramaError(f"No machine called {quoted(host)} was found", "Give its IP address.") from None
    return str(min(found, key=lambda one: one[0] != socket.AF_INET)[4][0])


def unreachable(host: str, allow: Collection[str], options: tuple[str, str]) -> str:
    """A line where the machines that may send do not go with the address that is listened at; empty where they do.

    Args:
        host: that is listened at.
        allow: other machines and networks that may send.
        options: names of both, such as `--osc-host` and `--osc-allow`.

    """
    try:
        own = ipaddress.ip_address(address_of(host)).is_loopback
    except (SonoramaError, ValueError):
        return ""  # what is wrong with it is said where it is listened at
    if own and any(not network(one).is_loopback for one in allow):
        return f"{options[1]} has no effect: no other machine reaches {host}. Give {options[0]}, such as 0.0.0.0"
    if not own and not allow:
        return f"Nothing is accepted from other machines at {host}: name them with {options[1]}"
    return ""


def family_of(address: str) -> socket.AddressFamily:
    """IPv6 for an address with colons, else IPv4."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def plain_sender(address: tuple[str, int] | tuple[str, int, int, int]) -> Sender:
    """Host and port of what `recvfrom` says; of an IPv4 sender at an IPv6 socket its IPv4 address."""
    return address[0].removeprefix("::ffff:") if "." in address[0] else address[0], address[1]


def is_local(host: str) -> bool:
    """Whether an address belongs to this machine."""
    try:
        with socket.socket(family_of(host), socket.SOCK_DGRAM) as probe:
            probe.bind((host, 0))
    except OSError:
        return False
    return True


def open_port(host: str, port: int, taken: Collection[int]) -> socket.socket:
    """Open a non-blocking UDP socket at the port, or at the next free one that is not in `taken`.

    host: an IPv4 or IPv6 address of this machine; `0.0.0.0` is all IPv4 networks, `::` all of both kinds.

    Raises:
        SonoramaError: none of TRIES ports is free, or the host is not an address of this machine.

    """
    ports = [port, *(other for other in range(port + 1, 65_536) if other not in taken)][:TRIES] if port else [0]
    failed = OSError("no port")
    for candidate in ports:
        try:
            one = socket.socket(family_of(host), socket.SOCK_DGRAM)
        except OSError as error:  # a system without IPv6
            failed = error
            break
        if one.family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != EVERYWHERE)
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


def open_senders() -> dict[int, socket.socket]:
    """A non-blocking UDP socket for each kind of address that this system has; not bound, to reach every network."""
    senders = dict[int, socket.socket]()
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            senders[family] = socket.socket(family, socket.SOCK_DGRAM)
            senders[family].setblocking(False)
    return senders


def widen(one: socket.socket, size: int = BUFFER) -> int:
    """Request a receive buffer of that size; returns the size in bytes that the system granted."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            one.setsockopt(socket.SOL_SOCKET, _FORCE, size)
    return one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


class Intake:
    """Reads a socket into memory quickly, before the system's buffer is full and loses datagrams. One thread only.

    urgent: whether a datagram comes before all that are not urgent.
    """

    COUNT, BYTES = 8192, 64 << 20

    def __init__(self, one: socket.socket, urgent: Callable[[bytes], bool] = lambda _: False) -> None:
        self._socket, self._is_urgent = one, urgent
        self._urgent: deque[tuple[bytes, Sender]] = deque()
        self._is_v6 = one.family == socket.AF_INET6
        self._raw: deque[tuple[bytes, Sender]] = deque()
        self._bytes = 0

    def fill(self) -> bool:
        """Receive until the socket is empty or the memory limit is reached; whether datagrams are available."""
        raw, receive = self._raw, self._socket.recvfrom
        with contextlib.suppress(OSError):  # no datagram waiting; on Windows also after a send to a closed port
            while len(raw) < self.COUNT and self._bytes < self.BYTES:
                datagram, address = receive(65_536)
                into = self._urgent if self._is_urgent(datagram) else raw
                into.append((datagram, plain_sender(address) if self._is_v6 else address))
                self._bytes += len(datagram)
        return bool(raw or self._urgent)

    @property
    def count(self) -> int:
        """Datagrams in memory."""
        return len(self._raw) + len(self._urgent)

    def take(self, count: int) -> list[tuple[bytes, Sender]]:
        """Remove and return all urgent datagrams and the `count` oldest others."""
        taken = [*self._urgent, *(self._raw.popleft() for _ in range(min(count, len(self._raw))))]
        self._urgent.clear()
        self._bytes -= sum(len(datagram) for datagram, _ in taken)
        return taken
