"""The picture sways while there is sound: by the sound, at every frame rate alike, and at rest in silence."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from sonorama.engine.control.addresses import motion
from sonorama.engine.control.events import Change
from sonorama.engine.control.live_table import MODULATORS, SHOW
from sonorama.engine.control.parameters import Value
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.frame_pipeline import FramePipeline
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.units import LEVELS, SAMPLE_RATE, Array

Open = Callable[[str, str], LoadedWorld]
STILL: dict[str, Value] = {"/look/travel": 0.0, **{motion(level, "amount"): 0.0 for level in LEVELS}}
STILL |= {f"/moves/{number}/source": "off" for number in range(1, MODULATORS + 1)}
"""Nothing but the sway moves the picture."""
NOISE = (np.random.default_rng(1).standard_normal(20 * SAMPLE_RATE) * 0.1).astype(np.float32)


@pytest.fixture(scope="module")
def open_tiny(tiny_world: str) -> Open:
    world = load_world(tiny_world)
    loaded = LoadedWorld(world, open_backend(world, "cpu"))
    return lambda _world, _device: loaded


def played(open_tiny: Open, sound: Array, fps: int = 10, **values: Value) -> Array:
    """Style codes of every frame of a sound."""
    pipeline = FramePipeline(open_tiny, STILL | {f"/look/{name}": v for name, v in values.items()}, Fraction(fps))
    return np.stack(play(pipeline, sound))


def play(pipeline: FramePipeline, sound: Array, changes: tuple[Change, ...] = ()) -> list[Array]:
    codes = list[Array]()
    while pipeline.next_sample <= len(sound):
        codes.append(pipeline.step(sound[pipeline.sample : pipeline.next_sample], changes).w)
        changes = ()
    return codes


def speed(codes: Array) -> float:
    return float(np.sqrt(np.square(np.diff(codes, axis=0)).mean()))


def test_silence_and_zero_stand_to_the_bit(open_tiny: Open) -> None:
    for codes in (played(open_tiny, 0 * NOISE[: 2 * SAMPLE_RATE]), played(open_tiny, NOISE[:SAMPLE_RATE], sway=0.0)):
        np.testing.assert_array_equal(codes, codes[:1].repeat(len(codes), 0))


def test_a_steady_sound_moves_it_for_as_long_as_it_lasts_and_a_loud_one_faster(open_tiny: Open) -> None:
    soft, loud = (played(open_tiny, gain * NOISE[: 8 * SAMPLE_RATE]) for gain in (0.1, 3.0))
    for codes in (soft, loud):
        first, last = speed(codes[20:50]), speed(codes[50:])
        assert last > 0.3 * first > 0
    assert speed(loud[20:]) > 1.5 * speed(soft[20:])


def test_it_stays_about_its_place(open_tiny: Open) -> None:
    axes = open_tiny("", "").axes
    assert axes is not None
    codes = played(open_tiny, NOISE)
    away = codes - played(open_tiny, 0 * NOISE[:SAMPLE_RATE])[:1]
    assert np.abs(away).max() <= 0.4 * np.abs(axes[:6]).sum(0).max() * 1.001
    wide = played(open_tiny, NOISE, sway=0.8) - codes[:1]
    np.testing.assert_allclose(wide, 2 * away, atol=1e-5)


def test_a_hit_in_silence_shows_in_its_frame_and_fades(open_tiny: Open) -> None:
    sound = 0 * NOISE[: 16 * SAMPLE_RATE]
    sound[2 * SAMPLE_RATE : 2 * SAMPLE_RATE + 441] = 0.5
    moved = np.abs(played(open_tiny, sound, fps=30) - played(open_tiny, 0 * sound[:SAMPLE_RATE])[:1]).max((1, 2))
    assert moved[:60].max() == 0 < moved[62]
    assert moved[60:75].max() > 0.02
    assert moved[-1] < 0.05 * moved.max()


def test_every_frame_rate_shows_the_same(open_tiny: Open) -> None:
    slow, fast = (played(open_tiny, NOISE[: 4 * SAMPLE_RATE], fps=fps) for fps in (10, 60))
    np.testing.assert_allclose(slow, fast[::6], atol=1e-5)


def test_a_muted_level_stands_and_goes_on(open_tiny: Open) -> None:
    pipeline = FramePipeline(open_tiny, STILL, Fraction(10))
    coarse = open_tiny("", "").space.levels["coarse"]
    fine = open_tiny("", "").space.levels["fine"]
    play(pipeline, NOISE[: 3 * SAMPLE_RATE])
    muted = np.stack(play(pipeline, NOISE[: 6 * SAMPLE_RATE], (Change("/motion/coarse/mute", True, "test"),)))[1:]
    np.testing.assert_array_equal(muted[:, coarse], muted[:1, coarse].repeat(len(muted), 0))
    assert speed(muted[:, fine]) > 0
    free = np.stack(play(pipeline, NOISE[: 8 * SAMPLE_RATE], (Change("/motion/coarse/mute", False, "test"),)))
    assert speed(free[:, coarse]) > 0
    assert np.abs(free[0, coarse] - muted[-1, coarse]).max() < 3 * np.abs(np.diff(free[:, coarse], axis=0)).max()


def test_a_snapshot_goes_on_to_the_bit_and_one_from_before_it_rests(open_tiny: Open) -> None:
    first = FramePipeline(open_tiny, STILL, Fraction(10))
    play(first, NOISE[: 3 * SAMPLE_RATE])
    arrays, state = first.snapshot()
    again, older = FramePipeline(open_tiny, STILL, Fraction(10)), FramePipeline(open_tiny, STILL, Fraction(10))
    again.restore(arrays, state)
    older.restore(arrays, state | {"base": {k: v for k, v in state["base"].items() if k != "sway"}})
    wanted = play(first, NOISE[: 5 * SAMPLE_RATE])
    np.testing.assert_array_equal(play(again, NOISE[: 5 * SAMPLE_RATE]), wanted)
    assert len(play(older, NOISE[: 5 * SAMPLE_RATE])) == len(wanted)


def test_a_take_from_before_it_does_not_sway() -> None:
    assert SHOW["/look/sway"].earlier == 0.0
    assert SHOW["/look/sway"].default == 0.4
