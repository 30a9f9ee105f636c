"""Files between processes: whose they are, who may read them, and which process a number stands for."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonorama.engine.audio.sample_ring import RingMissing, RingTaken, SampleRing, SampleRingWriter, ring_path
from sonorama.engine.ipc import shared_paths
from sonorama.engine.ipc.frame_map import FrameMap, FrameMapMissing, FrameMapTaken, FrameMapWriter
from sonorama.engine.ipc.shared_paths import (
    UnsafePath,
    create_private,
    open_private,
    process_lives,
    process_started,
    read_private,
    runtime_folder,
    shared_path,
    write_private,
)

posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")
as_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files to other users")
NOBODY = 65534


@pytest.fixture
def no_runtime_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A temporary folder as all users share it, and XDG_RUNTIME_DIR that cannot be written."""
    tmp_path.chmod(0o1777)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "nothing"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder that stands for shared memory."""
    monkeypatch.setattr(shared_paths, "shared_folder", lambda: tmp_path)
    return tmp_path


def mode(path: Path) -> int:
    return path.lstat().st_mode & 0o7777


@posix
def test_each_user_has_a_runtime_folder_of_his_own(no_runtime_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = runtime_folder()
    assert folder == no_runtime_dir / f"sonorama-{os.getuid()}"
    assert mode(folder) == 0o700
    given = no_runtime_dir / "run"
    given.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(given))
    assert runtime_folder() == given / f"sonorama-{os.getuid()}"


@posix
@pytest.mark.parametrize("wide", [0o777, 0o755, 0o1777])
def test_a_runtime_folder_that_others_may_enter_is_narrowed(no_runtime_dir: Path, wide: int) -> None:
    made = no_runtime_dir / f"sonorama-{os.getuid()}"
    made.mkdir()
    made.chmod(wide)
    assert runtime_folder() == made
    assert mode(made) == 0o700


@posix
def test_a_link_in_place_of_the_runtime_folder_is_refused(no_runtime_dir: Path) -> None:
    trap = no_runtime_dir / "trap"
    trap.mkdir()
    (no_runtime_dir / f"sonorama-{os.getuid()}").symlink_to(trap)
    with pytest.raises(UnsafePath, match="a link"):
        runtime_folder()
    assert not list(trap.iterdir())


@as_root
def test_the_runtime_folder_of_another_user_is_refused(no_runtime_dir: Path) -> None:
    made = no_runtime_dir / f"sonorama-{os.getuid()}"
    made.mkdir(mode=0o777)
    os.chown(made, NOBODY, NOBODY)
    with pytest.raises(UnsafePath, match=r"another user .(nobody|number 65534)"):
        runtime_folder()


@posix
def test_a_file_is_made_new_and_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        os.close(create_private(tmp_path / "one"))
        write_private(tmp_path / "two", b"2")
        write_private(tmp_path / "two", b"3")
    finally:
        os.umask(before)
    assert (mode(tmp_path / "one"), mode(tmp_path / "two")) == (0o600, 0o600)
    assert read_private(tmp_path / "two") == b"3"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


@posix
def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    link = tmp_path / "link"
    link.symlink_to("precious")
    with pytest.raises(FileExistsError):
        create_private(link)
    for writable in (False, True):
        with pytest.raises(UnsafePath, match="a link"):
            open_private(link, writable)
    write_private(link, b"new")
    assert ((tmp_path / "precious").read_text(), link.is_symlink(), link.read_bytes()) == ("mine", False, b"new")


@posix
def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for writable in (False, True):
        with pytest.raises(UnsafePath, match="of another kind"):
            open_private(tmp_path / "fifo", writable)
    with pytest.raises(UnsafePath, match="of another kind"):
        open_private(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_private(tmp_path / "nothing")


@as_root
def test_a_map_and_a_ring_of_another_user_are_neither_read_nor_taken_over(here: Path) -> None:
    FrameMapWriter("planted", 16, 16)  # left as by a dead process
    SampleRingWriter("planted", 1.0)
    for path in (shared_path("planted"), ring_path("planted")):
        assert mode(path) == 0o600
        os.chown(path, NOBODY, NOBODY)
    with pytest.raises(FrameMapMissing, match="another user"):
        FrameMap.open("planted")
    with pytest.raises(FrameMapTaken, match="another user"):
        FrameMapWriter("planted", 16, 16)
    with pytest.raises(RingMissing, match="another user"):
        SampleRing("planted")
    with pytest.raises(RingTaken, match="another user"):
        SampleRingWriter("planted", 1.0)


@posix
def test_links_in_the_shared_folder_are_not_followed(here: Path) -> None:
    """Neither where the file itself lies nor where its part file did once, which anybody could foretell."""
    target = here / "target"
    target.write_bytes(b"x" * 10_000)
    for name in (f"sonorama-show.{os.getpid()}.part", f"sonorama-show.samples.{os.getpid()}.part"):
        (here / name).symlink_to(target)
    with FrameMapWriter("show", 16, 16), SampleRingWriter("show", 1.0):
        pass
    shared_path("show").symlink_to(target)
    with pytest.raises(FrameMapTaken, match="a link"):
        FrameMapWriter("show", 16, 16)
    assert target.read_bytes() == b"x" * 10_000


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()


def test_which_process_a_number_stands_for(child: subprocess.Popen[bytes]) -> None:
    started = process_started(child.pid)
    assert started >= process_started(os.getpid()) > 0
    assert process_lives(child.pid)
    assert process_lives(child.pid, started)
    assert not process_lives(child.pid, started - 60), "its number was another process's then"
    child.kill()
    child.wait()
    assert not process_lives(child.pid, started)
    assert process_started(child.pid) == 0
    assert not any(process_lives(pid) for pid in (0, -1, 2**31 - 1, 2**40))


@posix
def test_a_zombie_does_not_live(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    waited = threading.Event()
    for _ in range(1000):
        if not process_lives(child.pid):
            break
        waited.wait(0.02)
    assert child.returncode is None, "nobody has waited for it"
    assert not process_lives(child.pid)


def test_a_map_of_a_process_whose_number_is_used_again_is_taken_over(here: Path) -> None:
    first = FrameMapWriter("show", 16, 16)
    with pytest.raises(FrameMapTaken, match="has a frame map show already"):
        FrameMapWriter("show", 16, 16)
    assert first._map.started == pytest.approx(process_started(os.getpid()), abs=1)
    first._map.header["owner_started"] -= 3600  # this process's number was another's an hour ago
    with FrameMapWriter("show", 16, 16) as second:
        assert second.generation == first.generation + 2 or second.generation == 2
