"""Scores, onsets, beats and changes on the frames of a film."""

import math
from fractions import Fraction

import numpy as np

from sonorama.engine.audio.feature_track import Hit
from sonorama.engine.audio.features import METERS
from sonorama.engine.inference.backend import open_backend
from sonorama.engine.model.world_file import load_world
from sonorama.engine.pipeline.film_pipeline import FilmPipeline
from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.pipeline.sound_curves import SILENCE, _changes, _frames, _scores, sound_curves
from sonorama.engine.pipeline.window_scores import WindowScores
from sonorama.engine.units import SAMPLE_RATE

NAMES = ["rain", "fire"]
FPS = Fraction(10)


def test_features_are_those_by_which_a_film_moves(tiny_world: str) -> None:
    """To the bit, also in a part: those of the film's pipeline, which knows the sound that comes."""
    sound = np.random.default_rng(2).normal(0, 0.1, 3 * SAMPLE_RATE).astype(np.float32)
    sound[::SAMPLE_RATE] = 0.9
    world, fps = load_world(tiny_world), Fraction(30000, 1001)
    loaded = LoadedWorld(world, open_backend(world, "ort"))
    film = FilmPipeline(lambda _world, _device: loaded, {}, fps, math.inf)
    padded, at, features = np.concatenate([sound, np.zeros(10 * SAMPLE_RATE, np.float32)]), 0, []
    for _ in range(60):
        missing = film.missing
        features.append(film.step(padded[at : at + missing]).features)
        at += missing
    curves = sound_curves(world, iter(np.array_split(sound, 11)), fps, 50, before=10)
    for name in METERS:
        assert curves.features[name].tolist() == [np.float32(getattr(one, name)) for one in features[10:]]


def changes(best: str, before: float = 0.0) -> dict[int, str]:
    """r, f or . (silence) for three windows, a quarter of a second apart; the first window's middle is at -before."""
    rows = np.array([{"r": (0.9, 0.1), "f": (0.1, 0.9), ".": (0, 0)}[one] for one in best], np.float32).repeat(
        3, axis=0
    )
    return _changes(rows, NAMES, np.arange(len(rows)) / 4 - before, FPS, 200)


def test_a_change_is_where_another_class_becomes_the_best_and_stays_it() -> None:
    assert changes("rrrrrrrrffffffff") == {0: "rain", 60: "fire"}
    assert changes("rrrrrrrrfffrrrrr") == {0: "rain"}  # too short to be one
    assert changes("rrrr....ffffrrrr") == {0: "rain", 30: SILENCE, 60: "fire", 90: "rain"}
    assert changes("rf") == {0: "rain"}
    assert changes("f") == {0: "fire"}
    assert changes("rfrfffffff") == {0: "fire"}


def test_what_was_before_the_part_is_its_first() -> None:
    assert changes("rrrrffffffff", before=6.0) == {0: "fire"}
    assert changes("rrrrrrrrffff", before=3.0) == {0: "rain", 30: "fire"}


def test_equal_scores_are_silence() -> None:
    windows = [WindowScores(0, 1, {"rain": 0.5, "fire": 0.5}), WindowScores(0, 2, {"rain": 0.2, "other": 0.8})]
    assert np.array_equal(_scores(windows, NAMES), np.array([[0, 0], [0.2, 0]], np.float32))


def test_the_strongest_hit_of_a_frame() -> None:
    hits = [Hit(-0.01, 1.0), Hit(0.0, 0.5), Hit(0.05, 0.7), Hit(0.1, 0.2), Hit(0.999, 0.3), Hit(1.0, 0.9)]
    assert _frames(hits, FPS, 10, 0.0) == {0: 0.7, 1: 0.2, 9: 0.3}
    assert _frames([Hit(0.097, 0.4)], FPS, 10, 0.005) == {1: 0.4}
