"""What a bridge has to know of Art-Net and of sACN."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from ...dmx import artnet, sacn
from ...dmx.levels import Levels


@dataclass(frozen=True, slots=True)
class Protocol:
    """One of them.

    Attributes:
        name: of the bridge.
        label: for people.
        port: where its packets go to.
        universes: numbers that there are.
        silent_s: seconds after which a source that says nothing is lost.
        parse: (datagram, address of its sender) -> levels, or None for what is not asked for; raises NotDmx.
        group: multicast address of a universe; empty: none.
        answer: (datagram, address of this machine, universe, name of the show) -> what its sender is sent, if anything.

    """

    name: str
    label: str
    port: int
    universes: range
    silent_s: float
    parse: Callable[[bytes, str], Levels | None]
    group: Callable[[int], str]
    answer: Callable[[bytes, str, int, str], bytes]


def _answer_poll(datagram: bytes, own: str, universe: int, show: str) -> bytes:
    return artnet.pack_poll_reply(own, universe, show) if artnet.is_poll(datagram) else b""


# Some Art-Net consoles send what does not change every four seconds only; E1.31 sets 2.5 s for the loss of a source.
ARTNET = Protocol(
    "artnet", "Art-Net", artnet.PORT, range(artnet.UNIVERSES), 10.0, artnet.parse, lambda _: "", _answer_poll
)
SACN = Protocol(
    "sacn", "sACN", sacn.PORT, sacn.UNIVERSES, 2.5, lambda datagram, _: sacn.parse(datagram), sacn.group,
    lambda *_: b"",
)  # fmt: skip


def open_socket(host: str, port: int, groups: list[str]) -> socket.socket:
    """A non-blocking UDP socket.

    Args:
        host: an IPv4 address of this machine. One of loopback takes packets that are sent to it; another one takes all
            packets of the port, since a socket of one address takes neither broadcast nor multicast.
        port: 0 takes any.
        groups: multicast addresses to join on the network of `host`.

    Raises:
        OSError: no such address here, or the port is taken.

    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))  # raises for an address that is not of this machine
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # another program for lights may listen, too
        one.bind((host if is_loopback(host) else "", port))
        for group in groups if not is_loopback(host) else ():
            membership = socket.inet_aton(group) + socket.inet_aton(host)
            one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        one.setblocking(False)
    except BaseException:
        one.close()
        raise
    return one


def is_taken(host: str, port: int) -> bool:
    """Whether another socket has the port already; `open_socket` then shares it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def is_loopback(host: str) -> bool:
    """Whether an IPv4 address leads to this machine only."""
    return host.startswith("127.")
