"""Nothing of the user's is read, replaced or removed: what is ours, a record says, with sizes and hashes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.errors import OutputError
from sonorama.export.render import RenderJob, render

from .helpers import PatternSource, maker, samples, write_wav


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class StoppedError(Exception):
    """What interrupts a render in these tests."""


def stop_after(frames: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done == frames:
            raise StoppedError

    return progress


def refused(job: RenderJob, stage: PatternSource, room: Path) -> OutputError:
    """The refusal, before anything is painted or touched."""
    before, stage.painted = contents(room), 0
    with pytest.raises(OutputError) as caught:
        render(job, None, maker(stage))
    assert stage.painted == 0
    assert contents(room) == before
    assert len(str(caught.value).splitlines()) == 2
    return caught.value


# --- sequences


def test_the_sound_in_the_folder_is_the_users(tmp_path: Path, stage: PatternSource) -> None:
    """`render p/sound.wav -o p`, ended before the first picture, once took the sound with it."""
    folder = tmp_path / "p"
    folder.mkdir()
    sound = write_wav(folder / "sound.wav", np.zeros((1, 9600)), 48_000)
    assert "sound.wav of unknown origin" in refused(RenderJob(sound, folder), stage, tmp_path).message


@pytest.mark.parametrize(
    "name", ["sound.wav", "sonorama.json", "sonorama.files", "frame_000001.png", "frame_000400.png", "frame_7.exr"]
)
def test_a_foreign_file_is_refused(tmp_path: Path, stage: PatternSource, sound: Path, name: str) -> None:
    out = tmp_path / "shots"
    out.mkdir()
    (out / name).write_bytes(b"mine")
    assert name in refused(RenderJob(sound, out), stage, tmp_path).message


@pytest.mark.parametrize("name", ["frame_000007.png", "frame_000001.tif"])
def test_a_foreign_picture_among_ours_is_refused(tmp_path: Path, stage: PatternSource, sound: Path, name: str) -> None:
    out = tmp_path / "shots"
    render(RenderJob(sound, out), None, maker(stage))
    (out / name).write_bytes(b"mine")
    assert name in refused(RenderJob(sound, out), stage, tmp_path).message


@pytest.mark.parametrize("name", [".frame_000001.png.sonorama-0123abcd.part", "notes.txt", "frame_000001.png.bak"])
def test_other_names_are_left_alone(tmp_path: Path, stage: PatternSource, sound: Path, name: str) -> None:
    out = tmp_path / "shots"
    out.mkdir()
    (out / name).write_bytes(b"mine")
    with pytest.raises(StoppedError):
        render(RenderJob(sound, out), stop_after(1), maker(stage))
    render(RenderJob(sound, out), None, maker(stage))
    assert (out / name).read_bytes() == b"mine"


def test_an_end_before_the_first_picture_removes_what_was_made_and_nothing_else(
    tmp_path: Path, stage: PatternSource, sound: Path
) -> None:
    out = tmp_path / "shots"
    out.mkdir()

    class Broken(PatternSource):
        def frames(self, *_: object, **__: object):
            (out / "sound.wav").write_bytes(b"now it is mine")
            (out / "frame_000004.png").write_bytes(b"mine")
            raise StoppedError

    with pytest.raises(StoppedError):
        render(RenderJob(sound, out), None, maker(Broken(stage.picture)))
    assert contents(out) == {"sound.wav": b"now it is mine", "frame_000004.png": b"mine"}


def test_a_picture_put_there_meanwhile_is_not_replaced(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    out = tmp_path / "shots"

    def meddle(done: int, total: int) -> None:
        if done == 2:
            (out / "frame_000003.png").write_bytes(b"mine")

    with pytest.raises(OutputError, match="frame_000003"):
        render(RenderJob(sound, out), meddle, maker(stage))
    assert (out / "frame_000003.png").read_bytes() == b"mine"
    assert not list(out.glob(".*"))


def test_a_cut_picture_is_painted_again(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    out = tmp_path / "shots"
    render(RenderJob(sound, out), None, maker(stage))
    whole, stage.painted = contents(out), 0
    for name, size in (("frame_000002.png", 100), ("frame_000005.png", 0), ("sound.wav", 700)):
        (out / name).write_bytes(whole[name][:size])
    (out / "frame_000003.png").unlink()
    render(RenderJob(sound, out), None, maker(stage))
    assert stage.painted == 3
    again = contents(out)
    again.pop("sonorama.files")
    assert again == {name: data for name, data in whole.items() if name != "sonorama.files"}
    stage.painted = 0
    assert render(RenderJob(sound, out), None, maker(stage)).was_there
    assert stage.painted == 0


def test_a_changed_picture_is_set_aside(
    tmp_path: Path, stage: PatternSource, sound: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of the same size, so that only its hash tells; it may be somebody's retouch."""
    out = tmp_path / "shots"
    render(RenderJob(sound, out), None, maker(stage))
    whole = contents(out)
    for turn in (b"retouched", b"and again"):
        (out / "frame_000002.png").write_bytes(turn + whole["frame_000002.png"][9:])
        render(RenderJob(sound, out), None, maker(stage))
    (out / "sound.wav").write_bytes(b"another mix")
    render(RenderJob(sound, out), None, maker(stage))
    after = contents(out)
    assert after["frame_000002.png"] == whole["frame_000002.png"]
    assert after["sound.wav"] == whole["sound.wav"]
    assert after["frame_000002.png.changed"].startswith(b"retouched")
    assert after["frame_000002.png-2.changed"].startswith(b"and again")
    assert after["sound.wav.changed"] == b"another mix"
    assert "frame_000002.png.changed" in caplog.text


def test_a_link_in_place_of_a_picture_is_not_followed(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    out, mine = tmp_path / "shots", tmp_path / "mine.png"
    render(RenderJob(sound, out), None, maker(stage))
    (out / "frame_000002.png").rename(mine)
    (out / "frame_000002.png").symlink_to(mine)
    before = mine.read_bytes()
    render(RenderJob(sound, out), None, maker(stage))
    assert mine.read_bytes() == before
    assert not (out / "frame_000002.png").is_symlink()
    assert (out / "frame_000002.png.changed").is_symlink()


@pytest.mark.parametrize("cut", [0, 10, 200, -1, -40])
def test_a_record_cut_by_a_crash_is_continued(tmp_path: Path, stage: PatternSource, sound: Path, cut: int) -> None:
    """The line of a file is whole on the disk before the file has its name; here the files of lost lines are gone."""
    out = tmp_path / "shots"
    render(RenderJob(sound, out), None, maker(stage))
    whole = contents(out)
    data = whole["sonorama.files"][:cut]
    (out / "sonorama.files").write_bytes(data)
    kept = {json.loads(line).get("name") for line in data.splitlines(keepends=True) if line.endswith(b"\n")}
    for path in out.iterdir():
        if path.name not in kept | {"sonorama.files"}:
            path.unlink()
    if not kept:  # not even its first line
        assert "no record" in refused(RenderJob(sound, out), stage, tmp_path).message
        return
    render(RenderJob(sound, out), None, maker(stage))
    assert contents(out) == whole


def test_two_at_once_do_not_write_into_one_folder(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    out, second = tmp_path / "shots", PatternSource(stage.picture)

    def meddle(done: int, total: int) -> None:
        if done == 2:
            with pytest.raises(OutputError, match="Another process"):
                render(RenderJob(sound, out), None, maker(second))

    assert render(RenderJob(sound, out), meddle, maker(stage)).frames == 6
    assert second.painted == 0


def test_overwrite_is_for_films(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    out = tmp_path / "shots"
    render(RenderJob(sound, out), None, maker(stage))
    assert "--overwrite" in refused(RenderJob(sound, out, seed=2, overwrite=True), stage, tmp_path).message


# --- films


def test_a_film_of_the_same_job_is_left_alone(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    job = RenderJob(sound, tmp_path / "film.mp4", command=("sonorama", "render"))
    assert not render(job, None, maker(stage)).was_there
    times = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    stage.painted = 0
    report = render(RenderJob(sound, job.out, command=("something", "else")), None, maker(stage))
    assert (report.was_there, report.frames, stage.painted) == (True, 6, 0)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times


def test_the_sidecar_tells_size_and_hash(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    film = tmp_path / "film.mov"
    render(RenderJob(sound, film), None, maker(stage))
    told = json.loads((tmp_path / "film.mov.json").read_text())["film"]
    done = subprocess.run(["sha256sum", film], capture_output=True, text=True, check=True)
    assert told == {"bytes": film.stat().st_size, "sha256": done.stdout.split()[0]}


def test_a_film_of_unknown_origin_is_refused(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"the wedding")
    job = RenderJob(sound, film)
    assert "--overwrite" in refused(job, stage, tmp_path).hint
    (tmp_path / "film.mp4.json").write_text('{"made_by": "somebody"}')
    assert "unknown origin" in refused(job, stage, tmp_path).message
    assert "unknown origin" in refused(RenderJob(sound, film, overwrite=True), stage, tmp_path).message
    (tmp_path / "film.mp4.json").unlink()
    assert render(RenderJob(sound, film, overwrite=True), None, maker(stage)).frames == 6
    assert film.read_bytes() != b"the wedding"


@pytest.mark.parametrize("change", [{"seed": 9}, {"start": 0.1}, {"fit": "contain"}, {"size": (32, 32)}])
def test_a_film_of_another_job_is_refused(
    tmp_path: Path, stage: PatternSource, sound: Path, change: dict[str, object]
) -> None:
    film = tmp_path / "film.mp4"
    render(RenderJob(sound, film), None, maker(stage))
    other = RenderJob(sound, film, **change)  # pyright: ignore[reportArgumentType]
    assert next(iter(change)) in refused(other, stage, tmp_path).message
    film.unlink()  # but what tells how to make it again stays as well
    assert "film.mp4.json is about another film" in refused(other, stage, tmp_path).message


def test_another_sound_under_the_same_name_is_another_job(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    film = tmp_path / "film.mp4"
    render(RenderJob(sound, film), None, maker(stage))
    write_wav(sound, np.random.default_rng(9).uniform(-0.3, 0.3, (2, 9600)), 48_000)
    assert "sound_sha256" in refused(RenderJob(sound, film), stage, tmp_path).message


def test_a_film_that_was_changed_is_refused(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    film = tmp_path / "film.mp4"
    render(RenderJob(sound, film), None, maker(stage))
    before = film.read_bytes()
    data = bytearray(before)
    data[len(data) // 2] ^= 1
    for changed in (bytes(data), bytes(data[:500])):
        film.write_bytes(changed)
        assert "not as it was made" in refused(RenderJob(sound, film), stage, tmp_path).message
    film.unlink()
    (tmp_path / "elsewhere.mp4").write_bytes(before)
    film.symlink_to("elsewhere.mp4")
    assert "not as it was made" in refused(RenderJob(sound, film), stage, tmp_path).message


def test_a_film_is_made_again_where_it_is_gone(tmp_path: Path, stage: PatternSource, sound: Path) -> None:
    film = tmp_path / "film.mp4"
    render(RenderJob(sound, film), None, maker(stage))
    before = contents(tmp_path)
    film.unlink()
    assert not render(RenderJob(sound, film), None, maker(stage)).was_there
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["film.mp4", "film.mp4.json"])
def test_what_comes_meanwhile_is_not_replaced(tmp_path: Path, stage: PatternSource, sound: Path, name: str) -> None:
    def meddle(done: int, total: int) -> None:
        if done == 3:
            (tmp_path / name).write_bytes(b"theirs")

    with pytest.raises(OutputError, match="another program"):
        render(RenderJob(sound, tmp_path / "film.mp4"), meddle, maker(stage))
    assert (tmp_path / name).read_bytes() == b"theirs"
    if name == "film.mp4":  # hours of work are not thrown away for that
        assert len(samples(tmp_path / "film-2.mp4", 2)) >= 9600
    assert not list(tmp_path.glob(".*"))


# --- names


@pytest.mark.skipif(sys.platform != "linux", reason="other systems want UTF-8")
@pytest.mark.parametrize("name", [b"caf\xe9", "\U0001f327".encode() * 20, b"line\nbreak", b"x" * 240])
@pytest.mark.parametrize("suffix", [b".mp4", b""])
def test_a_name_is_bytes(tmp_path: Path, stage: PatternSource, name: bytes, suffix: bytes) -> None:
    sound = write_wav(tmp_path / os.fsdecode(name + b".wav"), np.zeros((2, 9600)), 48_000)
    job = RenderJob(sound, tmp_path / os.fsdecode(name + suffix), command=("sonorama", os.fsdecode(name)))
    assert not render(job, None, maker(stage)).was_there
    assert render(job, None, maker(stage)).was_there
    assert name + suffix in [os.fsencode(path.name) for path in tmp_path.iterdir()]
    sidecar = job.out / "sonorama.json" if job.out.is_dir() else job.out.with_name(f"{job.out.name}.json")
    assert os.fsencode(json.loads(sidecar.read_bytes())["sound"]) == os.fsencode(sound)
