"""Hidden part files: one is there while a file is written, and those of killed processes go."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonorama.engine.files.atomic import check_folder, replacing, sweep, write_bytes

WRITER = """
import sys, time
from pathlib import Path
from sonorama.engine.files.atomic import replacing
with replacing(Path(sys.argv[1])) as part:
    part.write_bytes(b"half a film")
    print("writing", flush=True)
    time.sleep(600)
"""


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.fixture
def writer(tmp_path: Path) -> "Iterator[subprocess.Popen[str]]":
    """Another process in the middle of film.mp4."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "film.mp4")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        yield process
        process.kill()


def test_the_part_of_a_live_process_stays(writer: "subprocess.Popen[str]", tmp_path: Path) -> None:
    (part,) = hidden(tmp_path)
    check_folder(tmp_path, tmp_path / "other.mp4")
    write_bytes(tmp_path / "other.mp4", b"another film")
    assert hidden(tmp_path) == [part]
    assert (tmp_path / part).read_bytes() == b"half a film"


@pytest.mark.skipif(sys.platform == "win32", reason="no file locks of this kind")
def test_the_part_of_a_killed_process_goes(writer: "subprocess.Popen[str]", tmp_path: Path) -> None:
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert len(hidden(tmp_path)) == 1
    check_folder(tmp_path, tmp_path / "film.mp4")
    assert hidden(tmp_path) == []


def test_files_of_others_stay(tmp_path: Path) -> None:
    names = {".film.mp4.part", ".sonorama", "film.mp4.sonorama-0123abcd.part", ".film.mp4.sonorama-0123abcd.part~"}
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / ".folder.sonorama-0123abcd.part").mkdir()
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == names | {".folder.sonorama-0123abcd.part"}


def test_a_part_swept_before_its_lock_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, real = [], os.open

    def swept_once(path: Path, *rest: int) -> int:
        handle = real(path, *rest)
        made.append(path)
        if len(made) == 1:
            path.unlink()
        return handle

    monkeypatch.setattr(os, "open", swept_once)
    with replacing(tmp_path / "film.mp4") as part:
        assert part == made[1]
        part.write_bytes(b"a film")
    assert (tmp_path / "film.mp4").read_bytes() == b"a film"
    assert hidden(tmp_path) == []
