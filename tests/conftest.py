"""A small untrained world of the real format for all tests; tests that need a device are skipped without one."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from .speed import slowness


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Path of the small world; its graphs are cached beside it for this session."""
    from .worlds import write_world  # imports torch, which costs seconds

    folder = tmp_path_factory.mktemp("worlds")
    write_world(folder / "tiny.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SONORAMA_CACHE", str(folder / "cache"))
        yield str(folder / "tiny.safetensors")


@pytest.fixture(scope="session", autouse=True)
def logs_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test writes into the user's own logs."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("logs")
        patch.setenv("SONORAMA_LOGS", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def resumed_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No show of a test leaves anything to resume among the user's."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("shows")
        patch.setenv("SONORAMA_SHOWS", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def no_worlds_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test finds worlds that the user trained, or adds to them."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("own-worlds")
        patch.setenv("SONORAMA_WORLDS", str(folder))
        yield folder


def pytest_collection_finish() -> None:
    """The tests and their modules stay to the end: the collector need not pass over them again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Limits that tests set themselves grow with the slowness of the machine, as the common one does in `.ci/test`."""
    marker = item.get_closest_marker("timeout")
    if marker is not None and marker.args:
        item.add_marker(pytest.mark.timeout(marker.args[0] * slowness()), append=False)


@pytest.hookimpl(trylast=True)  # after -m and -k have thrown tests out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what needs a CUDA device, with the reason, where there is none."""
    needy = [item for item in items if item.get_closest_marker("gpu")]
    if not needy:
        return
    import torch  # only here: it costs seconds

    if torch.cuda.is_available():
        return
    for item in needy:
        item.add_marker(pytest.mark.skip(reason="no CUDA device"))
