"""What leaves: to subscribers, not back to who moved it, all on request, meters; read by liblo's oscdump."""

import math
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change
from sonorama.engine.osc.messages import Sender
from sonorama.engine.osc.routing import Accepted
from sonorama.engine.osc.subscriptions import METERS, QUIET, Subscriptions, encode, pack

from .osc_helpers import HERE, eventually, message, parsed, received, serving

AMOUNT = "/motion/coarse/amount"
DESK, WALL, HAND = (HERE, 40_001), (HERE, 40_002), (HERE, 50_000)


class Clocked:
    """Feedback whose time and network are ours."""

    def __init__(self, *fixed: Sender) -> None:
        self.now = 0.0
        self.sent: list[tuple[int, str, Any]] = []
        self.feedback = Subscriptions(SHOW, self.take, fixed, lambda: self.now)

    def take(self, datagram: bytes, target: Sender) -> None:
        assert len(datagram) < 8192
        self.sent += [(target[1], one.address, one.arguments[0]) for one in parsed(datagram)]

    def moved(self, path: str, value: Any, by: Sender, asked: Any = None) -> None:
        """By OSC, and applied a little later."""
        change = Change(path, value, f"osc:{by[0]}:{by[1]}")
        self.feedback.touched(Accepted(change, value if asked is None else asked), by)
        self.now += 0.01
        self.feedback.publish([change])

    def told(self) -> list[tuple[int, Any]]:
        """Port and value of what was sent since the last call, without the 0..1 addresses."""
        found = [(port, value) for port, address, value in self.sent if not address.endswith("/norm")]
        self.sent.clear()
        return found

    def later(self, seconds: float) -> list[tuple[int, Any]]:
        self.now += seconds
        self.feedback.flush()
        return self.told()


def test_a_change_of_the_panel_is_told_to_all_in_both_forms() -> None:
    one = Clocked(DESK, WALL)
    one.feedback.publish([Change(AMOUNT, 1.5, "panel")])
    assert one.sent == [
        (port, address, value)
        for port in (DESK[1], WALL[1])
        for address, value in ((f"/sonorama{AMOUNT}", 1.5), (f"/sonorama{AMOUNT}/norm", 0.75))
    ]


def test_who_moves_a_control_is_not_told_what_it_knows() -> None:
    one = Clocked()
    one.feedback.subscribe(DESK, DESK[1])
    one.feedback.subscribe(HAND, WALL[1])  # speaks from one port, listens at another
    for step in range(20):
        one.moved(AMOUNT, step / 10, HAND)
        assert one.told() == [(DESK[1], pytest.approx(step / 10))]
    assert one.later(1.0) == []
    one.moved(AMOUNT, 0.25, DESK)
    assert one.told() == [(WALL[1], 0.25)]


def test_who_asked_for_too_much_is_told_what_it_got_after_50_ms() -> None:
    one = Clocked()
    one.feedback.subscribe(HAND, DESK[1])
    one.moved(AMOUNT, 2.0, HAND, asked=7.0)
    assert one.later(QUIET - 0.011) == []
    assert one.feedback.wait() == pytest.approx(0.001)
    assert one.later(0.002) == [(DESK[1], 2.0)]
    assert one.feedback.wait() == math.inf
    assert one.later(1.0) == []


def test_somebody_else_s_change_reaches_a_moving_hand_50_ms_later() -> None:
    one = Clocked()
    one.feedback.subscribe(HAND, DESK[1])
    one.moved(AMOUNT, 0.5, HAND)
    one.feedback.publish([Change(AMOUNT, 1.0, "panel")])
    assert one.told() == []
    assert one.later(QUIET) == [(DESK[1], 1.0)]
    one.feedback.publish([Change(AMOUNT, 0.5, "panel")])  # what the hand asked for once is news again
    assert one.told() == [(DESK[1], 0.5)]


def test_a_sender_that_cannot_be_told_apart_makes_its_host_wait_and_no_other() -> None:
    far = ("192.0.2.9", 40_003)
    one = Clocked(DESK, far)
    one.moved(AMOUNT, 0.5, HAND)
    assert one.told() == [(far[1], 0.5)]
    assert one.later(QUIET) == [(DESK[1], 0.5)]


def test_events_are_not_told_and_words_go_alone() -> None:
    one = Clocked(DESK)
    one.feedback.publish([Change("/scene/recall", 3, "panel"), Change("/sound/tap", True, "panel")])
    assert one.sent == []
    one.feedback.publish([Change("/motion/mode", "literal", "panel"), Change("/out/freeze", True, "panel")])
    assert one.sent == [(DESK[1], "/sonorama/motion/mode", "literal"), (DESK[1], "/sonorama/out/freeze", 1)]


def test_subscribers_are_few_expire_and_leave() -> None:
    one = Clocked(DESK)
    for port in range(41_000, 41_100):
        one.feedback.subscribe(HAND, port)
    assert one.feedback.subscribers == [DESK, *((HERE, port) for port in range(41_084, 41_100))]
    one.feedback.unsubscribe(HAND, 41_099)
    assert (HERE, 41_099) not in one.feedback.subscribers
    one.feedback.unsubscribe(HAND, None)
    assert one.feedback.subscribers == [DESK]
    one.feedback.subscribe(HAND, 42_000, 10.0)
    one.feedback.subscribe(HAND, DESK[1], 10.0)
    one.later(9.9)
    assert len(one.feedback.subscribers) == 2
    one.later(0.2)
    assert one.feedback.subscribers == [DESK]


def test_a_dump_is_everything_and_numbers_where_numbers_belong() -> None:
    one = Clocked(DESK)
    one.feedback.publish([Change(AMOUNT, 1.5, "panel"), Change("/look/text", "rain", "panel")])
    one.sent.clear()
    one.feedback.dump(HAND, 45_000, 1)
    assert {port for port, _, _ in one.sent} == {45_000}
    told = {address: value for _, address, value in one.sent}
    assert len(told) == len(one.sent)
    assert (told[f"/sonorama{AMOUNT}"], told["/sonorama/look/text"]) == (1.5, "rain")
    for path, param in SHOW.items():
        if param.event:
            assert f"/sonorama{path}" not in told
            continue
        value = told.get(f"/sonorama{path}")
        assert f"/sonorama{path}" in METERS or isinstance(value, str) == (param.kind in ("choice", "text"))
        assert (f"/sonorama{path}/norm" in told) == (param.kind == "float")
    one.sent.clear()
    one.feedback.dump(HAND, None, 1)
    assert {port for port, _, _ in one.sent} == {DESK[1]}


def test_no_meter_shares_its_address_with_a_told_control() -> None:
    one = Clocked(DESK)
    one.feedback.dump(HAND, 45_000, 1)
    assert not set(METERS) & {address for _, address, _ in one.sent}


def test_what_cannot_be_a_number_is_left_out() -> None:
    one = Clocked(DESK)
    values = {"/sound/level": 0.5, "/sonorama/sound/bpm": 120, "/engine/latency": math.nan, "/heard/1/label": "rain"}
    one.feedback.send_values({**values, "/engine/late": 2**40})
    assert [(address, value) for _, address, value in one.sent] == [
        ("/sonorama/sound/level", 0.5), ("/sonorama/sound/bpm", 120), ("/sonorama/heard/1/label", "rain"),
        ("/sonorama/engine/late", 2**40),
    ]  # fmt: skip


@pytest.mark.parametrize("value", [0, -1, 2**31, -(2**63), 10**30, True, 0.5, 1e300, "", "abc", "a\0b", "é\ud800"])
def test_what_leaves_passes_our_own_guard(value: Any) -> None:
    packet = encode("/sonorama/a", value)
    assert len(parsed(packet)) == 1
    assert all(len(bundle) <= 1400 for bundle in pack([packet] * 300))
    assert sum(len(parsed(bundle)) for bundle in pack([packet] * 300)) == 300


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((HERE, 0))
        yield one


def test_subscribe_hear_and_leave_over_sockets(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    with serving() as kept:
        kept.send(message("/sonorama/subscribe", "i", port))
        assert eventually(lambda: kept.server.subscribers == [(HERE, port)])
        begun = time.monotonic()
        kept.send(message(f"/sonorama{AMOUNT}", "f", 9.0))
        assert eventually(lambda: bool(kept.posted))
        kept.server.publish(kept.posted)
        listener.settimeout(5.0)
        told = parsed(listener.recv(4096))
        assert time.monotonic() - begun >= QUIET
        assert [(one.address, one.arguments) for one in told] == [
            (f"/sonorama{AMOUNT}", [2.0]),
            (f"/sonorama{AMOUNT}/norm", [1.0]),
        ]
        kept.server.send_values({"/sonorama/sound/level": 0.5})
        assert received(listener) == [("/sonorama/sound/level", [0.5])]
        kept.send(message("/sonorama/unsubscribe", "i", port))
        assert eventually(lambda: kept.server.subscribers == [])


def test_the_origin_is_not_echoed_and_others_are_told(listener: socket.socket) -> None:
    with serving() as kept:
        kept.send(message("/sonorama/subscribe", "i", kept.address[1]))  # listens where it speaks
        listener.sendto(message("/sonorama/subscribe", "i", listener.getsockname()[1]), (HERE, kept.server.port))
        assert eventually(lambda: len(kept.server.subscribers) == 2)
        kept.send(message(f"/sonorama{AMOUNT}", "f", 0.5))
        kept.sync()
        kept.server.publish(kept.posted)
        assert (f"/sonorama{AMOUNT}", [0.5]) in received(listener, 0.2)
        assert received(kept.socket, 0.2) == []


@pytest.mark.parametrize("port", [0, 80, -5, 70_000, "us", "word"])
def test_nonsense_does_not_subscribe(port: Any) -> None:
    with serving() as kept:
        number = kept.server.port if port == "us" else port
        kept.send(message("/sonorama/subscribe", "s" if port == "word" else "i", number))
        kept.sync()
        assert kept.server.subscribers == []
        assert kept.server.counters["wrong_type"] == 1


def test_it_never_speaks_to_itself() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HERE, 0))
        port = other.getsockname()[1]
    with serving(port=port, subscribers=((HERE, port),)) as kept:
        assert kept.server.port == port
        kept.server.publish([Change(AMOUNT, 0.5, "panel")])
        kept.sync()
        assert kept.posted == []
        assert kept.server.counters["received"] == 1
        assert kept.server.counters["unsent"] > 0


def test_oscdump_reads_all_of_it(listener: socket.socket) -> None:
    found = shutil.which("oscdump")
    assert found, "oscdump is missing: apt install liblo-tools"
    port = listener.getsockname()[1]
    listener.close()
    dump = subprocess.Popen([found, "-L", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = list[str]()
    assert dump.stdout is not None
    reading = threading.Thread(target=lines.extend, args=(iter(dump.stdout.readline, ""),), daemon=True)
    reading.start()

    def heard(address: str) -> bool:
        kept.server.send_values({address: 1})
        return any(f" {address} " in line for line in lines)

    try:
        with serving(subscribers=((HERE, port),)) as kept:
            assert eventually(lambda: heard("/sonorama/ready")), "oscdump does not listen"
            kept.server.publish([Change("/motion/mode", "literal", "panel"), Change("/out/master", 0.5, "panel")])
            kept.server.send_values({"/sonorama/sound/level": 0.25, "/sonorama/heard/1/label": "rain"})
            kept.send(message("/sonorama/dump", "i", port))
            kept.sync()
            assert eventually(lambda: heard("/sonorama/health"))
    finally:
        dump.kill()
        dump.wait()
    reading.join(5.0)
    words = [line.split(maxsplit=1)[1].strip() for line in lines if " /sonorama" in line]
    for expected in (
        '/sonorama/motion/mode s "literal"', "/sonorama/out/master f 0.500000", "/sonorama/sound/level f 0.250000",
        '/sonorama/heard/1/label s "rain"', "/sonorama/out/flash_guard i 1", "/sonorama/look/seed i 1",
        "/sonorama/health i 1",
    ):  # fmt: skip
        assert expected in words


def test_a_subscription_for_some_seconds_ends_by_itself() -> None:
    """Meters go out without a look at the clock: the server must wake when a subscription's time is over."""
    one = Clocked()
    one.feedback.subscribe(HAND, DESK[1], 2.0)
    one.feedback.subscribe(HAND, WALL[1])
    assert one.feedback.wait() == pytest.approx(2.0)
    one.now = 2.0
    one.feedback.flush()
    assert one.feedback.subscribers == [WALL]
    assert one.feedback.wait() == math.inf
