"""The other side of OSC for the tests: packets by hand, sockets, a server that keeps what it hands on."""

import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change
from sonorama.engine.osc.messages import Message, Sender, parse
from sonorama.engine.osc.server import OscServer
from sonorama.engine.osc.validation import unpack

HERE = "127.0.0.1"


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return raw + b"\0" * (4 - len(raw) % 4)


def message(address: str, tags: str = "", *values: Any) -> bytes:
    formats = {"i": ">i", "f": ">f", "h": ">q", "d": ">d"}
    packet = text(address) + text("," + tags)
    rest = iter(values)
    for tag in tags:
        if tag in formats:
            packet += struct.pack(formats[tag], next(rest))
        elif tag in "sS":
            packet += text(next(rest))
        elif tag == "b":
            blob = next(rest)
            packet += struct.pack(">i", len(blob)) + blob + b"\0" * (-len(blob) % 4)
    return packet


def bundle(*parts: bytes, at: float = 0.0) -> bytes:
    """A bundle for the time `at` (seconds since 1970); 0 is at once."""
    tag = int((at + 2_208_988_800) * 2**32) if at else 1
    return b"#bundle\0" + struct.pack(">Q", tag) + b"".join(struct.pack(">i", len(part)) + part for part in parts)


def parsed(datagram: bytes) -> list[Message]:
    """All messages of a datagram, none of which is refused."""
    messages, refused = unpack(datagram)
    assert not refused
    found = [parse(one) for one in messages]
    assert None not in found
    return [one for one in found if one is not None]


def eventually(true: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.002)
    return true()


class Kept:
    """A server on any free port, what it handed on, and a socket that speaks to it."""

    def __init__(self, **options: Any) -> None:
        self.posted: list[Change] = []
        self.fast: list[Change] = []
        arguments = {"port": 0, "subscribers": (), **options}
        self.server = OscServer(SHOW, self.posted.append, self.fast.append, **arguments)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HERE, 0))
        self.socket.settimeout(2.0)

    @property
    def address(self) -> Sender:
        return self.socket.getsockname()

    def send(self, packet: bytes) -> None:
        self.socket.sendto(packet, (HERE, self.server.port))

    def sync(self) -> None:
        """Wait until everything sent before has been handed on."""
        before = len(self.posted)
        self.send(message("/sonorama/look/seed", "i", 77))
        assert eventually(lambda: any(one.path == "/look/seed" and one.value == 77 for one in self.posted[before:]))
        self.posted[:] = [one for one in self.posted if not (one.path == "/look/seed" and one.value == 77)]

    def heard(self, packet: bytes) -> list[tuple[str, Any]]:
        """What one message hands on."""
        self.posted.clear()
        self.fast.clear()
        self.send(packet)
        self.sync()
        return [(one.path, one.value) for one in (*self.posted, *self.fast)]


@contextmanager
def serving(**options: Any) -> Iterator[Kept]:
    kept = Kept(**options)
    with kept.server, kept.socket:
        yield kept


def received(listener: socket.socket, seconds: float = 0.3) -> list[tuple[str, list[Any]]]:
    """Address and arguments of everything that arrives for so long."""
    listener.settimeout(0.01)
    found, end = list[tuple[str, list[Any]]](), time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            datagram = listener.recv(65_536)
        except TimeoutError:
            continue
        found += [(one.address, one.arguments) for one in parsed(datagram)]
    return found


NEGATIVE = b"#bundle\0" + struct.pack(">Qi", 1, -4) + b"\0\0\0\0"
FAR = bundle(message("/sonorama/out/master", "f", 0.5), at=2_000_000_000.0)
STARS = message("/" + "*a" * 60 + "b", "f", 1.0)
KILLERS = (NEGATIVE, FAR, STARS)


def fuzz(count: int, seed: int) -> Iterator[bytes]:
    """Random bytes, valid packets with flipped, cut, doubled and swapped parts, and the killers."""
    dice = random.Random(seed)
    addresses = ["/sonorama" + path for path in SHOW]
    addresses += [one + "/norm" for one in addresses] + ["/sonorama/subscribe", "/sonorama/dump", "/sonorama/*/*"]
    addresses += ["/sonorama/{out,look}/*", "/sonorama/motion/[a-m]*/?ute", "/*/*/*/*", "/sonorama/out/[!b"]
    numbers = [0, 1, -1, 2**31 - 1, -(2**31)]
    floats = [0.0, 0.5, 1.0, -1e30, 1e30, float("nan"), float("inf"), float("-inf")]

    def valid(depth: int = 0) -> bytes:
        if depth < 3 and dice.random() < 0.2:
            at = dice.choice([0.0, 1.0, time.time() + dice.uniform(-1, 0.3), 2.08e9])
            return bundle(*(valid(depth + 1) for _ in range(dice.randrange(4))), at=at)
        tags = "".join(dice.choices("ifhdsTFNISb", k=dice.choice([0, 1, 1, 1, 2])))
        make: dict[str, Callable[[], Any]] = {
            "i": lambda: dice.choice(numbers), "h": lambda: dice.choice([2**62, -5, 3]),
            "f": lambda: dice.choice(floats),
            "d": lambda: dice.choice([*floats, 1e300]), "s": lambda: dice.choice(["", "rain", "../../x", "shore", "é"]),
            "S": lambda: "literal", "b": lambda: dice.randbytes(dice.randrange(9)),
        }  # fmt: skip
        return message(dice.choice(addresses), tags, *(make[tag]() for tag in tags if tag in make))

    for number in range(count):
        kind = number % 8
        if kind == 0:
            yield dice.randbytes(dice.randrange(0, 100))
        elif kind == 1 and number % 64 == 1:
            yield dice.choice(KILLERS)
        elif kind < 4:
            yield valid()
        else:
            packet = bytearray(valid())
            for _ in range(dice.randrange(1, 5)):
                at = dice.randrange(len(packet))
                match dice.randrange(4):
                    case 0:
                        packet[at] = dice.randrange(256)
                    case 1:
                        del packet[at : at + dice.choice([1, 4])]
                    case 2:
                        packet[at:at] = packet[at : at + 4]
                    case _:
                        packet[at] ^= 1 << dice.randrange(8)
                if not packet:
                    packet = bytearray(b"/")
            yield bytes(packet)
