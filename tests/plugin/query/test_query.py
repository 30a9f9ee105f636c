"""The OSCQuery server, with requests as they are, and with python-oscquery as an independent client."""

import asyncio
import http.client
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket
from pythonoscquery.osc_query_client import OSCQueryClient
from pythonoscquery.shared.osc_path_node import OSCPathNode
from zeroconf import ServiceInfo

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.registry import BRIDGES, make
from sonorama.plugin.bridges.query.bridge import QueryBridge
from sonorama.plugin.bridges.query.guard import Guard

from ...speed import slowness
from ..midi.controls import Show

PATIENCE_S = 20 * slowness()


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[QueryBridge, Show]]:
    bridge, show = make(BRIDGES, "query", "port=0"), Show()
    bridge.start(show)
    yield bridge, show
    bridge.stop()
    bridge.stop()


@pytest.fixture
def port(running: tuple[QueryBridge, Show]) -> int:
    return int(running[0].facts["query_port"])


@pytest.fixture
def show(running: tuple[QueryBridge, Show]) -> Show:
    return running[1]


def get(port: int, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Status and body, as JSON if it is."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    line.request("GET", path, headers=headers or {})
    answer = line.getresponse()
    body = answer.read()
    is_json = "json" in (answer.getheader("Content-Type") or "")
    line.close()
    return answer.status, json.loads(body) if is_json else body.decode()


def all_nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("CONTENTS", {}).values():
        yield from all_nodes(below)


def test_every_parameter_is_there(port: int, show: Show) -> None:
    status, root = get(port, "/")
    assert status == 200 and root["FULL_PATH"] == "/" and list(root["CONTENTS"]) == ["sonorama"]
    nodes = {node["FULL_PATH"].removeprefix("/sonorama"): node for node in all_nodes(root)}
    assert set(SHOW) <= set(nodes)
    for path, param in SHOW.items():
        node = nodes[path]
        assert node["DESCRIPTION"] == param.doc and node["ACCESS"] == (2 if param.event else 3)
        if param.kind in ("float", "int", "slot"):
            assert node["RANGE"] == [{"MIN": param.low, "MAX": param.high}] and node["CLIPMODE"] == ["both"]
        if param.kind == "choice":
            assert node["RANGE"] == [{"VALS": list(param.choices)}]
        assert node["VALUE"] == [None if param.kind == "trigger" else param.default]
    assert nodes["/sound/gain"]["UNIT"] == ["gain.db"] and nodes["/out/blackout"]["CRITICAL"] is True
    types = {"/look/drift": "f", "/look/seed": "i", "/out/freeze": "T", "/look/text": "s", "/sound/tap": "I"}
    assert {path: nodes[path]["TYPE"] for path in types} == types


def test_attributes_and_errors(port: int, show: Show) -> None:
    show.set("/look/drift", 0.25)
    assert get(port, "/sonorama/look/drift?VALUE") == (200, {"VALUE": [0.25]})
    assert get(port, "/sonorama/sound/tempo?VALUE") == (200, {"VALUE": ["heard"]}), "a node with contents, too"
    assert get(port, "/sonorama/look/drift?RANGE") == (200, {"RANGE": [{"MIN": 0.0, "MAX": 1.0}]})
    assert get(port, "/sonorama/look?VALUE")[0] == 204
    assert get(port, "/sonorama/sound/tap?RANGE")[0] == 204
    assert get(port, "/sonorama/look/drift?COLOUR")[0] == 400
    for path in ("/nothing", "/sonorama/loo", "/sonorama/look/drift/norm/x", "/../etc/passwd", "/%00"):
        assert get(port, path)[0] == 404, path
    status, info = get(port, "/sonorama/look?HOST_INFO")
    assert status == 200 and info["NAME"] == "sonorama test" and info["WS_PORT"] == port
    assert info["OSC_TRANSPORT"] == "UDP" and info["EXTENSIONS"]["LISTEN"] is True


def test_python_oscquery_reads_it(port: int, show: Show) -> None:
    show.set("/look/drift", 0.5)
    info = ServiceInfo("_oscjson._tcp.local.", "x._oscjson._tcp.local.", port=port, parsed_addresses=["127.0.0.1"])
    client = OSCQueryClient(info)
    host = client.get_host_info()
    assert host is not None and host.name == "sonorama test" and host.extensions["RANGE"] is True

    def addresses(node: OSCPathNode | None) -> Iterator[str]:
        assert node is not None
        yield node.full_path
        for below in node.contents or ():
            yield from addresses(below)

    for group in ("look", "motion", "scene", "moves", "out", "midi"):  # it takes no node with contents and a value
        shown = {f"/sonorama{path}" for path in SHOW if path.startswith(f"/{group}/")}
        assert shown <= set(addresses(client.query_node(f"/sonorama/{group}"))), group
    drift = client.query_node("/sonorama/look/drift")
    assert drift is not None and drift.value == [0.5] and drift.description == SHOW["/look/drift"].doc
    assert client.query_node("/sonorama/no") is None


Talk = Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]]


def talk(port: int, with_server: Talk, **headers: str) -> None:
    async def run() -> None:
        address = f"http://127.0.0.1:{port}/"
        async with aiohttp.ClientSession() as session, session.ws_connect(address, headers=headers) as socket:
            await asyncio.wait_for(with_server(socket), PATIENCE_S)

    asyncio.run(run())


def command(name: str, address: object) -> str:
    return json.dumps({"COMMAND": name, "DATA": address})


async def receive(socket: aiohttp.ClientWebSocketResponse) -> list[tuple[str, Any]]:
    packet = OscPacket(await socket.receive_bytes())
    return [(one.message.address, one.message.params[0]) for one in packet.messages]


def message(address: str, value: Any) -> bytes:
    builder = OscMessageBuilder(address)
    builder.add_arg(value)
    return builder.build().dgram


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.01)


def test_listen_and_ignore(port: int, show: Show) -> None:
    show.set("/look/drift", 0.125)

    async def listen(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_str(command("LISTEN", "/sonorama/look/drift"))
        assert await receive(socket) == [("/sonorama/look/drift", 0.125)]
        show.set("/look/seed", 5)
        show.set("/look/drift", 0.75)
        assert await receive(socket) == [("/sonorama/look/drift", 0.75)]
        await socket.send_str(command("LISTEN", "/sonorama/out/freeze"))
        assert await receive(socket) == [("/sonorama/out/freeze", 0)]
        await socket.send_str(command("IGNORE", "/sonorama/look/drift"))
        await socket.send_str(command("LISTEN", "/sonorama/look/seed"))
        assert await receive(socket) == [("/sonorama/look/seed", 5)]
        show.set("/look/drift", 0.5)
        show.set("/look/seed", 6)
        assert await receive(socket) == [("/sonorama/look/seed", 6)]

    talk(port, listen)


def test_values_over_the_web_socket(port: int, show: Show) -> None:
    show.posted.clear()

    async def play(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_str(command("LISTEN", "/sonorama/look/drift"))
        await receive(socket)
        await socket.send_bytes(message("/sonorama/look/drift", 0.625))
        await until(lambda: show.values["/look/drift"] == 0.625)
        bundle = OscBundleBuilder(0)
        for address, value in (("/sonorama/look/seed", 77), ("/sonorama/no/such", 1), ("/sonorama/out/freeze", True)):
            builder = OscMessageBuilder(address)
            builder.add_arg(value)
            bundle.add_content(builder.build())
        await socket.send_bytes(bundle.build().dgram)
        await until(lambda: show.values["/out/freeze"] is True)
        assert show.values["/look/seed"] == 77
        await socket.send_bytes(message("/sonorama/look/drift", 9.0))
        assert await receive(socket) == [("/sonorama/look/drift", 1.0)], "its own value is told only where it differs"
        await socket.send_bytes(message("/sonorama/engine/world", "/etc/passwd"))
        await socket.send_bytes(message("/sonorama/out/panic", 1))
        await until(lambda: show.posted[-1].path == "/out/panic")

    talk(port, play)
    assert "/engine/world" not in [one.path for one in show.posted]
    assert all(one.source.startswith("query:127.0.0.1:") for one in show.posted)


def test_nonsense_costs_nobody_anything(port: int, show: Show) -> None:
    async def nonsense(socket: aiohttp.ClientWebSocketResponse) -> None:
        for text in (
            "",
            "{",
            "[]",
            "3",
            "[" * 9999,
            command("LISTEN", 7),
            command("LISTEN", "/no"),
            command("DANCE", "/"),
        ):
            await socket.send_str(text)
        for packet in (b"", b"x", b"#bundle\0" + b"\xff" * 20, b"/" + b"*" * 99 + b"\0" * 4):
            await socket.send_bytes(packet)
        await socket.send_bytes(message("/sonorama/look/seed", 12))
        await until(lambda: show.values["/look/seed"] == 12)

    talk(port, nonsense)

    async def too_long(socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_bytes(b"\0" * 100_000)
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE

    talk(port, too_long)
    assert get(port, "/sonorama/look/seed?VALUE")[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:9125", "Origin": "http://evil.example:9125"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "localhost"}, 200),
        ({"Host": "[::1]:9125", "Origin": "http://[::1]:9125"}, 200),
    ],
)
def test_pages_of_other_sites_are_refused(port: int, headers: dict[str, str], status: int) -> None:
    assert get(port, "/", headers)[0] == status
    socket = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    if status == 403:
        assert get(port, "/", {**headers, **socket, "Sec-WebSocket-Key": "x" * 22 + "=="})[0] == 403


def test_only_this_machine_unless_others_are_allowed() -> None:
    closed, wide = Guard([]), Guard(["192.168.1.0/24", "fd00::/8"], ["studio.lan"])
    for guard, client, refused in (
        (closed, "127.0.0.1", False), (closed, "::1", False), (closed, "192.168.1.9", True), (closed, "", True),
        (wide, "192.168.1.9", False), (wide, "::ffff:192.168.1.9", False), (wide, "fd00::3", False),
        (wide, "10.0.0.1", True),
    ):  # fmt: skip
        assert bool(guard.refuses(client, "127.0.0.1", "")) is refused, client
    assert not wide.refuses("127.0.0.1", "studio.lan:9125", "http://studio.lan:9125")


def test_a_busy_port_and_arguments(port: int) -> None:
    other = QueryBridge(str(port))
    other.start(Show())
    assert port < int(other.facts["query_port"]) < port + 20
    assert other.facts["query_page"] == f"http://127.0.0.1:{other.facts['query_port']}/tablet"
    other.stop()
    for argument, line in (("pot=1", "knows no pot"), ("port=x", "port=x is no port"), ("99999", "99999 is no port")):
        with pytest.raises(SonoramaError, match=line):
            QueryBridge(argument)
    with pytest.raises(SonoramaError, match="OSCQuery cannot listen at 203"):
        QueryBridge("port=0&host=203.0.113.7").start(Show())


def test_allow_without_an_address_that_others_reach_is_said() -> None:
    bridge = QueryBridge("port=0&allow=192.168.1.0/24")
    bridge.start(Show())
    try:
        (line,) = bridge.faults()
        assert line == "OSCQuery: allow= has no effect: no other machine reaches 127.0.0.1. Give host=, such as 0.0.0.0"
    finally:
        bridge.stop()


FOUND = """
import time
from pythonoscquery.osc_query_browser import OSCQueryBrowser
from sonorama.plugin.bridges.query.bridge import QueryBridge
from tests.plugin.midi.controls import Show
bridge = QueryBridge("port=0&announce=1")
bridge.start(Show())
browser, end = OSCQueryBrowser(), time.monotonic() + {seconds}
while not browser.get_discovered_oscquery() and time.monotonic() < end:
    time.sleep(0.05)
(found,) = browser.find_nodes_by_endpoint_address("/sonorama/look/drift")
print(found[1].name, found[2].full_path)
browser.zc.close()
bridge.stop()
"""


def test_it_is_found_on_the_network_where_that_is_asked_for() -> None:
    """In a network of its own, which only this test can reach."""
    network = 'ip link set lo up; ip link set lo multicast on; ip route add 224.0.0.0/4 dev lo; exec "$@"'
    command = ["unshare", "-rn", "bash", "-c", network, "-", sys.executable, "-c", FOUND.format(seconds=PATIENCE_S)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5 * PATIENCE_S)
    assert done.stdout == "sonorama test /sonorama/look/drift\n", done.stdout + done.stderr


def test_a_busy_port_is_said(port: int) -> None:
    second, show = make(BRIDGES, "query", f"port={port}"), Show()
    second.start(show)
    try:
        used = second.facts["query_port"]
        assert second.faults() == [f"Port {port} is busy (another program has it): OSCQuery is received at port {used}"]
    finally:
        second.stop()
