"""File names are bytes; a film may go into a pipe; a terminal that closes ends a render: whole processes."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np
import pytest

from sonorama.engine.cli.main import main

PROGRAM = "import sys; from sonorama.engine.cli.main import main; sys.exit(main())"
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems want UTF-8, and close terminals otherwise"
)


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_wav(name: str | bytes, seconds: float, rate: int = 8000) -> np.ndarray:
    noise = np.random.default_rng(1).integers(-9000, 9000, (round(seconds * rate), 2), dtype=np.int16)
    with open(name, "wb") as file, wave.open(file, "wb") as wav:  # noqa: PTH123 (of bytes)
        wav.setparams((2, 2, rate, len(noise), "NONE", ""))
        wav.writeframes(noise.tobytes())
    return noise


def run(
    *arguments: str | bytes, world: str = "", env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    options = ["--world", world, "--device", "ort"] if world else []
    command = [sys.executable, "-c", PROGRAM, *arguments, *options]
    return subprocess.run(command, capture_output=True, env=os.environ | (env or {}))


def here(*arguments: str | bytes) -> int:
    """The exit code of a command in this process."""
    return main([os.fsdecode(one) for one in arguments])


PLAIN_C = {"LC_ALL": "C"}
ASCII_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


LATIN, EMOJI = b"caf\xe9", "\U0001f327\ufe0f".encode()


@pytest.mark.parametrize(
    ("name", "env"),
    [(LATIN, ASCII_C), pytest.param(EMOJI, PLAIN_C, marks=pytest.mark.soak), (b"rain:two", {})],
    ids=["latin-1", "emoji", "colon"],
)
def test_names(name: bytes, env: dict[str, str], tiny_world: str, room: Path) -> None:
    write_wav(name + b".wav", 0.2)
    for out in (name + b".mp4", name):
        done = run("render", name + b".wav", "-o", out, world=tiny_world, env=env)
        assert done.returncode == 0, done.stderr
        if name.startswith(b"caf"):
            assert rb"caf\xe9" in done.stdout
    assert {name + b".mp4", name + b".mp4.json", name} <= {os.fsencode(path.name) for path in room.iterdir()}
    assert (room / os.fsdecode(name) / "frame_000006.png").is_file()
    done = run("hear", name + b".mp3", env=env)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ["render", "rain.wav", "-o", "x" * 300 + ".mp4"],
        ["render", "rain.wav", "-o", "x" * 300],
        ["render", "rain.wav", "-o", "x" * 251 + ".mp4"],  # its sidecar is too long
        ["render", "rain.wav", "-o", "/".join(["d" * 200] * 30) + "/x.mp4"],
        ["render", "x" * 300, "-o", "film.mp4"],
        ["render", "rain.wav", "-o", "film.mp4", "--world", "x" * 300],
        ["hear", "x" * 300],
    ],
)
def test_names_past_the_limit_are_refused_in_two_lines(
    arguments: list[str], room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav("rain.wav", 0.2)
    assert here(*arguments) == 2
    _, err = capsys.readouterr()
    assert len(err.splitlines()) == 2, err
    assert "fault" not in err
    assert [path.name for path in room.iterdir()] == ["rain.wav"]


def test_a_text_that_is_none_is_refused_in_two_lines(room: Path) -> None:
    write_wav("rain.wav", 0.2)
    done = run("render", "rain.wav", "-o", "film.mp4", "--text", b"\xff")
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert b"fault" not in done.stderr
    assert [path.name for path in room.iterdir()] == ["rain.wav"]


# --- a pipe


def test_a_film_goes_into_a_pipe(tiny_world: str, room: Path) -> None:
    """What every preset puts into it: tests/export/test_stream.py."""
    noise = write_wav("rain.wav", 1.0)
    done = run("render", "rain.wav", "-o", "-", "--json", world=tiny_world)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stderr)["frames"] == 30
    assert [path.name for path in room.iterdir()] == ["rain.wav"]
    Path("film.nut").write_bytes(done.stdout)
    with av.open("film.nut") as film:
        assert len([*film.decode(video=0)]) == 30
    with av.open("film.nut") as film:
        heard = b"".join(bytes(frame.planes[0])[: frame.samples * 8] for frame in film.decode(audio=0))
    assert np.array_equal(np.frombuffer(heard, np.int32).reshape(-1, 2) >> 16, noise)


def test_a_reader_that_leaves_ends_it_quietly(tiny_world: str, room: Path) -> None:
    write_wav("rain.wav", 60.0)
    command = [sys.executable, "-c", PROGRAM, "render", "rain.wav", "-o", "-", "--world", tiny_world, "--device", "ort"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(25) == b"nut/multimedia container\0"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1
    assert [path.name for path in room.iterdir()] == ["rain.wav"]


@pytest.mark.parametrize("options", [["--preset", "png"], ["--preset", "prores-422hq"], ["--preset", "dnxhr-hqx"]])
def test_what_no_stream_holds_is_refused(options: list[str], room: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_wav("rain.wav", 0.2)
    assert here("render", "rain.wav", "-o", "-", *options) == 2
    out, err = capfd.readouterr()
    assert (out, len(err.splitlines())) == ("", 2)


def test_a_dash_in_a_folder_is_a_name(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_wav("rain.wav", 0.2)
    (room / "-").write_text("mine")
    assert here("render", "rain.wav", "-o", "./-") == 2
    assert capsys.readouterr().err.startswith("- is a file, the sequence needs a folder")


def test_a_terminal_takes_no_film(room: Path) -> None:
    write_wav("rain.wav", 0.2)
    inside, outside = pty.openpty()
    command = [sys.executable, "-c", PROGRAM, "render", "rain.wav", "-o", "-"]
    done = subprocess.run(command, stdout=outside, stderr=subprocess.PIPE)
    os.close(inside)
    os.close(outside)
    assert done.returncode == 2
    assert b"terminal" in done.stderr


# --- a terminal that closes


@pytest.mark.parametrize(("out", "nohup"), [("film.mp4", False), ("pictures", False), ("film.mp4", True)])
def test_a_terminal_that_closes(out: str, nohup: bool, tiny_world: str, room: Path) -> None:
    """It ends a render as SIGTERM does, though nothing can be said any more; `nohup` keeps it alive."""
    write_wav("long.wav", 4.0 if nohup else 600.0)
    before = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_{'IGN' if nohup else 'DFL'}); "
    arguments = ["render", "long.wav", "-o", out, "--world", tiny_world, "--device", "ort"]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", before + PROGRAM, *arguments])  # noqa: S606
    os.set_blocking(terminal, False)
    while not (list(room.glob(".film.mp4.sonorama-*")) or list(room.glob("pictures/*.png"))):
        assert os.waitpid(pid, os.WNOHANG) == (0, 0)
        with contextlib.suppress(BlockingIOError):
            os.read(terminal, 1 << 16)
        time.sleep(0.02)
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    if nohup:
        assert not list(room.rglob(".*"))
        with av.open(out) as film:
            assert len([*film.decode(video=0)]) == 120
        return
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP
    assert not list(room.rglob(".*"))
    left = {path.name for path in room.iterdir()}
    assert left == ({"long.wav"} if out == "film.mp4" else {"long.wav", "pictures"})


def test_the_users_sound_survives_the_end_of_a_render(room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole case: SOUND named sound.wav in the folder that OUT names."""
    (room / "p").mkdir()
    write_wav("p/sound.wav", 1.0)
    before = Path("p/sound.wav").read_bytes()
    assert here("render", "p/sound.wav", "-o", "p", "--duration", "1") == 2
    _, err = capsys.readouterr()
    assert len(err.splitlines()) == 2
    assert "sound.wav of unknown origin" in err
    assert [path.name for path in Path("p").iterdir()] == ["sound.wav"]
    assert Path("p/sound.wav").read_bytes() == before
