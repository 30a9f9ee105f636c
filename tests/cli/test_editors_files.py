"""Films of files as editors have them: sound that is late, has holes, is of opposite phase or in another track."""

import inspect
import json
import os
import re
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from sonorama.engine.cli.main import main
from sonorama.engine.cli.progress import INTERVAL

from ..processes import threads
from ..speed import slowness

DATA = Path(__file__).parents[1] / "data/editor"
PROGRAM = "import sys; from sonorama.engine.cli.main import main; sys.exit(main())"


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def probe(path: str, stream: str = "v") -> dict[str, Any]:
    command = ["ffprobe", "-v", "error", "-select_streams", stream, "-count_frames", "-of", "json", "-show_streams"]
    return json.loads(subprocess.run([*command, path], capture_output=True, check=True).stdout)["streams"][0]


@pytest.mark.parametrize(
    ("name", "frames", "said"),
    [
        ("late.mp4", 100, r"silence from 0\.00 to 1\.48 s: the file has no sound there\."),
        ("gap.mkv", 120, r"silence from 5\.01 to 8\.02 s: the file has no sound there\."),
        ("click.m4a", 40, ""),
        ("click.mkv", 40, ""),
        ("vbr-zero.mp3", 80, ""),
        ("vbr0.mp3", 81, ""),
    ],
)
def test_a_film_as_long_as_the_sound(
    name: str, frames: int, said: str, tiny_world: str, caplog: pytest.LogCaptureFixture
) -> None:
    arguments = ["render", str(DATA / name), "-o", "film.mp4", "--world", tiny_world, "--device", "ort", "--fps", "10"]
    assert main(arguments) == 0
    assert probe("film.mp4")["nb_read_frames"] == str(frames)
    lines = [line for line in caplog.messages if line.startswith(str(DATA))]
    assert len(lines) == bool(said)
    assert re.search(said, "".join(lines))


@pytest.mark.parametrize(("name", "sound"), [("foreign-sound.ogg", "p/sound.wav"), ("click.wav", "rain.wav")])
def test_a_foreign_sound_in_the_folder_stays(
    name: str, sound: str, tiny_world: str, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the sound that is rendered, and beside another one that is."""
    (room / "p").mkdir()
    for source, copy in ((name, "p/sound.wav"), ("foreign-sound.ogg", "rain.wav")):
        subprocess.run(["ffmpeg", "-v", "error", "-i", DATA / source, copy], check=True)
    before = Path("p/sound.wav").read_bytes()
    assert main(["render", sound, "-o", "p", "--duration", "1", "--world", tiny_world, "--device", "ort"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "sound.wav of unknown origin" in first
    assert second[0].isupper()
    assert [path.name for path in Path("p").iterdir()] == ["sound.wav"]
    assert Path("p/sound.wav").read_bytes() == before


def test_the_picture_answers_a_click(tiny_world: str) -> None:
    """Of 10 ms, at 0 and 1 s: the picture jumps on frame 30, and hardly moved before."""
    arguments = ["render", str(DATA / "click.wav"), "-o", "c.mkv", "--preset", "ffv1", "--world", tiny_world]
    assert main([*arguments, "--device", "ort", "--fps", "30"]) == 0
    with av.open("c.mkv") as film:
        frames = [frame.to_ndarray(format="rgb24").astype(float) for frame in film.decode(video=0)]
    changes = [float(np.abs(two - one).mean()) for one, two in pairwise(frames)]
    assert int(np.argmax(changes)) == 29
    assert changes[29] > 20 * changes[28]


def test_surround_of_ac3_is_aac_5_1(tiny_world: str) -> None:
    arguments = ["render", str(DATA / "surround-5.1side.mka"), "-o", "s.mp4", "--world", tiny_world]
    assert main([*arguments, "--device", "ort", "--fps", "10"]) == 0
    sound = probe("s.mp4", "a")
    assert (sound["codec_name"], sound["channels"], sound["channel_layout"]) == ("aac", 6, "5.1")


def test_opposite_phase_is_heard_like_the_same_in_phase(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    filters = ["-af", "pan=stereo|c0=c0|c1=c0"]
    subprocess.run(["ffmpeg", "-v", "error", "-i", DATA / "anti-phase.flac", *filters, "in.flac"], check=True)
    assert main(["hear", "--json", "--world", tiny_world, str(DATA / "anti-phase.flac"), "in.flac"]) == 0
    against, same = (json.loads(line)["scores"] for line in capsys.readouterr().out.splitlines())
    assert against == pytest.approx(same, abs=0.05)


def test_a_sound_that_is_cut_gives_a_film_up_to_the_cut(tiny_world: str, caplog: pytest.LogCaptureFixture) -> None:
    data = (DATA / "click.wav").read_bytes()
    Path("cut.wav").write_bytes(data[: len(data) // 2])
    arguments = ["render", "cut.wav", "-o", "film.mp4", "--world", tiny_world, "--device", "ort", "--fps", "10"]
    assert main([*arguments, "--strict"]) == 2
    assert not Path("film.mp4").exists()
    assert main(arguments) == 0
    assert probe("film.mp4")["nb_read_frames"] == "10"
    assert "used up to 1.00 s" in caplog.text


def test_timecode_of_the_source(tiny_world: str) -> None:
    make = ["-f", "lavfi", "-i", "testsrc=s=64x64:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1", "-c:v", "prores",
            "-c:a", "pcm_s16le", "-timecode", "10:00:00:12", "in.mov"]  # fmt: skip
    subprocess.run(["ffmpeg", "-v", "error", *make], check=True)
    arguments = ["render", "in.mov", "--world", tiny_world, "--device", "ort", "--fps", "25", "--start", "0.4"]
    assert main([*arguments, "-o", "a.mov"]) == 0
    assert probe("a.mov")["tags"]["timecode"] == "10:00:00:22"
    assert main([*arguments, "-o", "b.mov", "--timecode", "01:00:00:00"]) == 0
    assert probe("b.mov")["tags"]["timecode"] == "01:00:00:00"


def stopped(process: "subprocess.Popen[str]", number: signal.Signals) -> None:
    """Send a signal to a command, and hold it to a second."""
    assert process.poll() is None, process.communicate()
    begun = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - begun < slowness()
    assert (process.returncode, err.splitlines()[-1]) == (128 + number, "Stopped."), err


@contextmanager
def started(*arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """A command that is killed at the end of the block, if it still runs; it tells its progress often."""
    command, often = [sys.executable, "-c", PROGRAM, *arguments], os.environ | {INTERVAL: "0.2"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=often) as process:
        try:
            yield process
        finally:
            process.kill()


SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]


@pytest.mark.skipif(sys.platform != "linux", reason="sparse files")
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_reading_of_a_file_without_end(number: signal.Signals, room: Path) -> None:
    """A wav of 3 GiB that is nothing but empty chunks: FFmpeg looks for its sound in one call."""
    head = (DATA / "wrap-header.bin").read_bytes()
    (room / "w.wav").write_bytes(head[:36] + b"JUNK" + bytes(4))
    os.truncate("w.wav", 3 << 30)
    with started("hear", "w.wav") as process:
        while threads(process.pid) < 2:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        time.sleep(0.5)
        stopped(process, number)


@pytest.mark.skipif(sys.platform != "linux", reason="sparse files")
def test_a_wav_whose_sizes_have_wrapped_is_heard_at_once(room: Path, tiny_world: str) -> None:
    """Its length is known before it is read: 4 GiB and 10 s of mono, 16 bit at 44.1 kHz."""
    (room / "w.wav").write_bytes((DATA / "wrap-header.bin").read_bytes())
    os.truncate("w.wav", 4295849340)
    begun = time.monotonic()
    with started("hear", "w.wav", "--world", tiny_world) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert time.monotonic() - begun < 15 * slowness()
        assert re.fullmatch(r"hear w\.wav: \d+ of 48706, \d+ s left\n", line), line
        stopped(process, signal.SIGTERM)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_film_that_is_painted(number: signal.Signals, room: Path, tiny_world: str) -> None:
    """Pictures: tests/cli/test_render.py."""
    with wave.open("long.wav", "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(1).integers(-9000, 9000, 300 * 8000, np.int16).tobytes())
    with started("render", "long.wav", "-o", "film.mp4", "--world", tiny_world, "--device", "ort") as process:
        while not [*room.glob(".film.mp4.sonorama-*")]:
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        time.sleep(1.0)
        stopped(process, number)
    assert [one.name for one in room.iterdir()] == ["long.wav"]


def test_a_track_for_hear(tiny_world: str) -> None:
    def hear(*options: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", PROGRAM, "hear", "--json", "--world", tiny_world, "two.mka", *options]
        return subprocess.run(command, capture_output=True, text=True)

    make = ["-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono:d=3", "-f", "lavfi", "-i", "anoisesrc=d=3", "-map", "0",
            "-map", "1", "-c:a", "flac", "two.mka"]  # fmt: skip
    subprocess.run(["ffmpeg", "-v", "error", *make], check=True)
    first, second = hear(), hear("--track", "2")
    assert (first.returncode, second.returncode, second.stderr) == (0, 0, "")
    assert first.stderr.splitlines() == [
        "two.mka has 2 sound tracks: 1 flac mono; 2 flac mono. Track 1 is used; --track takes another one.",
        "two.mka: what was read of track 1 is silent, and there are others (--track).",
    ]
    one, other = (list(json.loads(done.stdout)["scores"].values()) for done in (first, second))
    assert not np.allclose(one, other)
    assert hear("--track", "ger").returncode == 2


TESTED: list[tuple[str, Callable[..., None]]] = [
    ("foreign-sound.ogg", test_a_foreign_sound_in_the_folder_stays),
    ("click.wav", test_a_foreign_sound_in_the_folder_stays),
    ("click.wav", test_the_picture_answers_a_click),
    ("vbr-zero.mp3", test_a_film_as_long_as_the_sound),
    ("vbr0.mp3", test_a_film_as_long_as_the_sound),
    ("gap.mkv", test_a_film_as_long_as_the_sound),
    ("late.mp4", test_a_film_as_long_as_the_sound),
    ("click.m4a", test_a_film_as_long_as_the_sound),
    ("click.mkv", test_a_film_as_long_as_the_sound),
    ("anti-phase.flac", test_opposite_phase_is_heard_like_the_same_in_phase),
    ("surround-5.1side.mka", test_surround_of_ac3_is_aac_5_1),
    ("wrap-header.bin", test_a_wav_whose_sizes_have_wrapped_is_heard_at_once),
]
"""Rows of the manifest of cases, in its order, and the test of each."""


def test_every_case_has_a_test() -> None:
    """Which reads its file: by name, or as one of its parameters."""
    rows = [line.split("\t") for line in (DATA / "MANIFEST.tsv").read_text().splitlines()]
    assert rows[0] == ["file", "what it is", "command", "right answer"]
    assert [row[0] for row in rows[1:]] == [name for name, _ in TESTED]
    assert {path.name for path in DATA.iterdir()} == {name for name, _ in TESTED} | {"MANIFEST.tsv"}
    for name, test in TESTED:
        marks = "".join(str(mark) for mark in getattr(test, "pytestmark", ()))
        assert name in inspect.getsource(test) + marks, (name, test)
        assert "soak" not in marks, test
