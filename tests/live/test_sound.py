"""Whatever becomes of the sound, pictures leave and the ring keeps to the clock."""

import os
import socket
import sys
import time
import wave
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.sample_ring import SampleRing
from sonorama.engine.take import audio_file as takesound
from sonorama.engine.take.reader import read_take
from sonorama.engine.units import SAMPLE_RATE

from ..engine.osc.osc_helpers import message, parsed
from ..plugin.pulse import Pulse
from ..plugin.test_pulse import onsets
from .stage import LiveShow, Watcher, longest_still

Start = Callable[..., LiveShow]
BPM = 120.0


@pytest.fixture
def odd(tmp_path: Path) -> dict[str, str]:
    """The environment of a show in which the source `odd` is installed."""
    folder = tmp_path / "site"
    (folder / "odd-0.dist-info").mkdir(parents=True)
    (folder / "odd_source.py").write_text(Path(__file__).with_name("odd_source.py").read_text())
    (folder / "odd-0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 0\n")
    points = "[sonorama.sources]\nodd = odd_source:OddSource\n"
    (folder / "odd-0.dist-info" / "entry_points.txt").write_text(points)
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)}


def test_a_source_as_bad_as_can_be(start: Start, tmp_path: Path, odd: dict[str, str]) -> None:
    mode = tmp_path / "mode"
    mode.write_text("fine")
    show = start("--source", f"odd:{mode}", env=odd)
    renderer = show.playing()
    said = {
        "broken": "gives broken samples",
        "odd shapes": "gives broken samples",
        "too loud": "gives broken samples",
        "whole numbers": "",
        "no channels": "0 channels at 44100 Hz",
        "no rate": "2 channels at 0 Hz",
        "raises": "ZeroDivisionError: of the driver",
        "hangs": "silence until",
        "too fast": "",
    }
    with Watcher(show.name) as watcher, SampleRing(show.name) as ring:
        for kind, fault in said.items():
            rows = len(show.rows())
            mode.write_text(kind)
            show.wait(partial(_told, show, rows, fault), f"nothing is said: {kind}")
            count, then = ring.count, time.monotonic()
            time.sleep(0.5)
            assert (ring.count - count) / SAMPLE_RATE == pytest.approx(time.monotonic() - then, abs=0.4), kind
            assert np.isfinite(ring.read(ring.count - SAMPLE_RATE // 4, ring.count)).all(), kind
        mode.write_text("fine")
        show.wait(
            lambda: np.abs(ring.read(ring.count - SAMPLE_RATE // 4, ring.count)).max() > 0.3, "sound does not return"
        )
        show.wait(lambda: not show.row["faults"], "the fault stays")
        watcher.check_gaps()
        assert longest_still(watcher.seen) < 5.0
    assert show.renderer() == renderer


def _told(show: LiveShow, rows: int, fault: str) -> bool:
    """Whether a fault is told in the statistics after the first so many rows; none need be."""
    return not fault or any(fault in line for row in show.rows()[rows:] for line in row["faults"])


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pulse]:
    server = Pulse(tmp_path)
    server.use(monkeypatch)
    server.start()
    yield server
    server.kill()


def click_track(path: Path, seconds: float) -> Path:
    """Clicks at 120 bpm, the first after a quarter second, 48 kHz stereo."""
    sound, n = np.zeros(round(seconds * 48_000)), np.arange(480)
    for start in np.arange(0.25, seconds - 0.1, 60 / BPM):
        at = round(start * 48_000)
        sound[at : at + 480] += 0.6 * np.sin(2 * np.pi * 1500 * n / 48_000) * np.exp(-n / 90)
    with wave.open(str(path), "wb") as out:
        out.setparams((2, 2, 48_000, 0, "NONE", ""))
        out.writeframes(np.repeat((sound * 32767).astype("<i2"), 2).tobytes())
    return path


def sound_faults(show: LiveShow) -> list[str]:
    """What is said of the sound; a busy machine may be too slow for the pictures all the time."""
    return [line for line in show.row["faults"] if "ilence until" in line]


@pytest.mark.skipif(sys.platform != "linux", reason="PulseAudio is Linux's")
@pytest.mark.hosts
def test_clicks_through_a_sound_server_that_dies_and_returns(start: Start, tmp_path: Path, pulse: Pulse) -> None:
    clicks = click_track(tmp_path / "clicks.wav", 10.0)
    show = start("--source", "loopback", "--take", str(tmp_path / "a.take"))
    renderer = show.playing()
    with Watcher(show.name) as watcher, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as meters:
        meters.bind(("127.0.0.1", 0))
        show.send(message("/sonorama/subscribe", "i", meters.getsockname()[1]))
        show.wait(lambda: not sound_faults(show), lambda: f"the sound server is not heard: {show.row['faults']}")
        assert pulse.play(clicks).wait(60) == 0
        meters.setblocking(False)
        heard = [one for datagram in _waiting(meters) for one in parsed(datagram)]
        bpm = [one.arguments[0] for one in heard if one.address == "/sonorama/sound/bpm"]
        peaks = [one.arguments[0] for one in heard if one.address == "/sonorama/sound/onset"]
        pulse.kill()
        show.wait(lambda: any("silence until it returns" in line for line in show.faults()), "nothing is said of it")
        pulse.start()
        show.wait(lambda: not sound_faults(show), lambda: f"the sound server is not heard again: {show.row['faults']}")
        watcher.check_gaps()
        assert longest_still(watcher.seen) < 5.0
    assert show.renderer() == renderer
    assert show.stop() == 143
    assert bpm[-1] == pytest.approx(BPM, rel=0.03)
    assert max(peaks) > 0.5
    check_onsets(tmp_path / "a.take")


def _waiting(one: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            yield one.recv(65_536)
        except BlockingIOError:
            return


def check_onsets(folder: Path) -> None:
    """What the take holds of the clicks: all of them, half a second apart."""
    take = read_take(folder)
    sound = np.concatenate(list(takesound.read(take.audio, 0, take.length)), axis=1).mean(0)
    times, _ = onsets(sound)
    steps = np.diff(times)
    right = np.abs(steps - 60 / BPM) < 0.015
    assert len(times) >= 18, times
    assert right.sum() >= 8, times  # a busy machine makes the sound server stumble
