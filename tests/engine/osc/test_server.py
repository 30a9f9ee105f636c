"""The server over real sockets, with liblo's oscsend and oscdump as the other side."""

import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sonorama.engine.cli.osc_page import as_markdown
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameter_state import ParameterState
from sonorama.engine.control.parameters import Change
from sonorama.engine.errors import SonoramaError
from sonorama.engine.osc.server import OscServer
from sonorama.engine.osc.sockets import Intake

from .osc_helpers import HERE, KILLERS, bundle, eventually, fuzz, message, received, serving, text

CASES = Path(__file__).parents[2] / "data" / "vj"
BLACK = message("/sonorama/out/blackout", "i", 1)
# Sends as fast as it can, from a process of its own, as a controller does.
BURST = """
import socket, struct, sys
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
head = b"/sonorama/motion/coarse/amount\\0\\0,f\\0\\0"
packets = [head + struct.pack(">f", number / 5000) for number in range(5000)]
one.connect(("127.0.0.1", int(sys.argv[1])))
for packet in packets:
    one.send(packet)
"""


def tool(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing: apt install liblo-tools"
    return found


def oscsend(port: int, address: str, *words: str) -> None:
    subprocess.run([tool("oscsend"), HERE, str(port), address, *words], check=True, timeout=10)


@pytest.mark.parametrize(
    ("words", "path", "value"),
    [
        (("/motion/coarse/amount", "f", "1.5"), "/motion/coarse/amount", 1.5),
        (("/motion/coarse/amount", "i", "1"), "/motion/coarse/amount", 1.0),
        (("/motion/coarse/amount", "d", "0.1"), "/motion/coarse/amount", 0.1),
        (("/motion/coarse/amount", "h", "9"), "/motion/coarse/amount", 2.0),
        (("/motion/coarse/amount/norm", "f", "0.25"), "/motion/coarse/amount", 0.5),
        (("/motion/fine/mute", "T"), "/motion/fine/mute", True),
        (("/motion/fine/mute", "F"), "/motion/fine/mute", False),
        (("/motion/mode", "s", "literal"), "/motion/mode", "literal"),
        (("/motion/mode", "S", "literal"), "/motion/mode", "literal"),
        (("/motion/mode", "i", "1"), "/motion/mode", "literal"),
        (("/look/text", "s", "a storm"), "/look/text", "a storm"),
        (("/sound/tap", "I"), "/sound/tap", True),
        (("/sound/tap",), "/sound/tap", True),
        (("/scene/recall", "i", "3"), "/scene/recall", 3),
        (("/m*/[c]oarse/{amount,x}", "f", "0.5"), "/motion/coarse/amount", 0.5),
    ],
)
def test_oscsend_sets(words: tuple[str, ...], path: str, value: object) -> None:
    with serving() as kept:
        oscsend(kept.server.port, "/sonorama" + words[0], *words[1:])
        assert eventually(lambda: bool(kept.posted))
        (change,) = kept.posted
        assert (change.path, change.value) == (path, value)
        assert re.fullmatch(r"osc:127\.0\.0\.1:\d+", change.source)


def test_every_oscsend_line_of_the_page_acts() -> None:
    lines = re.findall(r'^oscsend 127\.0\.0\.1 9123 "?(\S+?)"?((?: .*)?)$', as_markdown(), re.MULTILINE)
    assert len(lines) == 9
    with serving(subscribers=()) as kept:
        for address, rest in lines[:-1]:
            before = kept.server.counters["applied"]
            oscsend(kept.server.port, address, *re.findall(r'[^\s"]+|"[^"]*"', rest.replace('"', "")))
            assert eventually(lambda before=before: kept.server.counters["applied"] > before), address
        oscsend(kept.server.port, lines[-1][0], *lines[-1][1].split())
        kept.sync()
        refused = {name: kept.server.counters[name] for name in ("wrong_type", "unknown", "malformed")}
        assert refused == dict.fromkeys(refused, 0)


def test_the_page_s_addresses_exist() -> None:
    page = as_markdown()
    outgoing = {"subscribe", "unsubscribe", "dump", "health"}
    for path in re.findall(r"/?sonorama(/[a-z0-9_/]*[a-z0-9_])", page.split("## Examples to copy")[1]):
        path = path.removesuffix("/norm")
        known = path in SHOW or path[1:] in outgoing or path.startswith(("/heard/", "/sound/bpm"))
        assert known or path in ("/motion",), path


def test_the_page_is_up_to_date() -> None:
    page = Path(__file__).parents[3] / "docs" / "osc.md"
    assert page.read_text(encoding="utf-8") == as_markdown(), "run: sonorama parameters --osc > docs/osc.md"
    program = Path(sys.executable).with_name("sonorama")
    done = subprocess.run([program, "parameters", "--osc"], capture_output=True, text=True, check=True)
    assert done.stdout == as_markdown()


def test_nothing_arrives_from_what_is_wrong() -> None:
    with serving() as kept:
        for packet in (
            message("/sonorama/out/master", "s", "loud"),
            message("/sonorama/out/master", "f", float("nan")),
            message("/sonorama/out/master"),
            message("/sonorama/nothing", "f", 1.0),
            b"hello",
        ):
            assert kept.heard(packet) == []
        counts = kept.server.counters
        assert (counts["wrong_type"], counts["unknown"], counts["malformed"]) == (3, 1, 1)
        assert len(kept.server.faults()) == 3


def test_a_burst_of_5000_arrives_whole_and_in_order() -> None:
    with serving() as kept:
        assert kept.server.buffer >= 4 << 20, "the system gives less: sysctl net.core.rmem_max=4194304"
        subprocess.run([sys.executable, "-c", BURST, str(kept.server.port)], check=True, timeout=60)
        eventually(lambda: len(kept.posted) >= 5000, 10.0)
        assert [one.value for one in kept.posted] == [
            struct.unpack("f", struct.pack("f", n / 5000))[0] for n in range(5000)
        ]
        assert kept.server.counters["dropped"] == 0


def fill_queue(server: OscServer, one: socket.socket) -> None:
    """Send a value that its worker stays with, then large messages until some are dropped; blobs, which take no time
    to parse once the worker goes on.
    """
    one.sendto(message("/sonorama/look/seed", "i", 3), (HERE, server.port))
    large = message("/sonorama/look/text", "b", bytes(60_000))

    def flood() -> bool:
        for _ in range(20):
            one.sendto(large, (HERE, server.port))
        return server.counters["dropped"] > 0

    assert eventually(flood, 30.0), "the queue is not full"


def test_blackout_overtakes_a_queue_that_stands_still() -> None:
    stuck = threading.Event()
    fast = list[Change]()

    def wait(_: Change) -> None:
        stuck.wait(20.0)

    server = OscServer(SHOW, wait, fast.append, 0, subscribers=())
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with server, one:
        fill_queue(server, one)
        for packet in (BLACK, bundle(BLACK, message("/sonorama/out/panic"), at=1.0)):
            count = len(fast)
            one.sendto(packet, (HERE, server.port))
            assert eventually(lambda count=count: len(fast) > count)
        assert eventually(lambda: [change.path for change in fast][1:] == ["/out/blackout", "/out/panic"])
        stuck.set()


def test_blackout_overtakes_what_waits_in_the_socket() -> None:
    """A flood is not read to its end first; what belongs to it stays in order."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
    ):
        here.bind((HERE, 0))
        here.setblocking(False)
        intake = Intake(here, lambda datagram: datagram == BLACK)
        sent = [message("/sonorama/look/seed", "i", number) for number in range(100)]
        for packet in (*sent, BLACK):
            out.sendto(packet, here.getsockname())
        assert eventually(lambda: intake.fill() and intake.count == 101)
        assert [datagram for datagram, _ in intake.take(64)] == [BLACK, *sent[:64]]
        assert [datagram for datagram, _ in intake.take(64)] == sent[64:]
        assert not intake.fill()


def test_of_a_queue_that_is_full_the_newest_stay() -> None:
    """A fader's last move holds after a flood."""
    stuck, seen = threading.Event(), list[Change]()

    def wait(change: Change) -> None:
        stuck.wait(20.0)
        seen.append(change)

    server = OscServer(SHOW, wait, seen.append, 0, subscribers=())
    with server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fill_queue(server, one)
        one.sendto(message("/sonorama/look/seed", "i", 4), (HERE, server.port))
        time.sleep(0.2)
        stuck.set()
        assert eventually(lambda: any(change.value == 4 for change in seen), 30.0)


def test_a_bundle_waits_for_its_time_and_no_longer() -> None:
    with serving() as kept:
        master = [message("/sonorama/out/master", "f", number / 8) for number in range(4)]
        now = time.time()
        kept.send(bundle(master[0], bundle(master[1], at=now + 1.2), at=now - 100))
        kept.send(bundle(master[2], BLACK, at=now + 0.6))
        kept.send(bundle(master[3], at=now + 3600))  # a clock that is wrong
        kept.sync()
        assert [one.value for one in kept.posted] == [0.0, 0.375]
        assert kept.fast == []
        assert eventually(lambda: len(kept.posted) == 3)
        assert 0.59 < time.time() - now < 1.19
        assert [one.path for one in kept.fast] == ["/out/blackout"]
        assert eventually(lambda: len(kept.posted) == 4)
        assert time.time() - now > 1.19
        assert [one.value for one in kept.posted] == [0.0, 0.375, 0.25, 0.125]
        assert kept.server.counters["scheduled"] == 3


def test_a_busy_port_moves_on_past_those_promised_to_others() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HERE, 0))
        busy = other.getsockname()[1]
        with serving(port=busy, subscribers=((HERE, busy + 1),)) as kept:
            assert busy + 1 < kept.server.port <= busy + 20
            with serving(port=kept.server.port) as second:
                assert second.server.port > kept.server.port


def test_no_free_port_is_said() -> None:
    server = OscServer(SHOW, lambda _: None, lambda _: None, 65_535, host="203.0.113.1")
    with pytest.raises(SonoramaError, match=r"203\.0\.113\.1"):
        server.start()
    with pytest.raises(SonoramaError, match="not a network address"):
        OscServer(SHOW, lambda _: None, lambda _: None, allow=["next door"])


def test_a_message_that_is_refused_costs_its_bundle_nothing() -> None:
    with serving() as kept:
        kept.send((CASES / "osc-bundle-one-colour.bin").read_bytes())
        kept.sync()
        assert len(kept.posted) == 10
        (line,) = kept.server.faults()
        assert "'/sonorama/unknown/colour' with type tags ',r'" in line


def test_bundles_may_be_as_long_as_a_datagram() -> None:
    masters = [message("/sonorama/out/master", "f", number / 2000) for number in range(1800)]
    with serving() as kept:
        kept.send((CASES / "osc-bundle-257.bin").read_bytes())
        kept.sync()
        assert len(kept.posted) == 257
        kept.posted.clear()
        kept.send(bundle(*masters))
        kept.sync()
        assert len(kept.posted) == 1800
        kept.send(bundle(*[message("/a", "T")] * 4095, BLACK))
        assert eventually(lambda: len(kept.fast) == 1)
        kept.sync()
        assert kept.server.counters["unknown"] == 4095
        assert kept.server.counters["malformed"] == 0


@pytest.mark.parametrize(("host", "to"), [("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1")])
def test_ipv6(host: str, to: str) -> None:
    if not Path("/proc/net/if_inet6").exists() and sys.platform == "linux":
        pytest.skip("this system has no IPv6")
    posted = list[Change]()
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    with (
        OscServer(SHOW, posted.append, posted.append, 0, host, subscribers=()) as server,
        socket.socket(family, socket.SOCK_DGRAM) as one,
    ):
        one.bind((to, 0))
        own = one.getsockname()[1]
        one.sendto(message("/sonorama/subscribe", "i", own), (to, server.port))
        one.sendto(message("/sonorama/out/master", "f", 0.25), (to, server.port))
        assert eventually(lambda: len(posted) == 1)
        assert posted[0].source == (f"osc:[::1]:{own}" if ":" in to else f"osc:127.0.0.1:{own}")
        assert server.subscribers == [(to, own)]
        server.publish([Change("/look/seed", 5, "panel")])
        assert ("/sonorama/look/seed", [5]) in received(one)
        one.sendto(message("/sonorama/dump", "i", server.port), (to, server.port))  # to itself
        assert eventually(lambda: server.counters["wrong_type"] == 1)


def own_address() -> str:
    """This machine's address in its network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.77", 9))  # sends nothing
        except OSError:
            pytest.skip("this machine is in no network")
        return probe.getsockname()[0]


@pytest.mark.parametrize("mask", ["", "/24"])
def test_other_machines_are_heard_when_allowed(mask: str) -> None:
    mine = own_address()
    for allow, expected in (((), 0), ((mine + mask,), 1)):
        with serving(host="0.0.0.0", allow=allow) as kept:  # noqa: S104 - what is tested
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.bind((mine, 0))
                other.sendto(message("/sonorama/out/master", "f", 0.5), (mine, kept.server.port))
                assert eventually(lambda kept=kept: kept.server.counters["received"] == 1)
            kept.sync()
            assert len(kept.posted) == expected
            assert kept.server.counters["refused"] == 1 - expected


def test_a_receiver_that_raises_costs_its_change_only() -> None:
    def broken(change: Change) -> None:
        raise SonoramaError("no", "never") if change.path == "/out/master" else KeyError("x")

    kept = list[Change]()
    with (
        OscServer(SHOW, broken, kept.append, 0, subscribers=()) as server,
        socket.socket(type=socket.SOCK_DGRAM) as one,
    ):
        for packet in (message("/sonorama/out/master", "f", 1.0), message("/sonorama/look/seed", "i", 1), BLACK):
            one.sendto(packet, (HERE, server.port))
        assert eventually(lambda: server.counters["failed"] == 2)
        assert eventually(lambda: [change.path for change in kept] == ["/out/blackout"])


def test_close_twice_and_before_start() -> None:
    server = OscServer(SHOW, lambda _: None, lambda _: None, 0)
    server.close()
    server.start()
    threads = threading.active_count()
    server.close()
    server.close()
    assert threading.active_count() == threads - 2


@pytest.mark.parametrize("killer", KILLERS, ids=["negative size", "far future", "many stars"])
def test_a_killer_does_not_stop_it(killer: bytes) -> None:
    with serving() as kept:
        kept.send(killer)
        kept.sync()
        assert kept.heard(BLACK) == [("/out/blackout", True)]


@pytest.mark.timeout(120)
def test_20_000_hostile_packets_over_the_socket() -> None:
    params = ParameterState(SHOW)
    fast = list[Change]()
    server = OscServer(SHOW, params.post, fast.append, 0, subscribers=())
    lives = []
    with server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        lives = [thread for thread in threading.enumerate() if thread.name.startswith("osc")]
        for number, packet in enumerate(fuzz(20_000, seed=1)):
            one.sendto(packet, (HERE, server.port))
            if number % 500 == 499:
                assert eventually(lambda number=number: server.counters["received"] == number + 1)
                for path, value in params.step(1 / 30).items():
                    assert SHOW[path].clip(value) == value
        fast.clear()
        one.sendto(text("/sonorama/out/blackout"), (HERE, server.port))  # no argument: a wrong type for a switch
        one.sendto(BLACK, (HERE, server.port))
        begun = time.perf_counter()
        assert eventually(lambda: any(change == Change("/out/blackout", True, change.source) for change in fast))
        assert time.perf_counter() - begun < 0.5
        assert all(thread.is_alive() for thread in lives)
        counts = server.counters
        assert counts["malformed"] > 5000
        assert counts["applied"] > 1000
        assert counts["failed"] == 0
