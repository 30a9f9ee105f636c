"""A world whose graphs are made already, and shows that are always ended."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sonorama.engine.faults import Faults
from sonorama.engine.instrument import Instrument
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
