"""The whole way of a sound with a real sound server: paplay -> PulseAudio -> its monitor -> source -> ring -> analysis.

Needs PulseAudio and ALSA's plug-in for it; without them these tests fail.
"""

import json
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonorama.engine.audio.capture import Capture
from sonorama.engine.audio.features import HOP, FeatureExtractor
from sonorama.engine.audio.sample_ring import SampleRing, SampleRingWriter
from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.open_source import open_source
from sonorama.engine.show.sound import SoundInput
from sonorama.engine.units import SAMPLE_RATE

from ..speed import slowness
from .pulse import SINK, Pulse

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="PulseAudio is Linux's")
SPECS = ("loopback", "device:pulse")
BPM = 120.0


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulse]:
    server = Pulse(tmp_path)
    server.use(monkeypatch)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    """12 s of clicks at 120 bpm, stereo at 48 kHz."""
    sound, n = np.zeros(12 * 48_000), np.arange(480)
    for start in np.arange(0.25, 11.9, 60 / BPM):
        at = round(start * 48_000)
        sound[at : at + 480] += 0.6 * np.sin(2 * np.pi * 1500 * n / 48_000) * np.exp(-n / 90)
    path = tmp_path / "clicks.wav"
    with wave.open(str(path), "wb") as out:
        out.setparams((2, 2, 48_000, 0, "NONE", ""))
        out.writeframes(np.repeat((sound * 32767).astype("<i2"), 2).tobytes())
    return path


class Show:
    """A capture into a ring, and a reader."""

    def __init__(self, spec: str) -> None:
        self.name = f"pulse-{time.monotonic_ns()}"
        self.writer = SampleRingWriter(self.name, 60.0)
        self.ring = SampleRing.open(self.name)
        self.capture = Capture(*open_source(spec), self.writer)

    def __enter__(self) -> "Show":
        self.capture.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.capture.close()
        self.ring.close()
        self.writer.close()

    def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds * slowness()
        while not condition():
            assert time.monotonic() < end, self.capture.faults()
            time.sleep(0.02)

    def loudest(self) -> float:
        """Of the last half second."""
        return float(np.abs(self.ring.read(max(0, self.ring.count - SAMPLE_RATE // 2), self.ring.count)).max(initial=0))


def onsets(sound: np.ndarray) -> tuple[np.ndarray, FeatureExtractor]:
    """(seconds at which the onset envelope jumps up, the analysis after all of it)."""
    analysis, found, before = FeatureExtractor(), [], 0.0
    for start in range(0, len(sound) - HOP, HOP):
        analysis.push(sound[start : start + HOP])
        now = analysis.at(analysis.samples).onset
        if now > max(before, 0.3) and (not found or analysis.samples - found[-1] > SAMPLE_RATE // 10):
            found.append(analysis.samples)
        before = now
    return np.array(found) / SAMPLE_RATE, analysis


@pytest.mark.parametrize("spec", [SPECS[0], pytest.param(SPECS[1], marks=pytest.mark.hosts)])
def test_clicks_go_in_and_onsets_come_out(pulse: Pulse, clicks: Path, spec: str) -> None:
    with Show(spec) as show:
        show.until(lambda: show.capture.alive)
        time.sleep(1.0)
        start = show.ring.count
        assert pulse.play(clicks).wait(40) == 0
        sound = show.ring.read(start, show.ring.count)
        assert show.capture.faults() == []
    assert np.array_equal(sound[0], sound[1])
    times, analysis = onsets(sound.mean(0))
    steps = np.diff(times)
    right = np.abs(steps - 60 / BPM) < 0.015
    assert len(times) in range(22, 26), times
    assert right.mean() > 0.75, steps  # a click that a busy machine plays late spoils two of them
    assert analysis.at(analysis.samples).bpm == pytest.approx(BPM, rel=0.02)


@pytest.mark.parametrize("spec", [pytest.param(SPECS[0], marks=pytest.mark.hosts), SPECS[1]])
def test_the_sound_server_dies_and_returns(pulse: Pulse, clicks: Path, spec: str) -> None:
    with Show(spec) as show:
        show.until(lambda: show.capture.alive)
        player = pulse.play(clicks)
        show.until(lambda: show.loudest() > 0.1)
        pulse.kill()
        player.wait(20)
        show.until(lambda: bool(show.capture.faults()))
        assert "silence until it returns" in show.capture.faults()[0]
        show.until(lambda: show.loudest() == 0)
        count, then = show.ring.count, time.monotonic()
        time.sleep(2.0)
        assert (show.ring.count - count) / SAMPLE_RATE == pytest.approx(time.monotonic() - then, abs=0.3)
        pulse.start()
        show.until(lambda: show.capture.alive)
        show.until(lambda: show.capture.faults() == [])
        player = pulse.play(clicks)
        show.until(lambda: show.loudest() > 0.1)
        player.kill()
        player.wait()


@pytest.mark.hosts
def test_the_output_is_unplugged_and_plugged_in(pulse: Pulse, clicks: Path) -> None:
    with Show(f"loopback:{SINK}") as show:
        show.until(lambda: show.capture.alive)
        pulse.pactl("unload-module", "module-null-sink")
        show.until(lambda: any("silence" in fault for fault in show.capture.faults()))
        show.until(lambda: show.loudest() == 0)
        pulse.pactl("load-module", "module-null-sink", f"sink_name={SINK}")
        show.until(lambda: show.capture.alive and show.capture.faults() == [])
        player = pulse.play(clicks)
        show.until(lambda: show.loudest() > 0.1)
        player.kill()
        player.wait()


def told() -> list[Any]:
    """Probes of inputs and outputs, and specs of inputs; soundcard keeps to the first server that a process finds."""
    code = (
        "import json; from dataclasses import asdict; from sonorama.plugin.sources import device, inputs, loopback\n"
        "probes = [asdict(one.probe()) for one in (device, loopback)]\n"
        "print(json.dumps([*probes, [one.spec for one in inputs.list_inputs()]]))"
    )
    command = [sys.executable, "-c", code, "a word, which soundcard needs"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout)


@pytest.mark.usefixtures("pulse")
def test_where_only_an_output_is_there_is_no_input() -> None:
    """The devices of PortAudio that stand for the server hear its monitor; the loopback is named instead."""
    heard, played, inputs = told()
    assert heard == {
        "reason": "There is no sound input on this computer",
        "how_to_install": "Connect a microphone or an interface. What this computer plays itself is under loopback.",
    }
    assert "Monitor" in played["about"]
    assert inputs == []


def test_inputs_of_the_server_are_named(pulse: Pulse) -> None:
    pulse.pactl("load-module", "module-remap-source", "source_name=usb", f"master={SINK}.monitor", USB)
    heard, _, inputs = told()
    assert heard == {"about": "USB_Audio"}
    assert inputs == ["device:usb"]


@pytest.mark.usefixtures("pulse")
@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("device:nosuch", ["no sound input 'nosuch'", "This computer has none", "loopback"]),
        ("device:99", ["no sound input '99'"]),
        ("device:pulse#200", ["no channel 200"]),
        ("loopback:nosuch", ["no sound output 'nosuch'", "Monitor"]),
        ("loopback#7", ["no channel 7"]),
    ],
)
def test_what_is_not_there_is_named(spec: str, words: list[str]) -> None:
    source = open_source(spec)[1]()
    with pytest.raises(Exception, match=words[0]) as caught:
        source.start(lambda block, captured_ns: None)
    assert all(word in str(caught.value) for word in words)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.hosts
def test_channels_can_be_chosen(pulse: Pulse, tmp_path: Path) -> None:
    """The right side of a sound on both sides of the ring."""
    path, n = tmp_path / "sides.wav", np.arange(8 * 48_000)
    with wave.open(str(path), "wb") as out:
        out.setparams((2, 2, 48_000, 0, "NONE", ""))
        right = (16_000 * np.sin(n * 2 * np.pi * 440 / 48_000)).astype("<i2")
        out.writeframes(np.stack([np.zeros_like(right), right], 1).tobytes())
    for spec, loud in (("loopback#1", False), ("device:pulse#2", True)):
        with Show(spec) as show:
            show.until(lambda: show.capture.alive)
            player = pulse.play(path)
            time.sleep(2.5)
            assert show.capture.faults() == []
            assert (show.loudest() > 0.3) == loud
            player.kill()
            player.wait()


USB = "source_properties=device.description=USB_Audio"


def test_inputs_are_told_apart_switched_and_followed(pulse: Pulse, clicks: Path) -> None:
    """Two inputs of one name, of which one hears; the choice of the show; and a default that moves."""
    pulse.pactl("load-module", "module-null-sink", "sink_name=quiet")
    for name, master in (("usb_a", SINK), ("usb_b", "quiet")):
        pulse.pactl("load-module", "module-remap-source", f"source_name={name}", f"master={master}.monitor", USB)
    pulse.pactl("set-default-source", "usb_b")
    program = [sys.executable, "-m", "sonorama.plugin.sources.inputs", "--levels"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdin is not None
        inputs = {one["spec"]: one for one in json.loads(process.stdout.readline())}
        assert {spec: (one["name"], one["id"], one["channels"], one["default"]) for spec, one in inputs.items()} == {
            "device:usb_a": ("USB_Audio", "usb_a", 2, False),
            "device:usb_b": ("USB_Audio", "usb_b", 2, True),
        }
        player = pulse.play(clicks)
        peaks: dict[str, float] = {}
        end = time.monotonic() + 30
        while peaks.get("device:usb_a", 0.0) < 0.3 and time.monotonic() < end:
            peaks = {spec: max(said) for spec, said in json.loads(process.stdout.readline()).items()}
        assert peaks["device:usb_a"] > 0.3 and peaks["device:usb_b"] == 0.0
        process.stdin.close()
    sound = SoundInput(f"pulse-{time.monotonic_ns()}", "device:usb_b")
    try:
        sound.start()
        until(lambda: sound.source == "microphone USB_Audio" and sound.capture.alive)
        sound.choose({"/sound/input": "device:usb_a", "/sound/channels": "2"})
        until(lambda: sound.capture.alive and sound.source == "microphone USB_Audio#2")
        until(lambda: loudest(sound) > 0.1)
        with pytest.raises(SonoramaError, match="channels"):
            sound.choose({"/sound/input": "device:usb_a", "/sound/channels": "999"})
        assert sound.source == "microphone USB_Audio#2"  # it goes on
        sound.choose({"/sound/input": "device", "/sound/channels": ""})
        until(lambda: sound.capture.alive and sound.source == "microphone USB_Audio")
        line = "source_properties=device.description=Line"
        pulse.pactl("load-module", "module-remap-source", "source_name=line", f"master={SINK}.monitor", line)
        pulse.pactl("set-default-source", "line")
        told = "The sound comes from Line now: the default input was USB_Audio"
        until(lambda: told in sound.faults() and sound.source == "microphone Line" and sound.capture.alive)
    finally:
        sound.close()
        player.kill()
        player.wait()


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def loudest(sound: SoundInput) -> float:
    """Of the last tenth of a second."""
    return float(np.abs(sound._reader.read(max(0, sound.count - SAMPLE_RATE // 10), sound.count)).max(initial=0))
