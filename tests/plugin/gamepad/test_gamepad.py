"""Gamepads through the real SDL, with its virtual driver in place of a device."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.registry import BRIDGES, make
from sonorama.plugin.bridges.gamepad.bridge import GamepadBridge
from sonorama.plugin.bridges.gamepad.mapping import Line, Mapped, read_lines
from sonorama.plugin.bridges.gamepad.pads import known_controls

from ..midi.controls import Show
from .virtual import AXES, BUTTONS, VirtualPad, until

Start = Callable[[str], tuple[GamepadBridge, Show]]


@pytest.fixture
def start() -> Iterator[Start]:
    bridges: list[GamepadBridge] = []

    def start(argument: str) -> tuple[GamepadBridge, Show]:
        bridge, show = make(BRIDGES, "gamepad", argument), Show()
        bridges.append(bridge)
        bridge.start(show)
        return bridge, show

    yield start
    for bridge in bridges:
        bridge.stop()
        bridge.stop()


@pytest.fixture
def plug() -> Iterator[Callable[..., VirtualPad]]:
    pads: list[VirtualPad] = []

    def plug(*words: Any) -> VirtualPad:
        pads.append(VirtualPad(*words))
        return pads[-1]

    yield plug
    for pad in pads:
        pad.unplug()


def taps(show: Show) -> int:
    return sum(change.path == "/sound/tap" for change in show.posted)


def after_a_tap(pad: VirtualPad, show: Show) -> None:
    """What was moved before has been played."""
    before = taps(show)
    pad.press("a")
    until(lambda: taps(show) > before)


def test_sticks_play_the_blend_surface_and_buttons_fire(start: Start, plug: Callable[..., VirtualPad]) -> None:
    bridge, show = start("")
    assert list(bridge.faults()) == ["No gamepad is connected"]
    pad = plug("Test Pad")
    until(lambda: bridge.facts["gamepad_pads"] == "Test Pad")
    assert list(bridge.faults()) == []
    pad.tilt("leftx", 1.0)
    until(lambda: float(show.values["/blend/x"]) > 0.6)
    pad.tilt("leftx", 0.1)
    after_a_tap(pad, show)
    rests = show.values["/blend/x"]
    after_a_tap(pad, show)
    assert show.values["/blend/x"] == rests, "within the dead zone"
    show.set("/blend/x", 0.25)
    before = len(show.posted)
    pad.tilt("leftx", -1.0)
    until(lambda: float(show.values["/blend/x"]) < 0.25)
    went = [float(one.value) for one in show.posted[before:] if one.path == "/blend/x"]
    assert max(went) <= 0.25, "it goes on from where somebody else set it"
    pad.tilt("leftx", 0.0)
    pad.tilt("righttrigger", 1.0)
    until(lambda: float(show.values["/blend/amount"]) > 0.1)
    pad.tilt("righttrigger", -1.0)
    pad.press("leftstick")
    until(lambda: show.values["/blend/x"] == show.values["/blend/y"] == 0.5)
    pad.press("x")
    until(lambda: show.values["/out/freeze"])
    pad.press("x")
    until(lambda: not show.values["/out/freeze"])
    pad.press("dpright")
    until(lambda: show.posted[-1].path == "/scene/recall" and show.posted[-1].value == 2)
    assert {one.source for one in show.posted if one.path != "/blend/x"} == {"gamepad"}


def test_one_that_is_unplugged_lets_go_and_plays_again(start: Start, plug: Callable[..., VirtualPad]) -> None:
    bridge, show = start("pad=wheel&pad=test")
    other = plug("Steering")
    assert list(bridge.faults()) == ["No gamepad whose name contains wheel or test is connected"]
    pad = VirtualPad("Test Pad")
    until(lambda: bridge.facts["gamepad_pads"] == "Test Pad")
    other.press("a")
    pad.tilt("rightx", 1.0)
    until(lambda: float(show.values["/motion/coarse/amount"]) > 1.0)
    pad.unplug()
    until(lambda: bridge.facts["gamepad_pads"] == "")
    stopped = show.values["/motion/coarse/amount"]
    assert "No gamepad" in "".join(bridge.faults())
    pad = plug("Test Pad")
    until(lambda: bridge.facts["gamepad_pads"] == "Test Pad")
    after_a_tap(pad, show)
    assert taps(show) == 1, "the other gamepad does not play"
    assert show.values["/motion/coarse/amount"] == stopped


def test_two_gamepads_do_not_let_go_of_what_the_other_holds(
    start: Start, plug: Callable[..., VirtualPad], tmp_path: Path
) -> None:
    path = tmp_path / "map.json"
    lines = [
        {"control": "x", "address": "/out/blackout", "press": "follow"},
        {"control": "leftx", "address": "/blend/x", "mode": "rate", "speed": 0.01},
        {"control": "b", "address": "/out/freeze", "press": "follow"},
        {"control": "a", "address": "/sound/tap"},
    ]
    path.write_text(json.dumps({"format": "sonorama-gamepad", "controls": lines}))
    bridge, show = start(f"map={path}")
    one, other = plug("One"), VirtualPad("Other")
    until(lambda: bridge.facts["gamepad_pads"] == "One, Other")
    one.hold("x")
    one.tilt("leftx", 1.0)
    until(lambda: show.values["/out/blackout"] and float(show.values["/blend/x"]) > 0.5)
    other.press("x")
    other.tilt("leftx", -0.6)
    other.tilt("leftx", 0.0)
    other.hold("b")
    until(lambda: show.values["/out/freeze"])
    other.hold("x")
    other.unplug()
    until(lambda: not show.values["/out/freeze"], "it lets go")
    after_a_tap(one, show)
    assert show.values["/out/blackout"] is True, "the first one holds it"
    at = float(show.values["/blend/x"])
    until(lambda: float(show.values["/blend/x"]) > at, "the first one's stick is still tilted")
    one.press("x")
    until(lambda: not show.values["/out/blackout"])


def test_a_map_of_ones_own(start: Start, plug: Callable[..., VirtualPad], tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    lines = [
        {"control": "leftx", "address": "/picture/hue"},
        {"control": "righttrigger", "address": "/out/master", "low": 1, "high": 0},
        {"control": "b", "address": "/picture/strobe"},
        {"control": "y", "address": "/out/fit"},
        {"control": "x", "address": "/out/blackout", "press": "follow"},
        {"control": "lefty", "address": "/sound/resync"},
        {"control": "dpup", "address": "/look/text", "value": "a storm"},
        {"control": "a", "address": "/sound/tap"},
    ]
    path.write_text(json.dumps({"format": "sonorama-gamepad", "controls": lines}))
    bridge, show = start(f"map={path}&dead=20")
    pad = plug("Test Pad")
    until(lambda: bridge.facts["gamepad_pads"])
    pad.tilt("leftx", 0.6)
    until(lambda: show.values["/picture/hue"] == pytest.approx(90, abs=0.1), "half the way outside the dead zone")
    pad.tilt("leftx", 0.0)
    until(lambda: show.values["/picture/hue"] == 0)
    pad.tilt("righttrigger", 1.0)
    until(lambda: show.values["/out/master"] == 0)
    pad.hold("b")
    until(lambda: show.values["/picture/strobe"] == 1)
    pad.press("b")
    until(lambda: show.values["/picture/strobe"] == 0)
    pad.press("y")
    until(lambda: show.values["/out/fit"] == "contain")
    pad.hold("x")
    until(lambda: show.values["/out/blackout"] is True)
    pad.press("x")
    until(lambda: show.values["/out/blackout"] is False)
    pad.tilt("lefty", -1.0)
    pad.press("dpup")
    until(lambda: show.values["/look/text"] == "a storm")
    assert [one.value for one in show.posted if one.path == "/sound/resync"] == [True]


def test_a_device_of_an_unknown_layout_is_said(start: Start, plug: Callable[..., VirtualPad]) -> None:
    bridge, _ = start("")
    plug("Odd Throttle", False)
    until(lambda: "Odd Throttle has a layout that SDL does not know: see docs/control.md" in list(bridge.faults()))


def test_only_one_bridge_at_a_time(start: Start) -> None:
    bridge, _ = start("")
    with pytest.raises(SonoramaError, match="The bridge gamepad runs already"):
        make(BRIDGES, "gamepad", "").start(Show())
    bridge.stop()
    start("")


def test_the_circle_of_the_dead_zone() -> None:
    from sonorama.plugin.bridges.gamepad.pads import _Pad

    pad = _Pad(0, "pad", None)
    assert [*pad.axis("leftx", 0.14, 0.2)] == []
    assert [*pad.axis("lefty", 0.14, 0.2)] == [], "still within the circle"
    moved = {one.control: one.position for one in pad.axis("lefty", 0.5, 0.2)}
    far = (0.14**2 + 0.5**2) ** 0.5
    assert moved["leftx"] / moved["lefty"] == pytest.approx(0.14 / 0.5), "the direction is kept"
    assert (moved["leftx"] ** 2 + moved["lefty"] ** 2) ** 0.5 == pytest.approx((far - 0.2) / 0.8)
    corner = [*pad.axis("leftx", 1.0, 0.2), *pad.axis("lefty", 1.0, 0.2)]
    assert max(one.position for one in corner) <= 1.0 and [*pad.axis("righttrigger", 0.1, 0.2)] == []
    assert {one.position for one in pad.let_go()} == {0.0} and [*pad.let_go()] == []


def test_the_map_that_comes_with_sonorama_is_the_one_in_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "control.md").read_text()
    written = {
        (control, address)
        for controls, rest in re.findall(r"^\| (`[a-z`, ]+`) \| (.*) \|$", page, re.MULTILINE)
        for control in re.findall(r"`(\w+)`", controls)
        for address in re.findall(r"`(/\S+)`", rest)
    }
    lines = read_lines("")
    assert written == {(one.control, one.address) for one in lines}
    assert known_controls()[:6] == AXES and set(BUTTONS) <= set(known_controls())
    assert all(Mapped(line, SHOW, known_controls()) for line in lines)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (Line(control="leftz", address="/blend/x"), "there is no control leftz"),
        (Line(control="a", address="/blend/z"), "there is no parameter /blend/z"),
        (Line(control="a", address="/scene/recall"), "/scene/recall needs a value"),
        (Line(control="a", address="/look/text"), "/look/text needs a value"),
        (Line(control="a", address="/out/fit", value="wide"), "/out/fit does not take 'wide'"),
        (Line(control="leftx", address="/sound/tap", mode="rate"), "/sound/tap has no rate"),
    ],
)
def test_lines_that_do_not_fit(line: Line, message: str) -> None:
    with pytest.raises(SonoramaError, match=re.escape(message)):
        Mapped(line, SHOW, known_controls())


def test_arguments(tmp_path: Path) -> None:
    with pytest.raises(SonoramaError, match="The bridge gamepad knows no pd"):
        GamepadBridge("pd=1")
    with pytest.raises(SonoramaError, match="dead=95 is no percentage"):
        GamepadBridge("dead=95")
    path = tmp_path / "map.json"
    path.write_text('{"format": "sonorama-gamepad", "controls": [{"control": "a"}]}')
    with pytest.raises(SonoramaError, match="is no map of a gamepad: Object missing required field `address`"):
        GamepadBridge(f"map={path}").start(Show())


def test_without_the_library_it_is_two_lines(tmp_path: Path) -> None:
    """A package that raises what PySDL2 does where it finds no library."""
    (tmp_path / "sdl2").mkdir()
    (tmp_path / "sdl2" / "__init__.py").write_text('raise ImportError("could not find any library for SDL2")')
    code = (
        "from sonorama.plugin.bridges.gamepad.bridge import GamepadBridge\n"
        "from sonorama.engine.errors import SonoramaError\n"
        "try: GamepadBridge('').start(None)\nexcept SonoramaError as error: print(error)"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "SDL 2 is missing: could not find any library for SDL2\npip install 'sonorama[gamepad]'\n"
