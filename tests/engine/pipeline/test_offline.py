"""From samples to frames, with a small untrained world of the real format."""

from fractions import Fraction

import numpy as np
import pytest

from sonorama.engine.control.render_table import TABLE
from sonorama.engine.inference.backend import Backend, open_backend
from sonorama.engine.model.mel import ENCODER_COLUMNS, SOUND_COLUMNS, last_columns, log_mel
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.pipeline.conditioning import ENCODER_STEP, SoundConditioner
from sonorama.engine.pipeline.conditioning_worker import SoundNetworks
from sonorama.engine.pipeline.offline import OfflineRender
from sonorama.engine.units import LEVELS, SAMPLE_RATE

SOUND = (np.random.default_rng(0).standard_normal(3 * SAMPLE_RATE) * 0.1).astype(np.float32)
OTHER = (np.sin(np.arange(3 * SAMPLE_RATE) / 9) * 0.3).astype(np.float32)


@pytest.fixture(scope="module")
def world(tiny_world: str) -> World:
    return load_world(tiny_world)


@pytest.fixture(scope="module")
def backend(world: World) -> Backend:
    return open_backend(world, "cpu")


def perform(world: World, backend: Backend, fps: Fraction = Fraction(15), **changes: float) -> OfflineRender:
    values: dict[str, object] = {path: p.default for path, p in TABLE.items()}
    return OfflineRender(world, values | {f"/{k.replace('__', '/')}": v for k, v in changes.items()}, fps, backend)


def chunks(sound: np.ndarray, seed: int) -> list[np.ndarray]:
    cuts = np.sort(np.random.default_rng(seed).integers(0, len(sound), 40))
    return np.split(sound, cuts)


@pytest.mark.parametrize("seed", range(3))
def test_streamed_latents_equal_batch(world: World, backend: Backend, seed: int) -> None:
    whole = np.stack([*perform(world, backend).codes([SOUND], 45)])
    streamed = np.stack([*perform(world, backend).codes(chunks(SOUND, seed), 45)])
    np.testing.assert_array_equal(streamed, whole)  # to the bit: a take is cut otherwise when it is replayed
    assert np.abs(np.diff(whole, axis=0)).max() > 0


def test_reference_and_onnx_runtime_agree(world: World, backend: Backend) -> None:
    reference = open_backend(world, "reference")
    theirs = [*perform(world, reference).codes([SOUND], 20)]
    ours = [*perform(world, backend).codes([SOUND], 20)]
    assert np.abs(np.stack(theirs) - np.stack(ours)).max() < 1e-3
    assert np.abs(reference.synthesize(ours[-1]) - backend.synthesize(ours[-1])).max() < 1e-4


def test_muted_levels_make_the_same_film_of_every_sound(world: World, backend: Backend) -> None:
    muted = {f"motion__{level}__mute": True for level in LEVELS}
    films = [[*perform(world, backend, Fraction(15), **muted).frames([s], 10)] for s in (SOUND, OTHER, SOUND * 0)]
    assert np.array_equal(films[0], films[1])
    assert np.array_equal(films[0], films[2])
    free = [[*perform(world, backend).frames([s], 10)] for s in (SOUND, OTHER)]
    assert not np.array_equal(free[0], free[1])


def test_silence_rests(world: World, backend: Backend) -> None:
    frames = [*perform(world, backend, look__travel=0.0).frames([np.zeros(SAMPLE_RATE, np.float32)], 15)]
    assert all(np.array_equal(f, frames[0]) for f in frames)


def test_the_film_is_causal(world: World, backend: Backend) -> None:
    changed = SOUND.copy()
    changed[SAMPLE_RATE:] = OTHER[SAMPLE_RATE:]
    a = np.stack([*perform(world, backend).codes([SOUND], 30)])
    b = np.stack([*perform(world, backend).codes([changed], 30)])
    assert np.array_equal(a[:16], b[:16])
    assert not np.array_equal(a[16:], b[16:])


def test_gain_is_heard(world: World, backend: Backend) -> None:
    louder = [*perform(world, backend, sound__gain=6.0).codes([SOUND], 10)]
    by_hand = [*perform(world, backend).codes([SOUND * np.float32(10 ** (6 / 20))], 10)]
    assert np.array_equal(louder, by_hand)


def test_frame_rates_show_the_same_motion(world: World, backend: Backend) -> None:
    slow = [*perform(world, backend, Fraction(15)).codes([SOUND], 30)]
    fast = [*perform(world, backend, Fraction(60)).codes([SOUND], 120)]
    gap = np.abs(np.stack(slow) - np.stack(fast)[::4]).max()
    assert gap < 0.25 * np.abs(np.diff(slow, axis=0)).max() + 0.05 * np.abs(slow[-1] - slow[0]).max()


def test_drift_walks_and_seeds_differ(world: World, backend: Backend) -> None:
    silence = [np.zeros(2 * SAMPLE_RATE, np.float32)]
    walk = [*perform(world, backend, look__drift=1.0).codes(silence, 30)]
    assert np.abs(walk[-1] - walk[0]).max() > 1e-3
    one, two = (next(perform(world, backend, look__seed=s).codes(silence, 1)) for s in (1, 2))
    assert not np.array_equal(one, two)


def test_listener_hears_the_grid_of_the_whole_sound(world: World, backend: Backend) -> None:
    listener = SoundConditioner(SoundNetworks(backend), world.card.num_ws, world.card.w_dim)
    for chunk in chunks(SOUND, 9):
        for at in range(0, len(chunk), ENCODER_STEP):
            listener.push(chunk[at : at + ENCODER_STEP])
    mel = log_mel(SOUND)
    sample = 25 * ENCODER_STEP
    code = backend.embed_sound(last_columns(mel, 10 * (SAMPLE_RATE // 4) // 512, SOUND_COLUMNS))
    heard, there = backend.invert_sound(last_columns(mel, sample // 512, ENCODER_COLUMNS), code)
    # The fixed lag: what was asked at a grid point is fully there at the next one.
    then = listener.displacement_at(sample + ENCODER_STEP)
    assert np.allclose(then[0], heard, atol=1e-5)
    assert then[1] == pytest.approx(there, abs=1e-5)


@pytest.mark.parametrize("level", LEVELS)
def test_a_mix_takes_one_level_from_the_second_place(world: World, backend: Backend, level: str) -> None:
    """Silence shows the base alone: at 1 the level is the second seed's, the others stay the first's."""
    quiet = SOUND * 0
    space = perform(world, backend).space()
    (first,) = perform(world, backend).codes([quiet], 1)
    (second,) = perform(world, backend, Fraction(15), look__seed=2).codes([quiet], 1)
    (mixed,) = perform(world, backend, Fraction(15), **{f"look__{level}__mix": 1.0, "look__seed_b": 2}).codes(
        [quiet], 1
    )
    codes = space.levels[level]
    np.testing.assert_allclose(mixed[codes], second[codes], atol=1e-5)
    assert not np.allclose(first[codes], second[codes])
    others = np.ones(space.num_ws, bool)
    others[codes] = False
    np.testing.assert_array_equal(mixed[others], first[others])


def test_lazier_following_moves_later(world: World, backend: Backend) -> None:
    still = {f"motion__{level}__kappa": 0.0 for level in LEVELS} | {"look__sway": 0.0}  # leaves what is heard alone

    def moved(lazy: float) -> float:
        codes = [*perform(world, backend, Fraction(15), sound__follow=lazy, **still).codes([SOUND], 8)]
        return float(np.abs(codes[-1] - codes[0]).mean())

    assert 0 < moved(5.0) < 0.7 * moved(0.2)
