"""Both renderers are used by a show in the same way."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.control.events import ShowEvents
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.errors import SonoramaError
from sonorama.engine.faults import Faults
from sonorama.engine.ipc.channel import Server, connect_to
from sonorama.engine.ipc.frame_map import FrameMap, FrameMapMissing
from sonorama.engine.ipc.shared_paths import inner_name, shared_path
from sonorama.engine.show.plan import RENDERERS, TEST_PATTERN, ShowPlan
from sonorama.engine.show.renderer import Renderer, make_renderer
from sonorama.engine.show.show import Show


def values() -> dict[str, Value]:
    return {path: param.default for path, param in SHOW.items()}


@pytest.fixture(params=RENDERERS)
def renderer(request: pytest.FixtureRequest) -> Iterator[Renderer]:
    plan, faults = ShowPlan(f"paints-{os.getpid()}", renderer=request.param), Faults()
    made = make_renderer(plan, values(), lambda: (0, 0), ShowEvents(faults), faults)
    yield made
    made.close()


def test_a_renderer_that_was_made_does_nothing_yet(renderer: Renderer) -> None:
    assert not renderer.playing
    assert (renderer.restarts, list(renderer.loading), renderer.failed, renderer.peer) == (0, [], None, None)
    assert not shared_path(inner_name(f"paints-{os.getpid()}")).exists()


def test_a_renderer_runs_from_start_to_close_and_leaves_nothing(renderer: Renderer) -> None:
    renderer.start()
    assert renderer.pid > 0
    for _ in range(3):
        renderer.poll()
        renderer.ask([Change("/look/seed", 2, "test")])
    assert renderer.restarts == 0
    renderer.close()
    renderer.close()
    assert not renderer.playing
    assert not shared_path(inner_name(f"paints-{os.getpid()}")).exists()


def test_a_test_pattern_disconnects_a_process_that_joins() -> None:
    plan, faults, server = ShowPlan("paints", renderer=TEST_PATTERN), Faults(), Server()
    pattern = make_renderer(plan, values(), lambda: (0, 0), ShowEvents(faults), faults)
    foreign = connect_to(server.port, server.token, "renderer")
    try:
        end, joined = time.monotonic() + 20.0, False
        while not joined:
            assert time.monotonic() < end
            for role, peer in server.accept():
                pattern.join(peer)
                joined = role == "renderer" and not peer.open
        assert pattern.peer is None
    finally:
        foreign.close()
        server.close()


def test_a_show_of_a_test_pattern_sends_its_pictures_and_follows_the_size(
    tiny_world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path))
    name, size = f"pattern-{os.getpid()}", {"/out/width": 96, "/out/height": 64}
    plan = ShowPlan(name, "silence", tiny_world, size, osc_port=0, osc_out=0, renderer=TEST_PATTERN)
    with Show(plan) as show:
        assert show.wait_for_picture(60.0)
        with FrameMap(name) as seen:
            slot = seen.newest()
            assert slot is not None and slot.pixels.shape == (64, 96, 4)
            assert np.ptp(slot.pixels) > 200
        status = show.report.status()
        assert (status.renderer_pid, status.restarts, status.loading) == (os.getpid(), 0, ())
    with pytest.raises(FrameMapMissing):
        FrameMap.open(name)


def test_there_is_no_take_of_a_test_pattern_and_no_other_renderer(tmp_path: Path) -> None:
    with pytest.raises(SonoramaError, match="no take of it"):
        ShowPlan(renderer=TEST_PATTERN, take=tmp_path / "take")
    with pytest.raises(SonoramaError, match="no renderer easel"):
        ShowPlan(renderer="easel")
