"""What belongs to another user is said to; and which shows there are, to whoever names a wrong one."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonorama.engine.audio.sample_ring import RingTaken, SampleRingWriter
from sonorama.engine.errors import SonoramaError
from sonorama.engine.ipc.channel import Server, read_session, running_shows
from sonorama.engine.ipc.frame_map import FrameMap, FrameMapMissing, FrameMapTaken, FrameMapWriter
from sonorama.engine.ipc.shared_paths import other_user, shared_path

NOBODY = 65_534


@pytest.fixture
def taken() -> Iterator[str]:
    """The name of a show of another user, as far as files tell."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can make files of another user")
    name = f"other-{os.getpid()}-{secrets.token_hex(4)}"
    paths = [shared_path(name), shared_path(f"{name}.samples")]
    for path in paths:
        path.write_bytes(b"x" * 8192)
        os.chown(path, NOBODY, NOBODY)
    yield name
    for path in paths:
        path.unlink()


def test_a_show_of_another_user_is_called_that(taken: str) -> None:
    with pytest.raises(RingTaken, match=f"The show {taken} is of another user \\(nobody\\)"):
        SampleRingWriter(taken, 1.0)
    with pytest.raises(FrameMapTaken, match="is of another user \\(nobody\\)"):
        FrameMapWriter(taken, 16, 16)
    with pytest.raises(FrameMapMissing, match="is of another user \\(nobody\\)"):
        FrameMap.open(taken)
    with pytest.raises(SonoramaError, match=f"The show {taken} is of another user"):
        read_session(taken)


def test_own_files_have_no_other_user(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("")
    assert other_user(tmp_path / "own") == other_user(tmp_path / "missing") == ""


def test_a_wrong_name_gets_those_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(SonoramaError) as caught:
        read_session("fryday")
    assert caught.value.hint == "Start it with: sonorama live --name fryday"
    servers = [Server(), Server()]
    for server, name in zip(servers, ("saturday", "friday"), strict=True):
        server.announce(name, {})
    (tmp_path / f"sonorama-{os.getuid()}" / "dead.json").write_text('{"pid": 0}')
    assert running_shows() == ["friday", "saturday"]
    with pytest.raises(SonoramaError, match="No show called fryday is running") as caught:
        read_session("fryday")
    assert caught.value.hint == "These are: friday, saturday"
    for server in servers:
        server.close()
    assert running_shows() == []
