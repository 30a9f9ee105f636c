"""The default world does what its sounds mean, and the one before it still does. Recordings are those of examples/;
figures over more of them are in docs/world.md and docs/shore.md.
"""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from sonorama.engine.audio.audio_file import open_sound
from sonorama.engine.control.addresses import LOOK_SWAY, LOOK_TRAVEL
from sonorama.engine.control.render_table import TABLE
from sonorama.engine.inference.backend import Backend, open_backend
from sonorama.engine.model.world_file import INSTALLED, World, load_world
from sonorama.engine.pipeline.classify import classify
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.offline import OfflineRender
from sonorama.engine.units import DEFAULT_WORLD, LEVELS, SAMPLE_RATE
from sonorama.training.metrics.borders import inset

EXAMPLES = Path(__file__).parents[2] / "examples"
SEEDS = (1, 2, 3, 4)
FIGURES = {
    "thunder-1": lambda p: -p.mean(),
    "fire": lambda p: (p[..., 0] - p[..., 2]).mean(),
    "rain": lambda p: -(p.max(-1) - p.min(-1)).mean(),
    "underwater": lambda p: (p[..., 1:].mean(-1) - p[..., 0]).mean(),
}
"""Recording -> what must rise, of a picture [H,W,3]: storm darkens, fire warms, rain greys, water turns blue-green."""

CLASS_OF = {
    "rain": "raining",
    "fire": "fire_crackling",
    "thunder-1": "thunderstorm",
    "waterfall": "waterfall_burbling",
}


@pytest.fixture(scope="module")
def world() -> World:
    return load_world(DEFAULT_WORLD)


@pytest.fixture(scope="module")
def backend(world: World) -> Backend:
    return open_backend(world, "cpu")


@pytest.fixture(scope="module")
def at_rest(world: World, backend: Backend) -> dict[int, np.ndarray]:
    """Seed -> style codes of silence, which stay as they are: see test_silence_rests."""
    silence = np.zeros(SAMPLE_RATE, np.float32)
    return {seed: codes(world, backend, silence, seconds=1, look__seed=seed)[-1] for seed in SEEDS}


def read(name: str) -> np.ndarray:
    with open_sound(EXAMPLES / f"{name}.ogg") as sound:
        samples = np.concatenate([*sound.mono(SAMPLE_RATE)])
    return np.tile(samples, -(-3 * SAMPLE_RATE // len(samples)))[: 3 * SAMPLE_RATE]


def codes(world: World, backend: Backend, sound: np.ndarray, seconds: float = 3, **changes: float) -> list[np.ndarray]:
    """Style codes of the first seconds at 15 Hz, at the seed all the time."""
    values: dict[str, object] = {path: p.default for path, p in TABLE.items()}
    values |= {LOOK_TRAVEL: 0.0, LOOK_SWAY: 0.0}
    values |= {f"/{k.replace('__', '/')}": v for k, v in changes.items()}
    return [*OfflineRender(world, values, Fraction(15), backend).codes([sound], round(15 * seconds))]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("gain_db", [0, *(pytest.param(gain, marks=pytest.mark.soak) for gain in (-12, 12))])
def test_meaning_shows_at_every_loudness(
    world: World, backend: Backend, at_rest: dict[int, np.ndarray], name: str, gain_db: int
) -> None:
    """Within two seconds, in the mean: a place, such as a coral, may show it less than the seed itself does."""
    sound = (read(name) * 10 ** (gain_db / 20)).astype(np.float32)
    change = [shown(world, backend, name, sound, seed, at_rest[seed]) for seed in SEEDS]
    assert np.mean(change) > 0.01


def shown(world: World, backend: Backend, name: str, sound: np.ndarray, seed: int, rest: np.ndarray) -> float:
    """How far the picture of a seed rises in what a recording's class is to do."""
    after = codes(world, backend, sound, seconds=2, look__seed=seed)[-1]
    return FIGURES[name](backend.synthesize(after)) - FIGURES[name](backend.synthesize(rest))


def test_no_strip_is_left_at_the_edges() -> None:
    """What the card leaves out is all that is not as the rest of the pictures."""
    shipped = load_world(DEFAULT_WORLD)
    loaded = LoadedWorld(shipped, open_backend(shipped, "cpu"))
    codes = (loaded.seed_bank.base(seed, 0.7, 0.0, None, 0.0) for seed in range(1, 17))
    pictures = np.stack([loaded.backend.synthesize(w) for w in codes]).transpose(0, 3, 1, 2)
    assert 0 < inset(torch.from_numpy(2 * pictures - 1)) <= shipped.card.inset


def test_shore_still_plays() -> None:
    """A world without places: its displacements show in every picture."""
    world = load_world("shore")
    backend = open_backend(world, "cpu")
    (rest,) = codes(world, backend, np.zeros(SAMPLE_RATE // 15, np.float32), seconds=1 / 15, look__seed=2)
    for name in FIGURES:
        assert shown(world, backend, name, read(name), 2, rest) > 0
    windows = list(classify(world, [read("rain")]))
    assert max(windows[-1].scores, key=windows[-1].scores.__getitem__) == "raining"


@pytest.mark.parametrize("seed", SEEDS)
def test_silence_rests(world: World, backend: Backend, at_rest: dict[int, np.ndarray], seed: int) -> None:
    still = np.stack(codes(world, backend, np.zeros(3 * SAMPLE_RATE, np.float32), look__seed=seed))
    assert np.array_equal(still, np.broadcast_to(at_rest[seed], still.shape))


def test_e_rnn_is_trained_and_every_level_shows(world: World, backend: Backend) -> None:
    assert all(np.abs(world.tensors[f"motion.levels.{i}.outward.weight"]).max() > 0 for i in range(3))
    sound = read("thunder-1")
    moved = np.stack(codes(world, backend, sound))
    unmoved = np.stack(codes(world, backend, sound, **{f"motion__{name}__kappa": 0.0 for name in LEVELS}))
    assert np.abs(moved - unmoved).max() > 0.01
    film = backend.synthesize(moved[-1])
    for level in LEVELS:
        muted = backend.synthesize(codes(world, backend, sound, **{f"motion__{level}__mute": True})[-1])
        assert np.abs(film - muted).mean() > 0.002, level


def test_muted_levels_make_one_film_of_every_sound(world: World, backend: Backend) -> None:
    muted = {f"motion__{level}__mute": True for level in LEVELS}
    films = [np.stack(codes(world, backend, read(name), **muted)) for name in ("rain", "fire")]
    assert np.array_equal(films[0], films[1])


@pytest.mark.parametrize(
    ("name", "class_id"),
    [
        ("rain", "raining"),
        ("fire", "fire_crackling"),
        ("thunder-1", "thunderstorm"),
        ("waterfall", "waterfall_burbling"),
    ],
)
def test_it_hears_the_examples(world: World, name: str, class_id: str) -> None:
    """It was trained on these: this shows that the packed world hears at all, not how well (docs/hearing.md)."""
    windows = list(classify(world, [read(name)]))
    mean = {k: np.mean([w.scores[k] for w in windows]) for k in world.card.classes}
    assert max(mean, key=lambda k: mean[k]) == class_id


def test_words_choose_places(world: World, backend: Backend) -> None:
    seen = {}
    for text in ("a red canyon", "a turquoise sea"):
        values: dict[str, object] = {path: p.default for path, p in TABLE.items()}
        values["/look/text"] = text
        (w,) = OfflineRender(world, values, Fraction(15), backend).codes([np.zeros(10, np.float32)], 1)
        seen[text] = backend.synthesize(w)
    warmth = {text: (p[..., 0] - p[..., 2]).mean() for text, p in seen.items()}
    assert warmth["a red canyon"] > warmth["a turquoise sea"]


def test_the_embedded_world_is_small_and_readable() -> None:
    path = INSTALLED / "shore.safetensors"
    assert path.stat().st_size <= 30_000_000
    assert path.stat().st_mode & 0o004
