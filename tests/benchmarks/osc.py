"""OSC in: cost of a message, bursts, delay to `post`, and what blackout takes in a flood.

python tests/benchmarks/osc.py
"""

import statistics
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameter_state import ParameterState
from sonorama.engine.control.parameters import Change
from sonorama.engine.osc.counters import OscCounters
from sonorama.engine.osc.messages import parse
from sonorama.engine.osc.routing import Router
from sonorama.engine.osc.server import OscServer
from sonorama.engine.osc.validation import unpack

PACKET = b"/sonorama/motion/coarse/amount\0\0,f\0\0" + struct.pack(">f", 0.5)
PATTERN = b"/sonorama/*/{fine,mid}/[a-m]*\0\0\0,f\0\0" + struct.pack(">f", 0.5)
# A controller of its own process. The time of sending travels in the value: a double of monotonic seconds.
SENDER = """
import socket, struct, sys, time
port, count, rate, address = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4].encode()
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.connect(("127.0.0.1", port))
head = address + b"\\0" * (4 - len(address) % 4) + b",d\\0\\0"
begun = time.monotonic()
for number in range(count):
    while rate and time.monotonic() < begun + number / rate:
        time.sleep(0.0001)
    one.send(head + struct.pack(">d", time.monotonic()))
print((time.monotonic() - begun) / count * 1e6)
"""


def cost(work: Callable[[], object], number: int = 5000) -> float:
    """Microseconds of a call; the best of five."""
    rounds = []
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(number):
            work()
        rounds.append((time.perf_counter() - begun) / number * 1e6)
    return min(rounds)


def steps() -> None:
    """What each step of a message takes."""
    routes = Router(SHOW, OscCounters())
    sender = ("127.0.0.1", 50_000)

    def whole(packet: bytes = PACKET) -> None:
        for raw in unpack(packet).messages:
            if (message := parse(raw)) is not None:
                list(routes.changes(message.address, message.arguments, sender))

    raw = unpack(PACKET).messages[0]
    print(f"guard {cost(lambda: unpack(PACKET)):.1f} us, parse {cost(lambda: parse(raw)):.1f} us")
    print(f"guard, parse, route {cost(whole):.1f} us a message; a pattern {cost(lambda: whole(PATTERN), 500):.0f} us")


def send(port: int, count: int, rate: float, address: str) -> "subprocess.Popen[str]":
    """Start a sender; rate 0 is as fast as it can."""
    command = [sys.executable, "-c", SENDER, str(port), str(count), str(rate), address]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def burst(buffer: int) -> str:
    """5,000 messages at once, from another process."""
    arrived = list[Change]()
    with OscServer(SHOW, arrived.append, arrived.append, 0, subscribers=(), buffer=buffer) as server:
        sender = send(server.port, 5000, 0.0, "/sonorama/look/seed")
        apart = float(sender.communicate()[0])
        begun = time.monotonic()
        while len(arrived) < 5000 and time.monotonic() < begun + 1.0:
            time.sleep(0.001)
        kept = f"buffer {server.buffer / 1024:.0f} KiB"
        return (
            f"burst of 5000, {apart:.1f} us apart, {kept}: {len(arrived)} arrived, dropped {server.counters['dropped']}"
        )


def delay(rate: float, seconds: float = 5.0) -> str:
    """From sending to `post` while a frame loop takes what was posted 60 times a second."""
    params, spent = ParameterState(SHOW), list[float]()

    def post(change: Change) -> None:
        if change.path == "/look/seed":
            params.post(change)

    with OscServer(SHOW, post, post, 0, subscribers=()) as server:
        # Seconds of the monotonic clock fit the seed as whole numbers only, so the clock is read from the raw datagram.
        taken = server._take

        def take(datagram: bytes, sender: tuple[str, int]) -> None:
            sent.append(struct.unpack(">d", datagram[-8:])[0])
            taken(datagram, sender)

        sent = list[float]()
        server._take = take
        server._post = lambda change: (post(change), spent.append(time.monotonic()))[0]
        sender = send(server.port, int(rate * seconds), rate, "/sonorama/look/seed")
        while sender.poll() is None:
            params.step(1 / 60)
            time.sleep(1 / 60)
        time.sleep(0.2)
    delays = sorted((end - begin) * 1e3 for begin, end in zip(sent, spent, strict=True))
    p99 = delays[int(len(delays) * 0.99)]
    return f"{rate:.0f} a second: p50 {statistics.median(delays):.2f} ms, p99 {p99:.2f} ms, max {delays[-1]:.2f} ms"


def blackout() -> str:
    """From sending a blackout to `fast`, while another process floods the port and every `post` takes 1 ms."""
    import socket

    acted, spent = threading.Event(), list[float]()
    server = OscServer(SHOW, lambda _: time.sleep(0.001), lambda _: acted.set(), 0, subscribers=())
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with server, one:
        flood = send(server.port, 10**9, 20_000.0, "/sonorama/look/seed")
        time.sleep(1.0)
        for _ in range(50):
            acted.clear()
            begun = time.perf_counter()
            one.sendto(b"/sonorama/out/blackout\0\0,i\0\0\0\0\0\1", ("127.0.0.1", server.port))
            acted.wait(5.0)
            spent.append((time.perf_counter() - begun) * 1e3)
            time.sleep(0.02)
        flood.kill()
        flood.wait()
    return f"blackout in a flood of 20,000 a second: p50 {statistics.median(spent):.2f} ms, max {max(spent):.2f} ms"


def main() -> None:
    """Measure and print."""
    steps()
    for buffer in (4 << 20, 212_992):
        print(burst(buffer))
    print(delay(2000.0))
    print(delay(10_000.0))
    print(blackout())


if __name__ == "__main__":
    main()
