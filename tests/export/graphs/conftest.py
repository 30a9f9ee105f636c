"""A small world, its exported folder, and what the program paints of a sound."""

from pathlib import Path
from typing import Any

import pytest

from sonorama.engine.model.config import FramesConfig
from sonorama.engine.model.stylegan3_config import StyleGAN3Config
from sonorama.engine.model.world_file import World, load_world, save_world
from sonorama.export.graphs.export import export_world

from ...engine.model.stylegan3_networks import untrained
from ...worlds import write_world

STYLEGAN3 = StyleGAN3Config(32, 16, 24, 2, 512, 12, kernel=1, radial=True)


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
def world3(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same with an untrained StyleGAN3 of 32 px, whose pictures have contrast."""
    path = tmp_path_factory.mktemp("world3") / "turning.safetensors"
    options: dict[str, Any] = {"displacements": True, "places": True, "widths": (8, 16), "hidden": 32}
    write_world(path, "turning", generator=STYLEGAN3, **options)
    loaded = load_world(path)
    tensors = dict(loaded.tensors)
    for name, value in untrained(STYLEGAN3).state_dict().items():
        tensors[f"generator.{name}"] = value.numpy().reshape(tensors[f"generator.{name}"].shape)
    save_world(path, loaded.card, tensors)
    return load_world(path)


@pytest.fixture(scope="package")
def folder(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _exported(world, tmp_path_factory.mktemp("export") / "small")


@pytest.fixture(scope="package")
def folder3(world3: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _exported(world3, tmp_path_factory.mktemp("export") / "turning")


def _exported(world: World, out: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:  # other tests compare, in every runtime
        patch.setattr("sonorama.export.graphs.export.compare", lambda *_: [])
        export_world(world, out)
    return out
