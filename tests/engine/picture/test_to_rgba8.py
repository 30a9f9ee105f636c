"""Floats become levels: rounded to the nearest, clipped, opaque."""

import numpy as np
import pytest

from sonorama.engine.picture.to_rgba8 import rgba8


@pytest.mark.parametrize("planes", [False, True])
def test_levels_are_the_nearest(planes: bool) -> None:
    picture = np.random.default_rng(0).uniform(-0.1, 1.1, (7, 5, 3)).astype(np.float32)
    picture[0, 0], picture[0, 1] = (0.0, 1.0, 0.5), (100.4 / 255, 100.6 / 255, 2.0)
    if planes:
        picture = np.ascontiguousarray(picture.transpose(2, 0, 1)).transpose(1, 2, 0)
    made = rgba8(picture)
    assert made.shape == (7, 5, 4) and made.dtype == np.uint8
    np.testing.assert_array_equal(made[..., 3], 255)
    expected = np.floor(np.clip(picture.astype(np.float64), 0, 1) * 255 + 0.5)
    assert np.abs(made[..., :3] - expected).max() <= 1  # halves may fall either way in single precision
    assert (made[..., :3] == expected).mean() > 0.99
    assert made[0, 0].tolist() == [0, 255, 128, 255] and made[0, 1].tolist() == [100, 101, 255, 255]


def test_a_given_array_is_used() -> None:
    out = np.full((2, 2, 4), 255, np.uint8)
    assert rgba8(np.zeros((2, 2, 3), np.float32), out) is out
    assert out[..., :3].max() == 0
