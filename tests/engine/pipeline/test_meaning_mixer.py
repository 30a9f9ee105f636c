"""The meaning mixer: each class's amount, floor, mute and solo act on its own part of the sound displacement."""

import numpy as np
import pytest

from sonorama.engine.control.addresses import MeaningName, meaning
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.control.render_table import MEANING_SLOTS, TABLE
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.frame_pipeline import FramePipeline
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.meaning_mixer import Displacement, MeaningMixer, class_weights
from sonorama.engine.units import SAMPLE_RATE

from ...worlds import CLASSES, write_world

OWN = np.random.default_rng(1).standard_normal((3, 4, 8)).astype(np.float32)
CODES = np.random.default_rng(2).standard_normal((4, 8)).astype(np.float32)
SOUND = np.random.default_rng(3).standard_normal(2 * SAMPLE_RATE).astype(np.float32) * np.float32(0.2)


def settings(**changed: float) -> dict[str, Value]:
    """The table's defaults; `amount_2=0.5` sets slot 2."""
    values = {path: param.default for path, param in TABLE.items()}
    for key, value in changed.items():
        name, slot = key.split("_")
        path = f"/meaning/{slot}/{name}"
        assert path in values
        values[path] = value
    return values


def heard(*shares: float, strength: float = 1.0) -> Displacement:
    part = np.array(shares, np.float32)
    return Displacement(CODES, 1.0, np.stack([part, np.minimum(1, 2 * part) * np.float32(strength)]))


def test_defaults_give_e_a_to_the_bit() -> None:
    sound = heard(0.6, 0.3, 0.1)
    assert MeaningMixer(3)(settings(), sound) is sound.codes
    mixed = MeaningMixer(3, OWN)(settings(), sound)
    np.testing.assert_allclose(mixed, CODES + 1.0 * OWN[0] + 0.6 * OWN[1] + 0.2 * OWN[2], rtol=1e-5, atol=1e-6)


def test_each_fader_moves_its_own_class_alone() -> None:
    mixer, sound = MeaningMixer(3, OWN), heard(0.5, 0.5, 0.0)
    full, half = mixer(settings(), sound), mixer(settings(amount_1=0.5), sound)
    np.testing.assert_allclose(full - half, 0.25 * CODES + 0.5 * OWN[0], rtol=1e-4, atol=1e-6)
    assert np.array_equal(full, mixer(settings(amount_3=0.0), sound)), "a class that is not heard has no part in it"


@pytest.mark.parametrize(
    "changed", [{"mute_1": True, "mute_2": True, "mute_3": True}, {"solo_3": True, "mute_3": True}]
)
def test_muted_classes_leave_nothing(changed: dict[str, float]) -> None:
    for own in (None, OWN):
        assert not MeaningMixer(3, own)(settings(**changed), heard(0.6, 0.3, 0.1)).any()


def test_solo_leaves_the_soloed_class() -> None:
    mixed = MeaningMixer(3, OWN)(settings(solo_2=True), heard(0.5, 0.5, 0.0))
    np.testing.assert_allclose(mixed, 0.5 * CODES + OWN[1], rtol=1e-5, atol=1e-6)


def test_a_floor_shows_a_class_that_is_not_heard_and_does_not_add_to_one_that_is() -> None:
    mixer = MeaningMixer(3, OWN)
    silence = Displacement(np.zeros_like(CODES), 0.0, np.zeros((2, 3), np.float32))
    np.testing.assert_allclose(mixer(settings(floor_3=0.4), silence), 0.4 * OWN[2], rtol=1e-5)
    loud = heard(0.0, 0.0, 1.0)
    assert np.array_equal(mixer(settings(floor_3=0.4), loud), mixer(settings(), loud))
    assert not mixer(settings(floor_3=0.4, mute_3=True), silence).any()


def test_without_displacements_of_their_own_classes_scale_the_whole_by_their_shares() -> None:
    mixed = MeaningMixer(3)(settings(amount_1=0.0, amount_2=2.0), heard(0.6, 0.3, 0.1))
    np.testing.assert_allclose(mixed, CODES * 0.7, rtol=1e-5)


def test_classes_beyond_the_slots_are_heard_and_no_setting_reaches_them() -> None:
    n = MEANING_SLOTS + 2
    own = np.random.default_rng(4).standard_normal((n, 4, 8)).astype(np.float32)
    share = np.zeros(n, np.float32)
    share[-1] = 1.0
    sound = Displacement(CODES, 1.0, np.stack([share, share]))
    np.testing.assert_allclose(MeaningMixer(n, own)(settings(), sound), CODES + own[-1], rtol=1e-5)
    assert not MeaningMixer(n, own)(settings(solo_1=True), sound).any()


def test_two_sounds_at_once_give_both_pictures() -> None:
    window = np.full((128, 88), 0.7, np.float32)
    both = class_weights(np.array([0.5, 0.5, 0.0], np.float32), 1.0, window)
    np.testing.assert_allclose(both, [1.0, 1.0, 0.0], rtol=1e-5)
    one = class_weights(np.array([0.95, 0.05, 0.0], np.float32), 1.0, window)
    np.testing.assert_allclose(one, [1.0, 0.1, 0.0], rtol=1e-5)
    assert not class_weights(np.array([0.95, 0.05, 0.0], np.float32), 0.0, window).any(), "none of the classes"


def test_louder_is_stronger() -> None:
    share = np.array([1.0, 0.0, 0.0], np.float32)
    found = [float(class_weights(share, 1.0, np.full((128, 88), x, np.float32))[0]) for x in (0.1, 0.35, 0.55, 0.9)]
    assert found == sorted(found)
    assert found[0] == pytest.approx(0.45) and found[-1] == pytest.approx(1.0)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> LoadedWorld:
    path = tmp_path_factory.mktemp("meaning") / "tiny.safetensors"
    write_world(path, displacements=True)
    loaded = load_world(path)
    return LoadedWorld(loaded, open_backend(loaded, "ort"))


def last_codes(world: LoadedWorld, start: dict[str, Value], changes: tuple[Change, ...] = ()) -> np.ndarray:
    player = FramePipeline(lambda _world, _device: world, start)
    w = np.zeros(0)
    for frame in range(50):
        sound = SOUND[player.sample : player.next_sample]
        w = player.step(sound, changes if frame == 10 else ()).w
    return w


def path(slot: int, name: MeaningName) -> str:
    return meaning(slot, name)


def test_the_mixer_plays(world: LoadedWorld) -> None:
    plain = last_codes(world, {})
    muted = last_codes(world, {path(n, "mute"): True for n in range(1, len(CLASSES) + 1)})
    assert np.abs(plain - muted).max() > 0.1
    later = last_codes(world, {}, tuple(Change(path(n, "mute"), True, "test") for n in range(1, len(CLASSES) + 1)))
    assert np.abs(later - muted).max() < np.abs(plain - muted).max()


def test_the_state_holds_what_was_heard_of_each_class(world: LoadedWorld) -> None:
    start: dict[str, Value] = {path(1, "amount"): 0.3, path(2, "floor"): 0.5}
    one = FramePipeline(lambda _world, _device: world, start)
    for _ in range(33):
        one.step(SOUND[one.sample : one.next_sample])
    other = FramePipeline(lambda _world, _device: world, start)
    other.restore(*one.snapshot())
    for _ in range(10):
        sound = SOUND[one.sample : one.next_sample]
        assert np.array_equal(one.step(sound).w, other.step(sound).w)


def test_a_hit_that_means_nothing_moves_the_picture_and_lets_it_rest_again(world: LoadedWorld) -> None:
    """10 ms of noise with every class muted: the onset alone acts, by the default modulators."""
    muted: dict[str, Value] = {path(n, "mute"): True for n in range(1, len(CLASSES) + 1)}
    hit = np.zeros(5 * SAMPLE_RATE, np.float32)
    at = SAMPLE_RATE  # after a second of silence
    hit[at : at + SAMPLE_RATE // 100] = SOUND[: SAMPLE_RATE // 100] * 4
    played = []
    for sound in (np.zeros_like(hit), hit):
        player = FramePipeline(lambda _world, _device: world, muted)
        played.append([player.step(sound[player.sample : player.next_sample]).w for _ in range(140)])
    apart = [float(np.abs(a - b).max()) for a, b in zip(*played, strict=True)]
    assert max(apart[:30]) == 0.0
    assert max(apart[30:45]) > 0.05
    assert apart[-1] < 0.2 * max(apart)
