"""The recorder: picture and sound in step, whole after a kill and on a full disk, nothing overwritten."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sonorama.engine.audio.sample_ring import RingMissing, SampleRing, SampleRingWriter, ring_path
from sonorama.engine.errors import OutputError, SonoramaError
from sonorama.engine.plugins.interfaces import Available, SinkEnded
from sonorama.engine.show.sink_runner import SinkRunner
from sonorama.engine.units import SAMPLE_RATE
from sonorama.plugin.sinks import record
from sonorama.plugin.sinks.null import NullSink
from sonorama.plugin.sinks.record import RecordSink

from ..export.helpers import probe
from .sinks import FPS, grey, info, noise, picture, small_disk, until

_numbers = itertools.count()


@pytest.fixture
def ring() -> Iterator[SampleRingWriter]:
    """Four seconds of noise in both channels, different in each."""
    with SampleRingWriter(f"record-{os.getpid()}-{next(_numbers)}", 20.0) as writer:
        writer.write(np.random.default_rng(0).uniform(-0.5, 0.5, (2, 4 * SAMPLE_RATE)).astype(np.float32))
        yield writer


def sound_of(writer: SampleRingWriter, start: int, n: int) -> np.ndarray:
    with SampleRing(writer.name) as reader:
        return reader.read(start, start + n)


def pictures_of(path: Path) -> list[tuple[Fraction, float]]:
    """(time, mean grey) of every frame."""
    with av.open(str(path)) as film:
        return [(time_of(frame), frame.to_ndarray(format="gray").mean()) for frame in film.decode(video=0)]


def time_of(frame: av.VideoFrame | av.AudioFrame) -> Fraction:
    assert frame.pts is not None and frame.time_base is not None
    return frame.pts * frame.time_base


def heard(path: Path) -> np.ndarray:
    """The sound from time 0 of the film on: float32 [2, n]."""
    with av.open(str(path)) as film:
        blocks = [(time_of(frame), frame.to_ndarray()) for frame in film.decode(audio=0)]
        packed = film.streams.audio[0].codec_context.format.is_packed
    start = round(blocks[0][0] * SAMPLE_RATE)
    parts = [block.reshape(-1, 2).T if packed else block for _, block in blocks]
    whole = np.concatenate(parts, 1)
    whole = whole / 2**31 if whole.dtype == np.int32 else whole
    return whole[:, -start:] if start < 0 else np.pad(whole, ((0, 0), (start, 0)))


def lag(sound: np.ndarray, wanted: np.ndarray) -> int:
    """Samples by which one is behind the other, by correlation."""
    n = min(len(sound), len(wanted))
    spectrum = np.fft.rfft(sound[:n], 2 * n) * np.conj(np.fft.rfft(wanted[:n], 2 * n))
    at = int(np.fft.irfft(spectrum).argmax())
    return at if at < n else at - 2 * n


def record_pictures(path: Path, ring: SampleRingWriter, count: int = 60, first: int = 4410) -> RecordSink:
    """`count` pictures, the first about sample `first`; the sink is still open."""
    sink = RecordSink(str(path))
    sink.open(info("night", samples=ring.name))
    for tick in range(count):
        sink.send(picture(tick, sample=first + int(tick * SAMPLE_RATE / FPS)))
    return sink


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_picture_and_sound_are_in_step(tmp_path: Path, ring: SampleRingWriter, suffix: str) -> None:
    path = tmp_path / f"show{suffix}"
    sink = record_pictures(path, ring)
    assert sink.about == str(path)
    sink.close()
    told = pictures_of(path)
    # Matroska counts in milliseconds.
    assert [round(time * FPS, 1) for time, _ in told] == list(range(60))
    assert [round((level - grey(tick)) / 5) for tick, (_, level) in enumerate(told)] == [0] * 60
    sound, wanted = heard(path), sound_of(ring, 4410, 2 * SAMPLE_RATE)
    assert [lag(sound[side], wanted[side]) for side in (0, 1)] == [0, 0]
    if suffix == ".mkv":
        assert sound.shape == wanted.shape
        assert np.abs(sound - wanted).max() <= 2**-23


def test_tags_and_note(tmp_path: Path, ring: SampleRingWriter) -> None:
    for suffix, codec in ((".mp4", "aac"), (".mkv", "pcm_s24le")):
        path = tmp_path / f"show{suffix}"
        record_pictures(path, ring, 10).close()
        told = probe(path)
        video = told["video"]
        assert (video["codec_name"], video["pix_fmt"], video["nb_read_frames"]) == ("h264", "yuv420p", "10")
        assert (video["avg_frame_rate"], video["color_range"]) == ("30/1", "tv")
        assert {video[f"color_{name}"] for name in ("space", "transfer", "primaries")} == {"bt709"}
        assert (told["audio"]["codec_name"], told["audio"]["channels"]) == (codec, 2)
        tags = {name.lower(): text for name, text in told["format"]["tags"].items()}
        assert tags["title"] == "night"
        assert "Synthetic picture, made by sonorama" in tags["comment"] and "world shore 1" in tags["comment"]


def test_colours_are_kept(tmp_path: Path) -> None:
    sink = RecordSink(str(tmp_path / "show.mp4"))
    sink.open(info("night"))
    one = picture(0)
    bars = one.pixels.copy()
    bars[:, :32, :3], bars[:, 32:, :3] = (200, 40, 90), (10, 180, 60)
    sink.send(type(one)(bars, 0, 0, 0, 0, False))
    sink.close()
    with av.open(str(tmp_path / "show.mp4")) as film:
        assert not film.streams.audio
        frame = next(film.decode(video=0))
    frame = frame.reformat(format="rgb24", src_colorspace="ITU709", dst_colorspace="ITU709")
    got = frame.to_ndarray()
    assert np.abs(got[20:40, 8:24].mean((0, 1)) - (200, 40, 90)).max() < 4
    assert np.abs(got[20:40, 40:56].mean((0, 1)) - (10, 180, 60)).max() < 4


def test_lost_pictures_are_made_up_for_by_the_one_before(tmp_path: Path, ring: SampleRingWriter) -> None:
    sink = RecordSink(str(tmp_path / "show.mkv"))
    sink.open(info("night", samples=ring.name))
    for tick in (0, 1, 2, 6, 7):
        sink.send(picture(tick))
    again = picture(7)
    for tick in (8, 9):
        sink.send(type(again)(again.pixels, 7, tick, again.sample, picture(tick).pts_ns, True))
    sink.close()
    shown = [round((level - grey(0)) / 5) for _, level in pictures_of(tmp_path / "show.mkv")]
    assert shown == [0, 1, 2, 2, 2, 2, 6, 7, 7, 7]
    assert heard(tmp_path / "show.mkv").shape[1] == 10 * SAMPLE_RATE // 30


def test_a_clock_that_goes_to_and_fro_neither_doubles_nor_loses_a_picture(tmp_path: Path) -> None:
    """Up to 0.7 of a picture; what is more is followed."""
    sink = RecordSink(str(tmp_path / "show.mkv"))
    sink.open(info("night"))
    off = [0, 0.3, 0.7, -0.7, 0.6, -0.2, 0.4, 0.6, 0.5, 0.7]
    for tick, shift in enumerate(off):
        one = picture(tick)
        sink.send(type(one)(one.pixels, tick, tick, one.sample, one.pts_ns + round(shift * 1e9 / FPS), False))
    for tick in range(10, 12):  # the show stood still for two pictures
        one = picture(tick)
        sink.send(type(one)(one.pixels, tick, tick, one.sample, picture(tick + 2).pts_ns, False))
    sink.close()
    shown = [round((level - grey(0)) / 5) for _, level in pictures_of(tmp_path / "show.mkv")]
    assert shown == [*range(10), 9, 9, 10, 11]


def test_a_long_hole_is_left_open_and_the_rest_stays_in_place(tmp_path: Path, ring: SampleRingWriter) -> None:
    sink = RecordSink(str(tmp_path / "show.mkv"))
    sink.open(info("night", samples=ring.name))
    for tick in (0, 1, 90, 91):
        sink.send(picture(tick))
    sink.close()
    times = [round(time * FPS) for time, _ in pictures_of(tmp_path / "show.mkv")]
    assert times == [0, 1, *range(60, 92)]
    assert lag(heard(tmp_path / "show.mkv")[0], sound_of(ring, 0, 3 * SAMPLE_RATE)[0]) == 0


def test_it_begins_with_a_picture_that_knows_its_sound(tmp_path: Path, ring: SampleRingWriter) -> None:
    """A repeated picture is about sound of long ago."""
    sink = RecordSink(str(tmp_path / "show.mkv"))
    sink.open(info("night", samples=ring.name))
    for tick in range(20):
        sink.send(
            picture(tick, sample=7 if tick < 5 else 20_000 + int((tick - 5) * SAMPLE_RATE / FPS), repeated=tick < 5)
        )
    sink.close()
    assert len(pictures_of(tmp_path / "show.mkv")) == 15
    assert np.abs(heard(tmp_path / "show.mkv") - sound_of(ring, 20_000, 15 * SAMPLE_RATE // 30)).max() <= 2**-23


def test_without_a_renderer_it_begins_all_the_same(tmp_path: Path, ring: SampleRingWriter) -> None:
    sink = RecordSink(str(tmp_path / "show.mkv"))
    sink.open(info("night", samples=ring.name))
    for tick in range(70):
        sink.send(picture(tick, sample=7, repeated=True))
    sink.close()
    assert len(pictures_of(tmp_path / "show.mkv")) == 10


def test_sound_that_is_gone_is_silence_in_its_place(tmp_path: Path) -> None:
    with SampleRingWriter(f"record-{os.getpid()}-{next(_numbers)}", 1.0) as ring:
        ring.write(np.full((2, 3 * SAMPLE_RATE), 0.25, np.float32))
        record_pictures(tmp_path / "show.mkv", ring, 75, 0).close()
    sound = heard(tmp_path / "show.mkv")
    assert sound.shape[1] == 75 * SAMPLE_RATE // 30
    assert not sound[:, : 2 * SAMPLE_RATE - 1470].any()
    assert (sound[:, 2 * SAMPLE_RATE + 1470 :] == 0.25).all()


def test_nothing_is_overwritten(tmp_path: Path, ring: SampleRingWriter) -> None:
    (tmp_path / "show.mp4").write_bytes(b"an earlier show")
    for name in ("show-2.mp4", "show-3.mp4"):
        sink = record_pictures(tmp_path / "show.mp4", ring, 5)
        assert sink.about == str(tmp_path / name)
        sink.close()
        assert probe(tmp_path / name)["video"]["nb_read_frames"] == "5"
    assert (tmp_path / "show.mp4").read_bytes() == b"an earlier show"


def test_another_size_or_rate_begins_another_film(tmp_path: Path, ring: SampleRingWriter) -> None:
    runner = SinkRunner("record", lambda: RecordSink(str(tmp_path / "show.mp4")), info("night", samples=ring.name))
    runner.start()
    for tick in range(10):
        runner.offer(picture(tick))
    for tick in range(10, 17):
        runner.offer(picture(tick, 98, 50))
    runner.set_rate(Fraction(60))
    for tick in range(34, 37):
        runner.offer(picture(tick, 98, 50, Fraction(60)))
    assert runner.close(30)
    assert runner.faults() == []
    told = [probe(tmp_path / name)["video"] for name in ("show.mp4", "show-2.mp4", "show-3.mp4")]
    assert [(one["width"], one["nb_read_frames"]) for one in told] == [(64, "10"), (98, "7"), (98, "3")]
    assert [one["avg_frame_rate"] for one in told] == ["30/1", "30/1", "60/1"]
    assert len(list(tmp_path.iterdir())) == 3


def test_odd_sizes_lose_a_line_and_small_ones_are_refused(tmp_path: Path) -> None:
    sink = RecordSink(str(tmp_path / "show.mp4"))
    sink.open(info("night", 65, 33))
    sink.send(picture(0, 65, 33))
    with pytest.raises(SonoramaError, match="8x8 are too small"):
        sink.open(info("night", 8, 8))
    sink.close()
    assert {path.name for path in tmp_path.iterdir()} == {"show.mp4"}
    video = probe(tmp_path / "show.mp4")["video"]
    assert (video["width"], video["height"]) == (64, 32)


def test_a_film_without_a_picture_leaves_no_file(tmp_path: Path) -> None:
    for suffix in ("mp4", "mkv"):
        sink = RecordSink(str(tmp_path / f"show.{suffix}"))
        sink.open(info("night"))
        sink.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("argument", "words"),
    [("", "names no film"), ("show.avi", "names no film"), ("no/such/show.mp4", "no folder no/such")],
)
def test_wrong_names_are_refused_at_once(argument: str, words: str) -> None:
    with pytest.raises(SonoramaError, match=words):
        RecordSink(argument)


def test_no_ring_and_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(RingMissing):
        RecordSink(str(tmp_path / "show.mp4")).open(info("night", samples=f"nobody-{os.getpid()}"))
    (tmp_path / "show.mp4").mkdir()
    sink = RecordSink(str(tmp_path / "show.mp4"))
    sink.open(info("night"))
    assert sink.about.endswith("show-2.mp4"), "a folder of that name is in the way like a file"
    sink.close()
    with pytest.raises(OutputError, match="could not be written"):
        RecordSink(str(tmp_path / ("x" * 300 + ".mp4"))).open(info("night"))


def test_without_its_encoder_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(record.probe(), Available)
    monkeypatch.setattr(record, "codecs_available", set())
    missing = record.probe()
    assert not isinstance(missing, Available)
    assert "libx264" in missing.reason and "av" in missing.how_to_install


CHILD = """
import os, sys, time
import numpy as np
from sonorama.engine.show.sink_runner import SinkRunner
from sonorama.engine.audio.sample_ring import SAMPLE_RATE, SampleRingWriter
from sonorama.plugin.sinks.record import RecordSink
from tests.plugin.sinks import info, picture, until
with SampleRingWriter(f"record-{os.getpid()}", 20.0) as ring:
    ring.write(np.random.default_rng(0).uniform(-0.5, 0.5, (2, 12 * SAMPLE_RATE)).astype(np.float32))
    runner = SinkRunner("record", lambda: RecordSink(sys.argv[1]), info("night", samples=ring.name))
    runner.start()
    for tick in range(300):
        until(lambda: runner.counts.offered - runner.counts.sent < 20)
        runner.offer(picture(tick))
        if tick == 200:
            until(lambda: runner.counts.sent == 201)
            print("now", flush=True)
            time.sleep(600)
"""


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_it_plays_after_a_kill(tmp_path: Path, suffix: str) -> None:
    path, root = tmp_path / f"show{suffix}", Path(__file__).parents[2]
    command = [sys.executable, "-c", CHILD, str(path)]
    env = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(command, cwd=root, env=env, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"now\n"
        child.send_signal(signal.SIGKILL)
    ring_path(f"record-{child.pid}").unlink()
    plays(path, least=201 - 45)
    sound = heard(path)
    assert sound.shape[1] > 5 * SAMPLE_RATE
    wanted = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 12 * SAMPLE_RATE)).astype(np.float32)
    assert lag(sound[0], wanted[0]) == 0


def plays(path: Path, least: int) -> None:
    """FFmpeg reads all of it without an error, and it holds at least so many pictures."""
    assert int(probe(path)["video"]["nb_read_frames"]) >= least
    command = ["ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_full_disk_ends_the_recording_and_nothing_else(tmp_path: Path, ring: SampleRingWriter, suffix: str) -> None:
    with small_disk(tmp_path / "disk", "700k") as disk:
        if disk is None:
            pytest.skip("mounting a small disk needs root")
        path, null = disk / f"show{suffix}", NullSink()
        runners = [
            SinkRunner("record", lambda: RecordSink(str(path)), info("night", 96, 96, samples=ring.name)),
            SinkRunner("null", lambda: null, info("night", 96, 96)),
        ]
        for runner in runners:
            runner.start()
        tick = 0
        while runners[0].alive and tick < 1000:
            until(lambda: runners[0].counts.offered - runners[0].counts.sent < 20 or not runners[0].alive)
            for runner in runners:
                runner.offer(noise(tick, 96, 96))
            tick += 1
        assert not runners[0].alive
        (fault,) = runners[0].faults()
        assert fault.startswith(f"record is switched off: The disk is full: {path} ends after")
        assert path.stat().st_size > 100_000
        plays(path, least=30)
        count = null.count
        runners[1].offer(noise(tick, 96, 96))
        until(lambda: null.count > count)
        assert runners[1].alive
        assert [runner.close(30) for runner in runners] == [True, True]
        assert [one.name for one in disk.iterdir()] == [path.name]


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be removed there")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_recording_that_is_removed_ends_and_says_so(tmp_path: Path, ring: SampleRingWriter, what: str) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    path, ended = folder / "show.mp4", f"{folder / 'show.mp4'} was removed: 2 s of it are lost"
    sink = record_pictures(path, ring)
    path.unlink() if what == "file" else shutil.rmtree(folder)
    with pytest.raises(SinkEnded) as said:
        sink.send(picture(60))
    assert (said.value.message, said.value.hint) == (ended, "Record to a new file.")
    sink.close()
    assert not path.exists()


def test_a_recording_that_is_moved_goes_on(tmp_path: Path, ring: SampleRingWriter) -> None:
    sink = record_pictures(tmp_path / "show.mp4", ring)
    (tmp_path / "show.mp4").rename(tmp_path / "night.mp4")
    sink.send(picture(60, sample=4410 + 2 * SAMPLE_RATE))
    sink.close()
    plays(tmp_path / "night.mp4", least=61)


def test_a_disk_that_fills_at_the_very_end_keeps_the_film(tmp_path: Path, ring: SampleRingWriter) -> None:
    with small_disk(tmp_path / "disk", "400k") as disk:
        if disk is None:
            pytest.skip("mounting a small disk needs root")
        sink = RecordSink(str(disk / "show.mp4"))
        sink.open(info("night", samples=ring.name))
        for tick in range(70):
            sink.send(picture(tick))
        with (disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
            while True:
                filler.write(bytes(512))
        with pytest.raises(SinkEnded, match="The disk is full"):
            sink.close()
        sink.close()
        plays(disk / "show.mp4", least=40)
