"""OSC comes in by the door of all bridges: found by its entry point, made from an argument, fed through a port."""

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from pythonosc.osc_packet import OscPacket
from pythonosc.udp_client import SimpleUDPClient

from sonorama.engine.control.accept import valid_change
from sonorama.engine.control.class_addresses import to_slot
from sonorama.engine.control.events import ShowEvents
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.errors import SonoramaError
from sonorama.engine.faults import Faults
from sonorama.engine.ipc.channel import Server
from sonorama.engine.osc.bridge import OscBridge, osc_argument
from sonorama.engine.osc.sockets import unreachable
from sonorama.engine.osc.subscriptions import METERS
from sonorama.engine.plugins.registry import BRIDGES, find_used
from sonorama.engine.show.bridges import BridgeRunner, Port


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_it_is_a_bridge_like_any_other() -> None:
    assert find_used(BRIDGES)["osc"].load() is OscBridge


def test_messages_pass_the_port_and_urgent_ones_overtake() -> None:
    posted: list[Change] = []
    urgent: list[Change] = []
    events = ShowEvents(Faults())
    events.urgent.subscribe(urgent.append, "test")
    values: dict[str, Value] = {"/look/seed": 7}
    argument = osc_argument(0, 0, "127.0.0.1", ["192.168.1.0/24"])
    runner = BridgeRunner(
        [f"osc:{argument}"], lambda bridge: Port("n", values, posted.append, events, bridge), Faults()
    )
    runner.start()
    try:
        client = SimpleUDPClient("127.0.0.1", int(runner.facts["osc_port"]))
        client.send_message("/sonorama/look/truncation", 99.0)
        client.send_message("/sonorama/out/blackout", 1)
        client.send_message("/sonorama/engine/world", "../x")
        client.send_message("/sonorama/engine/world", "shore")
        until(lambda: len(posted) == 3 and len(urgent) == 1)
        assert [(one.path, one.value) for one in posted if one not in urgent] == [
            ("/look/truncation", 1.2),
            ("/engine/world", "shore"),
        ]
        assert (urgent[0].path, urgent[0].value) == ("/out/blackout", True)
        assert urgent[0] in posted
        assert posted[0].source.startswith("osc:127.0.0.1:")
        assert any("'../x'" in line or "../x" in line for line in runner.faults())
        assert runner.facts["osc_received"] == 4
    finally:
        runner.close()
        runner.close()


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("port=x", "is no port"),
        ("port=70000", "is no port"),
        ("colour=1", "knows no colour"),
        ("allow=me", "not a network address"),
        ("port=9133&out=9133", "cannot be sent to port 9133, where it is received"),
        ("out=9123", "cannot be sent to port 9123"),
    ],
)
def test_a_wrong_argument_is_two_lines(argument: str, words: str) -> None:
    with pytest.raises(SonoramaError, match=words) as caught:
        OscBridge(argument)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("host", "allow", "line"),
    [
        ("127.0.0.1", [], ""),
        ("127.0.0.1", ["127.0.0.0/8"], ""),
        ("0.0.0.0", ["192.168.1.0/24"], ""),  # noqa: S104 - what is tested
        ("no such machine.invalid", [], ""),
        ("localhost", ["192.168.1.20"], "allow= has no effect: no other machine reaches localhost. Give host="),
        ("0.0.0.0", [], "Nothing is accepted from other machines at 0.0.0.0: name them with allow="),  # noqa: S104
        ("::", [], "Nothing is accepted from other machines at ::"),
    ],
)
def test_an_address_and_machines_that_do_not_go_together_are_said(host: str, allow: list[str], line: str) -> None:
    said = unreachable(host, allow, ("host=", "allow="))
    assert said.startswith(line) and bool(said) == bool(line)


def test_who_may_send_is_said_by_the_bridge() -> None:
    bridge = OscBridge("port=0&out=0&allow=192.168.1.20")
    values: dict[str, Value] = {path: param.default for path, param in SHOW.items()}
    bridge.start(Port("n", values, lambda change: None, ShowEvents(Faults()), "osc"))
    try:
        assert [line for line in bridge.faults() if "--osc-allow has no effect" in line]
    finally:
        bridge.stop()


def test_a_dump_tells_what_the_show_plays_and_not_the_defaults() -> None:
    """Values of the command line and of a resumed show are never sent as changes."""
    values: dict[str, Value] = {path: param.default for path, param in SHOW.items()}
    values |= {"/look/seed": 7, "/motion/coarse/amount": 1.5, "/look/text": "fog"}
    runner = BridgeRunner(
        [f"osc:{osc_argument(0, 0, '127.0.0.1', [])}"],
        lambda bridge: Port("n", values, lambda change: None, ShowEvents(Faults()), bridge),
        Faults(),
    )
    runner.start()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            receiver.settimeout(30.0)
            client = SimpleUDPClient("127.0.0.1", int(runner.facts["osc_port"]))
            client.send_message("/sonorama/dump", receiver.getsockname()[1])
            told: dict[str, object] = {}
            while not {f"/sonorama{path}" for path in values if not SHOW[path].event} <= told.keys() | {*METERS}:
                told |= {one.message.address: one.message.params[0] for one in OscPacket(receiver.recv(65536)).messages}
    finally:
        runner.close()
    assert (told["/sonorama/look/seed"], told["/sonorama/look/text"]) == (7, "fog")
    assert told["/sonorama/motion/coarse/amount"] == 1.5
    wanted = pytest.approx(SHOW["/motion/coarse/amount"].to_norm(1.5))
    assert told["/sonorama/motion/coarse/amount/norm"] == wanted


@pytest.mark.parametrize(("sent", "meant"), [("fire", "fire_crackling"), ("Raining", "raining")])
def test_a_class_that_the_world_has_not_is_answered_with_the_one_that_was_meant(sent: str, meant: str) -> None:
    classes = ("thunderstorm", "raining", "underwater_bubbling", "waterfall_burbling", "fire_crackling")

    def accept(path: str, value: object, source: str) -> Change:
        return valid_change(SHOW, to_slot(path, classes), value, source)

    runner = BridgeRunner(
        [f"osc:{osc_argument(0, 0, '127.0.0.1', [])}"],
        lambda bridge: Port("n", {}, lambda change: None, ShowEvents(Faults()), bridge, accept),
        Faults(),
    )
    runner.start()
    try:
        client = SimpleUDPClient("127.0.0.1", int(runner.facts["osc_port"]))
        client.send_message(f"/sonorama/meaning/{sent}/floor", 0.5)
        until(lambda: bool(runner.faults()))
        assert runner.faults() == [
            f"OSC: /sonorama/meaning/{sent}/floor could not be set: This world has no class '{sent}'. "
            f"Did you mean /meaning/{meant}/floor?"
        ]
    finally:
        runner.close()


@pytest.mark.parametrize("owner", ["evening", ""])
def test_another_port_than_was_asked_for_is_said_with_the_show_that_has_it(owner: str) -> None:
    with ExitStack() as undo:
        taken = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        if owner:
            server = Server()
            undo.callback(server.close)
            server.announce(owner, {"osc_port": port})
        bridge = OscBridge(osc_argument(port, 0, "127.0.0.1", []))
        undo.callback(bridge.stop)
        bridge.start(Port("n", {}, lambda change: None, ShowEvents(Faults()), "osc"))
        used, by = bridge.facts["osc_port"], f"the show {owner} has it" if owner else "another program has it"
        assert used != port
        assert bridge.faults() == [f"Port {port} is busy ({by}): OSC is received at port {used}"]


def test_of_the_port_that_was_asked_for_nothing_is_said() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for asked in (0, port):
        bridge = OscBridge(osc_argument(asked, 0, "127.0.0.1", []))
        bridge.start(Port("n", {}, lambda change: None, ShowEvents(Faults()), "osc"))
        try:
            assert bridge.facts["osc_port"] == asked or not asked
            assert bridge.faults() == []
        finally:
            bridge.stop()
