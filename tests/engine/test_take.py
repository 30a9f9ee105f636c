"""Takes on the disk: exact sound and events, and what full disks, lost folders, crashes and strangers leave of them."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonorama.engine import take as writing
from sonorama.engine import takesound
from sonorama.engine.errors import InputError, OutputError, SonoramaError
from sonorama.engine.params import Change, Value
from sonorama.engine.samples import RATE, RingMissing, SampleRingWriter
from sonorama.engine.showtable import SHOW
from sonorama.engine.take import TakeStart, TakeWriter
from sonorama.engine.taken import Take, is_take, read_take

VALUES: dict[str, Value] = {path: param.default for path, param in SHOW.items()}
START = TakeStart("tiny", "ab" * 32, "0", "cpu", Fraction(30), (64, 64), VALUES)
NOISE = np.random.default_rng(0).uniform(-1.5, 1.5, (2, 5 * RATE)).astype(np.float32)


@pytest.fixture
def ring() -> Iterator[SampleRingWriter]:
    with SampleRingWriter(f"take-{os.getpid()}-{random.randrange(1 << 30)}", seconds=20.0) as writer:
        yield writer


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def sound(folder: Path, stop: int | None = None) -> np.ndarray:
    path = folder / "audio.wav"
    return np.concatenate(list(takesound.read(path, 0, takesound.count(path) if stop is None else stop)), axis=1)


def decoded(path: Path) -> np.ndarray:
    """As FFmpeg reads it: float32 [2,n]."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, "<f4").reshape(-1, 2).T


def make(folder: Path, ring: SampleRingWriter, samples: int = RATE, start: TakeStart = START) -> Path:
    """A small whole take."""
    writer = TakeWriter(folder, start, ring.name)
    ring.write(NOISE[:, :samples])
    writer.changes(3, 4410, [Change("/look/seed", 7, "osc"), Change("/look/truncation", 0.25, "scene", 1.5)])
    writer.changes(3, 4410, [Change("/sound/tap", True, "key")])
    writer.restart(9, 13230, 1)
    writer.deaf(9, 13230, 11000, 13230)
    writer.fresh(12, 17640, VALUES | {"/look/seed": 9})
    writer.played_on(0, 0, "torch-cuda")
    writer.played_on(12, 17640, "openvino-cpu")
    writer.opened(14, 20580, "shore", "cd" * 32)
    writer.note(15, 22050, "the cat is on the keys")
    assert writer.close(20, 29400)
    assert writer.faults() == []
    return folder


def test_what_is_written_is_read(ring: SampleRingWriter, tmp_path: Path) -> None:
    take = read_take(make(tmp_path / "x.take", ring))
    seed, truncation, tap = take.changes[3]
    assert (seed.path, seed.value, seed.source) == ("/look/seed", 7, "osc")
    assert (truncation.value, truncation.over, tap.value) == (0.25, 1.5, True)
    assert (take.restarts, take.deaf, take.lost, take.dropped) == ([(9, 1)], [(11000, 13230)], [], 0)
    assert (take.fresh[0].frame, take.fresh[0].sample, take.fresh[0].values["/look/seed"]) == (12, 17640, 9)
    assert take.worlds == {"shore": "cd" * 32}
    assert (take.device, len(take.devices)) == ("torch-cuda", 2)
    assert take.start == START
    assert (take.whole, take.end_frame, take.end_sample, take.length) == (True, 20, 29400, 21 * 1470)
    assert {"sonorama", "numpy"} <= set(take.facts["versions"])
    assert (take.facts["seed"], take.facts["rate"], take.begun[:2]) == (1, RATE, "20")
    np.testing.assert_array_equal(sound(take.folder), NOISE[:, :RATE])
    np.testing.assert_array_equal(decoded(take.audio), NOISE[:, :RATE])
    assert sorted(path.name for path in take.folder.iterdir()) == ["audio.wav", "events.jsonl", "take.json"]
    assert is_take(take.folder)
    assert not is_take(tmp_path)


def test_values_come_back_to_the_last_bit(ring: SampleRingWriter, tmp_path: Path) -> None:
    odd = {**VALUES, "/look/truncation": 0.1 + 0.2, "/look/text": 'Wüste\n\u2028 \\ "'}
    writer = TakeWriter(tmp_path / "x", TakeStart("t", "a", "0", "cpu", Fraction(30000, 1001), (3, 4), odd), ring.name)
    values = np.random.default_rng(1).random(50).tolist()
    for frame, value in enumerate(values):
        writer.changes(frame, frame, [Change("/motion/fine/amount", value, "", value)])
    assert writer.close(60, 60)
    take = read_take(tmp_path / "x")
    assert take.start.values == odd
    assert take.fps == Fraction(30000, 1001)
    assert [(take.changes[frame][0].value, take.changes[frame][0].over) for frame in range(50)] == [
        (value, value) for value in values
    ]


def test_sound_and_events_are_there_while_it_goes_on(ring: SampleRingWriter, tmp_path: Path) -> None:
    """Every block leaves a file that others can read, and the take is one already."""
    writer = TakeWriter(tmp_path / "x", START, ring.name)
    path = tmp_path / "x" / "audio.wav"
    for end in (1000, 50_000, 120_000):
        ring.write(NOISE[:, takesound.count(path) : end])
        until(lambda: takesound.count(path) == end)  # noqa: B023
        until(lambda: decoded(path).shape[1] == end)  # noqa: B023 (the head follows the samples)
    np.testing.assert_array_equal(decoded(path), NOISE[:, :120_000])
    writer.changes(5, 7350, [Change("/look/seed", 4, "osc")])
    until(lambda: read_take(tmp_path / "x").changes)
    take = read_take(tmp_path / "x")
    assert not take.whole
    assert (take.end_frame, take.end_sample) == (81, 81 * 1470)
    assert writer.close(81, 119_070)
    assert read_take(tmp_path / "x").whole


def test_a_take_may_begin_in_the_middle(ring: SampleRingWriter, tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"a state")
    ring.write(NOISE[:, :100_000])
    values = {"frame": 31, "sample": 44_100, "state": tmp_path / "state"}
    writer = TakeWriter(tmp_path / "x", TakeStart(**{**vars(START), **values}), ring.name)
    assert writer.close(60, 88_200)
    take = read_take(tmp_path / "x")
    assert take.start.state == tmp_path / "x" / "start.state"
    assert (tmp_path / "x" / "start.state").read_bytes() == b"a state"
    assert (take.start.frame, take.start.sample, take.length) == (31, 44_100, 44_100 + 1470)
    np.testing.assert_array_equal(sound(take.folder), NOISE[:, 44_100:100_000])


@pytest.mark.parametrize("samples", [1 << 20, (1 << 29) - 11, (1 << 29) - 10, 5 << 27])
def test_a_head_holds_any_length(tmp_path: Path, samples: int) -> None:
    """Around 4 GB too, in a file with a hole: FFmpeg finds its last samples, and so do we."""
    path, last = tmp_path / "audio.wav", np.array([[0.5], [-0.25]], np.float32)
    assert takesound.head(samples)[:4] == (b"RIFF" if samples < (1 << 29) - 10 else b"RF64")
    with path.open("wb") as file:
        file.write(takesound.head(samples))
        file.seek((samples - 1) * 8, os.SEEK_CUR)
        file.write(last.T.tobytes())
    assert takesound.count(path) == samples
    np.testing.assert_array_equal(next(takesound.read(path, samples - 1, samples)), last)
    command = ["ffprobe", "-v", "error", "-show_entries", "stream=duration_ts", "-of", "csv=p=0", str(path)]
    assert int(subprocess.run(command, check=True, capture_output=True).stdout) == samples
    tail = ["ffmpeg", "-v", "error", "-ss", str((samples - 100) / RATE), "-i", str(path), "-f", "f32le", "-"]
    raw = subprocess.run(tail, check=True, capture_output=True).stdout
    np.testing.assert_array_equal(np.frombuffer(raw[-8:], "<f4"), last[:, 0])


# --- what goes wrong while it is written


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
        assert ring.count - RATE <= last < ring.count
        assert f"misses {(last - first) / RATE:.1f} s of sound" in writer.faults()[0]
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
    until(lambda: any("does not answer" in line for line in writer.faults()))
    for frame in range(8):
        writer.changes(frame, 0, [Change("/look/seed", frame, "osc")])
    assert not writer.close(9, 1000, wait_s=0.0)
    assert any("misses 5 events" in line for line in writer.faults())
    stalling.free.set()
    assert writer.close(9, 1000, wait_s=60)
    take = read_take(tmp_path / "x")
    assert (sorted(take.changes), take.dropped) == ([0, 1, 2], 5)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "none", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


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
    assert "gone" in writer.faults()[0]
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
    assert "gone" in writer.faults()[0]
    assert not (tmp_path / "x").exists()


KILLED = """
import sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from sonorama.engine.params import Change
from sonorama.engine.samples import SampleRingWriter
from sonorama.engine.showtable import SHOW
from sonorama.engine.take import TakeStart, TakeWriter

start = TakeStart("tiny", "ab", "0", "cpu", Fraction(30), (64, 64), {p: q.default for p, q in SHOW.items()})
noise = np.random.default_rng(3).uniform(-1, 1, (2, 1470)).astype(np.float32)
with SampleRingWriter(sys.argv[2]) as ring:
    writer = TakeWriter(Path(sys.argv[1]), start, ring.name)
    frame = 0
    while True:
        frame += 1
        ring.write(noise)
        writer.changes(frame, 1470 * frame, [Change("/look/seed", frame, "x" * 1000)])
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


# --- places it refuses


@pytest.mark.parametrize("there", ["take", "foreign", "file", "no parent", "read-only"])
def test_nothing_is_overwritten(ring: SampleRingWriter, tmp_path: Path, there: str) -> None:
    folder = tmp_path / "x"
    match there:
        case "take":
            make(folder, ring)
        case "foreign":
            folder.mkdir()
            (folder / "notes.txt").write_text("mine")
        case "file":
            folder.write_text("mine")
        case "no parent":
            folder = tmp_path / "a" / "b"
        case _:
            folder = Path("/proc/take")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(OutputError) as caught:
        TakeWriter(folder, START, ring.name)
    assert len(str(caught.value).splitlines()) == 2
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_an_empty_folder_is_taken(ring: SampleRingWriter, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    assert read_take(make(tmp_path / "x", ring)).whole


def test_without_a_ring_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(RingMissing):
        TakeWriter(tmp_path / "x", START, f"take-{os.getpid()}-none")
    assert not (tmp_path / "x").exists()


def test_a_full_disk_at_the_start_leaves_nothing(ring: SampleRingWriter, small_disk: Path) -> None:
    free = os.statvfs(small_disk)
    (small_disk / "other").write_bytes(bytes(free.f_bavail * free.f_bsize))
    with pytest.raises(OutputError, match="No space"):
        TakeWriter(small_disk / "x", START, ring.name)
    assert [path.name for path in small_disk.iterdir()] == ["other"]


# --- what is read, and what is not


@pytest.fixture
def kept(ring: SampleRingWriter, tmp_path: Path) -> Path:
    return make(tmp_path / "x.take", ring)


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_take(folder)
    assert len(str(caught.value).splitlines()) == 2
    return caught.value.message


def edit(folder: Path, **changed: Any) -> None:
    told = json.loads((folder / "take.json").read_text())
    (folder / "take.json").write_text(json.dumps({**told, **changed}))


def test_the_last_line_may_be_cut_anywhere(kept: Path) -> None:
    path = kept / "events.jsonl"
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    with_it, without = read_take(kept), None
    for end in range(first - 1, 0, -7):
        path.write_bytes(whole[:end])
        without = read_take(kept)
        assert len(without.changes.get(3, [])) in (0, 2)
    assert without is not None
    assert not without.changes
    path.write_bytes(whole + bytes(500))  # what a power cut leaves of a file that grew
    assert read_take(kept).changes == with_it.changes


@pytest.mark.parametrize(
    "line",
    [
        "words",
        "{}",
        "[]",
        '{"frame": 1}',
        '{"frame": -1, "sample": 0}',
        '{"frame": 1.0, "sample": 0}',
        '{"frame": true, "sample": 0}',
        '{"frame": 1e400, "sample": 0}',
        '{"frame": 99999999999999999999999, "sample": 0}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", 1, "osc"]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/sed", 1, "osc", 0]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", "one", "osc", 0]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", [1], "osc", 0]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", NaN, "osc", 0]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", 1, 2, 0]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", 1, "osc", -1]]}',
        '{"frame": 1, "sample": 0, "set": [["/look/seed", 1, "osc", 1e999]]}',
        '{"frame": 1, "sample": 0, "set": [["/moves/1/source", "telepathy", "osc", 0]]}',
        '{"frame": 1, "sample": 0, "deaf": [5, 3]}',
        '{"frame": 1, "sample": 0, "deaf": 5}',
        '{"frame": 1, "sample": 0, "fresh": []}',
        '{"frame": 1, "sample": 0, "fresh": {"/look/sed": 1}}',
        '{"frame": 1, "sample": 0, "opened": ["shore"]}',
        '{"frame": 1, "sample": 0, "device": ["cpu"]}',
        '{"frame": 1, "sample": 0, "restart": "one"}',
        "[" * 100_000,
        "\udcff",
        "1" * 5000,
    ],
)
def test_a_damaged_line_is_refused_by_its_number(kept: Path, line: str) -> None:
    path = kept / "events.jsonl"
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], line.encode("utf-8", "surrogateescape"), *lines[1:]]))
    assert refused(kept).startswith(f"Line 2 of {path} is damaged: ")


def test_events_of_later_versions_are_passed_over(kept: Path) -> None:
    with (kept / "events.jsonl").open("a") as file:
        file.write('{"frame": 1, "sample": 0, "smell": "lavender"}\n')
    assert read_take(kept).changes


@pytest.mark.parametrize(
    "changed",
    [
        {"format": "sonorama-world"},
        {"version": 2},
        {"version": "1"},
        {"fps": "0"},
        {"fps": "-30"},
        {"fps": 30},
        {"fps": "30/0"},
        {"fps": "1e999999999"},
        {"rate": 48000},
        {"size": [1]},
        {"size": "64x64"},
        {"world": "tiny"},
        {"world": {"name": "tiny"}},
        {"values": []},
        {"values": {"/look/sed": 1}},
        {"values": {"/look/seed": "one"}},
        {"values": {"/look/text": "\ud800"}},
        {"state": "../../secret"},
        {"frame": -1},
        {"sample": None},
        {"end": {"frame": 1}},
        {"end": 7},
        {"device": None},
        {"begun": 2026},
        {"seed": "one"},
    ],
)
def test_a_damaged_beginning_is_refused(kept: Path, changed: dict[str, Any]) -> None:
    edit(kept, **changed)
    assert str(kept / "take.json") in refused(kept)


@pytest.mark.parametrize("name", ["take.json", "events.jsonl", "audio.wav"])
def test_what_is_missing_or_foreign_is_refused(kept: Path, name: str) -> None:
    path = kept / name
    data = path.read_bytes()
    path.unlink()
    assert str(path) in refused(kept)
    path.mkdir()
    assert str(path) in refused(kept)
    path.rmdir()
    path.write_bytes(b"\xff\xfe\0words\n" + data[:50])
    assert str(path) in refused(kept)


def test_controls_newer_than_the_take_stand_at_their_defaults(kept: Path) -> None:
    edit(kept, values={"/look/seed": 5})
    assert read_take(kept).start.values == VALUES | {"/look/seed": 5}


def test_without_an_end_it_ends_where_its_sound_does(kept: Path) -> None:
    edit(kept, end=None)
    events = kept / "events.jsonl"
    events.write_bytes(b'{"frame": 10, "sample": 14700, "set": [["/engine/fps", 60.0, "osc", 0.0]]}\n')
    take = read_take(kept)
    assert (take.whole, take.end_frame, take.end_sample) == (False, 10 + 40, 14700 + 40 * 735)
    assert take.length == take.end_sample + 735
    events.write_bytes(
        b'{"frame": 10, "sample": 14700, "fresh": {"/engine/fps": 25.0}}\n'
        b'{"frame": 99, "sample": 999999, "set": [["/engine/fps", 60.0, "osc", 0.0]]}\n'
    )
    take = read_take(kept)
    assert (take.end_frame, take.end_sample) == (10 + 16, 14700 + 16 * 1764)


def test_an_end_past_the_sound_does_not_count(kept: Path) -> None:
    edit(kept, end={"frame": 10**12, "sample": 10**12})
    take = read_take(kept)
    assert (take.whole, take.end_frame, take.end_sample) == (False, 30, 30 * 1470)


@pytest.mark.parametrize("name", ["take.json", "events.jsonl", "audio.wav"])
def test_no_damage_gets_through_as_anything_else(kept: Path, name: str) -> None:
    """Takes with some bytes changed, cut out or doubled: each is read, or refused in two lines."""
    path, dice = kept / name, random.Random(name)
    data = path.read_bytes()[:4000]
    (kept / "audio.wav").write_bytes((kept / "audio.wav").read_bytes()[:4000])
    read = 0
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(dice.randint(1, 4)):
            at, length = dice.randrange(min(len(data), 100) if name == "audio.wav" else len(data)), dice.randint(0, 9)
            new = dice.choice([bytes(dice.choices(range(256), k=length)), damaged[at : at + length] * 2, b"", b"9"])
            damaged[at : at + length] = new
        path.write_bytes(damaged)
        try:
            take = read_take(kept)
        except SonoramaError as error:
            assert isinstance(error, InputError)
            assert len(str(error).splitlines()) == 2
        else:
            assert isinstance(take, Take)
            assert take.length > 0
            read += 1
    assert 0 < read < 300
