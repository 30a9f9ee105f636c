"""`sonorama render A B C -o FOLDER/` as whole commands, with a small real world."""

import json
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.cli.main import main

PROGRAM = "import sys; from sonorama.engine.cli.main import main; sys.exit(main())"


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_wav(name: str, seconds: float, seed: int = 1) -> None:
    noise = np.random.default_rng(seed).integers(-9000, 9000, round(seconds * 8000), dtype=np.int16)
    with wave.open(name, "wb") as file:
        file.setparams((1, 2, 8000, len(noise), "NONE", ""))
        file.writeframes(noise.tobytes())


def contents(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def frames(path: str) -> int:
    command = ["ffprobe", "-v", "error", "-select_streams", "v", "-count_frames", "-of", "json", "-show_streams", path]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return int(told["streams"][0]["nb_read_frames"])


def started(*arguments: str) -> "subprocess.Popen[str]":
    """The command in a process of its own."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_part(pattern: str, process: "subprocess.Popen[str]") -> None:
    """Wait until the process writes such a file."""
    while not any(Path().glob(pattern)):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def options(world: str) -> list[str]:
    return ["-o", "films/", "--world", world, "--device", "ort"]


def test_a_bad_sound_does_not_stop_the_others(tiny_world: str, capsys: pytest.CaptureFixture[str], room: Path) -> None:
    write_wav("rain.v2.wav", 0.2)
    Path("bad.wav").write_bytes(b"no sound at all")
    write_wav("fire.wav", 0.1)
    sounds = ["rain.v2.wav", "bad.wav", "missing.wav", "fire.wav"]
    assert main(["render", *sounds, *options(tiny_world)]) == 2
    out, err = capsys.readouterr()
    assert contents(room / "films") == ["fire.mp4", "fire.mp4.json", "rain.v2.mp4", "rain.v2.mp4.json"]
    assert (frames("films/rain.v2.mp4"), frames("films/fire.mp4")) == (6, 3)
    head, *rows, empty, counted = out.splitlines()
    assert head.split() == ["sound", "film", "frames", "length"]
    assert [row.split()[0] for row in rows] == sounds
    assert rows[0].split()[1:] == ["films/rain.v2.mp4", "6", "0.20", "s", "made"]
    assert "failed: " in rows[1] and "bad.wav" in rows[1].split("failed: ")[1]
    assert (empty, counted) == ("", "4 films, 2 of them not made")
    assert "Traceback" not in err

    assert main(["render", *sounds, *options(tiny_world)]) == 2  # the same again makes nothing twice
    assert [row.split()[-2:] for row in capsys.readouterr().out.splitlines()[1:5:3]] == [["was", "there"]] * 2


def test_one_json_line_a_film(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_wav("a.wav", 0.1)
    write_wav("c.wav", 0.1, 2)
    assert main(["render", "a.wav", "b.wav", "c.wav", *options(tiny_world), "--json", "--preset", "ffv1"]) == 2
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["sound"], one["out"], one["state"]) for one in told] == [
        ("a.wav", "films/a.mkv", "made"), ("b.wav", "films/b.mkv", "failed"), ("c.wav", "films/c.mkv", "made"),
    ]  # fmt: skip
    assert told[0]["frames"] == 3
    assert "b.wav" in told[1]["error"]


def test_pictures_go_into_a_folder_each(tiny_world: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_wav("a.wav", 0.1)
    write_wav("b.wav", 0.1, 2)
    assert main(["render", "a.wav", "b.wav", *options(tiny_world), "--preset", "png"]) == 0
    assert capsys.readouterr().out.endswith("\n2 films\n")
    assert Path("films/a/frame_000003.png").is_file() and Path("films/b/frame_000003.png").is_file()


def test_one_sound_keeps_its_meaning(tiny_world: str) -> None:
    write_wav("a.wav", 0.1)
    assert main(["render", "a.wav", *options(tiny_world)]) == 0
    assert Path("films/frame_000003.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.wav", "b.wav", "-o", "films"], "one film"),
        (["a.wav", "b.wav", "-o", "film.mp4"], "one film"),
        (["a.wav", "b.wav", "-o", "-"], "one film"),
        (["a.wav", "sub/a.flac", "-o", "films/"], "would make one film, a"),
        (["a.wav", "sub/A.wav", "-o", "films/"], "would make one film"),
        (["a.wav", "a.wav", "-o", "films/"], "would make one film"),
        (["a.wav", "b.wav", "-o", "films/", "--preset", "mystery"], "no preset"),
        (["a.wav", "b.wav", "-o", "films/", "--size", "33x33"], "even width"),
        (["a.wav", "b.wav", "-o", "films/", "--timecode", "1:2"], "not a timecode"),
        (["a.wav", "b.wav", "-o", "films/", "--set", "/no/such=1"], "/no/such"),
        (["a.wav", "b.wav", "-o", "no/films/"], "no folder"),
        (["a.wav", "b.wav", "-o", "a.wav/"], "is a file"),
    ],
)
def test_refused_before_any_work(
    arguments: list[str], message: str, room: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_wav("a.wav", 0.1)
    write_wav("b.wav", 0.1)
    assert main(["render", *arguments]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 2)
    assert message in err
    assert contents(room) == ["a.wav", "b.wav"]


def test_goes_on_after_kill(tiny_world: str, room: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The film that was done stays as it was; of the one under way nothing is left but the whole film."""
    write_wav("a.wav", 0.1)
    write_wav("b.wav", 120.0)
    arguments = ["render", "a.wav", "b.wav", *options(tiny_world)]
    with started(*arguments) as process:
        wait_for_part("films/.b.mp4*.part", process)
        process.send_signal(signal.SIGKILL)
    first = Path("films/a.mp4").stat()
    write_wav("b.wav", 0.2)
    assert main([*arguments, "--json"]) == 0
    assert [json.loads(line)["state"] for line in capsys.readouterr().out.splitlines()] == ["was there", "made"]
    assert (Path("films/a.mp4").stat().st_ino, Path("films/a.mp4").stat().st_mtime_ns) == (
        first.st_ino, first.st_mtime_ns,
    )  # fmt: skip
    assert contents(room / "films") == ["a.mp4", "a.mp4.json", "b.mp4", "b.mp4.json"]


def test_a_signal_ends_it_with_the_table(tiny_world: str, room: Path) -> None:
    write_wav("a.wav", 0.1)
    write_wav("b.wav", 120.0)
    write_wav("c.wav", 0.1)
    with started("render", "a.wav", "b.wav", "c.wav", *options(tiny_world)) as process:
        wait_for_part("films/.b.mp4*.part", process)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 143
    assert [line.split()[0] for line in out.splitlines()[1:2]] == ["a.wav"]
    assert out.endswith("1 film\n")
    assert err.endswith("Stopped.\n")
    assert contents(room / "films") == ["a.mp4", "a.mp4.json"]
