"""The bridge with a real driver: JACK MIDI, with a controller that is unplugged and returns."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.control.timecode import Timecode
from sonorama.engine.errors import SonoramaError, TimedOut
from sonorama.engine.plugins.registry import BRIDGES, make
from sonorama.plugin.bridges.midi import ports
from sonorama.plugin.bridges.midi.bridge import MidiBridge
from sonorama.plugin.bridges.midi.ports import plain_names, same_device

from ..show import Show
from .jack import Controller, Jack, rtmidi, until
from .test_timecode import after, quarter_frames

START, STOP, CLOCK = 0xFA, 0xFC, 0xF8


@pytest.fixture
def jack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jack]:
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path / "looks"))
    jack = Jack(tmp_path, monkeypatch)
    yield jack
    jack.close()


@pytest.fixture
def start(jack: Jack) -> Iterator[Callable[..., tuple[MidiBridge, Show]]]:
    del jack
    bridges: list[MidiBridge] = []

    def start(argument: str) -> tuple[MidiBridge, Show]:
        bridge, show = make(BRIDGES, "midi", argument), Show()
        bridges.append(bridge)
        bridge.start(show)
        return bridge, show

    yield start
    for bridge in bridges:
        bridge.stop()
        bridge.stop()


def test_a_controller_learns_plays_is_unplugged_and_returns(start: Callable[..., tuple[MidiBridge, Show]]) -> None:
    bridge, show = start("api=jack")
    assert list(bridge.faults()) == ["No MIDI controller is connected"]
    nano, other = Controller("nano"), Controller("pads")
    until(lambda: "nano" in str(bridge.facts["midi_ports"]) and "pads" in str(bridge.facts["midi_ports"]), "no ports")
    until(lambda: not list(bridge.faults()), "still said to be missing")
    show.set("/midi/learn", "/look/drift")

    def turn(controller: Controller, *values: int) -> None:
        controller.send(*(f"control_change channel=0 control=7 value={value}" for value in values))

    until(lambda: bridge.facts["midi_learned"], "not learned", lambda: turn(nano, 1, 2, 3))
    assert bridge.facts["midi_learned"] == "cc 7 channel 1 of nano:midi -> /look/drift"
    assert Path(str(bridge.facts["midi_file"])).name == "test.midi.json"
    until(lambda: show.values["/look/drift"] == 1.0, "the knob does nothing", lambda: turn(nano, 0, 127))
    turn(other, 64)

    def set_by_another() -> None:
        show.set("/look/drift", 0.4)
        time.sleep(0.1)
        show.set("/look/drift", 0.5)

    until(lambda: nano.lit[-1:] == ["control_change channel=0 control=7 value=64 time=0"], "no light", set_by_another)
    assert other.lit == []
    nano.unplug()
    until(lambda: "nano" not in str(bridge.facts["midi_ports"]), "still there")
    show.set("/look/drift", 0.25)
    nano = Controller("nano")
    until(lambda: any("value=32" in text for text in nano.lit), "the lights are not renewed")
    plays = pytest.approx(40 / 127)
    until(lambda: show.values["/look/drift"] == plays, "it does not play again", lambda: turn(nano, 30, 40))
    nano.unplug()
    other.unplug()


def test_the_clock_over_a_virtual_port(start: Callable[..., tuple[MidiBridge, Show]]) -> None:
    """Ticks through the driver; the tempo is what they really kept."""
    _, show = start("api=jack&virtual=1&port=nothing")
    out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="drums")
    out.open_port(out.get_ports().index("sonorama:sonorama"))
    sent: list[float] = []

    def send(*raw: int) -> None:
        out.send_message(list(raw))

    send(START)
    began = time.monotonic() + 0.05
    for number in range(24 * 4):
        time.sleep(max(0.0, began + number / 48 - time.monotonic()))
        sent.append(time.monotonic())
        send(CLOCK)
    until(lambda: show.values["/clock/bpm"], "no clock")
    per_tick, first = np.polyfit(np.arange(48), sent[:48], 1)  # of an instrument that is late now and then itself
    assert show.values["/clock/bpm"] == pytest.approx(60 / 24 / per_tick, rel=0.03)
    assert show.values["/clock/origin"] == pytest.approx(first, abs=0.05)
    send(STOP)
    until(lambda: not show.values["/clock/bpm"], "it has stopped")
    out.close_port()
    out.delete()


def test_timecode_over_a_virtual_port(start: Callable[..., tuple[MidiBridge, Show]]) -> None:
    """Quarter frames and a full frame, which is system exclusive, through the driver."""
    bridge, show = start("api=jack&virtual=1&port=nothing")
    show.set("/timecode/source", "midi")
    out = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="tape")
    out.open_port(out.get_ports().index("sonorama:sonorama"))
    full = Timecode(1, 2, 3, 4, 25)
    out.send_message([0xF0, 0x7F, 0x7F, 1, 1, 1 << 5 | full.hours, full.minutes, full.seconds, full.frames, 0xF7])
    until(lambda: bridge.facts["midi_timecode"] == "01:02:03:04 at 25", "no full frame")
    began = time.monotonic() + 0.05
    for number in range(0, 40, 2):
        for piece, message in enumerate(quarter_frames(after(Timecode(1, 2, 10, 0, 25), number))):
            time.sleep(max(0.0, began + (number + piece / 4) / 25 - time.monotonic()))
            out.send_message(message.bytes())
    until(lambda: show.values["/timecode/origin"], "no timecode")
    assert show.values["/timecode/origin"] == pytest.approx(began - 3730, abs=0.2)
    until(lambda: not show.values["/timecode/running"], "it has stopped")
    out.close_port()
    out.delete()


def test_what_is_not_there_is_said(start: Callable[..., tuple[MidiBridge, Show]]) -> None:
    pads = Controller("pads")
    bridge, _ = start("api=jack&port=nano&port=PADS")
    assert list(bridge.faults()) == ["The MIDI port nano is not there. There are: pads:midi"]
    pads.unplug()


def test_arguments() -> None:
    with pytest.raises(SonoramaError, match="The bridge midi knows no prt"):
        MidiBridge("prt=1")
    with pytest.raises(SonoramaError, match="virtual=yes is neither 0 nor 1"):
        MidiBridge("virtual=yes")
    with pytest.raises(SonoramaError, match=r"There is no folder /no/such for the MIDI mappings"):
        MidiBridge("file=/no/such/pads.json").start(Show())


def test_without_a_driver_it_is_two_lines(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    with pytest.raises(SonoramaError, match="MIDI does not answer here") as caught:
        MidiBridge("api=jack").start(Show())
    assert caught.value.hint == "Load ALSA's sequencer (sudo modprobe snd-seq), or start a JACK server."
    assert capfd.readouterr().err == ""  # nor what JACK's library prints
    with pytest.raises(SonoramaError, match="There is no MIDI interface tape here"):
        MidiBridge("api=tape").start(Show())


def test_a_server_that_hangs_is_said(jack: Jack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "ANSWER_S", 2.0)
    jack.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(TimedOut, match=r"MIDI did not answer within 2 s \(time-out\)"):
            make(BRIDGES, "midi", "api=jack").start(Show())
    finally:
        jack.process.send_signal(signal.SIGCONT)


def test_names_stay_when_a_controller_is_plugged_in_again() -> None:
    alsa = ["nano:nano _ CTRL 24:0", "nano:nano _ CTRL 28:0", "pad:pad MIDI 1 32:0"]
    assert plain_names(alsa) == ["nano:nano _ CTRL", "nano:nano _ CTRL #2", "pad:pad MIDI 1"]


@pytest.mark.parametrize(
    ("name", "others", "same"),
    [
        ("nano", ["pads", "nano"], ["nano"]),
        ("nano:midi", ["pads:midi", "nano-01:midi"], ["nano-01:midi"]),
        ("nanoKONTROL2 SLIDER/KNOB", ["Launchpad", "nanoKONTROL2 CTRL"], ["nanoKONTROL2 CTRL"]),
        ("a2j:nano [20] (capture): nano MIDI 1", ["a2j:Launchpad Pro [24] (playback): Standalone Port"], []),
        (
            "a2j:nano [20] (capture): nano MIDI 1",
            ["a2j:Launchpad [24] (playback): Launchpad MIDI 1", "a2j:nano [20] (playback): nano MIDI 1"],
            ["a2j:nano [20] (playback): nano MIDI 1"],
        ),
    ],
)
def test_lights_are_those_of_the_same_controller(name: str, others: list[str], same: list[str]) -> None:
    assert same_device(name, others) == same
