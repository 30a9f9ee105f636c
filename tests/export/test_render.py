"""Rendering as a whole: exact lengths, refusals before any work, all or nothing, memory."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests import disks

from sonorama.engine.errors import InputError, OutputError, SonoramaError
from sonorama.export.frame_source import film_values
from sonorama.export.render import RenderJob, RenderReport, render

from .helpers import PatternSource, maker, pixels, probe, write_wav


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("samples", "rate", "fps", "frames"),
    [
        (160, 8000, Fraction(30), 1),  # 20 ms
        (1, 8000, Fraction(30), 1),
        (8000, 8000, Fraction(30), 30),
        (8001, 8000, Fraction(30), 31),
        (44_100, 44_100, Fraction(30000, 1001), 30),
        (44_144, 44_100, Fraction(30000, 1001), 30),  # 30 frames last 1.001 s: 44,144.1 samples
        (44_145, 44_100, Fraction(30000, 1001), 31),
        (48_000, 48_000, Fraction(24000, 1001), 24),
        (22_050, 22_050, Fraction(25), 25),
        (96_000, 96_000, Fraction(60), 60),
    ],
)
def test_the_film_is_exactly_as_long_as_the_sound(
    tmp_path: Path, stage: PatternSource, samples: int, rate: int, fps: Fraction, frames: int
) -> None:
    wav = write_wav(tmp_path / "a.wav", np.zeros((1, samples)), rate)
    report = render(RenderJob(wav, tmp_path / "film.mkv", fps=fps), None, maker(stage))
    assert report.frames == frames
    assert report.seconds == float(frames / fps)
    assert int(probe(tmp_path / "film.mkv")["video"]["nb_read_frames"]) == frames
    assert stage.heard == -(-samples * 44_100 // rate)


def test_the_report_and_the_progress(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    seen: list[tuple[int, int]] = []
    out = tmp_path / "film.mp4"
    report = render(RenderJob(sound, out, size=(128, 72)), lambda done, of: seen.append((done, of)), maker(stage))
    assert report == RenderReport(6, 0.2, report.wall_seconds, out, (128, 72), Fraction(30), "cpu")
    assert seen == [(done, 6) for done in range(1, 7)]
    assert names(tmp_path) == ["film.mp4", "film.mp4.json", "rain.wav"]


def test_the_size_defaults_to_the_worlds(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    assert render(RenderJob(sound, tmp_path / "film.mp4"), None, maker(stage)).size == (64, 64)


def test_the_sidecar_says_what_made_it(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    out = tmp_path / "film.mp4"
    values = {"/motion/fine/amount": 0.5, "/look/seed": 1}
    command = ("sonorama", "render", "a b.wav")
    job = RenderJob(sound, out, values=values, seed=7, text="a dune", command=command)
    render(job, None, maker(stage))
    told = json.loads((tmp_path / "film.mp4.json").read_text())
    assert told["seed"] == told["values"]["/look/seed"] == 7
    assert told["values"] == film_values({"/motion/fine/amount": 0.5, "/look/seed": 7, "/look/text": "a dune"})
    assert told["values"]["/moves/2/source"] == "bass"
    assert (told["look_ahead"], told["pre_roll"]) == ("auto", None)
    assert told["licence"] == "CC BY 4.0"
    assert told["world"] == {"name": "card", "version": "7", "sha256": "5a" * 32}
    assert (told["fps"], told["frames"], told["preset"], told["device"]) == ("30", 6, "h264", "cpu")
    assert told["command"] == "sonorama render 'a b.wav'"
    assert told["sound"] == str(sound)
    check = subprocess.run(["sha256sum", str(sound)], check=True, capture_output=True, text=True)
    assert told["sound_sha256"] == check.stdout.split()[0]
    assert {"sonorama", "torch", "av", "numpy"} <= set(told["versions"])
    assert told["versions"]["numpy"] == np.__version__
    assert any(name.startswith("onnxruntime") for name in told["versions"])


def test_the_same_job_gives_the_same_frames(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    first, second = tmp_path / "a.mkv", tmp_path / "b.mkv"
    for out in (first, second):
        render(RenderJob(sound, out, preset="ffv1", size=(160, 90)), None, maker(stage))
    assert np.array_equal(pixels(first, "rgb48le", (160, 90)), pixels(second, "rgb48le", (160, 90)))


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920)])
@pytest.mark.parametrize(("preset", "suffix"), [("h264", ".mp4"), ("prores-422hq", ".mov")])
def test_full_hd_from_a_square_world(
    tmp_path: Path, stage: PatternSource, sound: Path, size: tuple[int, int], preset: str, suffix: str
) -> None:
    out = tmp_path / f"film{suffix}"
    render(RenderJob(sound, out, size=size, fps=Fraction(10), preset=preset), None, maker(stage))
    frame = pixels(out, "rgb24", size)[1]
    assert frame[:, :, 2].min() > 100  # the frame is filled: no black at any edge


def refused(job: RenderJob, stage: PatternSource, kind: type[SonoramaError] = OutputError) -> SonoramaError:
    """The refusal; it must come before a frame is painted and leave the folder as it was."""
    before = names(job.out.parent) if job.out.parent.is_dir() else []
    with pytest.raises(kind) as caught:
        render(job, None, maker(stage))
    assert stage.painted == 0
    assert (names(job.out.parent) if job.out.parent.is_dir() else []) == before
    assert len(str(caught.value).splitlines()) == 2
    return caught.value


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"preset": "prores-422hq"}, "does not fit"),
        ({"preset": "mystery"}, "no preset"),
        ({"size": (0, 0)}, "no picture"),
        ({"size": (255, 256)}, "even width"),
        ({"fps": Fraction(0)}, "0 frames a second"),
        ({"fps": Fraction(-25)}, "-25"),
        ({"fit": "stretch"}, "no fit"),
        ({"timecode": "1:2:3"}, "not a timecode"),
        ({"timecode": "00:00:00:30"}, "past"),
    ],
)
def test_wrong_options_are_refused_before_any_work(
    tmp_path: Path, stage: PatternSource, sound: Path, change: dict[str, object], said: str
) -> None:
    job = replace(RenderJob(sound, tmp_path / "film.mp4"), **change)
    assert said in refused(job, stage).message


def test_an_odd_world_needs_a_size(tmp_path: Path, sound: Path) -> None:
    odd = PatternSource(np.zeros((33, 33, 3), np.float32))
    assert "Use 34x34" in refused(RenderJob(sound, tmp_path / "film.mp4"), odd).hint
    assert render(RenderJob(sound, tmp_path / "film.mkv", preset="ffv1"), None, maker(odd)).size == (33, 33)


def test_wrong_places_are_refused_before_any_work(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    assert "no folder" in refused(RenderJob(sound, tmp_path / "missing" / "film.mp4"), stage).message
    (tmp_path / "folder.mp4").mkdir()
    refused(RenderJob(sound, tmp_path / "folder.mp4", preset="h264"), stage)
    (tmp_path / "file").write_text("mine")
    assert "needs a folder" in refused(RenderJob(sound, tmp_path / "file"), stage).message
    os.mkfifo(tmp_path / "pipe.mp4")
    assert "regular" in refused(RenderJob(sound, tmp_path / "pipe.mp4"), stage).message


def test_the_sound_itself_is_never_replaced(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    film = tmp_path / "film.mkv"
    render(RenderJob(sound, film), None, maker(stage))
    before, stage.painted = film.read_bytes(), 0
    assert "the sound itself" in refused(RenderJob(film, film), stage).message
    assert film.read_bytes() == before


def test_wrong_parts_of_the_sound_are_refused(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    out = tmp_path / "film.mp4"
    assert "never ends" in refused(RenderJob(sound, out, loop=True), stage, InputError).message
    assert "outside" in refused(RenderJob(sound, out, start=0.2), stage, InputError).message
    refused(RenderJob(sound, out, duration=0.0), stage, InputError)
    refused(RenderJob(tmp_path / "no.wav", out), stage, InputError)


def test_a_film_is_replaced_only_by_a_complete_one(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    out = tmp_path / "film.mp4"
    render(RenderJob(sound, out, seed=1), None, maker(stage))
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(RenderJob(sound, out, seed=2, overwrite=True), stop, maker(stage))
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    render(RenderJob(sound, out, seed=2, overwrite=True), None, maker(stage))
    assert json.loads((tmp_path / "film.mp4.json").read_text())["seed"] == 2


@pytest.mark.parametrize("out", ["film.mp4", "film.mov", "film.mkv"])
def test_an_interrupted_film_leaves_nothing(tmp_path: Path, stage: PatternSource, sound: Path, out: str) -> None:
    def stop(done: int, total: int) -> None:
        raise SystemExit(143)

    with pytest.raises(SystemExit):
        render(RenderJob(sound, tmp_path / out), stop, maker(stage))
    assert names(tmp_path) == ["rain.wav"]


def test_a_sound_that_breaks_on_the_way_leaves_nothing(tmp_path: Path, stage: PatternSource) -> None:
    wav = write_wav(tmp_path / "rain.wav", np.zeros((1, 48_000)), 48_000)

    def cut(done: int, total: int) -> None:
        if done == 1:
            wav.write_bytes(b"")

    with pytest.raises(InputError):
        # Far longer than what is read ahead of the pictures.
        render(RenderJob(wav, tmp_path / "film.mov", duration=60.0, loop=True), cut, maker(stage))
    assert names(tmp_path) == ["rain.wav"]


KILLED = """
import sys, time
from pathlib import Path
import numpy as np
from sonorama.export.render import RenderJob, render
from tests.export.helpers import PatternSource, maker

def slow(done, total):
    print(done, flush=True)
    time.sleep(0.05)

import signal
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as the command line does
stage = PatternSource(np.zeros((64, 64, 3), np.float32))
render(RenderJob(Path(sys.argv[1]), Path(sys.argv[2])), slow, maker(stage))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    wav = write_wav(tmp_path / "long.wav", np.zeros((1, 480_000)), 48_000)
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", KILLED, str(wav), str(tmp_path / "film.mp4")]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"1\n"
        assert len(names(tmp_path)) == 5  # the sound, and two hidden parts with their claims
        run.send_signal(number)
        assert run.wait(20) in (-number, 128 + number)
    assert names(tmp_path) == ["long.wav"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 300 KiB."""
    with disks.small_disk(tmp_path, 300) as folder:
        yield folder


class NoiseSource(PatternSource):
    """Paints noise, which no codec makes small."""

    def frames(
        self, blocks: Iterable[np.ndarray], n_frames: int, have: Container[int] = ()
    ) -> Iterator[np.ndarray | None]:
        """See sonorama.export.frame_source.Stage."""
        random = np.random.default_rng(0)
        for _ in range(n_frames):
            yield random.random(self.picture.shape, np.float32)


@pytest.fixture
def noisy() -> PatternSource:
    """128 x 128 pixels."""
    return NoiseSource(np.zeros((128, 128, 3), np.float32))


@pytest.mark.parametrize("out", ["film.mp4", "film.mov", "film.mkv"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, disk: Path, noisy: PatternSource, out: str) -> None:
    wav = write_wav(tmp_path / "rain.wav", np.random.default_rng(0).uniform(-1, 1, (2, 96_000)), 48_000)
    with pytest.raises(OutputError, match="disk is full"):
        render(RenderJob(wav, disk / out), None, maker(noisy))
    assert names(disk) == []


def test_a_full_disk_keeps_the_old_film(tmp_path: Path, disk: Path, stage: PatternSource, noisy: PatternSource) -> None:
    wav = write_wav(tmp_path / "rain.wav", np.zeros((1, 96_000)), 48_000)
    render(RenderJob(wav, disk / "film.mp4"), None, maker(stage))
    before = {path.name: path.read_bytes() for path in disk.iterdir()}
    with pytest.raises(OutputError, match="disk is full"):
        render(RenderJob(wav, disk / "film.mp4", overwrite=True), None, maker(noisy))
    assert {path.name: path.read_bytes() for path in disk.iterdir()} == before


def test_a_full_disk_keeps_whole_pictures_only(tmp_path: Path, disk: Path, noisy: PatternSource) -> None:
    wav = write_wav(tmp_path / "rain.wav", np.zeros((1, 9600)), 48_000)
    with pytest.raises(OutputError, match="disk is full"):
        render(RenderJob(wav, disk / "shots", fps=Fraction(60)), None, maker(noisy))
    kept = sorted((disk / "shots").glob("frame_*"))
    assert kept
    assert not list((disk / "shots").glob(".*"))
    assert all(pixels(path, "rgb24", (128, 128)).shape == (1, 128, 128, 3) for path in kept)


def test_a_place_that_may_not_be_written(tmp_path: Path, disk: Path, stage: PatternSource, sound: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for out in ("film.mp4", "shots"):
        assert "may not be written" in refused(RenderJob(sound, disk / out), stage).message


LONG = """
import sys
from fractions import Fraction
from pathlib import Path
import numpy as np
from sonorama.export.render import RenderJob, render
from tests.export.helpers import PatternSource, maker

class Streaming(PatternSource):
    def frames(self, blocks, n_frames, have=()):
        blocks, heard = iter(blocks), 0
        for index in range(n_frames):
            while heard < (index + 1) * 44_100:
                heard += len(next(blocks))
            yield self.picture

grew = []
def progress(done, total):
    if done in (300, total):
        status = Path("/proc/self/status").read_text()  # getrusage's peak begins at the parent's
        grew.append(status.split("VmHWM:")[1].split()[0])

job = RenderJob(Path(sys.argv[1]), Path(sys.argv[2]), fps=Fraction(1))
report = render(job, progress, maker(Streaming(np.zeros((64, 64, 3), np.float32))))
print(report.frames, *grew)
"""


def test_half_an_hour_renders_in_bounded_memory(tmp_path: Path) -> None:
    minute = np.random.default_rng(3).uniform(-0.3, 0.3, (1, 8000 * 60))
    wav = write_wav(tmp_path / "long.wav", np.tile(minute, 30), 8000)
    command = [sys.executable, "-c", LONG, str(wav), str(tmp_path / "film.mkv")]
    told = subprocess.run(command, cwd=Path(__file__).parents[2], check=True, capture_output=True).stdout
    frames, early, late = map(int, told.split())
    assert frames == 1800
    assert late - early < 20_000  # KiB between five minutes and half an hour: the samples alone would be 24,000
    assert late < 300_000
    assert float(probe(tmp_path / "film.mkv")["format"]["duration"]) == pytest.approx(1800, abs=0.01)


def test_nothing_heavy_is_imported_to_write_films() -> None:
    code = "import sys, sonorama.export.render; print({'torch', 'onnxruntime', 'PyQt6'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert told.strip() == "set()"
