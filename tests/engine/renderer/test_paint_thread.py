"""The paint thread: what is painted when style codes come faster than pictures, with and without painting ahead."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.audio.features import Features
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.faults import Faults
from sonorama.engine.inference import cuda_graphs
from sonorama.engine.inference.cuda_backend import CudaBackend
from sonorama.engine.ipc.frame_map import FrameMap
from sonorama.engine.ipc.frame_map_layout import FrameMapMissing
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.picture.to_rgba8 import rgba8
from sonorama.engine.pipeline.frame_pipeline import FrameResult
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.plugins.interfaces import Backend
from sonorama.engine.renderer.paint_thread import FEWEST, PaintThread
from sonorama.engine.units import Array, Pixels

from ...gpu.gpu_checks import fake_cuda
from ...rounding_backend import RoundingBackend

PATIENCE_S = 60.0


class Slow(RoundingBackend):
    """Paints while it is let, one picture for each `go`. order: what happened, by the number in the codes."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.order: list[tuple[str, int]] = []
        self.go = threading.Semaphore(0)
        self.fails: set[int] = set()

    def synthesize(self, ws: Array) -> Array:
        number = int(ws[0, 0])
        self.order.append(("paint", number))
        assert self.go.acquire(timeout=PATIENCE_S)
        self.order.append(("painted", number))
        if number in self.fails:
            raise RuntimeError("of the device")
        return super().synthesize(ws)


class Ahead(Slow):
    """The same, but a picture is only begun, and waited for when it is taken."""

    def begin_pixels(self, ws: Array) -> Callable[[], Pixels]:
        self.order.append(("begin", int(ws[0, 0])))
        return lambda: rgba8(self.synthesize(ws))


@pytest.fixture(scope="module")
def world(tiny_world: str) -> World:
    return load_world(tiny_world)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return f"paint-{os.getpid()}-{abs(hash(request.node.name)) % 10**6}"


@pytest.fixture
def painter(name: str, faults: Faults) -> Iterator[PaintThread]:
    made = PaintThread(name, faults)
    yield made
    made.close()


def frame(world: World, backend: Backend, number: int) -> FrameResult:
    w = np.zeros((world.card.num_ws, world.card.w_dim), np.float32)
    w[0, 0] = number
    values = {path: param.default for path, param in SHOW.items()}
    return FrameResult(
        number, number * 1470, w, values, Features(0, 0, 0, 0, 0, 0, 0, -100), LoadedWorld(world, backend)
    )


def wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def newest(name: str) -> tuple[int, Pixels]:
    """The newest frame in the map, and its picture; -1 while there is none."""
    with contextlib.suppress(FrameMapMissing), FrameMap.open(name) as frames:
        slot = frames.newest()
        if slot is not None:
            return slot.frame, slot.pixels
    return -1, np.zeros((0, 0, 4), np.uint8)


def published(name: str) -> int:
    return newest(name)[0]


def test_only_the_newest_codes_are_painted(world: World, painter: PaintThread, name: str) -> None:
    backend = Slow(world)
    painter.offer(frame(world, backend, 1), 0)
    wait(lambda: backend.order == [("paint", 1)])
    for number in (2, 3, 4):
        painter.offer(frame(world, backend, number), 0)
    backend.go.release(2)
    wait(lambda: ("painted", 4) in backend.order)
    assert backend.order == [("paint", 1), ("painted", 1), ("paint", 4), ("painted", 4)]
    assert painter.replaced == 2
    wait(lambda: published(name) == 4)


def test_a_picture_is_begun_while_the_one_before_is_on_its_way(world: World, painter: PaintThread, name: str) -> None:
    backend = Ahead(world)
    painter.offer(frame(world, backend, 1), 0)
    wait(lambda: ("paint", 1) in backend.order)
    painter.offer(frame(world, backend, 2), 0)
    backend.go.release()
    wait(lambda: ("paint", 2) in backend.order)
    painter.offer(frame(world, backend, 3), 0)
    backend.go.release(2)
    wait(lambda: published(name) == 3)
    assert backend.order[:3] == [("begin", 1), ("paint", 1), ("painted", 1)]  # nothing waited: it is not held back
    assert [one for one in backend.order if one[0] == "painted"] == [("painted", 1), ("painted", 2), ("painted", 3)]


def test_codes_that_wait_are_begun_before_the_picture_is_taken(
    world: World, painter: PaintThread, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Ahead(world)
    begin, held = backend.begin_pixels, threading.Event()

    def slow_begin(ws: Array) -> Callable[[], Pixels]:
        made = begin(ws)
        assert held.wait(PATIENCE_S)
        return made

    monkeypatch.setattr(backend, "begin_pixels", slow_begin)
    painter.offer(frame(world, backend, 1), 0)
    wait(lambda: backend.order == [("begin", 1)])
    painter.offer(frame(world, backend, 2), 0)
    held.set()
    backend.go.release(2)
    wait(lambda: published(name) == 2)
    assert backend.order == [
        ("begin", 1), ("begin", 2), ("paint", 1), ("painted", 1), ("paint", 2), ("painted", 2),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [Slow, Ahead])
def test_a_picture_that_fails_is_told_and_the_next_one_painted(
    world: World, painter: PaintThread, faults: Faults, name: str, kind: type[Slow]
) -> None:
    backend = kind(world)
    backend.fails = {1}
    backend.go.release(3)
    painter.offer(frame(world, backend, 1), 0)
    wait(lambda: bool(faults.recent()))
    assert faults.recent() == ["A picture could not be painted: RuntimeError: of the device"]
    painter.offer(frame(world, backend, 2), 0)
    wait(lambda: ("painted", 2) in backend.order)
    wait(lambda: published(name) == 2)


def test_pictures_stay_in_order_when_another_backend_follows(world: World, painter: PaintThread, name: str) -> None:
    ahead, plain = Ahead(world), Slow(world)
    painter.offer(frame(world, ahead, 1), 0)
    wait(lambda: ("paint", 1) in ahead.order)
    painter.offer(frame(world, plain, 2), 0)
    time.sleep(0.05)
    assert plain.order == []
    plain.go.release()
    ahead.go.release()
    wait(lambda: published(name) == 2)


def test_the_slow_ones_are_told_for_each_backend_alone(world: World, painter: PaintThread) -> None:
    for backend in (RoundingBackend(world), RoundingBackend(world)):
        loaded = LoadedWorld(world, backend)
        for number in range(FEWEST):
            painter.offer(replace(frame(world, backend, number), instrument=loaded), 0)
            wait(lambda number=number: len(painter._seconds) == number + 1)
            assert (painter.slow_ms > 0) == (number + 1 >= FEWEST)
        assert painter.slow_ms >= painter.paint_ms > 0


def test_slow_is_what_95_in_100_of_the_last_120_took_at_most(painter: PaintThread) -> None:
    painter._seconds.extend([9.0, *(number / 1000 for number in range(1, 121))])  # the first one is forgotten
    assert painter.slow_ms == pytest.approx(115.0)
    assert painter.paint_ms == pytest.approx(89.0)  # of the last 64: 57 to 120


def test_pictures_of_captured_graphs_are_published_to_the_bit(
    world: World, painter: PaintThread, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SONORAMA_CACHE", str(tmp_path))
    monkeypatch.setattr(cuda_graphs, "RUNS", 1)
    fake_cuda.install(monkeypatch, lambda number: number % 2 == 1)
    backend = CudaBackend(world, 1, "cpu")
    steps = [frame(world, backend, number) for number in range(4)]
    for step in steps:
        painter.offer(step, 0)
    wait(lambda: published(name) == 3)
    np.testing.assert_array_equal(newest(name)[1], rgba8(backend.synthesize(steps[3].w)))
