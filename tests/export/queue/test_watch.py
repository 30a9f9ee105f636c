"""`sonorama watch` as whole commands, with a small real world."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonorama.engine.cli.main import main
from sonorama.engine.errors import OutputError
from sonorama.engine.files.fingerprint import Hashing
from sonorama.export.queue.watch_record import job_key
from sonorama.export.render import RenderJob
from sonorama.export.sequence import SequenceWriter

from .test_render_queue import contents, frames, started, wait_for_part, write_wav

QUICK = ["--settle", "0"]


@pytest.fixture(autouse=True)
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    return tmp_path


@pytest.fixture
def options(tiny_world: str) -> list[str]:
    return ["in", "out", "--world", tiny_world, "--device", "ort", "--json"]


Once = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def once(options: list[str], capsys: pytest.CaptureFixture[str]) -> Once:
    """Run it with --once: its rows. The exit code is 2 if any failed."""

    def run(*more: str) -> list[dict[str, Any]]:
        code = main(["watch", *options, *QUICK, "--once", *more])
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert code == (2 if any("error" in row for row in rows) else 0)
        return rows

    return run


@contextlib.contextmanager
def watching(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A watch that runs until the block ends."""
    with started("watch", *arguments) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(path: Path, process: "subprocess.Popen[str]") -> None:
    while not path.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def states(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {Path(row["sound"]).name: row["state"] for row in rows}


def test_each_sound_once(once: Once, room: Path) -> None:
    write_wav("in/rain.wav", 0.2)
    write_wav("in/.hidden.wav", 0.2)
    Path("in/bad.wav").write_bytes(b"no sound")
    Path("in/half.wav.part").write_bytes(b"no sound")
    assert states(once()) == {"rain.wav": "made", "bad.wav": "failed"}
    assert contents(room / "out") == ["rain.mp4", "rain.mp4.json", "sonorama.watch"]
    assert frames("out/rain.mp4") == 6
    before = Path("out/rain.mp4").stat()
    assert states(once()) == {"rain.wav": "was there", "bad.wav": "failed"}
    Path("out/rain.mp4").unlink()  # moved into a project: it was made all the same
    assert states(once()) == {"rain.wav": "was there", "bad.wav": "failed"}
    assert before.st_size > 0 and not Path("out/rain.mp4").exists()


def test_by_content_not_by_name(once: Once, room: Path) -> None:
    write_wav("in/rain.wav", 0.1)
    once()
    shutil.copy("in/rain.wav", "in/copy.wav")  # the same sound under another name
    assert [(row["state"], row["out"]) for row in once()] == [("was there", "out/rain.mp4")] * 2
    write_wav("in/rain.wav", 0.2)  # another sound under the same name
    assert [(row["state"], row["out"]) for row in once() if row["sound"] == "in/rain.wav"] == [
        ("made", "out/rain-2.mp4")
    ]
    assert (frames("out/rain.mp4"), frames("out/rain-2.mp4")) == (3, 6)


def test_films_of_other_options_are_other_films(once: Once) -> None:
    write_wav("in/rain.wav", 0.1)
    once()
    assert [row["out"] for row in once("--seed", "7")] == ["out/rain-2.mp4"]
    assert [(row["state"], row["out"]) for row in once("--preset", "ffv1")] == [("made", "out/rain.mkv")]
    assert states(once()) == {"rain.wav": "was there"}


def test_nothing_of_the_users_is_replaced(once: Once, room: Path) -> None:
    write_wav("in/rain.wav", 0.1)
    Path("out").mkdir()
    Path("out/rain.mp4").write_bytes(b"mine")
    assert [row["out"] for row in once()] == ["out/rain-2.mp4"]
    assert Path("out/rain.mp4").read_bytes() == b"mine"
    Path("out/rain").mkdir()
    assert [row["out"] for row in once("--preset", "png")] == ["out/rain-2"]
    assert contents(room / "out" / "rain") == []


def test_two_sounds_of_one_stem(once: Once) -> None:
    write_wav("in/rain.wav", 0.1)
    write_wav("in/rain.aiff", 0.2)
    assert sorted(row["out"] for row in once()) == ["out/rain-2.mp4", "out/rain.mp4"]


def test_a_file_that_grows_is_left_for_the_next_time(
    options: list[str], capsys: pytest.CaptureFixture[str], room: Path
) -> None:
    write_wav("in/rain.wav", 0.1)
    shutil.copy("in/rain.wav", "in/grows.wav")
    with open("in/grows.wav", "ab") as file, watching(*options, "--once", "--settle", "0.2") as process:  # noqa: PTH123
        while process.poll() is None:
            file.write(b"\0\0")
            file.flush()
            time.sleep(0.02)
        assert process.stdout is not None
        rows = [json.loads(line) for line in process.stdout]
    assert states(rows) == {"rain.wav": "made", "grows.wav": "unfinished"}
    assert process.returncode == 2
    assert main(["watch", *options, *QUICK, "--once"]) == 0
    assert contents(room / "out") == [
        "grows.mp4", "grows.mp4.json", "rain.mp4", "rain.mp4.json", "sonorama.watch",
    ]  # fmt: skip


def test_a_file_that_changes_meanwhile_is_begun_again(options: list[str]) -> None:
    write_wav("in/rain.wav", 120.0)
    with watching(*options, *QUICK) as process:
        wait_for_part("out/.rain.mp4*.part", process)
        write_wav("in/rain.wav", 0.2)
        wait_for(Path("out/sonorama.watch"), process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert [json.loads(line)["frames"] for line in out.splitlines()] == [6]
    assert "has changed" in err
    assert frames("out/rain.mp4") == 6


def test_it_waits_for_what_comes_and_a_signal_ends_it(options: list[str], room: Path) -> None:
    options.remove("--json")
    with watching(*options, *QUICK) as process:
        wait_for(Path("out"), process)
        Path("in/bad.wav").write_bytes(b"no sound")
        write_wav("in/.rain.wav.tmp", 0.1)
        Path("in/.rain.wav.tmp").rename("in/rain.wav")
        wait_for(Path("out/rain.mp4"), process)
        write_wav("in/long.wav", 120.0)
        wait_for_part("out/.long.mp4*.part", process)
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        out, err = process.communicate(timeout=60)
    assert time.monotonic() - begun < 30
    assert process.returncode == 143
    assert "failed: " in out and out.endswith("\n2 films, 1 of them not made\n")
    assert err.count("bad.wav") == 1  # once, however often the folder is looked at
    assert contents(room / "out") == ["rain.mp4", "rain.mp4.json", "sonorama.watch"]


def killed_and_resumed(options: list[str], seconds: float, capsys: pytest.CaptureFixture[str]) -> None:
    """kill -9 while the second film is made; then the first is not made again, and the second whole."""
    write_wav("in/a.wav", 0.1)
    os.utime("in/a.wav", (0, 0))
    write_wav("in/b.wav", seconds, 2)
    with watching(*options, *QUICK) as process:
        wait_for_part("out/.b.mp4*.part", process)
        process.send_signal(signal.SIGKILL)
    first = Path("out/a.mp4").stat()
    write_wav("in/b.wav", 0.2, 2)
    assert main(["watch", *options, *QUICK, "--once"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert states(rows) == {"a.wav": "was there", "b.wav": "made"}
    assert (Path("out/a.mp4").stat().st_ino, Path("out/a.mp4").stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)
    assert contents(Path("out")) == ["a.mp4", "a.mp4.json", "b.mp4", "b.mp4.json", "sonorama.watch"]
    assert frames("out/b.mp4") == 6


def test_goes_on_after_kill(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    killed_and_resumed(options, 120.0, capsys)


def test_a_kill_between_film_and_record(once: Once) -> None:
    write_wav("in/rain.wav", 0.1)
    once()
    Path("out/sonorama.watch").unlink()  # as if killed before it was written
    before = Path("out/rain.mp4").stat().st_ino
    assert [(row["state"], row["out"]) for row in once()] == [("was there", "out/rain.mp4")]
    assert Path("out/rain.mp4").stat().st_ino == before
    assert Path("out/sonorama.watch").exists()


def test_pictures_that_ended_before_the_hash_was_known_go_on(once: Once, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wav("in/rain.wav", 0.1)
    write = SequenceWriter.write

    def full(writer: SequenceWriter, frame: np.ndarray | None) -> None:
        if (Path("out/rain") / "frame_000001.png").exists():
            raise OutputError("The disk is full", "Make room.")
        write(writer, frame)

    with monkeypatch.context() as patched:
        patched.setattr(SequenceWriter, "write", full)
        patched.setattr(Hashing, "known", None)
        assert ["error" in row for row in once("--preset", "png")] == [True]
    assert json.loads(Path("out/rain/sonorama.json").read_bytes())["sound_sha256"] is None
    assert [(row["state"], row["out"]) for row in once("--preset", "png")] == [("made", "out/rain")]
    assert json.loads(Path("out/rain/sonorama.json").read_bytes())["sound_sha256"]


@pytest.mark.soak
@pytest.mark.parametrize("after", [0.06 * number for number in range(40)])
def test_killed_at_any_moment(options: list[str], after: float, capsys: pytest.CaptureFixture[str]) -> None:
    sounds = [f"{number}.wav" for number in range(4)]
    for number, name in enumerate(sounds):
        write_wav(f"in/{name}", 0.5, number)
    with watching(*options, *QUICK) as process:
        wait_for(Path("out/sonorama.watch"), process)
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
    made = {path.name: path.stat().st_ino for path in Path("out").glob("*.mp4")}
    assert main(["watch", *options, *QUICK, "--once"]) == 0
    capsys.readouterr()
    films = [f"{number}.mp4" for number in range(4)]
    assert contents(Path("out")) == sorted([*films, *(f"{film}.json" for film in films), "sonorama.watch"])
    assert {name: Path("out", name).stat().st_ino for name in made} == made


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing", "out"], "no folder"),
        (["in", "in"], "watched folder itself"),
        (["in", "-"], "standard output"),
        (["in", "no/out"], "no folder"),
        (["in", "out", "--preset", "mystery"], "no preset"),
        (["in", "out", "--settle", "-1"], "--settle"),
        (["in", "file"], "is a file"),
        (["file", "out"], "a folder is watched"),
        (["in", "foreign"], "no record"),
    ],
)
def test_refused_at_the_start(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    Path("foreign").mkdir()
    Path("foreign/sonorama.watch").write_text("mine")
    assert main(["watch", *arguments, "--once"]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 2
    assert Path("foreign/sonorama.watch").read_text() == "mine"
    assert not Path("out").exists()


def test_a_second_watch_is_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with watching(*options) as process:
        assert process.stderr is not None
        process.stderr.readline()  # it watches
        assert main(["watch", *options, "--once"]) == 2
    assert "Another sonorama watch" in capsys.readouterr().err


def test_what_makes_another_film() -> None:
    job = RenderJob(Path("a.wav"), Path("a.mp4"))
    assert job_key(job) == job_key(RenderJob(Path("b.wav"), Path("b.mp4"), command=("x",), overwrite=True))
    assert job_key(job) == job_key(RenderJob(Path("a.wav"), Path("a.mp4"), values={"/look/seed": 1}))  # the default
    others = [{"seed": 1}, {"preset": "ffv1"}, {"start": 1.0}, {"values": {"/look/seed": 9}}, {"world": "shore"}]
    assert len({job_key(job), *(job_key(RenderJob(Path("a"), Path("b"), **other)) for other in others)}) == 6
