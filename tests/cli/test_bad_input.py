"""Bad input is refused in two lines (what, what to do) with exit code 2; nothing is lost or left behind."""

import os
import subprocess
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from sonorama.engine.cli.main import main

RATE = 8000


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: one good sound, one earlier film."""
    monkeypatch.chdir(tmp_path)
    write_wav(tmp_path / "rain.wav", RATE)
    (tmp_path / "earlier.mp4").write_bytes(b"an earlier film")
    return tmp_path


def write_wav(path: Path, samples: int) -> None:
    noise = np.random.default_rng(1).integers(-9000, 9000, samples, dtype=np.int16)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, samples, "NONE", ""))
        file.writeframes(noise.tobytes())


def write_coded(path: Path, codec: str, options: dict[str, str]) -> None:
    """A second of noise."""
    noise = np.random.default_rng(2).integers(-9000, 9000, (1, 44100), dtype=np.int16)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=44100, layout="mono")
        assert isinstance(stream, AudioStream)
        frame = av.AudioFrame.from_ndarray(noise, "s16", "mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_video(path: Path, frames: int) -> None:
    """Pictures without sound; one frame into a .png is a picture."""
    with av.open(str(path), "w") as container:
        still = path.suffix == ".png"
        stream = container.add_stream("png" if still else "mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "rgb24" if still else "yuv420p"
        for _ in range(frames):
            picture = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 99, np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file with its bytes, every folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def refused(arguments: list[str], room: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Run the command line; the two lines it says. Asserts that nothing else happened."""
    before = contents(room)
    code = main(arguments)
    out, err = capsys.readouterr()
    assert code == 2, err
    assert out == ""
    assert contents(room) == before
    lines = err.splitlines()
    assert len(lines) == 2, err
    assert all(len(line) > 8 for line in lines)
    return lines[0], lines[1]


def render(sound: str = "rain.wav", *options: str, out: str = "film.mp4") -> list[str]:
    return ["render", sound, "-o", out, *options]


# ---- values


@pytest.mark.parametrize(
    ("assignment", "named", "nearest"),
    [
        ("/motion/coarse/amoun=1", "/motion/coarse/amoun", "/motion/coarse/amount"),
        ("/sonorama/look/sed=1", "/sonorama/look/sed", "/look/seed"),
        ("motion/fine/kappa=1", "motion/fine/kappa", "/motion/fine/kappa"),
        ("/nothing/like/it=1", "/nothing/like/it", "/motion/"),
        ("=1", "''", "/"),
        ("/motion/coarse/amount", "/motion/coarse/amount", "/address=value"),
        ("/motion/coarse/amount=2.5", "/motion/coarse/amount=2.5", "nearest is 2."),
        ("/motion/coarse/amount=-1", "/motion/coarse/amount=-1", "nearest is 0."),
        ("/motion/coarse/inertia=0", "/motion/coarse/inertia=0", "nearest is 0.01."),
        ("/motion/coarse/amount=nan", "/motion/coarse/amount", "0 to 2"),
        ("/motion/coarse/amount=inf", "/motion/coarse/amount=inf", "nearest is 2."),
        ("/motion/coarse/amount=loud", "'loud'", "0 to 2"),
        ("/motion/coarse/amount=", "''", "0 to 2"),
        ("/motion/coarse/amount/norm=1.5", "/motion/coarse/amount/norm=1.5", "nearest is 1."),
        ("/look/seed/norm=0.5", "/look/seed has no /norm", "0 to 2147483647"),
        ("/look/seed=1.5", "/look/seed=1.5", "whole number"),
        ("/look/seed=-1", "/look/seed=-1", "nearest is 0."),
        ("/look/seed=2147483648", "/look/seed=2147483648", "nearest is 2147483647."),
        ("/motion/mode=literall", "'literall'", "nearest is literal."),
        ("/motion/fine/mute=maybe", "'maybe'", "0 or 1"),
        ("/motion/fine/mute=2", "'2'", "0 or 1"),
    ],
)
def test_set(assignment: str, named: str, nearest: str, room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    what, to_do = refused(render("rain.wav", "--set", assignment), room, capsys)
    assert named in what
    assert nearest in to_do


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--seed", "x"], "/look/seed"),
        (["--seed", "-5"], "/look/seed=-5"),
        (["--fps", "0"], "--fps 0"),
        (["--fps", "-25"], "--fps -25"),
        (["--fps", "x"], "--fps x"),
        (["--size", "0x0"], "--size 0x0"),
        (["--size", "1920"], "--size 1920"),
        (["--size", "255x255"], "255"),
        (["--start", "-1"], "--start -1"),
        (["--start", "5"], "5"),
        (["--duration", "0"], "--duration 0"),
        (["--duration", "nan"], "--duration nan"),
        (["--loop"], "duration"),
        (["--fit", "stretch"], "stretch"),
        (["--device", "abacus"], "abacus"),
        (["--preset", "vhs"], "vhs"),
        (["--preset", "prores-422hq"], "prores-422hq"),
        (["--preset", "png"], "png"),
        (["--timecode", "later"], "later"),
    ],
)
def test_options(options: list[str], named: str, room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    what, _ = refused(render("rain.wav", *options), room, capsys)
    assert named in what


# ---- sounds


def test_options_that_follow_from_the_file_name(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for out in ("film.avi", "film.txt", "earlier.mp4/film.mp4"):
        refused(render(out=out), room, capsys)


@pytest.fixture
def bad_sounds(room: Path) -> Path:
    whole = (room / "rain.wav").read_bytes()
    (room / "empty.wav").touch()
    (room / "cut.wav").write_bytes(whole[: len(whole) // 2])
    (room / "header.wav").write_bytes(whole[:30])
    (room / "text.wav").write_text("It rained all night.\n" * 100)
    (room / "noise.mp3").write_bytes(bytes(range(256)) * 64)
    (room / "folder.wav").mkdir()
    write_wav(room / "silent.wav", 0)
    write_video(room / "picture.png", 1)
    write_video(room / "mute.mp4", 10)
    write_coded(room / "bare.mp3", "libmp3lame", {"write_xing": "0"})
    write_coded(room / "stream.aac", "aac", {})
    write_coded(room / "stream.ts", "aac", {})
    for name in ("bare.mp3", "stream.aac", "stream.ts"):
        coded = (room / name).read_bytes()
        (room / f"cut-{name}").write_bytes(coded[: len(coded) * 3 // 5 - 7])
    film = (room / "mute.mp4").read_bytes()
    (room / "cut.mp4").write_bytes(film[: len(film) // 2])
    return room


@pytest.mark.parametrize(
    "sound",
    [
        "missing.wav", "no/such/folder.wav", "empty.wav", "cut.wav", "header.wav", "text.wav", "noise.mp3",
        "folder.wav", "silent.wav", "picture.png", "mute.mp4", "cut.mp4", "/dev/null", "line\nbreak.wav",
        "cut-bare.mp3", "cut-stream.aac", "cut-stream.ts",
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["render", "hear"])
def test_sound(command: str, sound: str, bad_sounds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = render(sound) if command == "render" else ["hear", sound]
    what, _ = refused([*arguments, "--strict"], bad_sounds, capsys)
    assert sound.replace("\n", "\\n") in what


# ---- places to write


@pytest.mark.parametrize("out", ["no/such/folder/film.mp4", "earlier.mp4/film.mp4", "/proc/film.mp4", "rain.wav"])
def test_place(out: str, room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(render(out=out), room, capsys)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; /proc above stands for it")
def test_folder_without_permission(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    closed = room / "closed"
    closed.mkdir(mode=0o500)
    refused(render(out="closed/film.mp4"), room, capsys)


def test_a_failed_render_leaves_the_earlier_film(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(render("missing.wav", out="earlier.mp4"), room, capsys)
    assert (room / "earlier.mp4").read_bytes() == b"an earlier film"


@contextmanager
def mounted(disk: Path, options: str) -> Iterator[Path]:
    """A tmpfs mounted with these options at a new folder."""
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=False).returncode != 0:
        pytest.skip("mounting a tmpfs needs root")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.fixture
def small_disk(room: Path) -> Iterator[Path]:
    """A disk of 32 KiB."""
    with mounted(room / "disk", "size=32k") as disk:
        yield disk


@pytest.mark.parametrize("out", ["disk/film.mp4", "disk/pictures"])
def test_a_disk_that_may_only_be_read(out: str, room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with mounted(room / "disk", "ro"):
        what, _ = refused(render(out=out), room, capsys)
    assert "may not be written" in what


@pytest.mark.parametrize(("out", "preset"), [("film.mkv", "ffv1"), ("film.mp4", "h264"), ("pictures", "png")])
def test_full_disk(
    out: str, preset: str, small_disk: Path, tiny_world: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--preset", preset, "--size", "512x512", "--world", tiny_world, "--device", "ort"]
    code = main(render("rain.wav", *options, out=f"disk/{out}"))
    said = capsys.readouterr()
    assert code == 2, said.err
    assert said.out == ""
    what, to_do = said.err.splitlines()[-2:]
    assert "full" in what
    assert "room" in to_do
    left = {path.name for path in small_disk.rglob("*") if path.is_file()}
    # Of a sequence the pictures that are whole stay, to be continued when there is room.
    kept = {name for name in left if name.endswith(".png")} if preset == "png" else set()
    assert left - kept <= ({"sonorama.json", "sonorama.files"} if preset == "png" else set())
