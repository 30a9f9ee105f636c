"""When a file of a watched folder is whole."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sonorama.export.queue.whole_files import UNFINISHED, WholeFiles, is_sound_name, open_for_writing, signature


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def names(files: WholeFiles) -> list[str]:
    return [path.name for path, _ in files.look()]


def test_a_file_is_whole_when_it_has_rested(tmp_path: Path, clock: Clock) -> None:
    files = WholeFiles(tmp_path, 2.0, clock)
    (tmp_path / "rain.wav").write_bytes(b"a")
    assert names(files) == []
    clock.now += 1.9
    (tmp_path / "rain.wav").write_bytes(b"ab")  # it grows
    assert names(files) == []
    clock.now += 1.9
    assert names(files) == []
    os.utime(tmp_path / "rain.wav", ns=(5, 5))  # only its time changes, as at the end of a copy
    assert names(files) == []
    clock.now += 2.0
    assert names(files) == ["rain.wav"]
    path, found = files.look()[0]
    files.handled(path, found)
    assert names(files) == [] and files.waiting() == []
    path.write_bytes(b"another one")  # exported again under its name
    assert names(files) == []
    clock.now += 2.0
    assert names(files) == ["rain.wav"]


def test_a_file_that_takes_the_place_of_another_is_new(tmp_path: Path, clock: Clock) -> None:
    files = WholeFiles(tmp_path, 0.0, clock)
    (tmp_path / "a.wav").write_bytes(b"one")
    (found,) = files.look()
    files.handled(*found)
    (tmp_path / "b").write_bytes(b"two")
    os.utime(tmp_path / "b", ns=(found[1].changed, found[1].changed))
    (tmp_path / "b").replace(tmp_path / "a.wav")
    assert names(files) == ["a.wav"]


def test_the_oldest_first(tmp_path: Path, clock: Clock) -> None:
    for age, name in enumerate(("c.wav", "a.wav", "b.wav")):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, ns=(age, age))
    assert names(WholeFiles(tmp_path, 0.0, clock)) == ["c.wav", "a.wav", "b.wav"]


def test_what_is_never_whole(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "gone.wav").symlink_to("nowhere")
    (tmp_path / "fox.wav").write_bytes(b"preallocated")
    (tmp_path / "fox.wav.aria2").write_bytes(b"x")
    files = WholeFiles(tmp_path, 0.0, clock)
    assert names(files) == []
    assert [path.name for path, _ in files.waiting()] == ["empty.wav"]
    (tmp_path / "fox.wav.aria2").unlink()
    assert names(files) == ["fox.wav"]


@pytest.mark.parametrize("name", [".rain.wav.Xh2", "~rain.wav", "rain.wav~", "rain.wav.asd", "Rain.WAV.PART"])
def test_names_that_are_no_sounds(name: str) -> None:
    assert not is_sound_name(name)


def test_names_of_sounds() -> None:
    assert not any(is_sound_name(f"rain.wav{suffix}") for suffix in UNFINISHED)
    assert all(map(is_sound_name, ("rain.wav", "Regen.MP3", "no suffix", "a.part.wav")))


@pytest.mark.skipif(sys.platform != "linux", reason="only /proc tells who has a file open")
def test_a_file_that_another_process_writes_is_not_whole(tmp_path: Path, clock: Clock) -> None:
    path, other = tmp_path / "rain.wav", tmp_path / "read.wav"
    path.write_bytes(b"x")
    other.write_bytes(b"x")
    hold = "import sys; a = open(sys.argv[1], 'r+b'); b = open(sys.argv[2], 'rb'); print('open', flush=True); input()"
    command = [sys.executable, "-c", hold, str(path), str(other)]
    files = WholeFiles(tmp_path, 0.0, clock)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert open_for_writing([path, other]) == {path}  # reading does no harm
        link = tmp_path / "link"
        link.symlink_to(path)
        assert open_for_writing([link]) == {link}
        link.unlink()
        assert names(files) == ["read.wav"]
        process.communicate("\n")
    assert names(files) == ["rain.wav", "read.wav"]
    assert open_for_writing([path, other, tmp_path / "missing"]) == set()


def test_a_signature_is_of_what_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert signature(tmp_path / "b") == signature(tmp_path / "a")
    assert signature(tmp_path / "a").size == 3
