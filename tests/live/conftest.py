"""A world whose graphs are made already, and shows that are always ended."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.faults import Faults
from sonorama.engine.instrument import Instrument
from sonorama.engine.model.weights import save_world
from sonorama.engine.renderer.loader import Loader

from .stage import LiveShow


@pytest.fixture(scope="session")
def instrument(tiny_world: str) -> Instrument:
    """The tiny world as a renderer opens it; that makes its graphs."""
    return Loader(Faults()).open(tiny_world, "cpu")


@pytest.fixture
def start(tmp_path: Path, tiny_world: str, instrument: Instrument) -> Iterator[Callable[..., LiveShow]]:
    """Starts a show of the tiny world: options of the command line, then `name` and `env` of LiveShow."""
    with ExitStack() as shows:
        yield lambda *options, world=tiny_world, **more: shows.enter_context(
            LiveShow(tmp_path, world, "--device", "cpu", *options, **more)
        )


@pytest.fixture(scope="session")
def other_world(instrument: Instrument, tiny_world: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another one, in a folder of its own as $SONORAMA_WORLDS lists them; its graphs are made too."""
    path = tmp_path_factory.mktemp("installed") / "other.safetensors"
    dice, world = np.random.default_rng(2), instrument.world
    tensors = dict(world.tensors)
    for name in [one for one in tensors if one.startswith("generator.mapping")]:
        tensors[name] = tensors[name] + dice.normal(0, 0.2, tensors[name].shape).astype(np.float32)
    save_world(path, replace(world.card, name="other"), tensors)
    Loader(Faults()).open(str(path), "cpu")
    return path
