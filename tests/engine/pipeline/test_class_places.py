"""Places of classes: what is heard takes the picture there, level by level, and silence leaves it where it is."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from sonorama.engine.control.live_table import FILM
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import check_shapes, load_world
from sonorama.engine.pipeline.class_places import FULL, ClassPlaces
from sonorama.engine.pipeline.frame_pipeline import FramePipeline
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.offline import OfflineRender
from sonorama.engine.pipeline.travel import AT_HOME, HOME
from sonorama.engine.units import SAMPLE_RATE

from ...worlds import CLASSES, write_world

PLACES = ClassPlaces(np.eye(6, dtype=np.float32), np.array([0, 0, 0, 1, 1, 3]))
SOUND = (np.random.default_rng(3).standard_normal(3 * SAMPLE_RATE) * 0.2).astype(np.float32)
SHOWN: dict[str, Value] = {"/meaning/1/floor": 1.0, "/look/travel": 0.0, "/look/sway": 0.0, "/look/truncation": 0.5}
"""Class 1 shows without being heard: in silence nothing else moves the picture."""


def test_what_is_heard_more_gives_the_place() -> None:
    strength, shares = PLACES.pull(np.array([0.6, 0.3, 0.9, 0.0], np.float32), 1.0)
    assert strength == 1.0
    assert shares[0] == pytest.approx(8 / 9) and shares[1] == pytest.approx(1 / 9)
    assert not shares[2], "a class without places has none to go to"


def test_the_way_is_never_longer_than_to_the_place() -> None:
    half = np.array([FULL / 2, 0, 0, 0], np.float32)
    assert PLACES.pull(half, 1.0).strength == pytest.approx(0.5)
    assert PLACES.pull(half, 0.5).strength == pytest.approx(0.25)
    assert PLACES.pull(half * 4, 2.0).strength == 1.0
    for nothing in (PLACES.pull(np.zeros(4, np.float32), 1.0), PLACES.pull(half, 0.0)):
        assert nothing.strength == 0 and not nothing.shares.any()


def test_every_seed_has_one_place_of_a_class() -> None:
    first = np.array([1, 0, 0, 0], np.float32)
    chosen = [PLACES.at(first, AT_HOME, seed, 0.0) for seed in range(40)]
    assert {int(x.argmax()) for x in chosen} == {0, 1, 2} and all(x.sum() == 1 for x in chosen)
    again = ClassPlaces(PLACES.latents, PLACES.classes)
    assert all(np.array_equal(again.at(first, AT_HOME, seed, 0.0), x) for seed, x in enumerate(chosen))
    between = PLACES.at(first, ((HOME, 0.25), (7, 0.75)), 3, 0.0)
    np.testing.assert_allclose(between, 0.25 * chosen[3] + 0.75 * chosen[7])
    assert np.array_equal(PLACES.at(first, AT_HOME, 3, 1.0), PLACES.at(first, AT_HOME, 3 + 7919, 0.0)), "drift goes on"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> LoadedWorld:
    path = tmp_path_factory.mktemp("places") / "tiny.safetensors"
    write_world(path, displacements=False, places=True)
    loaded = load_world(path)
    return LoadedWorld(loaded, open_backend(loaded, "ort"))


def played(world: LoadedWorld, values: dict[str, Value], sound: np.ndarray, frames: int = 30) -> np.ndarray:
    player = FramePipeline(lambda _world, _device: world, values)
    return np.stack([player.step(sound[player.sample : player.next_sample]).w for _ in range(frames)])


def place(world: LoadedWorld, seed: int) -> np.ndarray:
    places = world.class_places
    assert places is not None
    latent = places.at(np.eye(len(CLASSES), dtype=np.float32)[0], AT_HOME, seed, 0.0)
    return world.seed_bank.truncated(np.repeat(latent[None], world.space.num_ws, 0), 0.5)


def test_a_class_that_shows_takes_the_picture_to_its_place(world: LoadedWorld) -> None:
    silence = np.zeros_like(SOUND)
    for seed in (1, 2, 3):
        w = played(world, SHOWN | {"/look/seed": seed}, silence)[-1]
        np.testing.assert_allclose(w, place(world, seed), atol=1e-5)
    base = played(world, {**SHOWN, "/look/place": 0.0}, silence)[-1]
    part = played(world, {**SHOWN, "/look/place": 0.25}, silence)[-1]
    seed = int(FILM["/look/seed"].default)
    np.testing.assert_allclose(part, base + 0.25 * (place(world, seed) - base), atol=1e-5)


def test_muted_levels_and_silence_leave_the_picture_to_the_bit(world: LoadedWorld) -> None:
    off: dict[str, Value] = {**SHOWN, "/look/place": 0.0}
    still = played(world, {"/look/travel": 0.0, "/look/sway": 0.0, "/look/truncation": 0.5}, np.zeros_like(SOUND))
    assert np.array_equal(still, played(world, off, np.zeros_like(SOUND)))
    muted = played(world, SHOWN | {"/motion/coarse/mute": True}, np.zeros_like(SOUND))
    codes = world.space.levels
    assert np.array_equal(muted[:, codes["coarse"]], still[:, codes["coarse"]])
    assert np.abs(muted[-1, codes["mid"]] - still[-1, codes["mid"]]).max() > 0.1


def test_choosing_a_seed_morphs_from_place_to_place(world: LoadedWorld) -> None:
    player = FramePipeline(lambda _world, _device: world, SHOWN | {"/scene/morph": 0.5, "/look/seed": 1})
    silence, codes = np.zeros_like(SOUND), list[np.ndarray]()
    for frame in range(40):
        change = [Change("/look/seed", 2, "test")] if frame == 10 else []
        codes.append(player.step(silence[player.sample : player.next_sample], change).w)
    assert not np.allclose(place(world, 1), place(world, 2))
    np.testing.assert_allclose(codes[9], place(world, 1), atol=1e-5)
    np.testing.assert_allclose(codes[-1], place(world, 2), atol=1e-5)
    steps = [float(np.abs(b - a).max()) for a, b in pairwise(codes)]
    assert max(steps) < 0.25 * np.abs(place(world, 2) - place(world, 1)).max()


def test_a_state_goes_on_to_the_bit(world: LoadedWorld) -> None:
    one = FramePipeline(lambda _world, _device: world, {})
    for _ in range(33):
        one.step(SOUND[one.sample : one.next_sample])
    other = FramePipeline(lambda _world, _device: world, {})
    other.restore(*one.snapshot())
    change = [Change("/look/seed", 9, "test")]
    for frame in range(10):
        sound, changes = SOUND[one.sample : one.next_sample], change if frame == 0 else []
        assert np.array_equal(one.step(sound, changes).w, other.step(sound, changes).w)


def test_films_go_there_by_what_they_hear_around_each_frame(world: LoadedWorld) -> None:
    values: dict[str, Value] = {path: param.default for path, param in FILM.items()}
    values |= {"/look/travel": 0.0, "/look/sway": 0.0}
    sound = np.concatenate([np.zeros(2 * SAMPLE_RATE, np.float32), SOUND])

    def film(reach: float) -> np.ndarray:
        render = OfflineRender(world.world, values | {"/look/place": reach}, Fraction(15), world.backend)
        return np.stack([*render.codes([sound], 60)])

    away = np.abs(film(1.0) - film(0.0)).max((1, 2))
    assert not away[:10].any(), "nothing is heard yet"
    assert away[45:].min() > 0.05


def test_places_that_do_not_fit_the_card_are_refused(world: LoadedWorld) -> None:
    shapes = {name: x.shape for name, x in world.world.tensors.items()}
    check_shapes(world.world.card, shapes)
    with pytest.raises(ValueError, match=r"meaning\.places"):
        check_shapes(world.world.card, shapes | {"meaning.place_classes": (3,)})
    with pytest.raises(ValueError, match=r"meaning\.place"):
        check_shapes(world.world.card, {k: v for k, v in shapes.items() if k != "meaning.place_classes"})
