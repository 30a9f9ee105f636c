"""Films of files as editors have them: sound that is late, has holes, is of opposite phase or in another track."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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
        pytest.param("click.mkv", 40, "", marks=pytest.mark.soak),
        ("vbr-zero.mp3", 80, ""),
        pytest.param("vbr0.mp3", 81, "", marks=pytest.mark.soak),
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
