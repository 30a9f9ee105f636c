"""Base latents of codes: exact at the default truncation, mixed by level, moving, and continued bit for bit."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.errors import WorldError
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.base_code import make_code, remember_code
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.frame_pipeline import FramePipeline
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.offline import OfflineRender
from sonorama.engine.pipeline.snapshot import read_state, save_state
from sonorama.engine.units import LEVELS

STILL: dict[str, Value] = {"/look/travel": 0.0, "/look/sway": 0.0, "/scene/morph": 0.0}
RNG = np.random.default_rng(1)


@pytest.fixture(scope="module")
def world(tiny_world: str) -> LoadedWorld:
    return LoadedWorld(loaded := load_world(tiny_world), open_backend(loaded, "ort"))


def code_of(world: LoadedWorld, frames: int = 1, content: str = "", fps: int = 30) -> str:
    shape = (frames, world.space.num_ws, len(world.space.w_avg))
    w = RNG.standard_normal(shape).astype(np.float32)
    return remember_code(make_code(w, content or world.world.card.content, "a.jpg", fps=Fraction(fps)))


def array_of(name: str) -> np.ndarray:
    from sonorama.engine.model.base_code import find_code

    return find_code(name).w


def pipeline(world: LoadedWorld, **values: Value) -> FramePipeline:
    return FramePipeline(lambda _world, _device: world, {**STILL, **values})


def play(player: FramePipeline, frames: int, changes: Sequence[Change] = ()) -> list[np.ndarray]:
    shown = []
    for _ in range(frames):
        shown.append(player.step(np.zeros(player.next_sample - player.sample, np.float32), changes).w)
        changes = ()
    return shown


def test_in_silence_a_code_is_played_as_it_is(world: LoadedWorld) -> None:
    name = code_of(world)
    for w in play(pipeline(world, **{"/look/code": name}), 3):
        np.testing.assert_allclose(w, array_of(name)[0], atol=2e-6)


def test_truncation_draws_it_to_the_average_and_the_weight_to_the_seed(world: LoadedWorld) -> None:
    name = code_of(world)
    (calm,) = play(pipeline(world, **{"/look/code": name, "/look/truncation": 0.0}), 1)
    np.testing.assert_allclose(calm, np.broadcast_to(world.space.w_avg, calm.shape), atol=2e-6)
    (seed,) = play(pipeline(world), 1)
    (other,) = play(pipeline(world, **{"/look/code": name, "/look/code_weight": 0.0}), 1)
    np.testing.assert_allclose(other, seed, atol=2e-6)
    (half,) = play(pipeline(world, **{"/look/code": name, "/look/code_weight": 0.5}), 1)
    np.testing.assert_allclose(half, (seed + array_of(name)[0]) / 2, atol=4e-6)


def test_levels_come_from_seeds_and_codes_of_their_own(world: LoadedWorld) -> None:
    first, fine = code_of(world), code_of(world)
    levels = world.space.levels
    values: dict[str, Value] = {f"/look/{level}/mix": 1.0 for level in LEVELS}
    values |= {"/look/code": first, "/look/mid/seed": 9, "/look/fine/code": fine, "/look/fine/seed": 3}
    (w,) = play(pipeline(world, **values), 1)
    bank = world.seed_bank
    np.testing.assert_allclose(w[levels["coarse"]], bank.base(2, 0.7, 0, None, 0)[levels["coarse"]], atol=2e-6)
    np.testing.assert_allclose(w[levels["mid"]], bank.base(9, 0.7, 0, None, 0)[levels["mid"]], atol=2e-6)
    np.testing.assert_allclose(w[levels["fine"]], array_of(fine)[0][levels["fine"]], atol=2e-6)
    (half,) = play(pipeline(world, **{**values, "/look/fine/mix": 0.5}), 1)
    middle = (array_of(first)[0] + array_of(fine)[0]) / 2
    np.testing.assert_allclose(half[levels["fine"]], middle[levels["fine"]], atol=4e-6)


def test_a_video_s_code_begins_when_it_is_chosen_and_holds_its_last_frame(world: LoadedWorld) -> None:
    name = code_of(world, frames=4)
    player = pipeline(world)
    play(player, 5)
    shown = play(player, 8, [Change("/look/code", name, "test")])
    frames = array_of(name)
    np.testing.assert_allclose(shown[0], frames[0], atol=2e-6)
    np.testing.assert_allclose(shown[2], frames[2], atol=1e-4)
    for w in shown[4:]:
        np.testing.assert_allclose(w, frames[3], atol=2e-6)


def test_choosing_a_code_crossfades_like_a_seed(world: LoadedWorld) -> None:
    name = code_of(world)
    player = pipeline(world, **{"/scene/morph": 1.0})
    (seed,) = play(player, 1)
    shown = play(player, 40, [Change("/look/code", name, "test")])
    np.testing.assert_allclose(shown[0], seed, atol=2e-6)
    np.testing.assert_allclose(shown[15], (seed + array_of(name)[0]) / 2, atol=0.05)
    np.testing.assert_allclose(shown[35], array_of(name)[0], atol=2e-6)


@pytest.mark.parametrize("cut", [3, 12, 30])
def test_it_goes_on_from_its_state_bit_for_bit(world: LoadedWorld, cut: int, tmp_path: Path) -> None:
    name, other = code_of(world, frames=9, fps=7), code_of(world)
    values: dict[str, Value] = {"/look/code": name, "/look/travel": 1.0, "/look/drift": 1.0, "/look/mid/code": other,
              "/look/mid/mix": 0.3, "/scene/morph": 1.0}  # fmt: skip
    player = pipeline(world, **values)
    play(player, 2)
    play(player, cut - 2, [Change("/look/code", code_of(world, frames=30), "test")])
    save_state(tmp_path / "state", player)
    second = pipeline(world)
    second.restore(*read_state(tmp_path / "state"))
    np.testing.assert_array_equal(play(second, 40), play(player, 40))


def test_states_of_earlier_versions_have_three_numbers(world: LoadedWorld, tmp_path: Path) -> None:
    player = pipeline(world)
    play(player, 4)
    save_state(tmp_path / "state", player)
    arrays, state = read_state(tmp_path / "state")
    state["base"]["identity"] = state["base"]["identity"][:3]
    del state["base"]["begun"]
    second = pipeline(world)
    second.restore(arrays, state)
    np.testing.assert_array_equal(play(second, 5), play(player, 5))


def test_a_code_of_another_world_leaves_the_seed_and_is_said(world: LoadedWorld) -> None:
    name = code_of(world, content="0" * 64)
    player = pipeline(world, **{"/look/code": name})
    np.testing.assert_array_equal(play(player, 2), play(pipeline(world), 2))
    assert player.base.faults == [f"{name} is a code of another world; the seed plays"]
    film = OfflineRender(world.world, {**player.values, "/look/code": name}, Fraction(30), world.backend)
    with pytest.raises(WorldError, match="is a code of another world"):
        next(film.codes([], 1))


def test_a_code_that_is_not_here_is_an_error(world: LoadedWorld) -> None:
    with pytest.raises(WorldError, match="is not here"):
        pipeline(world, **{"/look/code": "beach-0123456789ab"})
