"""Films hear what comes: hits are on their frame, nothing shows before them, and averages are centred."""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sonorama.engine.control.live_table import FILM
from sonorama.engine.inference.backend import Backend, open_backend
from sonorama.engine.model.world_file import World, load_world
from sonorama.engine.pipeline.film_pipeline import CENTRE_S, MOST_AHEAD_S, FilmPipeline
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.offline import OfflineRender
from sonorama.engine.units import SAMPLE_RATE

from ...worlds import write_world

FPS = Fraction(30)
RNG = np.random.default_rng(3)
NOISE = (RNG.standard_normal(4 * SAMPLE_RATE) * 0.2).astype(np.float32)
CLICK = (0.9 * np.sin(2 * np.pi * 1000 * np.arange(441) / SAMPLE_RATE)).astype(np.float32)


@pytest.fixture(scope="module")
def world(tiny_world: str) -> World:
    return load_world(tiny_world)


@pytest.fixture(scope="module")
def backend(world: World) -> Backend:
    return open_backend(world, "cpu")


def film(world: World, backend: Backend, look_ahead_s: float = math.inf, **changes: object) -> OfflineRender:
    values: dict[str, object] = {path: param.default for path, param in FILM.items()}
    given = {f"/{name.replace('__', '/')}": value for name, value in changes.items()}
    return OfflineRender(world, values | {"/look/travel": 0.0, "/look/sway": 0.0} | given, FPS, backend, look_ahead_s)


def codes(render: OfflineRender, sound: np.ndarray, n_frames: int) -> np.ndarray:
    return np.stack([*render.codes([sound], n_frames)])


def placed(sound: np.ndarray, seconds: float, total: float) -> np.ndarray:
    silence = np.zeros(round(total * SAMPLE_RATE), np.float32)
    at = round(seconds * SAMPLE_RATE)
    silence[at : at + len(sound)] = sound
    return silence


@pytest.mark.parametrize(
    ("hit", "length"),
    [
        (0.4, 441), (0.5123, SAMPLE_RATE // 3), (0.7991, 441), (0.81, SAMPLE_RATE // 3),
        *(
            pytest.param(hit, length, marks=pytest.mark.soak)
            for hit, length in [
                (0.4, SAMPLE_RATE // 3), (0.5123, 441), (0.6667, 441), (0.6667, SAMPLE_RATE // 3),
                (0.7991, SAMPLE_RATE // 3), (0.81, 441),
            ]
        ),
    ],
)  # fmt: skip
def test_a_hit_moves_the_picture_on_its_frame(world: World, backend: Backend, hit: float, length: int) -> None:
    sound = placed(CLICK if length == len(CLICK) else NOISE[:length], hit, 2.0)
    moved = np.abs(codes(film(world, backend), sound, 45) - codes(film(world, backend), sound * 0, 45)).max((1, 2))
    frame = int(hit * FPS)
    first = int(np.argmax(moved > 0))
    assert frame - 1 <= first <= frame + 1
    assert moved[first - 1] == 0.0
    assert moved[first] > 0.3 * moved.max()
    late = np.abs(codes(film(world, backend, 0.0), sound, 45) - codes(film(world, backend, 0.0), sound * 0, 45))
    assert np.argmax(late.max((1, 2)) > 0) > frame


def test_the_strongest_change_is_within_three_frames(world: World, backend: Backend) -> None:
    # Without modulators and the learned motion: what the sound displacement itself does.
    off = {f"moves__{n}__source": "off" for n in (1, 2, 3)} | {f"motion__{x}__kappa": 0.0 for x in _LEVELS}
    for hit in (0.7, 0.7345):
        sound = placed(NOISE[: SAMPLE_RATE // 3], hit, 2.5)
        live, ahead = (
            np.sqrt(np.square(one - one[0]).mean((1, 2)))
            for one in (codes(film(world, backend, s, **off), sound, 60) for s in (0.0, math.inf))
        )
        frame = int(hit * FPS)
        assert abs(int(ahead.argmax()) - frame) <= 3
        assert int(live.argmax()) - frame > 6  # as a show does it
        assert (ahead[: frame - 1] == 0).all()


_LEVELS = ("coarse", "mid", "fine")


def test_a_sound_that_stays_is_followed_as_in_a_show(world: World, backend: Backend) -> None:
    kept = {"moves__1__source": "off", "moves__2__source": "off", "moves__3__source": "off"}
    live, ahead = (codes(film(world, backend, s, **kept), NOISE, 110)[75:] for s in (0.0, math.inf))
    spread = np.sqrt(np.square(live - live.mean(0)).mean())
    assert np.sqrt(np.square(live.mean(0) - ahead.mean(0)).mean()) < 3 * spread + 1e-6


def test_only_so_much_of_the_future_counts(world: World, backend: Backend) -> None:
    other = NOISE.copy()
    other[2 * SAMPLE_RATE :] *= 0.1
    for limit, most in ((0.1, 0.1), (0.5, 0.5), (math.inf, CENTRE_S + 1.0)):
        one, two = (
            codes(film(world, backend, limit, motion__coarse__follow=0.3), sound, 90) for sound in (NOISE, other)
        )
        same = (one == two).all((1, 2))
        assert same[: math.floor((2.0 - most) * FPS) - 2].all()
        assert not same[60:].any()


@pytest.mark.parametrize("limit", [0.05, math.inf])
def test_blocks_of_any_size_give_the_same_bits(world: World, backend: Backend, limit: float) -> None:
    cuts = np.split(NOISE, np.sort(RNG.integers(0, len(NOISE), 30)))
    whole = codes(film(world, backend, limit), NOISE, 60)
    assert np.array_equal(np.stack([*film(world, backend, limit).codes(cuts, 60)]), whole)


SKIPS: dict[str, dict[str, object]] = {
    "default": {},
    "modulators": {"moves__1__target": "/look/truncation", "moves__2__target": "/motion/mid/amount"},
    "travel": {"look__travel": 1.0, "look__drift": 1.0},
    "held": {"motion__mid__hold": True, "motion__fine__hold": True},
    "muted": {"motion__coarse__mute": True},
    "literal": {"motion__mode": "literal"},
}


@pytest.mark.parametrize(
    ("kind", "ahead"),
    [
        *((kind, math.inf) for kind in SKIPS),
        ("default", 0.0),
        *(pytest.param(kind, 0.0, marks=pytest.mark.soak) for kind in SKIPS if kind != "default"),
    ],
)
def test_frames_after_skipped_ones_are_the_same(tmp_path: Path, kind: str, ahead: float) -> None:
    path = tmp_path / "tiny.safetensors"
    write_world(path, displacements=True, places=True)
    world = load_world(path)
    render = film(world, open_backend(world, "ort"), ahead, **SKIPS[kind])
    sound = np.concatenate([NOISE[: SAMPLE_RATE // 2], placed(CLICK, 0.3, 0.8), NOISE[: SAMPLE_RATE // 3]])
    whole = codes(render, sound, 45)
    assert np.abs(np.diff(whole, axis=0)).max() > 0
    skipped = {*range(1, 20), *range(25, 36), 40}
    part = [*render.codes_without([sound], 45, skipped)]
    assert [n for n, w in enumerate(part) if w is None] == sorted(skipped)
    for n, w in enumerate(part):
        assert w is None or np.array_equal(w, whole[n]), f"frame {n}"


def test_how_far_it_looks(world: World, backend: Backend) -> None:
    opened = LoadedWorld(world, backend)

    def ahead(limit: float, **values: float) -> float:
        start = {f"/motion/{x}/follow": values.get(x, 0.1) for x in _LEVELS}
        return FilmPipeline(lambda _world, _device: opened, start, FPS, limit).ahead / SAMPLE_RATE

    assert ahead(math.inf) == pytest.approx(CENTRE_S + 0.3, abs=0.001)
    assert ahead(math.inf, coarse=0.5) == pytest.approx(CENTRE_S + 1.5, abs=0.001)
    assert ahead(math.inf, coarse=5.0) == pytest.approx(MOST_AHEAD_S, abs=0.001)
    assert ahead(0.2) == pytest.approx(0.2, abs=0.001)
