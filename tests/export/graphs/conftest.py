"""A small world, its exported folder, and what the program paints of a sound."""

from pathlib import Path

import pytest

from sonorama.engine.model.config import FramesConfig
from sonorama.engine.model.world_file import World, load_world
from sonorama.export.graphs.export import export_world

from ...worlds import write_world


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A small world with everything that graphs can hold but words."""
    path = tmp_path_factory.mktemp("world") / "small.safetensors"
    frames = FramesConfig((4, 6, 8, 12), 20)
    write_world(
        path,
        "small",
        names=("a bell", "speech"),
        displacements=True,
        places=True,
        frames=frames,
        widths=(8, 16),
        hidden=32,
    )
    return load_world(path)


@pytest.fixture(scope="package")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("export") / "small"
    with pytest.MonkeyPatch.context() as patch:  # other tests compare, in every runtime
        patch.setattr("sonorama.export.graphs.export.compare", lambda *_: [])
        export_world(world, out)
    return out
