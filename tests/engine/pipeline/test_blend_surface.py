"""The blend surface: shares by nearness, exact at a point, continuous, and continued bit for bit."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.control.addresses import blend
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.base_code import make_code, remember_code
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.blend_surface import BlendPoint, points_of, shares
from sonorama.engine.pipeline.frame_pipeline import FramePipeline
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.snapshot import read_state, save_state

STILL: dict[str, Value] = {"/look/travel": 0.0, "/look/sway": 0.0, "/scene/morph": 0.0}
ON: dict[str, Value] = {**STILL, "/blend/amount": 1.0}
CORNERS: dict[str, Value] = {
    "/blend/1/x": 0.0, "/blend/1/y": 0.0, "/blend/1/seed": 11,
    "/blend/2/x": 1.0, "/blend/2/y": 0.0, "/blend/2/seed": 12,
    "/blend/3/x": 0.5, "/blend/3/y": 1.0, "/blend/3/seed": 13,
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tiny_world: str) -> LoadedWorld:
    return LoadedWorld(loaded := load_world(tiny_world), open_backend(loaded, "ort"))


def pipeline(world: LoadedWorld, values: dict[str, Value]) -> FramePipeline:
    return FramePipeline(lambda _world, _device: world, values)


def play(player: FramePipeline, frames: int, changes: Sequence[Change] = ()) -> list[np.ndarray]:
    shown = []
    for _ in range(frames):
        shown.append(player.step(np.zeros(player.missing, np.float32), changes).w)
        changes = ()
    return shown


def still(world: LoadedWorld, values: dict[str, Value]) -> np.ndarray:
    return play(pipeline(world, {**ON, **CORNERS, **values}), 1)[0]


def seed(world: LoadedWorld, number: int) -> np.ndarray:
    return world.seed_bank.base(number, 0.7, 0.0, None, 0.0)


def at(x: float, y: float) -> dict[str, Value]:
    return {"/blend/x": x, "/blend/y": y}


def mixture(values: dict[str, Value]) -> dict[int, float]:
    everything = {**pipeline_defaults(), **CORNERS, **values}
    return {point.seed: share for point, share in shares(everything, points_of(everything))}


def pipeline_defaults() -> dict[str, Value]:
    from sonorama.engine.control.render_table import TABLE

    return {path: param.default for path, param in TABLE.items()}


def test_on_a_point_the_picture_is_that_point_s(world: LoadedWorld) -> None:
    for (x, y), number in {(0.0, 0.0): 11, (1.0, 0.0): 12, (0.5, 1.0): 13}.items():
        np.testing.assert_allclose(still(world, at(x, y)), seed(world, number), atol=1e-4)


def test_between_two_it_is_half_of_each(world: LoadedWorld) -> None:
    found = mixture({**at(0.5, 0.0), "/blend/3/seed": -1})
    assert found == pytest.approx({11: 0.5, 12: 0.5})
    half = still(world, {**at(0.5, 0.0), "/blend/3/seed": -1})
    np.testing.assert_allclose(half, (seed(world, 11) + seed(world, 12)) / 2, atol=1e-5)


def test_shares_follow_distance_and_focus() -> None:
    for focus in (1.0, 3.0, 8.0):
        found = mixture({**at(0.25, 0.0), "/blend/3/seed": -1, "/blend/focus": focus})
        assert found[11] / found[12] == pytest.approx(3.0**focus)
    assert sum(mixture(at(0.3, 0.6)).values()) == pytest.approx(1.0)


def test_amount_leads_from_the_seed_to_the_surface(world: LoadedWorld) -> None:
    none = play(pipeline(world, {**STILL, **CORNERS, **at(0.0, 0.0)}), 1)[0]
    np.testing.assert_array_equal(none, play(pipeline(world, STILL), 1)[0])
    half = still(world, {**at(0.0, 0.0), "/blend/amount": 0.5})
    np.testing.assert_allclose(half, (seed(world, 1) + seed(world, 11)) / 2, atol=1e-4)


def test_a_surface_without_points_changes_nothing(world: LoadedWorld) -> None:
    np.testing.assert_array_equal(play(pipeline(world, ON), 3), play(pipeline(world, STILL), 3))


def test_a_code_counts_before_the_seed_of_its_point(world: LoadedWorld) -> None:
    w = np.random.default_rng(3).standard_normal((1, world.space.num_ws, len(world.space.w_avg))).astype(np.float32)
    name = remember_code(make_code(w, world.world.card.content, "a.jpg"))
    np.testing.assert_allclose(still(world, {**at(0.0, 0.0), "/blend/1/code": name}), w[0], atol=1e-4)
    strange = remember_code(make_code(w, "0" * 64, "b.jpg"))
    shown = still(world, {**at(0.0, 0.0), "/blend/1/code": strange})
    np.testing.assert_allclose(shown, seed(world, 11), atol=1e-4)


def test_the_cursor_glides_and_the_picture_never_jumps(world: LoadedWorld) -> None:
    player = pipeline(world, {**ON, **CORNERS, **at(0.0, 0.0)})
    (before,) = play(player, 1)
    shown = play(player, 60, [Change("/blend/x", 1.0, "test")])
    steps = [np.abs(b - a).max() for a, b in zip([before, *shown], shown, strict=False)]
    assert max(steps) < 0.5 * np.abs(shown[-1] - before).max()
    np.testing.assert_allclose(shown[-1], seed(world, 12), atol=1e-2)


def test_another_seed_at_a_point_crossfades(world: LoadedWorld) -> None:
    player = pipeline(world, {**ON, **CORNERS, **at(0.0, 0.0), "/scene/morph": 1.0})
    (before,) = play(player, 1)
    shown = play(player, 40, [Change(blend(1, "seed"), 40, "test")])
    np.testing.assert_allclose(shown[0], before, atol=1e-5)
    np.testing.assert_allclose(shown[-1], seed(world, 40), atol=1e-4)


def test_it_goes_on_from_its_state_bit_for_bit(world: LoadedWorld, tmp_path: Path) -> None:
    player = pipeline(world, {**ON, **CORNERS, **at(0.3, 0.3), "/scene/morph": 1.0, "/look/drift": 1.0})
    play(player, 5)
    play(player, 7, [Change("/blend/x", 0.8, "test"), Change(blend(2, "seed"), 90, "test")])
    save_state(tmp_path / "state", player)
    second = pipeline(world, STILL)
    second.restore(*read_state(tmp_path / "state"))
    np.testing.assert_array_equal(play(second, 40), play(player, 40))


def test_states_of_earlier_versions_have_no_points(world: LoadedWorld, tmp_path: Path) -> None:
    player = pipeline(world, STILL)
    play(player, 4)
    save_state(tmp_path / "state", player)
    arrays, state = read_state(tmp_path / "state")
    state["base"]["identity"] = state["base"]["identity"][:6]
    second = pipeline(world, STILL)
    second.restore(arrays, state)
    np.testing.assert_array_equal(play(second, 5), play(player, 5))


def test_empty_points_have_no_share() -> None:
    assert BlendPoint().empty and not BlendPoint(0).empty and not BlendPoint(-1, "a-0123456789ab").empty
    assert set(mixture(at(0.5, 0.5))) == {11, 12, 13}
