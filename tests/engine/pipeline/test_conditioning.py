"""The sound networks beside the frame loop: nothing of a picture depends on the worker but what is recorded of it."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.pipeline.conditioning import ENCODER_STEP
from sonorama.engine.pipeline.frame_pipeline import FramePipeline
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.snapshot import read_state, save_state
from sonorama.engine.plugins.interfaces import Backend
from sonorama.engine.units import SAMPLE_RATE, Array

N = 6 * SAMPLE_RATE
SOUND = (np.random.default_rng(5).standard_normal(N) * 0.2 * (np.arange(N) // 9000 % 3 == 0)).astype(np.float32)
START: dict[str, Value] = {"/look/drift": 0.3, "/sound/auto_gain": True, "/moves/3/source": "lfo"}
CHANGES = {20: [Change("/sound/gain", 9.0, "test")], 31: [Change("/motion/coarse/amount", 0.2, "test")]}
FOR_EVER = 60.0


class Hindered:
    """A backend whose E_a waits for what a test says."""

    def __init__(self, inner: Backend) -> None:
        self._inner = inner
        self.name, self.painters = inner.name, inner.painters
        self.step_rnn, self.map_latent, self.synthesize = inner.step_rnn, inner.map_latent, inner.synthesize
        self.embed_sound = inner.embed_sound
        self.before: Callable[[], object] = lambda: None
        self.threads = set[str]()

    def invert_sound(self, window: Array, code: Array) -> tuple[Array, float]:
        self.threads.add(threading.current_thread().name)
        self.before()
        return self._inner.invert_sound(window, code)


@pytest.fixture(scope="module")
def world(tiny_world: str) -> World:
    return load_world(tiny_world)


@pytest.fixture(scope="module")
def plain(world: World) -> LoadedWorld:
    return LoadedWorld(world, open_backend(world, "cpu"))


@pytest.fixture
def backend(plain: LoadedWorld) -> Hindered:
    return Hindered(plain.backend)


@pytest.fixture
def live(world: World, backend: Hindered) -> Iterator[FramePipeline]:
    instrument = LoadedWorld(world, backend)
    player = FramePipeline(lambda _world, _device: instrument, START)
    yield player
    player.conditioner.close()


def step(player: FramePipeline) -> Array:
    piece = SOUND[player.sample : player.next_sample]
    return player.step(piece, CHANGES.get(player.frame, ())).w


def frames(player: FramePipeline, count: int) -> list[Array]:
    return [step(player) for _ in range(count)]


def live_frames(player: FramePipeline, count: int, patience_s: float) -> list[Array]:
    """As a renderer plays: the worker begins ahead of each frame."""
    codes = []
    for _ in range(count):
        player.conditioner.patience_s = patience_s
        if (point := player.conditioner.next_point) <= player.next_sample:
            player.prepare(SOUND[player.sample : point])
        codes.append(step(player))
    return codes


def again(plain: LoadedWorld, held: dict[int, int]) -> FramePipeline:
    return FramePipeline(lambda _world, _device: plain, START, held=held)


def test_with_networks_in_time_nothing_differs(live: FramePipeline, plain: LoadedWorld, backend: Hindered) -> None:
    """Although the gain changes in the middle, which the worker could not know ahead."""
    codes = live_frames(live, 120, FOR_EVER)
    assert live.conditioner.late == []
    assert backend.threads == {"conditioning"}
    np.testing.assert_array_equal(codes, frames(again(plain, {}), 120))
    assert np.abs(np.diff(codes, axis=0)).max() > 0


def test_frames_do_not_wait_for_networks_that_do_not_answer(
    live: FramePipeline, plain: LoadedWorld, backend: Hindered, tmp_path: Path
) -> None:
    """E_a answers only between frames that a test chooses: all others are played meanwhile, and played again alike."""
    gate, asked = threading.Semaphore(0), threading.Semaphore(0)

    def wait() -> None:
        asked.release()
        assert gate.acquire(timeout=FOR_EVER)

    backend.before = wait
    codes = live_frames(live, 20, 0.0)
    assert live.conditioner.behind == 6
    assert asked.acquire(timeout=FOR_EVER)
    for answered in range(10):
        gate.release()
        assert asked.acquire(timeout=FOR_EVER)  # the next one has begun, so this one is answered
        codes += live_frames(live, 9, 0.0)
        if answered == 4:
            save_state(tmp_path / "state", live)
    gate.release(1000)
    held = dict(live.conditioner.late)
    assert 10 < len(held) <= len(codes) // 3
    assert len(set(held.values())) > 3, "late answers count, too"
    np.testing.assert_array_equal(codes, frames(again(plain, held), len(codes)))
    assert not np.array_equal(codes, frames(again(plain, {}), len(codes)))
    restored = again(plain, held)
    restored.restore(*read_state(tmp_path / "state"))
    at = restored.frame
    np.testing.assert_array_equal(codes[at:], frames(restored, len(codes) - at))


def test_networks_that_take_300_ms_at_the_pace_of_a_show(
    live: FramePipeline, plain: LoadedWorld, backend: Hindered
) -> None:
    """Played in real time: the sound goes on, the picture follows it later, and the take gives the same codes."""
    backend.before = lambda: time.sleep(0.3)
    codes, begun = list[Array](), time.monotonic()
    for frame in range(75):
        time.sleep(max(0.0, begun + frame / 30 - time.monotonic()))
        codes += live_frames(live, 1, 1 / 60)
    held = dict(live.conditioner.late)
    assert len(held) > 12
    assert all(taken < point for point, taken in held.items())
    assert len(set(held.values())) > 2
    np.testing.assert_array_equal(codes, frames(again(plain, held), 75))


def test_another_world_and_a_jump_while_the_worker_is_busy(
    live: FramePipeline, plain: LoadedWorld, backend: Hindered
) -> None:
    card = live.instrument.world.card
    gate = threading.Event()
    backend.before = lambda: gate.wait(FOR_EVER)
    live_frames(live, 10, 0.0)
    assert live.conditioner.behind == 3
    live.conditioner.use(plain.sound_networks, card.num_ws, card.w_dim)
    assert live.conditioner.behind == 0
    straight = again(plain, {})
    frames(straight, 10)
    straight.conditioner.use(plain.sound_networks, card.num_ws, card.w_dim)
    got, expected = (one.conditioner.displacement_at(live.sample)[0] for one in (live, straight))
    np.testing.assert_array_equal(got, expected)
    assert np.abs(got).max() > 0
    gate.set()
    live.jump(100, 20 * ENCODER_STEP)
    assert not live.conditioner.displacement_at(20 * ENCODER_STEP)[0].any()


def test_what_a_backend_raises_is_raised_in_the_frame_loop(live: FramePipeline, backend: Hindered) -> None:
    def fail() -> None:
        raise ZeroDivisionError("of the driver")

    backend.before = fail
    with pytest.raises(ZeroDivisionError, match="of the driver"):
        live_frames(live, 8, FOR_EVER)
