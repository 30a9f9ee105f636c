"""A tiny world whose films last 0.8 s."""

import pytest

from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.training.evaluate.conditions import Playback

from ...worlds import write_world


@pytest.fixture(scope="module")
def playback(tmp_path_factory: pytest.TempPathFactory) -> Playback:
    path = tmp_path_factory.mktemp("world") / "tiny.safetensors"
    write_world(path)
    world = load_world(path)
    return Playback(world, open_backend(world, "reference"), 0.8)
