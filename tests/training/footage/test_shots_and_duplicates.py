"""Cuts are found where they are, lightning is none; near-duplicates are found, different pictures are kept."""

from fractions import Fraction

import numpy as np
import pytest

from sonorama.training.footage.duplicates import Seen, is_flat, look_of
from sonorama.training.footage.shots import in_shots

from .media import moving, scene


def first_of_shots(pictures: list[np.ndarray]) -> list[int]:
    """Index of the first picture of each shot."""
    seen = [*in_shots((Fraction(i, 25), p, i) for i, p in enumerate(pictures))]
    assert [s.more for s in seen] == [*range(len(pictures))]
    return [i for i, s in enumerate(seen) if i == 0 or s.shot != seen[i - 1].shot]


def test_cuts_are_found_at_their_frame() -> None:
    pictures = [*moving(1, 20), *moving(2, 15), *moving(3, 3), *moving(4, 20, 3)]
    assert first_of_shots(pictures) == [0, 20, 35, 38]


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_lightning_is_no_cut(frames: int) -> None:
    night = [(p * 0.3).astype(np.uint8) for p in moving(5, 40)]
    for i in range(15, 15 + frames):
        night[i] = np.clip(night[i].astype(int) * 2.5 + 60, 0, 255).astype(np.uint8)
    assert first_of_shots(night) == [0]


def test_motion_noise_and_fades_are_no_cuts() -> None:
    rng = np.random.default_rng(0)
    fast = moving(6, 30, 8)
    noisy = [np.clip(p.astype(int) + rng.integers(-40, 41, p.shape), 0, 255).astype(np.uint8) for p in moving(7, 30)]
    fade = [(p * (1 - i / 30)).astype(np.uint8) for i, p in enumerate(moving(8, 30))]
    assert [first_of_shots(p) for p in (fast, noisy, fade)] == [[0], [0], [0]]


def test_400_near_duplicates_are_few_pictures() -> None:
    rng, seen = np.random.default_rng(1), Seen()
    sources = [scene(s, (160, 96)) for s in range(3)]
    for i in range(400):
        x = np.roll(sources[i % 3], rng.integers(-2, 3, 2), (0, 1)).astype(int)
        x = np.clip(x + rng.integers(-12, 13, x.shape) + rng.integers(-8, 9), 0, 255).astype(np.uint8)
        look = look_of(x)
        if not seen.has_like(look):
            seen.add(look)
    assert 3 <= len(seen) <= 5


def test_different_pictures_are_all_kept_beyond_the_first_memory() -> None:
    seen = Seen()
    for seed in range(300):
        look = look_of(scene(seed, (160, 96), 8))
        assert not seen.has_like(look)
        seen.add(look)
    assert all(seen.has_like(look_of(scene(seed, (160, 96), 8))) for seed in (0, 255, 256, 299))


def test_the_same_shapes_in_other_colours_are_another_picture() -> None:
    seen, day = Seen(), scene(4)
    seen.add(look_of(day))
    assert seen.has_like(look_of(day)) and not seen.has_like(look_of((day * 0.4).astype(np.uint8)))


def test_flat_pictures_are_told() -> None:
    assert is_flat(np.zeros((72, 128, 3), np.uint8)) and is_flat(np.full((72, 128, 3), 200, np.uint8))
    assert not is_flat(scene(1))
