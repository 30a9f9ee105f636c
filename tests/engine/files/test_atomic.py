"""Hidden part files: one is there while a file is written, and those of killed processes go, and nothing else."""

import errno
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from sonorama.engine.errors import OutputError
from sonorama.engine.files import atomic
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
    before = hidden(tmp_path)
    check_folder(tmp_path, tmp_path / "other.mp4")
    write_bytes(tmp_path / "other.mp4", b"another film")
    assert hidden(tmp_path) == before
    (part,) = tmp_path.glob(".film.mp4.*.part")
    assert part.read_bytes() == b"half a film"


@pytest.mark.skipif(sys.platform == "win32", reason="no file locks of this kind")
def test_the_part_of_a_killed_process_goes(writer: "subprocess.Popen[str]", tmp_path: Path) -> None:
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert len(hidden(tmp_path)) == 2  # the part, and the claim that it is one
    check_folder(tmp_path, tmp_path / "film.mp4")
    assert hidden(tmp_path) == []


TOKEN = "0123456789abcdef" * 2


def claim(part: str, host: str = platform.node()) -> bytes:
    return json.dumps({"made_by": "sonorama", "host": host, "part": part}).encode()


@pytest.mark.parametrize(
    ("part", "content"),
    [
        (f".film.mp4.sonorama-{TOKEN}.part", None),  # no claim at all
        (f".film.mp4.sonorama-{TOKEN}.part", b""),
        (f".film.mp4.sonorama-{TOKEN}.part", b"[]"),
        (f".film.mp4.sonorama-{TOKEN}.part", b"mine"),
        (f".film.mp4.sonorama-{TOKEN}.part", claim("film.mp4")),
        (f".film.mp4.sonorama-{TOKEN}.part", claim(f".film.mp4.sonorama-{TOKEN}.part", "another machine")),
        ("film.mp4", claim("film.mp4")),  # a claim on something that is no part file
        ("film.mp4", claim("./film.mp4")),
        (".film.mp4.sonorama-0123abcd.part", claim(".film.mp4.sonorama-0123abcd.part")),  # of another token
    ],
)
def test_a_name_alone_makes_nothing_ours(tmp_path: Path, part: str, content: bytes | None) -> None:
    (tmp_path / part).write_bytes(b"a week of work")
    if content is not None:
        (tmp_path / f".sonorama-{TOKEN}.claim").write_bytes(content)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    sweep(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is swept there")
def test_only_a_claimed_regular_file_goes(tmp_path: Path) -> None:
    part = f".film.mp4.sonorama-{TOKEN}.part"
    (tmp_path / part).mkdir()
    (tmp_path / f".sonorama-{TOKEN}.claim").write_bytes(claim(part))
    sweep(tmp_path)
    assert hidden(tmp_path) == [part]


def test_a_new_file_replaces_none_that_came_meanwhile(tmp_path: Path) -> None:
    out = tmp_path / "film.mp4"
    with pytest.raises(OutputError, match="another program"), replacing(out, new=True) as part:
        part.write_bytes(b"a film")
        out.write_bytes(b"theirs")
    assert out.read_bytes() == b"theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
    with pytest.raises(OutputError) as caught, replacing(out, new=True, keep=True) as part:
        part.write_bytes(b"a film")
    assert "film-2.mp4" in caught.value.hint
    assert (out.read_bytes(), (tmp_path / "film-2.mp4").read_bytes()) == (b"theirs", b"a film")
    assert hidden(tmp_path) == []


def test_disks_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    write_bytes(tmp_path / "a", b"mine", new=True)
    with pytest.raises(OutputError, match="a is there already"):
        write_bytes(tmp_path / "a", b"other", new=True)
    with pytest.raises(OutputError, match="another program"), replacing(tmp_path / "b", new=True) as part:
        part.write_bytes(b"other")
        (tmp_path / "b").write_bytes(b"mine")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == b"mine"
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("name", [b"x" * 255, "\U0001f327".encode() * 63, b"caf\xe9" * 50, b"\xff\n.mp4"])
@pytest.mark.skipif(sys.platform != "linux", reason="other systems want UTF-8")
def test_any_name_that_a_disk_takes(tmp_path: Path, name: bytes) -> None:
    out = tmp_path / os.fsdecode(name)
    write_bytes(out, b"a film")
    assert [os.fsencode(path.name) for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("new", [False, True])
def test_a_signal_at_any_line_leaves_no_hidden_file(tmp_path: Path, new: bool) -> None:
    """The signal that ends a program is raised once, wherever the program happens to be."""
    for line in range(500):
        out = tmp_path / f"{line}.mp4"
        left = line

        def interrupt(frame: FrameType, event: str, _argument: object) -> Any:
            nonlocal left
            if frame.f_code.co_filename != atomic.__file__:
                return None
            left -= event == "line"
            if left < 0:
                raise KeyboardInterrupt
            return interrupt

        try:
            sys.settrace(interrupt)
            check_folder(tmp_path, out)
            write_bytes(out, b"a film", new=new)
        except KeyboardInterrupt:
            assert hidden(tmp_path) == []
            assert not out.exists() or out.read_bytes() == b"a film"
            out.unlink(missing_ok=True)
        else:
            assert line > 40
            return
        finally:
            sys.settrace(None)
    pytest.fail("it never came to its end")
