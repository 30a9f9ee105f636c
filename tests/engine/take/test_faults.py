"""Takes on the disk: what full disks, lost folders and crashes leave of them."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.sample_ring import SampleRingWriter
from sonorama.engine.control.parameters import Change
from sonorama.engine.take import audio_file as takesound
from sonorama.engine.take import writer as writing
from sonorama.engine.take.reader import read_take
from sonorama.engine.take.writer import TakeWriter
from sonorama.engine.units import SAMPLE_RATE

from .take_helpers import NOISE, START, decoded, sound, until
from .take_helpers import ring as ring
from .take_helpers import small_disk as small_disk


class Disk:
    """Lets the test stop and go on with the writing of sound."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free, self.waiting = threading.Event(), threading.Event()
        self.free.set()
        original = takesound.SoundFile.append

        def append(file: takesound.SoundFile, block: np.ndarray) -> None:
            if not self.free.is_set():
                self.waiting.set()
                assert self.free.wait(60)
            original(file, block)

        monkeypatch.setattr(takesound.SoundFile, "append", append)

    def stall(self) -> None:
        self.waiting.clear()
        self.free.clear()


@pytest.fixture
def stalling(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_a_disk_that_stalls_costs_what_the_ring_forgets(tmp_path: Path, stalling: Disk) -> None:
    with SampleRingWriter(f"take-{os.getpid()}-stall", seconds=1.0) as ring:
        writer = TakeWriter(tmp_path / "x", START, ring.name)
        ring.write(NOISE[:, :1000])
        until(lambda: takesound.count(tmp_path / "x" / "audio.wav") == 1000)
        stalling.stall()
        ring.write(NOISE[:, 1000:2000])
        assert stalling.waiting.wait(60)
        for start in range(2000, 150_000, 2000):
            ring.write(NOISE[:, start : start + 2000])
        writer.changes(90, 132_300, [Change("/look/seed", 7, "osc")])  # nobody waits for the disk
        stalling.free.set()
        until(lambda: takesound.count(tmp_path / "x" / "audio.wav") == 150_000)
        assert writer.close(100, 147_000)
        take = read_take(tmp_path / "x")
        assert len(take.lost) == 1
        first, last = take.lost[0]
        assert first == 2000
        assert ring.count - SAMPLE_RATE <= last < ring.count
        assert f"misses {(last - first) / SAMPLE_RATE:.1f} s of sound" in writer.faults()[0]
    heard, expected = sound(tmp_path / "x"), NOISE[:, :150_000].copy()
    expected[:, first:last] = 0
    np.testing.assert_array_equal(heard, expected)
    assert take.changes[90][0].value == 7
    assert take.whole


def test_a_disk_that_does_not_answer_is_a_fault(
    ring: SampleRingWriter, tmp_path: Path, stalling: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_STALLED_S", 0.05)
    monkeypatch.setattr(writing, "MOST_WAITING", 3)
    writer = TakeWriter(tmp_path / "x", START, ring.name)
    stalling.stall()
    ring.write(NOISE[:, :1000])
    assert stalling.waiting.wait(60)
    until(lambda: any("does not respond" in line for line in writer.faults()))
    for frame in range(8):
        writer.changes(frame, 0, [Change("/look/seed", frame, "osc")])
    assert not writer.close(9, 1000, wait_s=0.0)
    assert any("misses 5 events" in line for line in writer.faults())
    stalling.free.set()
    assert writer.close(9, 1000, wait_s=60)
    take = read_take(tmp_path / "x")
    assert (sorted(take.changes), take.dropped) == ([0, 1, 2], 5)


def test_a_full_disk_is_a_fault_and_with_room_it_goes_on(ring: SampleRingWriter, small_disk: Path) -> None:
    (small_disk / "other").write_bytes(bytes(250_000))
    writer = TakeWriter(small_disk / "x", START, ring.name)
    ring.write(NOISE[:, :30_000])
    until(writer.faults)
    assert "No space left" in writer.faults()[0]
    writer.changes(5, 7350, [Change("/look/seed", 7, "osc")])
    assert not read_take(small_disk / "x").whole  # what there is can be used meanwhile
    (small_disk / "other").unlink()
    until(lambda: not writer.faults())
    assert writer.close(20, 29_400)
    take = read_take(small_disk / "x")
    assert (take.whole, take.lost, take.changes[5][0].value) == (True, [], 7)
    np.testing.assert_array_equal(sound(small_disk / "x"), NOISE[:, :30_000])


def test_events_that_did_not_fit_are_written_whole_later(ring: SampleRingWriter, small_disk: Path) -> None:
    writer = TakeWriter(small_disk / "x", START, ring.name)
    free = os.statvfs(small_disk)
    (small_disk / "other").write_bytes(bytes(free.f_bavail * free.f_bsize))
    for frame in range(200):
        writer.changes(frame, 0, [Change("/look/text", f"{frame} " + "x" * 100, "osc")])
    until(writer.faults)
    (small_disk / "other").unlink()
    assert writer.close(200, 0)
    assert list(read_take(small_disk / "x").changes) == list(range(200))


def test_a_folder_that_goes_and_comes_back(ring: SampleRingWriter, tmp_path: Path) -> None:
    writer = TakeWriter(tmp_path / "x", START, ring.name)
    ring.write(NOISE[:, :10_000])
    until(lambda: takesound.count(tmp_path / "x" / "audio.wav") == 10_000)
    (tmp_path / "x").rename(tmp_path / "away")
    until(writer.faults)
    assert "removed" in writer.faults()[0]
    ring.write(NOISE[:, 10_000:40_000])
    writer.changes(8, 11_760, [Change("/look/seed", 7, "osc")])
    shutil.copytree(tmp_path / "away", tmp_path / "x")  # other files under the same names
    until(lambda: not writer.faults())
    assert writer.close(27, 39_690)
    assert read_take(tmp_path / "x").changes[8][0].value == 7
    np.testing.assert_array_equal(sound(tmp_path / "x"), NOISE[:, :40_000])


def test_a_folder_that_is_gone_for_good(
    ring: SampleRingWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_GIVE_UP_S", 0.1)
    writer = TakeWriter(tmp_path / "x", START, ring.name)
    shutil.rmtree(tmp_path / "x")
    ring.write(NOISE[:, :1000])
    assert not writer.close(1, 1000, wait_s=60)
    assert "removed" in writer.faults()[0]
    assert not (tmp_path / "x").exists()


KILLED = """
import sys
import time
from fractions import Fraction
from pathlib import Path
import numpy as np
from sonorama.engine.control.parameters import Change
from sonorama.engine.audio.sample_ring import SampleRingWriter
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.take.writer import TakeStart, TakeWriter

start = TakeStart("tiny", "ab", "0", "cpu", Fraction(30), (64, 64), {p: q.default for p, q in SHOW.items()})
noise = np.random.default_rng(3).uniform(-1, 1, (2, 1470)).astype(np.float32)
with SampleRingWriter(sys.argv[2]) as ring:
    writer = TakeWriter(Path(sys.argv[1]), start, ring.name)
    frame = 0
    while True:
        frame += 1
        ring.write(noise)
        writer.changes(frame, 1470 * frame, [Change("/look/seed", frame, "x" * 1000)])
        time.sleep(0.002)  # a ring is a minute long: a busy disk must not be overrun
        if frame == 300:
            print("there", flush=True)
"""


def test_a_killed_show_leaves_a_take(tmp_path: Path) -> None:
    name = f"take-{os.getpid()}-killed"
    command = [sys.executable, "-c", KILLED, str(tmp_path / "x"), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "there\n"
        until(lambda: (tmp_path / "x" / "events.jsonl").stat().st_size > 100_000)
        process.send_signal(signal.SIGKILL)
    SampleRingWriter(name).close()  # takes the dead one's ring away
    take = read_take(tmp_path / "x")
    assert not take.whole
    last = max(take.changes)
    assert list(take.changes) == list(range(1, last + 1))
    noise = np.random.default_rng(3).uniform(-1, 1, (2, 1470)).astype(np.float32)
    heard = sound(take.folder)
    assert heard.shape[1] >= 1470 * last  # sound is written before what was asked for in it
    np.testing.assert_array_equal(heard, np.tile(noise, heard.shape[1] // 1470 + 1)[:, : heard.shape[1]])
    assert (take.end_frame, take.end_sample) == (heard.shape[1] // 1470, heard.shape[1] // 1470 * 1470)
    assert decoded(take.audio).shape[1] <= heard.shape[1]
