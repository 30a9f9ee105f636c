"""A cache is never a must: graphs are found, made elsewhere, or their lack is said."""

import logging
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.errors import OutputError, SonoramaError
from sonorama.engine.inference.backend import graphs_missing, open_backend
from sonorama.engine.inference.graph_cache import found_graphs, graph_folder, ready_graphs, spare_cache, told_spare
from sonorama.engine.model.world_file import World, load_world


@pytest.fixture(scope="module")
def world(tiny_world: str) -> World:
    return load_world(tiny_world)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of its own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that nobody can make, root included: a file is in its way."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path / "file" / "cache"))
    return tmp_path / "file" / "cache"


def test_without_a_cache_folder_a_temporary_one_does(
    world: World,
    temporary: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache = closed(tmp_path, monkeypatch)
    assert found_graphs(world) is None
    assert graphs_missing(world, "cpu")
    with caplog.at_level(logging.WARNING):
        backend = open_backend(world, "cpu")
    assert np.isfinite(backend.synthesize(np.zeros((world.card.num_ws, world.card.w_dim), np.float32))).all()
    (line,) = [one.getMessage() for one in caplog.records if one.name.startswith("sonorama")]
    assert str(cache) in line
    assert str(temporary) in line
    assert str(temporary) in told_spare(world)
    folder = found_graphs(world)
    assert folder is not None
    assert folder.is_relative_to(temporary)
    assert folder.parents[1].stat().st_mode & 0o777 == 0o700
    assert ready_graphs(world) == folder
    assert not graphs_missing(world, "cpu")


def test_a_cache_that_can_be_written_again_is_used(
    world: World, temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = closed(tmp_path, monkeypatch)
    spare = ready_graphs(world)
    (tmp_path / "file").unlink()
    assert ready_graphs(world) == found_graphs(world) == graph_folder(world)
    assert graph_folder(world).is_relative_to(cache)
    assert not told_spare(world)
    assert [path.name for path in graph_folder(world).parent.iterdir()] == [graph_folder(world).name]
    for path in spare.rglob("*.onnx"):
        assert (graph_folder(world) / path.relative_to(spare)).read_bytes() == path.read_bytes()


def test_where_nothing_can_be_written_it_is_said(
    world: World, temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed(tmp_path, monkeypatch)
    (spare_cache() / "graphs").write_text("in the way")
    with pytest.raises(OutputError, match="graphs of world tiny cannot be written"):
        ready_graphs(world)
    shutil.rmtree(spare_cache())
    (temporary / f"sonorama-cache-{os.getuid()}").symlink_to(tmp_path)
    with pytest.raises(SonoramaError, match="cannot be trusted"):
        ready_graphs(world)


READ_ONLY = """
import sys
import numpy as np
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
world = load_world(sys.argv[1])
backend = open_backend(world, "cpu")
print(backend.synthesize(np.zeros((world.card.num_ws, world.card.w_dim), np.float32)).shape)
"""


def test_graphs_that_are_ready_play_from_where_they_are(world: World, tiny_world: str, tmp_path: Path) -> None:
    """In a folder that this user cannot write, such as one for all users of a machine."""
    shutil.copytree(ready_graphs(world), tmp_path / "cache" / "graphs" / graph_folder(world).name, symlinks=True)
    graphs = tmp_path / "cache" / "graphs" / graph_folder(world).name
    shutil.rmtree(graphs / "openvino", ignore_errors=True)
    (tmp_path / "temporary").mkdir()
    for folder in (graphs, graphs.parent, graphs.parent.parent):
        folder.chmod(0o555)
    command = [*without_root(), sys.executable, "-c", READ_ONLY, tiny_world]
    own = {**os.environ, "SONORAMA_CACHE": str(tmp_path / "cache"), "TMPDIR": str(tmp_path / "temporary")}
    done = subprocess.run(command, env=own, capture_output=True, text=True)
    for folder in (graphs, graphs.parent, graphs.parent.parent):
        folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert "cannot be written" not in done.stderr
    assert not (graphs / "openvino").exists()
    assert not list((tmp_path / "temporary").rglob("*.onnx"))


def without_root() -> list[str]:
    """The start of a command line that takes the right to write anywhere from root."""
    if os.geteuid() != 0:
        return []
    taken = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    if shutil.which("setpriv") is None or subprocess.run([*taken, "true"], capture_output=True).returncode != 0:
        pytest.skip("root writes anywhere here")
    return taken
