"""`sonorama footage` as a whole: what training reads, alignment, resuming, ownership, bad input, the report."""

import csv
import json
import platform
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from tests.disks import small_disk

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.cli.main import main
from sonorama.engine.files.record import Record
from sonorama.training.data.footage_clips import footage_clips
from sonorama.training.data.photos import CropPlan, crops, photo_names, photo_tags
from sonorama.training.data.recordings import list_recordings, read_recordings

from .media import MP4, Sound, moving, noise, regular, scene, write_photo, write_sound, write_video

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def footage(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs `sonorama footage in -o data` with more arguments: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()

    def run(*more: str) -> tuple[int, str, str]:
        code = main(["footage", "in", "-o", "data", "--clip-height", "32", *more])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def rows(name: str = "MANIFEST.tsv") -> list[dict[str, str]]:
    with Path("data", name).open(newline="", encoding="utf-8") as file:
        return [*csv.DictReader(file, delimiter="\t")]


def everything() -> dict[str, tuple[int, bytes]]:
    """Inode and content of every file of the data set."""
    return {str(p): (p.stat().st_ino, p.read_bytes()) for p in Path("data").rglob("*") if p.is_file()}


def small_set(videos: int = 4) -> None:
    """Videos of two classes with two shots each, a photo, a sound."""
    for i in range(videos):
        frames = [*moving(10 * i + 1, 30, size=(160, 90)), *moving(10 * i + 2, 30, size=(160, 90))]
        sound = Sound(noise(2.4, seed=i), start=0.0)
        write_video(Path("in", ("raining", "wind_noise")[i % 2], f"take {i}.mkv"), frames, sound=sound)
    write_photo(Path("in/raining/street.png"), scene(99, (200, 150)))
    write_sound(Path("in/fire_crackling/fire_01.wav"), noise(1.5, 22050), 22050)


def test_a_folder_becomes_what_training_reads(footage: Run) -> None:
    small_set()
    code, out, err = footage("--author", "Ann", "--licence", "CC0")
    assert code == 0, err
    root, table = Path("data"), rows()
    photos = [r for r in table if r["file"].startswith("photos/")]
    assert len(photos) >= 9 and {r["class"] for r in photos} == {"raining", "wind_noise"}
    assert {(r["author"], r["licence"]) for r in table} == {("Ann", "CC0")}
    held = {r["origin"] for r in table if r["split"] == "held-out"}
    assert len(held) == 1 and {r["split"] for r in table} == {"train", "held-out"}
    # Training's own readers.
    found = crops(root, 16 / 9, CropPlan())
    assert {c.path.stem for c in found if c.held} == {Path(r["file"]).stem for r in photos if r["origin"] in held}
    assert len(set(photo_names(r["file"] for r in photos))) == len(photos)
    assert set(photo_tags(root)) == {"raining", "wind_noise"}
    recordings = read_recordings(root)
    assert sorted(r.class_id for r in recordings) == ["fire_crackling", *["raining"] * 2, *["wind_noise"] * 2]
    assert len({source for _, _, source in list_recordings(root)}) == 5
    assert {round(len(r.samples) / 44100, 1) for r in recordings} == {1.5, 2.4}
    clips = footage_clips(root)
    assert len(clips) == 8 and all(c.frames.shape[1:] == (3, 32, 57) and c.rate == 30 for c in clips)
    assert {c.source for c in clips if c.held} == held & {c.source for c in clips}
    assert Path("data/contact-sheet.png").stat().st_size > 1000 and Path("data/crops.png").stat().st_size > 1000
    assert Path("data/REPORT.txt").read_text() in out


def test_the_report_says_what_to_expect(footage: Run) -> None:
    small_set()
    silence = Sound(np.zeros(44100, np.float32))
    write_video(Path("in/wind_noise/mute.mkv"), moving(70, 30, size=(120, 213)), sound=silence)
    _, out, _ = footage()
    for sentence in (
        "Read: 5 videos (", "1 photo, 1 sound file.", "different frames: expect memorised pictures.",
        "No sound in 1 of 5 files: wind_noise/mute.mkv.", "a sound track that is silent: wind_noise/mute.mkv",
        "Aspect 16:9: 4 of 6 files fit it uncropped; ",
        "Cropped by more than a quarter: 1 file, most of all wind_noise/mute.mkv (32 % is kept).",
        "fire_crackling/fire_01.wav: its sound has 22050 Hz, nothing above 11.025 kHz.", "Class raining: 3 files, ",
        "Held out of training: 1 of 7 files", "No licence is stated for 7 of 7 files",
    ):  # fmt: skip
        assert sentence in out, sentence


@pytest.mark.parametrize("start", [0.0, 0.7, -0.0])
def test_pictures_and_clips_hear_what_was_heard(footage: Run, start: float) -> None:
    """A flash at 1 s with a click: late sound, a start that is not zero, a variable frame rate."""
    times = [Fraction(5) + t for t in regular(75)]
    times = [t + Fraction(i % 3, 200) for i, t in enumerate(times)]
    frames = moving(3, 75, size=(160, 90))
    flash = next(i for i, t in enumerate(times) if t >= 6)
    frames[flash] = np.full_like(frames[flash], 255)
    samples = noise(3.0 - start, level=0.003)
    click = round((float(times[flash]) - 5 - start) * 44100)
    samples[click : click + 30] = 0.9
    write_video(Path("in/a.mkv"), frames, times, Sound(samples, start=5 + start))
    assert footage("--every", "0.2")[0] == 0
    (row,) = [r for r in rows("clips.tsv") if int(r["frames"]) > 40]
    (clip,) = [c for c in footage_clips(Path("data")) if len(c.frames) == int(row["frames"])]
    seen = int(clip.frames.float().mean((1, 2, 3)).diff().abs().argmax()) + 1
    with open_sound(Path("data") / row["sound"]) as sound:
        heard = int(np.abs(np.concatenate([*sound.mono()])).argmax())
    shown = int(row["first_sample"]) + seen * 44100 / 30
    assert abs(shown - heard) <= 44100 / 60 + 50  # half a frame of the grid
    # The column that the click is in is the last one heard within two columns of it, and no earlier frame hears it.
    loud = int(clip.mel.mean(0).diff().argmax()) + 1
    assert clip.columns[seen - 2] <= loud <= clip.columns[seen + 2]
    photos = [r for r in rows() if r["file"].startswith("photos/")]
    for photo in photos:
        at = float(photo["source"].split(" at ")[1].removesuffix(" s"))
        assert int(photo["sample"]) == pytest.approx((at - start) * 44100, abs=50)


def test_a_second_run_keeps_everything_and_new_files_are_added(footage: Run) -> None:
    small_set()
    assert footage()[0] == 0
    before, splits = everything(), {r["origin"]: r["split"] for r in rows()}
    code, out, _ = footage()
    assert code == 0 and "6 source files were as before and stayed." in out and everything() == before
    write_video(Path("in/raining/aa new.mkv"), moving(50, 40, size=(160, 90)))
    assert footage()[0] == 0
    after = everything()
    made = [name for name in before if name.startswith(("data/photos/", "data/clips/", "data/audio/", "data/sources/"))]
    assert all(after[name] == before[name] for name in made) and len(after) > len(before)
    assert {r["origin"]: r["split"] for r in rows()}.items() >= splits.items()
    assert any(r["origin"] == "raining/aa new.mkv" for r in rows())


def test_an_interrupted_run_is_continued(footage: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    small_set()
    from sonorama.training.footage import clips

    whole, calls = clips.write_clip, []

    def stops(out: Path, frames: object) -> None:
        calls.append(out)
        if len(calls) == 4:
            raise KeyboardInterrupt
        whole(out, frames)  # pyright: ignore[reportArgumentType]

    with monkeypatch.context() as patch:
        patch.setattr("sonorama.training.footage.source.write_clip", stops)
        code, _, err = footage()
    assert code != 0 and not Path("data/MANIFEST.tsv").exists() and err
    done = {n: v for n, v in everything().items() if n.startswith("data/clips")}
    assert len(done) == 3
    assert footage()[0] == 0
    assert len(rows("clips.tsv")) == 8 and not [*Path("data").rglob("*.part")]
    first = sorted(done)[:2]
    assert all(everything()[name] == done[name] for name in first)


def test_files_of_the_user_stay(footage: Run) -> None:
    small_set(2)
    Path("data").mkdir()
    Path("data/mine.txt").write_text("mine")
    code, _, err = footage()
    assert (
        code == 2
        and "data has files in it that sonorama did not make" in err
        and [*Path("data").iterdir()] == [Path("data/mine.txt")]
    )
    Path("data/mine.txt").unlink()
    assert footage()[0] == 0
    Path("data/photos/own.jpg").write_text("own")
    changed = next(Path("data/photos").glob("take*.jpg"))
    changed.write_bytes(b"retouched")
    assert footage()[0] == 0
    assert Path("data/photos/own.jpg").read_text() == "own"
    assert Path(f"{changed}.changed").read_bytes() == b"retouched" and changed.stat().st_size > 1000


def test_other_settings_and_other_folders_are_refused(footage: Run) -> None:
    small_set(2)
    assert footage()[0] == 0
    before = everything()
    code, _, err = footage("--size", "256")
    assert code == 2 and "size" in err and len(err.splitlines()) == 2
    Path("data/sonorama.footage.json").write_text(json.dumps({"made_by": "sonorama"}))
    code, _, err = footage()
    assert code == 2 and "not as it was written" in err
    assert {k: v for k, v in everything().items() if "footage.json" not in k} == {
        k: v for k, v in before.items() if "footage.json" not in k
    }


@pytest.mark.parametrize(
    ("prepare", "told"),
    [
        (lambda: None, "is empty"),
        (lambda: Path("in/a.mp4").write_text("text " * 99), "no video, photo or sound file"),
        (lambda: Path("in/a.png").write_bytes(b""), "empty (0 bytes)"),
        (lambda: Path("in").rmdir(), "is no folder"),
        (lambda: (Path("in/footage.csv").write_text("a\n1\n"), write_sound(Path("in/a.wav"), noise(1))), "no column"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_in_two_lines(footage: Run, prepare: Callable[[], object], told: str) -> None:
    prepare()
    code, out, err = footage()
    assert code == 2 and told in err and len(err.splitlines()) == 2 and out == "" and not Path("data").exists()


@pytest.mark.parametrize("option", [["--size", "10"], ["--every", "0"], ["--aspect", "x"], ["--clip-seconds", "99"]])
def test_options_out_of_range_are_refused(footage: Run, option: list[str]) -> None:
    small_set(1)
    code, _, err = footage(*option)
    assert code == 2 and option[0] in err and len(err.splitlines()) == 2


def test_broken_files_are_named_and_cost_the_others_nothing(footage: Run) -> None:
    small_set(2)
    Path("in/text.mp4").write_text("This is no film.\n" * 50)
    Path("in/zero.png").write_bytes(b"")
    Path("in/cut.jpg").write_bytes(write_photo(Path("in/whole.jpg"), scene(3)).read_bytes()[:200])
    whole = write_video(Path("in/no index.mp4"), moving(30, 40), coding=MP4)
    whole.write_bytes(whole.read_bytes()[:3000])
    film = write_video(Path("in/cut.mkv"), moving(31, 60), sound=Sound(noise(2.4)))
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    write_photo(Path("in/tiny.png"), scene(1, (40, 30)))
    code, out, _ = footage()
    assert code == 0
    for name in ("text.mp4", "zero.png", "cut.jpg", "no index.mp4", "tiny.png"):
        assert f"Skipped: {name}: " in out, name
    assert "Read in part: cut.mkv: " in out and any(r["origin"] == "cut.mkv" for r in rows())
    assert "Skipped: text.mp4: " in footage()[1]


def test_a_photo_that_is_cut_off_is_named_and_not_green(footage: Run) -> None:
    small_set(2)
    Path("in/cut.jpg").write_bytes(write_photo(Path("in/whole.jpg"), scene(3, (640, 360))).read_bytes()[:4000])
    code, out, _ = footage()
    assert code == 0
    assert "Skipped: cut.jpg: its picture is cut off" in out
    assert {r["origin"] for r in rows() if r["file"].startswith("photos/")} >= {"whole.jpg"}
    assert "cut.jpg" not in {r["origin"] for r in rows()}


def test_other_footage_needs_another_data_set(footage: Run) -> None:
    """What was made before must not drop out of the tables; a data set among the footage is no footage."""
    small_set(1)
    assert footage()[0] == 0
    before = everything()
    Path("in").rename("in.before")
    write_photo(Path("in/other.png"), scene(5, (200, 150)))
    code, _, err = footage()
    assert code == 2 and "was made of other files" in err and len(err.splitlines()) == 2
    assert everything() == before
    code, _, err = footage("-o", "in")
    assert code == 2 and "holds the footage itself" in err and len(err.splitlines()) == 2
    Path("data").rename("in/data")
    code, out, _ = footage()
    assert code == 0
    assert {r["origin"] for r in rows()} == {"other.png"}, out


def test_pictures_of_every_kind(footage: Run) -> None:
    from PIL import Image

    deep = (scene(1, (160, 90)).astype(np.uint16) * 257).astype("<u2")
    write_photo(Path("in/16 bits.png"), deep, "rgb48le")
    write_photo(Path("in/16 bits.tif"), (scene(2, (160, 90)).astype(np.uint16) * 257).astype("<u2"), "rgb48le")
    palette = Image.fromarray(scene(3, (160, 90))).quantize(64)
    palette.save("in/palette.png")
    Image.fromarray(scene(4, (160, 90))).convert("CMYK").save("in/cmyk.jpg", quality=95)
    Image.fromarray(scene(5, (160, 90))).convert("L").save("in/grey.jpg")
    Image.fromarray(scene(6, (160, 90))).convert("RGBA").save("in/alpha.png")
    Image.fromarray(scene(7, (160, 90))).save("in/a.webp", lossless=True)
    write_photo(Path("in/last.bmp"), scene(8, (160, 90)))
    code, out, err = footage()
    assert code == 0 and "Skipped" not in out, out + err
    assert "Only 8 different frames: expect memorised pictures." in out
    read = {r["origin"]: np.asarray(Image.open(f"data/{r['file']}")).astype(int) for r in rows()}
    assert np.abs(read["palette.png"] - np.asarray(palette.convert("RGB"))).mean() < 4
    for name, seed in (("16 bits.png", 1), ("16 bits.tif", 2), ("cmyk.jpg", 4), ("alpha.png", 6),
                       ("a.webp", 7), ("last.bmp", 8)):  # fmt: skip
        assert np.abs(read[name] - scene(seed, (160, 90))).mean() < 6, name


def test_short_mute_and_telephone_clips(footage: Run) -> None:
    for i in range(3):
        write_video(Path(f"in/second {i}.mkv"), moving(i, 25, size=(160, 90)), sound=Sound(noise(1.0, 8000, i), 8000))
    write_video(Path("in/mute.mkv"), moving(5, 25, size=(160, 90)))
    code, out, _ = footage()
    assert code == 0 and "3 soundtracks (3.0 s)" in out and "4 moving clips" in out
    assert "second 1.mkv: its sound has 8000 Hz, nothing above 4 kHz." in out
    assert len(footage_clips(Path("data"))) == 3 and len(footage_clips(Path("data"), silent=True)) == 4


def test_400_near_duplicates(footage: Run) -> None:
    rng = np.random.default_rng(0)
    still = scene(1, (96, 72)).astype(int)
    frames = [np.clip(still + rng.integers(-9, 10, still.shape), 0, 255).astype(np.uint8) for _ in range(400)]
    write_video(Path("in/fog.mkv"), frames)
    code, out, _ = footage("--every", "0.04", "--clips", "0")
    assert code == 0 and "Only 1 different frame: expect memorised pictures." in out
    assert "of 397 pictures looked at were near-duplicates" in out


def test_no_torch_is_needed() -> None:
    code = "import sys, sonorama.training.footage.build; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_a_killed_run_left_is_swept_and_continued(footage: Run) -> None:
    """Killed after the record was begun, and while a picture was written."""
    small_set(1)
    Path("data/photos").mkdir(parents=True)
    record = Record(Path("data"))
    record.open()
    record.close()
    part = Path("data/photos/.a.jpg.sonorama-" + "0" * 32 + ".part")
    part.write_bytes(b"half a picture")
    claim = {"made_by": "sonorama", "host": platform.node(), "part": part.name}
    Path("data/photos/.sonorama-" + "0" * 32 + ".claim").write_text(json.dumps(claim))
    assert footage()[0] == 0
    assert not part.exists() and rows()


def test_a_full_disk_loses_nothing(footage: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_set(3)
    with small_disk(tmp_path, 700) as disk:
        assert main(["footage", "in", "-o", str(disk / "data")]) == 2
        err = capsys.readouterr().err
        assert "The disk is full" in err.splitlines()[-2]
        kept = [p for p in (disk / "data").rglob("*") if p.is_file()]
        assert kept and not [p for p in kept if p.name.endswith(".part")]
    assert len([*Path("in").rglob("*.mkv")]) == 3
