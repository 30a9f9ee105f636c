"""The principal axes of a world: found in its seeds, played by /axis/, without effect at 0."""

from dataclasses import replace

import numpy as np
import pytest

from sonorama.engine.control.addresses import axis
from sonorama.engine.control.parameters import Value
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.principal_axes import principal_axes, shares, world_axes
from sonorama.engine.model.world_file import World, check_shapes, load_world
from sonorama.engine.pipeline.frame_pipeline import FramePipeline
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.units import DEFAULT_WORLD

STILL: dict[str, Value] = {"/look/travel": 0.0, "/look/sway": 0.0, "/moves/1/source": "off", "/moves/2/source": "off"}


@pytest.fixture(scope="module")
def world(tiny_world: str) -> LoadedWorld:
    return LoadedWorld(loaded := load_world(tiny_world), open_backend(loaded, "ort"))


def codes(world: LoadedWorld, values: dict[str, Value], frames: int = 3) -> list[np.ndarray]:
    """Style codes of frames of noise."""
    player = FramePipeline(lambda _world, _device: world, STILL | values)
    rng = np.random.default_rng(3)
    return [player.step(rng.uniform(-0.5, 0.5, player.missing).astype(np.float32)).w for _ in range(frames)]


def test_axes_are_the_principal_components() -> None:
    rng = np.random.default_rng(2)
    true = np.linalg.qr(rng.standard_normal((20, 10)))[0].T
    lengths = np.arange(10, 0, -1)
    styles = (rng.standard_normal((20_000, 10)) * lengths) @ true + 5
    found = principal_axes(styles.astype(np.float32))
    assert np.allclose(np.linalg.norm(found, axis=1), lengths[:8], rtol=0.05)
    cosines = np.abs((found / np.linalg.norm(found, axis=1, keepdims=True)) @ true.T)
    assert cosines[range(8), range(8)].min() > 0.95
    assert (found[range(8), np.abs(found).argmax(1)] > 0).all()
    assert shares(found, styles.astype(np.float32))[0] == pytest.approx(100 / 385, rel=0.05)


def test_fewer_codes_than_axes_leave_zeros() -> None:
    found = principal_axes(np.eye(3, dtype=np.float32))
    assert found.shape == (8, 3) and not found[3:].any()


@pytest.mark.parametrize("name", [DEFAULT_WORLD, "shore"])
def test_shipped_worlds_have_axes_of_their_seeds(name: str) -> None:
    world = load_world(name)
    found = world_axes(world.card, world.tensors)
    assert found is not None
    lengths = np.linalg.norm(found, axis=1)
    assert (np.diff(lengths) <= 0).all() and lengths[7] > 0
    again = world_axes(world.card, world.tensors)
    assert again is not None and np.array_equal(found, again)  # to the bit
    mapped = LoadedWorld(world, open_backend(world, "ort")).seed_bank
    seeds = np.stack([mapped.latent(seed) for seed in range(200)])
    spread = ((seeds - seeds.mean(0)) @ (found / lengths[:, None]).T).std(0)  # along each axis
    assert np.allclose(spread, lengths, rtol=0.2)


def test_axes_of_the_file_come_first_and_a_world_may_have_none(world: LoadedWorld) -> None:
    card, tensors = world.world.card, world.world.tensors
    own = np.random.default_rng(1).standard_normal((8, card.w_dim)).astype(np.float32)
    found = world_axes(card, tensors | {"axes.directions": own})
    assert found is not None and np.array_equal(found, own)
    bare = {name: x for name, x in tensors.items() if not name.startswith("generator.mapping.fc")}
    assert world_axes(card, bare) is None
    with pytest.raises(ValueError, match=r"axes\.directions has the shape"):
        check_shapes(card, {name: x.shape for name, x in tensors.items()} | {"axes.directions": (3, card.w_dim)})


def test_an_axis_adds_its_way_to_every_code(world: LoadedWorld) -> None:
    values: dict[str, Value] = {axis(1): 1.5, axis(4): -0.5}
    before, after = codes(world, {}), codes(world, values)
    assert world.axes is not None
    way = 1.5 * world.axes[0] - 0.5 * world.axes[3]
    # At the first frame E_RNN has not answered yet: the way is all there is.
    np.testing.assert_allclose(after[0] - before[0], np.repeat(way[None], len(before[0]), 0), atol=1e-4)
    assert not np.array_equal(after[2], before[2])


def test_at_rest_axes_change_nothing_not_even_a_bit(world: LoadedWorld) -> None:
    none = LoadedWorld(World(world.world.card, dict(world.world.tensors)), world.backend)
    vars(none)["axes"] = None  # as of a world that has none
    assert np.array_equal(codes(world, {axis(3): 0.0}), codes(none, {}))
    assert np.array_equal(codes(none, {axis(3): 2.0}), codes(none, {}))


def test_a_standard_deviation_is_that_of_the_world_at_its_truncation(world: LoadedWorld) -> None:
    narrow = LoadedWorld(replace(world.world, card=replace(world.world.card, truncation=0.35)), world.backend)
    assert narrow.axes is not None and world.axes is not None
    np.testing.assert_allclose(narrow.axes, world.axes / 2, rtol=1e-6)


def test_a_modulated_axis_leaves_muted_levels_alone(world: LoadedWorld) -> None:
    moved: dict[str, Value] = {
        "/moves/3/source": "level", "/moves/3/target": axis(2), "/moves/3/depth": 1.0, "/motion/fine/mute": True,
    }  # fmt: skip
    fine = world.space.levels["fine"]
    rest, after = codes(world, {"/motion/fine/mute": True}), codes(world, moved)
    assert np.array_equal(after[2][fine], rest[2][fine])
    assert not np.array_equal(after[2][0], rest[2][0])
    set_to = codes(world, moved | {axis(2): 1.0})  # what a person sets reaches all levels
    assert not np.array_equal(set_to[2][fine], rest[2][fine])
