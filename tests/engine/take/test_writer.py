"""Takes on the disk: exact sound and events, and the places that a take refuses."""

import os
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.sample_ring import RingMissing, SampleRingWriter
from sonorama.engine.control.parameters import Change
from sonorama.engine.errors import OutputError
from sonorama.engine.take import audio_file as takesound
from sonorama.engine.take.reader import is_take, read_take
from sonorama.engine.take.writer import TakeStart, TakeWriter
from sonorama.engine.units import SAMPLE_RATE

from .take_helpers import NOISE, START, VALUES, decoded, make, sound, until
from .take_helpers import ring as ring
from .take_helpers import small_disk as small_disk


def test_what_is_written_is_read(ring: SampleRingWriter, tmp_path: Path) -> None:
    take = read_take(make(tmp_path / "x.take", ring))
    seed, truncation, tap = take.changes[3]
    assert (seed.path, seed.value, seed.source) == ("/look/seed", 7, "osc")
    assert (truncation.value, truncation.over, tap.value) == (0.25, 1.5, True)
    assert (take.restarts, take.deaf, take.lost, take.dropped) == ([(9, 1)], [(11000, 13230)], [], 0)
    assert take.held == {4: 3}
    assert (take.fresh[0].frame, take.fresh[0].sample, take.fresh[0].values["/look/seed"]) == (12, 17640, 9)
    assert take.worlds == {"shore": "cd" * 32}
    assert (take.device, len(take.devices)) == ("torch-cuda", 2)
    assert take.precisions == [(5, "exact"), (13, "bf16")]
    assert [take.precision_at(frame) for frame in (0, 5, 12, 13, 20)] == ["exact"] * 3 + ["bf16"] * 2
    assert take.start == START
    assert (take.whole, take.end_frame, take.end_sample, take.length) == (True, 20, 29400, 21 * 1470)
    assert {"sonorama", "numpy"} <= set(take.facts["versions"])
    assert (take.facts["seed"], take.facts["rate"], take.begun[:2]) == (1, SAMPLE_RATE, "20")
    np.testing.assert_array_equal(sound(take.folder), NOISE[:, :SAMPLE_RATE])
    np.testing.assert_array_equal(decoded(take.audio), NOISE[:, :SAMPLE_RATE])
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
    tail = ["ffmpeg", "-v", "error", "-ss", str((samples - 100) / SAMPLE_RATE), "-i", str(path), "-f", "f32le", "-"]
    raw = subprocess.run(tail, check=True, capture_output=True).stdout
    np.testing.assert_array_equal(np.frombuffer(raw[-8:], "<f4"), last[:, 0])


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
