"""`sonorama worlds --prepare`: what a first start would take long for is there afterwards."""

import logging
from pathlib import Path

import pytest

from sonorama.engine.cli.main import main
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.inference.graph_cache import graph_folder
from sonorama.engine.model.world_file import load_world
from sonorama.engine.processors import cores


def test_a_prepared_world_starts_with_nothing_left_to_make(
    tiny_world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SONORAMA_WORLDS", str(Path(tiny_world).parent))
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path / "cache"))
    world = load_world(tiny_world)
    assert not graph_folder(world).exists()
    assert main(["worlds", "--prepare"]) == 0
    made = {path: path.stat().st_mtime_ns for path in graph_folder(world).rglob("*.onnx")}
    assert len(made) == 5
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        open_backend(world, "auto", cores(), painters=1)
    assert not caplog.records
    assert {path: path.stat().st_mtime_ns for path in graph_folder(world).rglob("*.onnx")} == made
