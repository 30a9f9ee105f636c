"""The bridges over real sockets of this machine: patch, sources that end, other machines, and what is wrong."""

import json
import re
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.registry import BRIDGES, make
from sonorama.plugin.bridges.dmx.patch import read_patch
from sonorama.plugin.bridges.dmx.protocols import SACN
from sonorama.plugin.dmx import artnet, own, sacn

from ...speed import slowness
from ..midi.controls import Show

CID = uuid.UUID(int=1)
PATIENCE_S = 20 * slowness()


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


class Console:
    """A bridge, and a socket that sends to it."""

    def __init__(self, name: str, argument: str = "", follow: int = 1) -> None:
        self.bridge, self.show = make(BRIDGES, name, f"port=0&follow={follow}&{argument}"), Show()
        self.bridge.start(self.show)
        self._name, self._sequence = name, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(("127.0.0.1", int(self.bridge.facts[f"{name}_port"])))

    def pack(self, levels: list[int], universe: int = 1, ended: bool = False, priority: int = 100) -> bytes:
        self._sequence = self._sequence % 255 + 1
        values = bytes(levels).ljust(512, b"\0")
        if self._name == "artnet":
            return artnet.pack_levels(universe, self._sequence, values)
        return sacn.pack_levels(universe, self._sequence, values, CID, "console", priority, ended)

    def send(self, *levels: int, **words: Any) -> None:
        self.socket.send(self.pack([*levels], **words))

    def set(self, *levels: int) -> None:
        """Send, and wait until it has been played: a tap of the last channel says so."""
        count = sum(change.path == "/edit/redo" for change in self.show.posted)
        for last in (0, 255):
            self.send(*levels, *[0] * (511 - len(levels)), last)
        until(lambda: sum(change.path == "/edit/redo" for change in self.show.posted) > count)

    def faults(self) -> str:
        return "\n".join(self.bridge.faults())


@pytest.fixture
def start() -> Iterator[Callable[..., Console]]:
    consoles: list[Console] = []

    def start(*words: Any) -> Console:
        consoles.append(Console(*words))
        return consoles[-1]

    yield start
    for console in consoles:
        console.bridge.stop()
        console.bridge.stop()
        console.socket.close()


def patch(folder: Path, *lines: dict[str, Any]) -> str:
    """A file of these lines, and a trigger at the last channel."""
    path = folder / "patch.json"
    channels = [*lines, {"channel": 512, "address": "/edit/redo"}]
    path.write_text(json.dumps({"format": "sonorama-dmx", "channels": channels}))
    return f"universe=1&patch={path}"


@pytest.mark.parametrize("name", ["artnet", "sacn"])
def test_every_kind_of_parameter(start: Callable[..., Console], name: str, tmp_path: Path) -> None:
    argument = patch(
        tmp_path,
        {"channel": 1, "address": "/out/master"},
        {"channel": 2, "address": "/sonorama/look/drift", "bits": 16, "low": 1.0, "high": 0.0},
        {"channel": 4, "address": "/out/blackout"},
        {"channel": 5, "address": "/scene/recall"},
        {"channel": 6, "address": "/out/fit"},
        {"channel": 7, "address": "/look/text", "value": "a storm"},
        {"channel": 8, "address": "/sound/tap"},
    )
    console = start(name, argument)
    assert console.faults() == f"No {'Art-Net' if name == 'artnet' else 'sACN'} universe 1 has come yet"
    console.set(51, 64, 0, 200, 64, 127, 255, 255)
    show = console.show
    assert show.values["/out/master"] == 0.2 and show.values["/out/blackout"] is True
    assert show.values["/look/drift"] == pytest.approx(1 - 64 * 256 / 65_535)
    assert show.values["/out/fit"] == "contain" and show.values["/look/text"] == ""
    assert not {"/scene/recall", "/sound/tap"} & {change.path for change in show.posted}, "events wait for a movement"
    assert console.faults() == ""
    assert {change.source for change in show.posted} == {f"{name}:{console.bridge.facts[f'{name}_sources']}"}
    show.set("/out/master", 0.9)
    before = len(show.posted)
    console.set(51, 64, 0, 200, 96, 127, 0, 0)
    assert [(one.path, one.value) for one in show.posted[before:]] == [("/scene/recall", 3), ("/edit/redo", True)]
    assert show.values["/out/master"] == 0.9, "a channel that is not moved leaves the parameter to others"
    console.set(52, 64, 0, 200, 0, 127, 255, 200)
    assert show.values["/out/master"] == pytest.approx(52 / 255) and show.values["/look/text"] == "a storm"
    assert [one.value for one in show.posted if one.path == "/sound/tap"] == [True]
    batch = next(batch for batch in reversed(show.batches) if len(batch) > 1)
    assert {one.path for one in batch} >= {"/out/master", "/look/text", "/sound/tap"}, "they act at the same frame"


def test_nothing_moves_until_a_channel_changes(start: Callable[..., Console], tmp_path: Path) -> None:
    argument = patch(tmp_path, {"channel": 1, "address": "/out/master"}, {"channel": 2, "address": "/look/drift"})
    console = start("artnet", argument, 0)
    console.show.set("/out/master", 0.8)
    before = len(console.show.posted)
    console.set(0, 0)
    assert [change.path for change in console.show.posted[before:]] == ["/edit/redo"]
    console.set(0, 51)
    assert (console.show.values["/out/master"], console.show.values["/look/drift"]) == (0.8, 0.2)


def test_the_levels_of_own_lamps_play_nothing(start: Callable[..., Console]) -> None:
    console = start("artnet", "universe=1")
    lamps = own.open_sender()
    place = console.socket.getpeername()
    lamps.sendto(console.pack([255]), place)
    console.send(51)
    until(lambda: console.show.posted)
    own.close_sender(lamps)
    assert [change.value for change in console.show.posted if change.path == "/out/master"] == [0.2]
    assert not own.is_own(("127.0.0.1", place[1]))


def test_two_bridges_at_one_port_are_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    first, second = (make(BRIDGES, "artnet", f"universe={number}&port={port}") for number in (1, 2))
    first.start(Show())
    with pytest.raises(SonoramaError, match="is received by another --bridge already"):
        second.start(Show())
    first.stop()
    second.start(Show())
    second.stop()


def test_a_patch_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "patch.json"
    page = {"format": "sonorama-dmx", "channels": [{"channel": 3, "address": "/look/drift"}]}
    path.write_text(json.dumps(page), encoding="utf-8-sig")
    assert [(one.channel, one.address) for one in read_patch(str(path))] == [(3, "/look/drift")]


def test_the_patch_that_comes_with_sonorama_is_the_one_in_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "control.md").read_text()
    rows = re.findall(r"^\| ([\d, ]+) \| `(/\S+)` \|", page, re.MULTILINE)
    written = [([int(one) for one in channels.split(",")], address) for channels, address in rows]
    lines = read_patch("")
    assert written == [([one.channel + n for n in range(one.bits // 8)], one.address) for one in lines]
    assert [one for channels, _ in written for one in channels] == [*range(1, 29)]


def test_a_start_address_and_seeds_one_by_one(start: Callable[..., Console]) -> None:
    console = start("artnet", "universe=1&start=101")
    console.send(*[0] * 100, 255, 0, 0, 0, 0, 3, 232)
    until(lambda: console.show.values["/look/seed"] == 1000)
    assert console.show.values["/out/master"] == 1.0


def test_a_source_that_ends_is_said_and_its_values_are_held(start: Callable[..., Console]) -> None:
    console = start("sacn", "universe=1")
    console.send(100)
    until(lambda: console.show.values["/out/master"] == pytest.approx(100 / 255))
    console.send(0, ended=True)
    until(console.faults)
    assert console.faults() == "sACN universe 1: console sends no more; its values are held"
    assert console.show.values["/out/master"] == pytest.approx(100 / 255)
    assert console.bridge.facts["sacn_sources"] == ""
    console.send(255)
    until(lambda: console.show.values["/out/master"] == 1.0 and not console.faults())


def test_a_source_that_falls_silent(start: Callable[..., Console], monkeypatch: pytest.MonkeyPatch) -> None:
    assert SACN.silent_s == 2.5, "of E1.31"
    monkeypatch.setattr("sonorama.plugin.bridges.dmx.sources.Sources.expire", _at_once)
    console = start("sacn", "universe=1")
    console.send(100)
    until(lambda: console.faults() == "sACN universe 1: console sends no more; its values are held")


def _at_once(self: Any, now: float) -> bool:
    del now
    self._drop([*self._sources])
    return False


def test_two_consoles(start: Callable[..., Console]) -> None:
    console = start("sacn", "universe=1")
    other = sacn.pack_levels(1, 1, bytes([200]), uuid.UUID(int=2), "other", 100)
    console.send(100)
    console.socket.send(other)
    until(lambda: console.show.values["/out/master"] == pytest.approx(200 / 255))
    assert console.faults() == "sACN universe 1: the higher level counts of console, other"
    console.send(50, priority=101)
    until(lambda: console.show.values["/out/master"] == pytest.approx(50 / 255))
    assert console.bridge.facts["sacn_sources"] == "console"


def test_a_poll_is_answered(start: Callable[..., Console]) -> None:
    console = start("artnet", "universe=19")
    console.socket.send(b"Art-Net\0\0\x20\0\x0e\2\0")
    reply = console.socket.recv(1000)
    assert reply == artnet.pack_poll_reply("127.0.0.1", 19, "test")


def test_noise_changes_nothing_and_is_said(start: Callable[..., Console]) -> None:
    console = start("artnet", "universe=1")
    for noise in (b"", b"\0" * 20, b"Art-Net\0\0\x50\0\x0e\1\0\1\0\2\0abc", console.pack([1])[:200]):
        console.socket.send(noise)
    console.send(0, universe=2)
    console.send(255)
    until(lambda: console.show.posted)
    assert "127.0.0.1 sends an ArtDmx of a wrong length" in console.faults()
    assert console.show.values["/out/master"] == 1.0


def test_other_machines_must_be_allowed(start: Callable[..., Console], monkeypatch: pytest.MonkeyPatch) -> None:
    console = start("artnet", "universe=1")
    monkeypatch.setattr("sonorama.plugin.bridges.query.guard.is_local", lambda _: False)
    console.send(10)
    until(console.faults)
    until(
        lambda: "127.0.0.1 sends Art-Net, but is not allowed: start the bridge with allow=127.0.0.1" in console.faults()
    )
    assert not console.show.posted
    allowed = start("artnet", "universe=1&allow=127.0.0.0/8")
    allowed.send(10)
    until(lambda: allowed.show.posted)


@pytest.mark.parametrize(
    ("name", "argument", "message", "hint"),
    [
        (
            "artnet",
            "univers=1",
            "The bridge artnet knows no univers",
            "Use universe, start, patch, host, allow, port, follow.",
        ),
        ("artnet", "32768", "The bridge artnet: universe=32768 is no universe", "Use 0 to 32767."),
        ("sacn", "universe=0", "The bridge sacn: universe=0 is no universe", "Use 1 to 63999."),
        ("sacn", "start=513", "The bridge sacn: start=513 is no channel", "Use 1 to 512."),
        ("sacn", "allow=me", "'me' is not a network address", None),
        (
            "sacn",
            "host=192.0.2.77",
            "sACN cannot listen at 192.0.2.77, port 5568: Cannot assign",
            None,
        ),
        ("sacn", "host=::1", "sACN cannot listen at ::1, port 5568: it is no IPv4 address", None),
        ("artnet", "patch=/none.json", "/none.json is no patch: No such file or directory", None),
    ],
)
def test_arguments(name: str, argument: str, message: str, hint: str | None) -> None:
    with pytest.raises(SonoramaError, match=f"^{re.escape(message)}") as caught:
        make(BRIDGES, name, argument).start(Show())
    assert hint in (None, caught.value.hint)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no patch: Input data was truncated"),
        ('{"format": "sonorama-midi", "channels": []}', "its format is 'sonorama-midi'"),
        (b"\xff".decode("latin1"), "is no patch"),
        ([{"channel": 1, "address": "/out/mastr"}], "The patch: there is no parameter /out/mastr"),
        ([{"channel": 512, "address": "/blend/x", "bits": 16}], "/blend/x lies outside channels 1 to 512"),
        ([{"channel": 0, "address": "/blend/x"}], "/blend/x lies outside"),
        ([{"channel": 1, "address": "/blend/x", "bits": 24}], "is no patch: Invalid enum value 24"),
        ([{"channel": 1, "address": "/blend/x", "fine": 1}], "unknown field `fine`"),
        ([{"channel": 1, "address": "/look/text"}], "/look/text takes text"),
        ([{"channel": 1, "address": "/out/fit", "value": "wide"}], "/out/fit does not take 'wide'"),
        ([{"channel": 1, "address": "/blend/x", "universe": 70_000}], "there is no universe 70000"),
    ],
)
def test_patches_that_are_none(text: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "patch.json"
    path.write_text(text if isinstance(text, str) else json.dumps({"format": "sonorama-dmx", "channels": text}))
    with pytest.raises(SonoramaError, match=re.escape(message)):
        make(BRIDGES, "sacn", f"port=0&patch={path}").start(Show())


def test_a_port_that_another_program_has() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        bridge = make(BRIDGES, "artnet", f"port={other.getsockname()[1]}")
        bridge.start(Show())
        assert "is open in another program, too" in "\n".join(bridge.faults())
        bridge.stop()
