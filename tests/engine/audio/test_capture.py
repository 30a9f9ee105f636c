"""The ring is filled for ever, whatever the source does."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from sonorama.engine.audio import capture
from sonorama.engine.audio.block_reader import BlockReader
from sonorama.engine.audio.capture import Capture
from sonorama.engine.audio.ring_memory import RingMemory
from sonorama.engine.audio.sample_ring import SampleRing, SampleRingWriter, ring_path
from sonorama.engine.errors import SonoramaError, TimedOut
from sonorama.engine.plugins.interfaces import SoundSource
from sonorama.engine.units import SAMPLE_RATE, Samples

Write = Callable[[Samples, int], None]


class Scripted:
    """A source that does what a test says."""

    def __init__(self, rate: int = SAMPLE_RATE, channels: int = 2, block: float = 0.01) -> None:
        self.rate, self.channels, self.block = rate, channels, block
        self.value = 0.5
        self.refuse: Exception | None = None
        self.mute = self.end = False
        self.starts = 0
        self._ending = threading.Event()
        self._thread = threading.Thread()

    def start(self, write: Write) -> None:
        self.starts += 1
        if self.refuse:
            raise self.refuse
        self._ending, self.end = threading.Event(), False
        self._thread = threading.Thread(target=self._run, args=(write, self._ending), daemon=True)
        self._thread.start()

    def _run(self, write: Write, ending: threading.Event) -> None:
        n, at, began = max(1, round(self.block * self.rate)), 0, time.monotonic()
        while not ending.is_set() and not self.end:
            at += n
            due = began + at / self.rate
            time.sleep(max(0.0, due - time.monotonic()))
            if not self.mute:
                write(np.full((self.channels, n), self.value, np.float32), round(due * 1e9))

    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._ending.set()


class Stage:
    """A ring, its reader and the capture of one source."""

    def __init__(self, source: SoundSource) -> None:
        name = f"capture-{time.monotonic_ns()}"
        self.path = ring_path(name)
        self.writer = SampleRingWriter(name, 20.0)
        self.ring = SampleRing.open(name)
        self.capture = Capture("microphone X", lambda: source, self.writer)
        self.began = time.monotonic()
        self.capture.start()

    def newest(self, seconds: float = 0.1) -> np.ndarray:
        count = self.ring.count
        return self.ring.read(max(0, count - round(seconds * SAMPLE_RATE)), count)

    def behind(self) -> float:
        """Seconds by which the ring is behind the clock."""
        return time.monotonic() - self.began - self.ring.count / SAMPLE_RATE

    def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, (self.capture.faults(), self.behind())
            time.sleep(0.01)

    def keeps_time(self) -> None:
        """Whatever a busy machine did before, the ring is soon where the clock is, neither behind nor ahead."""
        self.until(lambda: abs(self.behind()) < 0.15, 5.0)

    def close(self) -> None:
        self.capture.close()
        self.ring.close()
        self.writer.close()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is gone is tried again soon."""
    monkeypatch.setattr(capture, "RETRY_S", 0.1)


@pytest.fixture
def stage() -> Iterator[Callable[[SoundSource], Stage]]:
    made: list[Stage] = []

    def make(source: SoundSource) -> Stage:
        made.append(Stage(source))
        return made[-1]

    yield make
    for one in made:
        one.close()


Make = Callable[[SoundSource], Stage]


@pytest.mark.parametrize(
    ("rate", "channels", "block"),
    [(44100, 2, 0.01), (48000, 1, 0.005), (16000, 4, 0.03), (96000, 2, 0.4), (44100, 1, 1 / 44100 * 64)],
)
def test_any_source_fills_the_ring(stage: Make, rate: int, channels: int, block: float) -> None:
    one = stage(Scripted(rate, channels, block))
    one.until(lambda: one.ring.count > SAMPLE_RATE)
    one.until(lambda: bool((np.abs(one.newest(0.5) - 0.5) < 0.02).all()))
    one.until(lambda: one.capture.alive and one.capture.faults() == [])
    one.until(lambda: abs(one.behind()) < 0.15 + block, 5.0)


def test_a_gone_source_is_silence_and_a_fault_and_comes_back(stage: Make) -> None:
    source = Scripted()
    one = stage(source)
    one.until(lambda: one.ring.count > SAMPLE_RATE)
    source.refuse = SonoramaError("no such device", "plug it in")
    source.end = True
    one.until(lambda: not one.capture.alive)
    gone = ["microphone X is gone: silence until it returns (no such device. plug it in)"]
    one.until(lambda: source.starts >= 3 and one.capture.faults() == gone)
    one.until(lambda: one.ring.count > 2 * SAMPLE_RATE)
    assert not one.newest().any()
    one.keeps_time()
    source.refuse = None
    one.until(lambda: one.capture.alive)
    one.until(lambda: bool((one.newest() == 0.5).all()))
    assert one.capture.faults() == []


class Slow(Scripted):
    """A device whose driver answers when a test lets it; stopping it meanwhile changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on, self.stops = threading.Event(), 0

    def start(self, write: Write) -> None:
        assert self.go_on.wait(60.0)
        super().start(write)

    def stop(self) -> None:
        self.stops += 1
        super().stop()


@pytest.mark.parametrize("refused", [True, False])
def test_the_source_asked_for_last_comes_although_another_one_is_still_being_opened(stage: Make, refused: bool) -> None:
    source, slow = Scripted(), Slow()
    one = stage(source)
    one.until(lambda: one.capture.alive)
    one.capture.switch("microphone NoSuch", lambda: slow)
    one.until(lambda: one.capture.faults() == ["No sound from microphone NoSuch: silence until it gives some"])
    one.capture.switch("file tune.wav", lambda: source)
    one.until(lambda: one.capture.alive and bool((one.newest() == 0.5).all()))
    slow.refuse = SonoramaError("No input 'NoSuch'", "There are: Line") if refused else None
    slow.go_on.set()
    one.until(lambda: slow.starts == 1 and not slow.alive() and slow.stops >= 2)  # it is not left open
    assert one.capture.alive and one.capture.faults() == []


def test_a_missing_input_stays_said_in_one_sentence_with_the_inputs_there_are(stage: Make) -> None:
    source, missing = Scripted(), Scripted()
    missing.refuse = TimedOut("it did not answer (time-out)", "Restart the server, or choose another device.")
    one = stage(source)
    one.until(lambda: one.capture.alive)
    one.capture.switch("microphone NoSuch", lambda: missing)
    said = "microphone NoSuch: it did not answer (time-out). Restart the server, or choose another device. "
    one.until(lambda: missing.starts >= 3 and one.capture.faults() == [f"{said}Silence until it gives sound"])
    missing.refuse = SonoramaError("No input 'NoSuch'", "There are: Line")
    one.until(
        lambda: (
            one.capture.faults()
            == ["microphone NoSuch is not there: silence until it is (No input 'NoSuch'. There are: Line)"]
        )
    )


def test_a_silent_source_is_started_again(stage: Make) -> None:
    source = Scripted()
    one = stage(source)
    one.until(lambda: one.capture.alive)
    source.mute = True
    one.until(lambda: source.starts >= 2)
    (line,) = one.capture.faults()
    assert line.startswith("microphone X: it gave no sound for")
    assert "(time-out)" in line
    assert "there" not in line
    one.keeps_time()
    source.mute = False
    one.until(lambda: one.capture.alive)
    one.until(lambda: one.capture.faults() == [])


def test_a_short_stall_loses_no_time(stage: Make) -> None:
    source = Scripted()
    one = stage(source)
    one.until(lambda: one.ring.count > SAMPLE_RATE)
    source.mute = True
    time.sleep(0.6)
    one.keeps_time()
    assert not one.newest().any()
    source.mute = False
    one.until(lambda: bool((one.newest() == 0.5).all()))
    one.keeps_time()


class Impossible(Scripted):
    """Starts, but says nonsense of itself."""

    def __init__(self, wrong: dict[str, int]) -> None:
        super().__init__()
        self.rate, self.channels = wrong.get("rate", SAMPLE_RATE), wrong.get("channels", 2)

    def start(self, write: Write) -> None:
        self.starts += 1


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"rate": 3}, {"channels": 0}])
def test_a_device_that_cannot_be_is_a_fault(stage: Make, wrong: dict[str, int]) -> None:
    one = stage(
        Scripted(**{"rate": SAMPLE_RATE, "channels": 2, **wrong}, block=0.01)
        if wrong.get("rate")
        else Impossible(wrong)
    )
    one.until(lambda: any("channels at" in fault for fault in one.capture.faults()))
    one.until(lambda: one.ring.count > SAMPLE_RATE)
    assert not one.ring.read(0, one.ring.count).any()


@pytest.mark.parametrize("error", [OSError("driver"), KeyError("x"), ZeroDivisionError()])
def test_whatever_a_plug_in_raises_is_a_fault(stage: Make, error: Exception) -> None:
    source = Scripted()
    source.refuse = error
    one = stage(source)
    one.until(lambda: source.starts >= 2)
    assert type(error).__name__ in one.capture.faults()[0]
    source.refuse = None
    one.until(lambda: one.capture.alive)


def test_broken_samples_are_silence_and_a_fault(stage: Make) -> None:
    source = Scripted(48000)
    one = stage(source)
    source.value = float("nan")
    one.until(lambda: bool(one.capture.faults()) and one.ring.count > SAMPLE_RATE)
    assert "broken samples" in one.capture.faults()[0]
    assert np.isfinite(one.newest(0.5)).all()
    source.value = 0.5
    one.until(lambda: bool((one.newest() > 0.49).all()))


def test_the_wrong_number_of_channels_is_a_fault(stage: Make) -> None:
    source = Scripted()
    one = stage(source)
    one.until(lambda: one.capture.alive)
    source.channels = 3
    one.until(lambda: any("broken" in fault for fault in one.capture.faults()))
    one.until(lambda: one.ring.count > 2 * SAMPLE_RATE)


def test_what_the_pump_missed_is_skipped_and_becomes_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ring of one second that was written for three while nobody read."""
    watch = Watch()
    monkeypatch.setattr(capture, "time", watch)
    name, start = f"clock-{time.monotonic_ns()}", watch.ns
    blocks = RingMemory.anonymous(48_000, 2, 48_000)
    with SampleRingWriter(name, 10.0) as writer, SampleRing.open(name) as ring:
        clock, reader = capture.Clock(writer), BlockReader(blocks, time.sleep)
        assert reader.take() is None
        for block in range(30):
            blocks.write(np.full((2, 4800), 0.5, np.float32), start + (block + 1) * 100_000_000)
        assert reader.take() is None
        watch.ns = start + 3_100_000_000
        blocks.write(np.full((2, 4800), 0.25, np.float32), watch.ns)
        taken = reader.take()
        assert taken is not None
        sound, captured_ns, seconds = taken
        assert (captured_ns, seconds) == (watch.ns, 0.1)
        clock.write(sound, captured_ns, resumed=False)
        assert ring.count == pytest.approx(3.1 * SAMPLE_RATE, abs=1)
        assert not ring.read(0, int(2.99 * SAMPLE_RATE)).any()
        assert ring.read(int(3.05 * SAMPLE_RATE), ring.count) == pytest.approx(0.25, abs=0.01)


class Watch:
    """A clock that a test turns by hand, in place of the module `time`."""

    ns = 10_000_000_000

    def monotonic_ns(self) -> int:
        return self.ns

    def monotonic(self) -> float:
        return self.ns / 1e9


@pytest.mark.parametrize("speed", [0.9995, 1.0, 1.0005, 0.998, 1.002])
def test_the_ring_follows_our_clock_not_the_device(monkeypatch: pytest.MonkeyPatch, speed: float) -> None:
    """Two minutes with a device whose clock is off by up to 2 ms a second, without a gap or a cut in the sound."""
    watch = Watch()
    monkeypatch.setattr(capture, "time", watch)
    name = f"clock-{time.monotonic_ns()}"
    with SampleRingWriter(name, 1.0) as writer, SampleRing.open(name) as ring:
        clock, before = capture.Clock(writer), 0
        for block in range(12_000):
            watch.ns = 10_000_000_000 + round((block + 1) * 10_000_000 / speed)
            clock.write(np.full((2, 441), 0.5, np.float32), watch.ns, resumed=False)
            assert abs(clock.due(watch.ns) - writer.count) < 0.03 * SAMPLE_RATE
            assert (ring.read(before, ring.count) == 0.5).all()
            before = ring.count
        if speed == 1.0:
            assert writer.count == 12_000 * 441, "nothing is touched where the clocks agree"


def test_lost_and_doubled_sound_is_mended_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    monkeypatch.setattr(capture, "time", watch)
    name = f"clock-{time.monotonic_ns()}"
    with SampleRingWriter(name, 10.0) as writer, SampleRing.open(name) as ring:
        clock = capture.Clock(writer)
        second = np.full((2, SAMPLE_RATE), 0.5, np.float32)
        start = watch.ns
        watch.ns = start + 1_000_000_000
        clock.write(second, watch.ns, resumed=False)
        watch.ns = start + 2_500_000_000  # half a second is missing
        clock.write(second, watch.ns, resumed=False)
        assert ring.count == 2.5 * SAMPLE_RATE
        assert not ring.read(SAMPLE_RATE, SAMPLE_RATE * 3 // 2).any()
        watch.ns = start + 3_000_000_000  # half of this one was there before
        clock.write(second, watch.ns, resumed=False)
        assert ring.count == 3 * SAMPLE_RATE
        watch.ns += 1_000_000_000
        clock.write(second, 5, resumed=False)  # nonsense for a time counts as now
        assert ring.count == 4 * SAMPLE_RATE
        watch.ns += 3_600_000_000_000  # an hour asleep
        clock.fill()
        assert ring.count == 3604 * SAMPLE_RATE


def test_sound_after_silence_goes_on_sample_by_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first blocks were captured while silence was written: they are cut, and nothing after them is stretched."""
    watch = Watch()
    monkeypatch.setattr(capture, "time", watch)
    name = f"clock-{time.monotonic_ns()}"
    with SampleRingWriter(name, 10.0) as writer, SampleRing.open(name) as ring:
        clock, start = capture.Clock(writer), watch.ns
        watch.ns = start + 100_000_000
        clock.fill()
        told = np.arange(1, 100 * 441 + 1, dtype=np.float32)
        for block in range(100):  # the first one began 35 ms before the end of the silence
            captured = start + 65_000_000 + (block + 1) * 10_000_000
            watch.ns = max(watch.ns, captured)
            clock.write(np.stack([told[block * 441 : block * 441 + 441]] * 2), captured, resumed=block == 0)
        heard = ring.read(0, ring.count)[0]
        first = int(np.flatnonzero(heard)[0])
        assert first == SAMPLE_RATE // 10
        assert (np.diff(heard[first:]) == 1).all()


class Opposite(Scripted):
    """Channels of opposite phase: of each pair one is the other one turned over."""

    def _run(self, write: Write, ending: threading.Event) -> None:
        dice = np.random.default_rng(1)

        def turned(block: Samples, captured_ns: int) -> None:
            noise = dice.standard_normal(block.shape[1]).astype(np.float32) * 0.3
            write(np.stack([noise * (-1) ** number for number in range(self.channels)]), captured_ns)

        super()._run(turned, ending)


def test_loud_sound_whose_channels_cancel_out_is_said_to(stage: Make) -> None:
    one = stage(Opposite(channels=4))
    one.until(lambda: any("is loud, but its channels cancel out" in line for line in one.capture.faults()))
    assert np.abs(one.newest().mean(axis=0)).max() < 1e-6


def test_a_pair_of_opposite_phase_keeps_its_power(stage: Make) -> None:
    one = stage(Opposite(channels=2))
    one.until(lambda: one.ring.count > 2.5 * SAMPLE_RATE)
    mono = one.newest(0.5).mean(axis=0)
    assert float(np.sqrt(np.mean(mono**2))) == pytest.approx(0.3, rel=0.1)
    assert not any("cancel out" in line for line in one.capture.faults())
