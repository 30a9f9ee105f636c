"""The sample ring between real processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from sonorama.engine.audio import ring_memory, sample_ring
from sonorama.engine.audio.sample_ring import (
    RingMissing,
    RingTaken,
    SampleRing,
    SampleRingWriter,
    SamplesLost,
    ring_path,
)
from sonorama.engine.errors import SonoramaError
from sonorama.engine.units import SAMPLE_RATE

Run = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def name() -> Iterator[str]:
    given = f"test-{os.getpid()}-{time.monotonic_ns()}"
    yield given
    ring_path(given).unlink(missing_ok=True)


@pytest.fixture
def run() -> Iterator[Run]:
    """Starts Python code as another process."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str) -> "subprocess.Popen[str]":
        head = "import sys, time, numpy as np\nfrom sonorama.engine.audio.sample_ring import *\n"
        command = [sys.executable, "-c", head + code]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def ramp(start: int, n: int) -> np.ndarray:
    """Every sample tells its own index, in a way float32 can hold."""
    index = np.arange(start, start + n)
    return np.stack([index % 65_521, index // 65_521]).astype(np.float32)


def check(block: np.ndarray, start: int) -> None:
    assert np.array_equal(block, ramp(start, block.shape[1]))


def test_what_is_written_is_read_across_the_seam(name: str) -> None:
    rng = np.random.default_rng(0)
    with SampleRingWriter(name, 0.2) as writer, SampleRing.open(name) as ring:
        at = 0
        for n in rng.integers(0, 3000, 60):
            writer.write(ramp(at, int(n)))
            at += int(n)
            assert ring.count == writer.count == at
            start = int(rng.integers(ring.oldest, at + 1))
            check(ring.read(start, at), start)
        assert at > 5 * ring.capacity
        check(ring.read(ring.oldest, at), ring.oldest)
    assert not ring_path(name).exists()


def test_a_block_longer_than_the_ring_keeps_its_end(name: str) -> None:
    with SampleRingWriter(name, 0.1) as writer, SampleRing.open(name) as ring:
        writer.write(ramp(0, 10_001))
        assert ring.count == 10_001
        check(ring.read(ring.oldest, 10_001), 10_001 - ring.capacity)


def test_what_is_not_there_is_refused(name: str) -> None:
    with SampleRingWriter(name, 0.1) as writer, SampleRing.open(name) as ring:
        with pytest.raises(SamplesLost):
            ring.captured_ns(0)
        writer.write(ramp(0, 6000))
        for start, stop in ((5000, 6001), (0, 100), (-5, 10), (4000, 3000)):
            with pytest.raises(SamplesLost) as caught:
                ring.read(start, stop)
            assert caught.value.hint
        assert ring.read(6000, 6000).shape == (2, 0)


def test_wrong_blocks_are_refused(name: str) -> None:
    with SampleRingWriter(name, 0.1) as writer:
        wrong: list[Any] = [np.zeros((1, 5), np.float32), np.zeros((2, 5)), np.zeros(5, np.float32)]
        for block in wrong:
            with pytest.raises(ValueError, match="not float32"):
                writer.write(block)
        assert writer.count == 0


def test_times_of_capture(name: str) -> None:
    with SampleRingWriter(name, 1.0) as writer, SampleRing.open(name) as ring:
        second = 1_000_000_000
        for block in range(1, 5):  # blocks of 441 that came 10 ms apart, the third one 5 ms late
            writer.write(ramp(0, 441), block * 10_000_000 + (5_000_000 if block == 3 else 0))
        assert ring.captured_ns(440) == 10_000_000
        assert ring.captured_ns(881) == 20_000_000
        assert ring.captured_ns(1322) == 35_000_000
        assert abs(ring.captured_ns(441) - (20_000_000 - 440 * second // SAMPLE_RATE)) < 2
        assert abs(ring.captured_ns(1763 + 441) - 50_000_000) < 2
        for _ in range(3 * ring_memory.MARKS):
            writer.write(ramp(0, 10), 7 * second)
        assert abs(ring.captured_ns(ring.count - 1) - 7 * second) < 2


def test_how_late_the_newest_block_came(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Captured 30 ms before it was written, and 20 ms long."""
    with SampleRingWriter(name, 1.0) as writer, SampleRing(name) as ring:
        assert ring.late_ns() == 0
        writer.write(ramp(0, 441))
        monkeypatch.setattr(sample_ring.time, "monotonic_ns", lambda: 10**9)
        writer.write(ramp(441, 882), 10**9 - 30_000_000)
        assert ring.late_ns() == 30_000_000 + 882 * 1_000_000_000 // SAMPLE_RATE


def test_a_reader_never_gets_what_was_overwritten_under_it(name: str, run: Run) -> None:
    # A ring of 0.1 s and a writer far faster than real time: most reads near the oldest are lost, none are wrong.
    writer = run(
        f"w = SampleRingWriter({name!r}, 0.1)\nat = 0\nprint('up', flush=True)\n"
        "while True:\n"
        "    i = np.arange(at, at + 1500)\n"
        "    w.write(np.stack([i % 65521, i // 65521]).astype(np.float32)); at += 1500\n"
    )
    assert line(writer) == "up"
    good = lost = 0
    with SampleRing.open(name) as ring:
        began = time.monotonic()
        while (past := time.monotonic() - began) < 1.0 or (past < 60.0 and not (good and lost)):
            start = ring.oldest
            try:
                block = ring.read(start, min(start + 4000, ring.count))
            except SamplesLost:
                lost += 1
                continue
            check(block, start)
            good += block.shape[1] > 0
    assert good > 0
    assert lost > 0, "the test did not reach what it is about"


def test_a_killed_writer_leaves_its_sound_and_its_name(name: str, run: Run) -> None:
    code = f"w = SampleRingWriter({name!r}, 1.0)\nw.write(np.ones((2, 500), np.float32))\nprint('up', flush=True)\n"
    first = run(code + "time.sleep(100)")
    assert line(first) == "up"
    ring = SampleRing.open(name)
    assert ring.owner_alive()
    with pytest.raises(RingTaken) as caught:
        SampleRingWriter(name)
    assert str(first.pid) in caught.value.message
    assert len(str(caught.value).splitlines()) == 2
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not ring.owner_alive()
    assert np.array_equal(ring.read(0, 500), np.ones((2, 500), np.float32))
    with SampleRingWriter(name) as second, SampleRing.open(name) as again:
        assert second.count == again.count == 0
        assert again.owner_alive()
        assert not ring.owner_alive()
        assert ring.count == 500, "the old reader keeps what it has"


def test_readers_come_and_go(name: str, run: Run) -> None:
    with SampleRingWriter(name, 1.0) as writer:
        code = f"r = SampleRing.open({name!r})\nprint(r.read(r.oldest, r.count).shape[1], flush=True)\ntime.sleep(100)"
        for n in (1, 2):
            writer.write(ramp(0, 100))
            reader = run(code)
            assert line(reader) == str(100 * n)
            reader.send_signal(signal.SIGKILL)
            reader.wait()
        writer.write(ramp(0, 100))
        assert ring_path(name).exists()
        with SampleRing.open(name) as ring:
            assert ring.count == 300


def test_who_lost_the_name_writes_no_more(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = SampleRingWriter(name, 0.1)
    monkeypatch.setattr(sample_ring, "SILENT_NS", 0)
    with SampleRingWriter(name, 0.1):
        with pytest.raises(RingTaken):
            first.write(ramp(0, 5))
        first.close()
        first.close()
        assert ring_path(name).exists(), "only the owner takes it away"


def test_foreign_files_are_neither_read_nor_overwritten(name: str) -> None:
    for content in (b"", b"mine", bytes(10_000), b"SONORING" + b"\xff" * 9000):
        ring_path(name).write_bytes(content)
        with pytest.raises(RingMissing):
            SampleRing.open(name)
        with pytest.raises(RingTaken):
            SampleRingWriter(name)
        assert ring_path(name).read_bytes() == content


def test_no_ring(name: str) -> None:
    with pytest.raises(RingMissing):
        SampleRing.open(name)
    with pytest.raises(SonoramaError):
        SampleRingWriter("../evil")
