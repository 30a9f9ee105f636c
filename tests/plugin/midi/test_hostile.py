"""Controllers that flood, are pulled out while a pad is held, come back under another name, or are two of a kind."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from sonorama.plugin.bridges.midi import ports, worker
from sonorama.plugin.bridges.midi.bridge import MidiBridge
from sonorama.plugin.bridges.midi.decoder import Decoder
from sonorama.plugin.bridges.midi.ports import Heard, stand_ins
from sonorama.plugin.bridges.midi.worker import Worker

from ..show import Show
from .controls import Desktop
from .jack import PATIENCE_S, Controller, Jack, until
from .test_session import knob, note

DRIFT, STROBE, BLACKOUT = "/look/drift", "/picture/strobe", "/out/blackout"


def write_mappings(path: Path, *mappings: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"format": "sonorama-midi", "mappings": mappings}))
    return path


# -- floods


class Flood:
    """Ports without a driver; what waits in `raw` is fetched."""

    names: ClassVar[list[str]] = ["nano"]

    def __init__(self, *_: object) -> None:
        self.raw: list[list[int]] = []

    def take(self) -> list[Heard]:
        raw, self.raw = self.raw, []
        return [Heard("nano", one, time.monotonic_ns()) for one in raw]

    def poll(self) -> tuple[list[str], list[str]]:
        return [], []

    def faults(self) -> list[str]:
        return []

    def outputs_of(self, _: str) -> list[str]:
        return []

    def send_all(self, _: object) -> None: ...

    def close(self) -> None: ...


def test_of_a_flood_the_last_value_counts_and_every_press(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "Ports", Flood)
    monkeypatch.setattr(worker, "MOST", 500)
    path = write_mappings(
        tmp_path / "a.json",
        {"address": DRIFT, "kind": "cc", "channel": 1, "number": 7},
        {"address": "/look/seed", "kind": "cc", "channel": 1, "number": 8, "encoding": "twos-complement"},
        {"address": BLACKOUT, "kind": "note", "channel": 1, "number": 1, "press": "toggle"},
    )
    show = Show()
    bridge = Worker(show, path, [], False, "")
    flood = [[0xB0, 7, number % 128] for number in range(600)]
    encoder = [[0xB0, 8, step] for step in (1, 1, 127, 1)]
    presses = [[0x90, 1, velocity] for velocity in (100, 0, 100, 0, 100)]
    cast("Any", bridge)._ports.raw = [*flood, *encoder, [0xB0, 7, 127], *presses]
    bridge.start()
    until(lambda: show.values[BLACKOUT], "the press is lost")
    bridge.close()
    assert (show.values[DRIFT], show.values["/look/seed"]) == (1.0, 3)
    paths = [one.path for one in show.posted]
    assert paths.count(DRIFT) <= 2 and paths.count("/look/seed") == 1 and paths.count(BLACKOUT) == 3
    assert list(bridge.problems()) == ["MIDI messages come faster than they can be taken; some were dropped"]


def test_half_a_message_is_none() -> None:
    decoder = Decoder()
    whole = [[0x90, 1, 2], [0xE0, 0, 64], [0xD0, 5], [0xB0, 7, 3]]
    assert [one.raw for raw in whole for one in decoder.decode(raw)] == [2, 8192, 5, 3]
    for raw in ([0x90], [0x90, 1], [0x90, 1, 2, 3], [0x90, 1, 200], [0xD0], [0xD0, 1, 2], [0xC0, 1], [0xA0, 1, 2]):
        assert decoder.decode(raw) == []


# -- pulled out


def test_a_pad_that_is_held_is_let_go_and_the_first_press_afterwards_counts(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    desktop.learn(STROBE, *note(5, 90, 0))
    desktop.learn(BLACKOUT, *note(6, 90, 0))
    desktop.learn(DRIFT, *knob(7, 3, 4, 9))
    desktop.send(*note(5, 127), *note(6, 127), *knob(7, 0, 127))
    assert desktop.value(STROBE) == 1.0 and desktop.value(BLACKOUT) is True and desktop.value(DRIFT) == 1.0
    held = desktop.held
    assert {one.number for one in held} == {5, 6}
    desktop.session.unplugged("nano", held, desktop.now)
    assert desktop.value(STROBE) == 0.0, "it would flash until somebody finds the fader"
    assert desktop.value(BLACKOUT) is True, "a switch is not turned by a plug"
    desktop.send(*note(6, 127))
    assert desktop.value(BLACKOUT) is False
    desktop.cc(7, 20)
    assert desktop.value(DRIFT) == 1.0, "the knob was turned meanwhile: it has to pass the value"


def test_a_switch_that_follows_its_pad_is_let_go(tmp_path: Path) -> None:
    write_mappings(
        tmp_path / "test.midi.json",
        {"address": BLACKOUT, "port": "nano", "kind": "note", "channel": 10, "number": 6, "press": "follow"},
        {"address": "/out/freeze", "port": "pads", "kind": "note", "channel": 10, "number": 6, "press": "follow"},
    )
    desktop = Desktop(tmp_path)
    desktop.send(*note(6, 127))
    desktop.send(*note(6, 127), port="pads")
    desktop.session.unplugged("nano", desktop.held, desktop.now)
    assert (desktop.value(BLACKOUT), desktop.value("/out/freeze")) == (False, True)


def test_a_controller_that_is_pulled_out_while_it_is_learned(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path)
    desktop.show.set("/midi/learn", STROBE)
    desktop.send(*note(5, 127))
    desktop.session.unplugged("nano", desktop.held, desktop.now)
    desktop.now += 1.0
    desktop.session.settle(desktop.now)
    assert desktop.session.learned == f"note 5 channel 10 of nano -> {STROBE}" and desktop.faults == []


# -- other names


@pytest.mark.parametrize(
    ("mapped", "there", "found"),
    [
        (["nano:midi"], ["pads:midi", "nano-01:midi"], {"nano-01:midi": "nano:midi"}),
        (["nanoKONTROL2 1"], ["nanoKONTROL2 2"], {"nanoKONTROL2 2": "nanoKONTROL2 1"}),
        (
            ["nanoKONTROL2:nanoKONTROL2 MIDI 1"],
            ["nanoKONTROL2:nanoKONTROL2 nanoKONTROL2 _ CTRL"],
            {"nanoKONTROL2:nanoKONTROL2 nanoKONTROL2 _ CTRL": "nanoKONTROL2:nanoKONTROL2 MIDI 1"},
        ),
        (["nano:midi", "nano-01:midi"], ["nano-01:midi"], {}),
        (["nano:midi"], ["nano:midi", "nano-01:midi"], {}),
        (["nano:midi"], ["pads:midi", "virtual"], {}),
        (["virtual"], ["virtual 2"], {}),
        ([], ["nano:midi"], {}),
    ],
)
def test_which_port_takes_the_place_of_another(mapped: list[str], there: list[str], found: dict[str, str]) -> None:
    assert stand_ins(mapped, there) == found


class Wire:
    """A driver in which equal controllers differ by a number only, as in ALSA."""

    names: Sequence[str] = ()

    def __init__(self) -> None:
        self.open = ""

    def get_ports(self) -> Sequence[str]:
        return self.names

    def open_port(self, number: int, name: str) -> None:
        self.open = self.names[number]

    def close_port(self) -> None:
        self.open = ""

    def delete(self) -> None: ...


def test_of_two_equal_controllers_the_other_one_plays_on() -> None:
    made: list[Wire] = []

    def make(_: str) -> Wire:
        made.append(Wire())
        return made[-1]

    Wire.names = ["nano:nano CTRL 24:0", "nano:nano CTRL 28:0"]
    side = ports._Side(make, "test", [], lambda *_: None)
    assert side.poll()[0] == ["nano:nano CTRL", "nano:nano CTRL #2"]
    Wire.names = ["nano:nano CTRL 28:0"]
    came, gone, _ = side.poll()
    assert (came, gone) == (["nano:nano CTRL"], ["nano:nano CTRL", "nano:nano CTRL #2"])
    assert [one.open for one in made if one.open] == ["nano:nano CTRL 28:0"]
    Wire.names = ["nano:nano CTRL 32:0"]  # pulled out and put in again between two looks
    side.poll()
    assert [one.open for one in made if one.open] == ["nano:nano CTRL 32:0"]


# -- with a driver


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], tuple[MidiBridge, Show]]]:
    jack, bridges = Jack(tmp_path, monkeypatch), list[MidiBridge]()

    def start(path: Path) -> tuple[MidiBridge, Show]:
        bridge, show = MidiBridge(f"api=jack&file={path}"), Show()
        bridges.append(bridge)
        bridge.start(show)
        return bridge, show

    yield start
    for bridge in bridges:
        bridge.stop()
    jack.close()


def test_pulled_out_with_a_pad_held_and_back_under_another_name(
    start: Callable[[Path], tuple[MidiBridge, Show]], tmp_path: Path
) -> None:
    pad = {"port": "nano:midi", "kind": "note", "channel": 1}
    path = write_mappings(
        tmp_path / "a.json",
        {"address": STROBE, **pad, "number": 5},
        {"address": BLACKOUT, **pad, "number": 6, "press": "toggle"},
    )
    nano = Controller("nano")
    bridge, show = start(path)
    until(lambda: bridge.facts["midi_ports"] == "nano:midi", "no port")
    until(lambda: show.values[STROBE] == 1.0, "no strobe", lambda: nano.send("note_on note=5 velocity=127"))
    nano.send("note_on note=6 velocity=127")
    until(lambda: show.values[BLACKOUT], "no blackout")
    nano.unplug()
    until(lambda: show.values[STROBE] == 0.0, "it is not let go")
    nano = Controller("nano mk2")
    line = "MIDI: nano mk2:midi plays what is mapped to nano:midi, which is not there"
    until(lambda: line in list(bridge.faults()), "it is not said")
    nano.send("note_on note=6 velocity=127")
    until(lambda: not show.values[BLACKOUT], "it does not play")
    nano.unplug()


PULLED = """
import time
from sonorama.plugin.bridges.midi import ports as module
api = module.open_api("jack")
module.open_api = lambda _: api
for _ in range(10):
    ports = module.Ports(["drums"], False, "jack")
    ports.poll()
    end = time.monotonic() + 0.05
    while time.monotonic() < end:
        ports.take()
    ports.close()
print("closed")
"""


def test_ports_are_closed_while_they_play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another process, since what this is about would stop all threads of this one."""
    jack, drums = Jack(tmp_path, monkeypatch), Controller("drums")
    bridge = subprocess.Popen([sys.executable, "-c", PULLED], stdout=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + PATIENCE_S
        while bridge.poll() is None:
            assert time.monotonic() < end, "it hangs"
            drums.send("control_change control=7 value=3")
        assert bridge.communicate()[0] == "closed\n"
    finally:
        bridge.kill()
        bridge.wait()
        drums.unplug()
        jack.close()
