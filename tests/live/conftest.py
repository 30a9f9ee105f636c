"""A world whose graphs are made already, and shows that are always ended."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.faults import Faults
from sonorama.engine.model.world_file import save_world
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.renderer.world_loader import WorldLoader

from .memory import Memory
from .stage import LiveShow

LONG = "test_memory_stays_for_two_minutes"
LONG_S = 120.0


@pytest.fixture(scope="session")
def instrument(tiny_world: str) -> LoadedWorld:
    """The tiny world as a renderer opens it; that makes its graphs."""
    return WorldLoader(Faults()).open(tiny_world, "cpu")


@pytest.fixture
def start(tmp_path: Path, tiny_world: str, instrument: LoadedWorld) -> Iterator[Callable[..., LiveShow]]:
    """Starts a show of the tiny world: options of the command line, then `name` and `env` of LiveShow."""
    with ExitStack() as shows:
        yield lambda *options, world=tiny_world, **more: shows.enter_context(
            LiveShow(tmp_path, world, "--device", "cpu", *options, **more)
        )


@pytest.fixture(scope="session")
def other_world(instrument: LoadedWorld, tiny_world: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another one, whose classes have other slots, in a folder of its own as $SONORAMA_WORLDS lists them; its graphs
    are made too.
    """
    path = tmp_path_factory.mktemp("installed") / "other.safetensors"
    dice, world = np.random.default_rng(2), instrument.world
    tensors = dict(world.tensors)
    for name in [one for one in tensors if one.startswith("generator.mapping")]:
        tensors[name] = tensors[name] + dice.normal(0, 0.2, tensors[name].shape).astype(np.float32)
    save_world(path, replace(world.card, name="other", classes=("fire", "rain", "wind")), tensors)
    WorldLoader(Faults()).open(str(path), "cpu")
    return path


@pytest.fixture(scope="session", autouse=True)
def long_show(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    tiny_world: str,
    instrument: LoadedWorld,
) -> Iterator[tuple[LiveShow, Memory] | None]:
    """Plays for two minutes while other tests run, if the one that looks at its memory is among them."""
    if not any(item.name == LONG for item in request.session.items):
        yield None
        return
    folder = tmp_path_factory.mktemp("long")
    with LiveShow(folder, tiny_world, "--device", "cpu", "--source", "tone", "--sink", "null",
                  "--take", str(folder / "a.take")) as show:  # fmt: skip
        memory = Memory(show, LONG_S)
        yield show, memory
        memory.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """That test comes last."""
    items.sort(key=lambda item: item.name == LONG)
