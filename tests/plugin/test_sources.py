"""Sources that need no device, and what is said when there is none."""

import os
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.capture import Capture
from sonorama.engine.audio.sample_ring import SampleRing, SampleRingWriter
from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.shared_paths import shared_folder
from sonorama.engine.plugins.interfaces import Available, Missing, SoundSource
from sonorama.engine.plugins.open_source import SourceUnknown, open_source, source_names
from sonorama.engine.show.sound import SoundInput
from sonorama.engine.units import SAMPLE_RATE, Samples
from sonorama.plugin.sources import device, file, loopback, silence, tone
from sonorama.plugin.sources.child_process import ChildSource

from ..processes import runs


class Ear:
    """What a source wrote, and when."""

    def __init__(self) -> None:
        self.blocks: list[Samples] = []
        self.times: list[int] = []

    def __call__(self, block: Samples, captured_ns: int) -> None:
        assert captured_ns <= time.monotonic_ns() + 1_000_000
        self.blocks.append(block)
        self.times.append(captured_ns)

    def sound(self) -> Samples:
        return np.concatenate(self.blocks, axis=1)


def listen(source: SoundSource, seconds: float) -> Ear:
    """At least so many seconds of its sound, which must not come faster than the clock goes."""
    ear, began = Ear(), time.monotonic()
    source.start(ear)
    try:
        while sum(block.shape[1] for block in ear.blocks) < seconds * source.rate:
            assert source.alive()
            assert time.monotonic() < began + 60
            time.sleep(0.01)
        assert time.monotonic() - began > seconds - 0.02
    finally:
        source.stop()
        source.stop()
    assert not source.alive()
    return ear


def write_wav(path: Path, rate: int, samples: np.ndarray) -> None:
    with wave.open(str(path), "wb") as out:
        out.setparams((samples.shape[0], 2, rate, 0, "NONE", ""))
        out.writeframes((samples.T * 32767).astype("<i2").tobytes())


def test_the_five_are_found_by_their_names() -> None:
    assert {"device", "file", "loopback", "silence", "tone"} <= set(source_names())


def test_names_for_people(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", 8000, np.zeros((1, 100)))
    assert open_source("tone:140")[0] == "test tone 140"
    assert open_source("device")[0] == "microphone"
    assert open_source("device:USB: Audio#3,4")[0] == "microphone USB: Audio#3,4"
    assert open_source("device#2")[0] == "microphone #2"
    assert open_source(f"file:{tmp_path}/a.wav")[0] == f"file {tmp_path}/a.wav"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("devise", "Did you mean device?"),
        ("", "device, file"),
        ("tone:fast", "'fast' is not a tempo"),
        ("tone:nan", "'nan' is not a tempo"),
        ("tone:1e9", "not a tempo"),
        ("file", "needs a path"),
        ("file:nowhere.wav", "nowhere.wav"),
        ("silence:loud", "takes no argument"),
        ("device:X#0", "is not a list of channels"),
        ("device:X#1,,2", "is not a list of channels"),
        ("device:X#", "is not a list of channels"),
        ("loopback:X#left", "is not a list of channels"),
    ],
)
def test_wrong_sources_are_two_lines(spec: str, words: str) -> None:
    with pytest.raises(SonoramaError) as caught:
        open_source(spec)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


def test_a_source_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sonorama.plugin.sources.tone", None)
    with pytest.raises(SourceUnknown, match="does not load"):
        open_source("tone")


def test_the_tone_clicks_on_the_beat() -> None:
    ear = listen(open_source("tone:150")[1](), 1.5)
    sound = ear.sound()[0]
    loud = np.flatnonzero(np.abs(sound) > 0.2)
    starts = loud[np.diff(loud, prepend=-10_000) > 5000]
    assert np.abs(np.diff(starts) - 0.4 * 44100).max() < 30
    quiet = np.concatenate([sound[at + 2000 : at + 15000] for at in starts[:-1]])
    assert 0.02 < np.abs(quiet).max() < 0.04


def test_silence() -> None:
    sound = listen(open_source("silence")[1](), 0.3).sound()
    assert sound.shape[0] == 2
    assert not sound.any()


def test_a_file_at_its_own_speed_again_and_again(tmp_path: Path) -> None:
    ramp = np.linspace(0, 0.9, 4000)
    write_wav(tmp_path / "ramp.wav", 8000, np.stack([ramp, -ramp]))
    ear = listen(open_source(f"file:{tmp_path}/ramp.wav")[1](), 1.3)
    sound = ear.sound()
    assert np.array_equal(sound[:, :4000], sound[:, 4000:8000])
    assert np.abs(sound[0, :4000] - ramp).max() < 1e-3
    assert np.abs(sound[1, :4000] + ramp).max() < 1e-3
    assert np.median(np.diff(ear.times)) == 10_000_000


def test_a_file_that_goes_away_ends_the_source(tmp_path: Path) -> None:
    write_wav(tmp_path / "short.wav", 8000, np.zeros((1, 800)))
    source = open_source(f"file:{tmp_path}/short.wav")[1]()
    source.start(lambda block, captured_ns: None)
    (tmp_path / "short.wav").unlink()
    end = time.monotonic() + 5
    while source.alive():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def nothing_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No sound server, and none that could be started."""
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/none")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("ALSA_CONFIG_PATH", os.devnull)


@pytest.mark.usefixtures("nothing_here")
@pytest.mark.parametrize("make", [device.DeviceSource, loopback.LoopbackSource])
def test_no_device_is_two_lines(make: Callable[[str], ChildSource]) -> None:
    source = make("nosuchdevice")
    with pytest.raises(SonoramaError) as caught:
        source.start(lambda block, captured_ns: None)
    assert len(str(caught.value).splitlines()) == 2
    assert caught.value.hint
    assert not source.alive()
    source.stop()


@pytest.mark.usefixtures("nothing_here")
def test_probes_say_what_to_do() -> None:
    assert isinstance(tone.probe(), Available)
    assert isinstance(file.probe(), Available)
    assert isinstance(silence.probe(), Available)
    missing = loopback.probe()
    assert isinstance(missing, Missing)
    assert "apt-get install" in missing.how_to_install


def test_without_portaudio_the_probe_names_the_package() -> None:
    code = (
        "import sys\nsys.modules['sounddevice'] = None\n"
        "from sonorama.plugin.sources import device\nanswer = device.probe()\n"
        "assert 'PortAudio is missing' in answer.reason, answer\n"
        "assert 'libportaudio2' in answer.how_to_install, answer\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_child_that_crashes_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "crashing.py").write_text("import os\nos.abort()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(SonoramaError, match="driver failed"):
        ChildSource("crashing", "").start(lambda block, captured_ns: None)


CHATTY = """
import os, time
import numpy as np
from sonorama.plugin.sources.child_process import serve

def run(argument):
    os.write(1, b"a driver prints\\n")
    def deliver(write):
        at = 0
        while argument != "dies" or at < 48_000:
            at += 480
            os.write(1, b"and prints\\n")
            write(np.full((3, 480), 0.5), time.monotonic_ns())
            time.sleep(0.01 if argument != "hangs" or at < 48_000 else 3600)
    return 48_000, 3, "chatty", deliver

serve(run)
"""


def left_behind() -> set[Path]:
    """Files of children's rings."""
    return set(shared_folder().glob("sonorama-sound.*"))


@pytest.fixture
def chatty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module `chatty` for child processes, whose driver prints."""
    (tmp_path / "chatty.py").write_text(CHATTY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.usefixtures("chatty")
def test_a_child_fills_a_ring_that_has_no_name() -> None:
    before, source = left_behind(), ChildSource("chatty", "")
    source.start(lambda block, captured_ns: None)
    try:
        assert left_behind() <= before
        ring, end = source.ring, time.monotonic() + 30
        assert ring is not None
        assert (ring.rate, ring.channels) == (source.rate, source.channels) == (48_000, 3)
        while ring.count < 4800:
            source.wait(0.02)
            assert time.monotonic() < end
        assert (ring.read(0, 4800) == 0.5).all()
        assert 0 <= time.monotonic_ns() - ring.captured_ns(ring.count - 1) < 30_000_000_000
    finally:
        source.stop()
    assert source.ring is None
    source.wait(0.001)


@pytest.mark.usefixtures("chatty")
@pytest.mark.parametrize("how", ["dies", "hangs"])
def test_a_child_that_dies_or_hangs_is_replaced(how: str) -> None:
    before, name, made = left_behind(), f"child-{time.monotonic_ns()}", []

    def make() -> ChildSource:
        made.append(ChildSource("chatty", how))
        return made[-1]

    def until(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, capture.faults()
            time.sleep(0.02)

    with SampleRingWriter(name, 60.0) as writer, SampleRing(name) as ring:
        capture = Capture("chatty", make, writer)
        capture.start()
        try:
            for n in (1, 2):
                until(lambda n=n: len(made) >= n and capture.alive)
                until(lambda: bool((np.abs(ring.read(ring.count - SAMPLE_RATE // 10, ring.count) - 0.5) < 0.02).all()))
                until(lambda: not capture.alive)
        finally:
            capture.close()
    assert all(not source.alive() for source in made)
    assert left_behind() <= before


def test_a_child_leaves_with_its_parent(tmp_path: Path) -> None:
    (tmp_path / "idle.py").write_text(
        "import time\nfrom sonorama.plugin.sources.child_process import serve\n"
        "def run(argument):\n    return 44100, 1, 'idle', lambda write: time.sleep(100)\n"
        "serve(run)\n"
    )
    code = (
        "import os, signal\nfrom sonorama.plugin.sources.child_process import ChildSource\n"
        "s = ChildSource('idle', ''); s.start(print); print(s.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, text=True)
    child, end = int(done.stdout), time.monotonic() + 60
    while runs(child):
        assert time.monotonic() < end, "the child outlives its parent"
        time.sleep(0.02)


def test_the_file_comes_back_at_once_after_an_input_that_is_not_there(tmp_path: Path) -> None:
    """Its child process may still be on its way; the file itself is not read by whoever chooses."""
    path = tmp_path / "tune.wav"
    write_wav(path, 44100, np.full((2, 44100), 0.5))
    sound = SoundInput(f"back-{time.monotonic_ns()}", f"file:{path}")
    try:
        sound.start()
        until(lambda: sound.capture.alive)
        sound.choose({"/sound/input": "device:NoSuch", "/sound/channels": ""})
        until(lambda: not sound.capture.alive)
        path.rename(tmp_path / "moved.wav")
        sound.choose({"/sound/input": "", "/sound/channels": ""})
        until(lambda: any("tune.wav" in line and "is not there" in line for line in sound.faults()))
        path = (tmp_path / "moved.wav").rename(path)
        until(lambda: sound.capture.alive and sound.faults() == [])
    finally:
        sound.close()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
