"""Folders of pictures: read back, continued, never mixed."""

import json
import shutil
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from sonorama.engine.errors import OutputError
from sonorama.engine.files.fingerprint import Hashing, sha256
from sonorama.engine.files.record import Record
from sonorama.export.render import RenderJob, render
from sonorama.export.sidecar import OfAnotherJob

from .helpers import PatternSource, maker, pixels, probe, samples


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("preset", "suffix", "form"),
    [("png", ".png", "rgb48be"), ("tiff16", ".tif", "rgb48le"), ("exr", ".exr", "gbrpf32le")],
)
def test_every_sequence_reads_back(
    tmp_path: Path, stage: PatternSource, sound: Path, preset: str, suffix: str, form: str
) -> None:
    out = tmp_path / "shots"
    report = render(RenderJob(sound, out, preset=preset), None, maker(stage))
    assert report.frames == 6
    frames = [f"frame_{index:06}{suffix}" for index in range(1, 7)]
    assert names(out) == sorted([*frames, "sonorama.files", "sonorama.json", "sound.wav"])
    video = probe(out / frames[0])["video"]
    assert (video["pix_fmt"], video["width"], video["height"]) == (form, 64, 64)
    wanted = stage.picture.copy()
    wanted[:, 2] = 1
    got = pixels(out / frames[2], "gbrpf32le" if preset == "exr" else "rgb48le", (64, 64))[0]
    if preset == "exr":
        linear = wanted.astype(np.float64) ** 2.4  # ITU-R BT.1886
        assert np.abs(got - linear).max() < 2**-11  # half floats carry 11 bits
        assert np.array_equal(got, got.astype(np.float16).astype(np.float32))
    else:
        assert np.abs(got / 65535 - wanted).max() <= 1 / 65535


@pytest.mark.parametrize("preset", ["png", "tiff16", "exr"])
def test_gradients_keep_more_than_256_levels(tmp_path: Path, sound: Path, preset: str) -> None:
    ramp = np.linspace(0, 1, 2048, dtype=np.float32)[None, :, None]
    stage = PatternSource(np.repeat(np.repeat(ramp, 8, axis=0), 3, axis=2))
    render(RenderJob(sound, tmp_path / "shots", fps=Fraction(5), preset=preset), None, maker(stage))
    file = next((tmp_path / "shots").glob("frame_000001.*"))
    got = pixels(file, "gbrpf32le" if preset == "exr" else "rgb48le", (2048, 8))[0, 4, 1:, 0]
    assert len(np.unique(got)) > (1800 if preset == "exr" else 2040)
    assert (np.diff(got.astype(float)) >= 0).all()


def test_exr_says_half_and_zip(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    render(RenderJob(sound, tmp_path / "shots", preset="exr"), None, maker(stage))
    head = (tmp_path / "shots" / "frame_000001.exr").read_bytes()[:400]
    assert head[:4] == b"\x76\x2f\x31\x01"
    channels = head[head.index(b"chlist") :]
    assert channels[channels.index(b"B\0") + 2] == 1  # HALF
    assert head[head.index(b"compression\0compression\0") + 28] == 3  # ZIP of 16 lines


def test_the_sound_lies_beside(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    render(RenderJob(sound, tmp_path / "shots", start=0.1, duration=0.1), None, maker(stage))
    wav = tmp_path / "shots" / "sound.wav"
    assert probe(wav)["audio"]["codec_name"] == "pcm_s24le"
    assert np.array_equal(samples(wav, 2), samples(sound, 2)[4800:9600])


class StoppedError(Exception):
    """What interrupts a render in these tests."""


def stop_after(frames: int):
    def progress(done: int, total: int) -> None:
        if done == frames:
            raise StoppedError

    return progress


def test_an_interrupted_sequence_is_continued(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    job = RenderJob(sound, tmp_path / "shots")
    with pytest.raises(StoppedError):
        render(job, stop_after(4), maker(stage))
    assert len(list(job.out.glob("frame_*.png"))) == 4
    assert not list(job.out.glob(".*"))
    before = {path: path.stat().st_mtime_ns for path in job.out.glob("frame_*.png")}
    stage.painted = 0
    done: list[int] = []
    render(job, lambda count, total: done.append(count), maker(stage))
    assert stage.painted == 2
    assert done == [1, 2, 3, 4, 5, 6]
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())

    whole = tmp_path / "whole"
    render(RenderJob(sound, whole), None, maker(stage))
    assert {path.name: path.read_bytes() for path in job.out.glob("frame_*")} == {
        path.name: path.read_bytes() for path in whole.glob("frame_*")
    }


@pytest.fixture
def held_hash(monkeypatch: pytest.MonkeyPatch) -> Event:
    """The hash of a sound is not taken before this is set, as if the file were long."""
    may, read = Event(), Hashing._read

    def held(self: Hashing) -> None:
        while not may.wait(0.01):
            if self._ended.is_set():
                return
        read(self)

    monkeypatch.setattr(Hashing, "_read", held)
    return may


def test_pictures_do_not_wait_for_the_hash_of_a_long_sound(
    tmp_path: Path, stage: PatternSource, sound: Path, held_hash: Event
) -> None:
    out = tmp_path / "shots"

    def progress(done: int, total: int) -> None:
        told = json.loads((out / "sonorama.json").read_bytes())["sound_sha256"]
        assert (told is None) == (done < 5)
        if done == 4:
            held_hash.set()
            for thread in threading.enumerate():
                if thread.name == "hash":
                    thread.join()

    render(RenderJob(sound, out), progress, maker(stage))
    assert json.loads((out / "sonorama.json").read_bytes())["sound_sha256"] == sha256(sound)


def interrupted(job: RenderJob, stage: PatternSource, frames: int) -> None:
    with pytest.raises(StoppedError):
        render(job, stop_after(frames), maker(stage))


def test_pictures_of_a_sound_that_is_not_known_are_painted_again(
    tmp_path: Path, stage: PatternSource, sound: Path, held_hash: Event
) -> None:
    """Another sound of the same name and length may have taken its place."""
    job = RenderJob(sound, tmp_path / "shots")
    interrupted(job, stage, 4)
    assert json.loads((job.out / "sonorama.json").read_bytes())["sound_sha256"] is None
    assert len(list(job.out.glob("frame_*.png"))) == 4
    held_hash.set()
    with pytest.raises(OfAnotherJob, match="fps, frames, timecode differ"):
        render(RenderJob(sound, job.out, fps=Fraction(10)), None, maker(stage))
    other = Path(shutil.copy(sound, tmp_path / "other.wav"))
    with pytest.raises(OfAnotherJob, match=": sound differ"):
        render(replace(job, sound=other), None, maker(stage))
    assert len(list(job.out.glob("frame_*.png"))) == 4
    stage.painted = 0
    interrupted(job, stage, 2)
    assert len(list(job.out.glob("frame_*.png"))) == 2, "those of the first run are gone"
    render(job, None, maker(stage))
    assert stage.painted == 2 + 4
    assert not list(job.out.glob("*.changed*"))


def test_a_crash_while_the_hash_is_written_locks_nobody_out(
    tmp_path: Path, stage: PatternSource, sound: Path, held_hash: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = RenderJob(sound, tmp_path / "shots")
    append = Record._append

    def crash(record: Record, line: dict[str, Any]) -> None:
        append(record, line)
        if line.get("name") == "sonorama.json" and held_hash.is_set():
            raise StoppedError

    def progress(done: int, total: int) -> None:
        if done == 3:
            held_hash.set()
            for thread in threading.enumerate():
                if thread.name == "hash":
                    thread.join()

    with monkeypatch.context() as patched, pytest.raises(StoppedError):
        patched.setattr(Record, "_append", crash)
        render(job, progress, maker(stage))
    assert json.loads((job.out / "sonorama.json").read_bytes())["sound_sha256"] is None
    render(job, None, maker(stage))
    assert json.loads((job.out / "sonorama.json").read_bytes())["sound_sha256"] == sha256(sound)
    assert not list(job.out.glob("*.changed*"))


def test_a_complete_sequence_is_left_alone(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    job = RenderJob(sound, tmp_path / "shots")
    render(job, None, maker(stage))
    stage.painted = stage.heard = 0
    assert render(job, None, maker(stage)).frames == 6
    assert stage.painted == stage.heard == 0


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"seed": 9}, "seed"),
        ({"fps": Fraction(25)}, "fps"),
        ({"preset": "tiff16"}, "preset"),
        ({"start": 0.1}, "start"),
    ],
)
def test_another_job_is_refused(
    tmp_path: Path, stage: PatternSource, sound: Path, change: dict[str, int], name: str
) -> None:
    out = tmp_path / "shots"
    render(RenderJob(sound, out), None, maker(stage))
    before = {path: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(OutputError, match=f"another job.*{name}"):
        render(RenderJob(sound, out, **change), None, maker(stage))  # pyright: ignore[reportArgumentType]
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_pictures_of_unknown_origin_are_not_mixed_in(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    out = tmp_path / "shots"
    out.mkdir()
    (out / "frame_000001.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match="unknown origin"):
        render(RenderJob(sound, out), None, maker(stage))
    assert names(out) == ["frame_000001.png"]


def test_an_unreadable_sidecar_is_another_job(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    out = tmp_path / "shots"
    render(RenderJob(sound, out), None, maker(stage))
    for text in ("{", "[]", '"x"'):
        (out / "sonorama.json").write_text(text)
        with pytest.raises(OutputError, match="another job"):
            render(RenderJob(sound, out), None, maker(stage))


def test_failing_before_the_first_picture_leaves_no_folder(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    stage.picture = stage.picture.astype(np.float64)  # which no preset takes
    with pytest.raises(ValueError, match="float64"):
        render(RenderJob(sound, tmp_path / "shots"), None, maker(stage))
    assert names(tmp_path) == ["rain.wav"]


def test_other_files_in_the_folder_stay(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    out = tmp_path / "shots"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    with pytest.raises(StoppedError):
        render(RenderJob(sound, out), stop_after(1), maker(stage))
    render(RenderJob(sound, out), None, maker(stage))
    assert (out / "notes.txt").read_text() == "mine"
    assert json.loads((out / "sonorama.json").read_text())["frames"] == 6
