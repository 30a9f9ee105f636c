"""The preview's cheap scaling is a scaling: means between neighbours, no channel runs over into another."""

import numpy as np
import pytest

from sonorama.ui.widgets.scaling import Scaler


def pixels(height: int, width: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return np.random.default_rng(3).integers(0, 256, (height, width, 4), np.uint8)


def packed(
    channels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]",
) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint32]]":
    return np.ascontiguousarray(channels).view(np.uint32)[..., 0]


@pytest.mark.parametrize("shape", [(5, 7), (1, 1), (8, 8)])
def test_double(shape: tuple[int, int]) -> None:
    small = pixels(*shape)
    large = Scaler().double(packed(small)).view(np.uint8).reshape(2 * shape[0], 2 * shape[1], 4)
    assert np.array_equal(large[::2, ::2], small)
    between = (small[:, :-1].astype(int) + small[:, 1:]) // 2
    assert np.array_equal(large[::2, 1:-1:2], between)


def test_halve() -> None:
    large = pixels(6, 9)
    small = Scaler().halve(packed(large)).view(np.uint8).reshape(3, 4, 4)
    mean = large[:6, :8].reshape(3, 2, 4, 2, 4).mean((1, 3))
    assert np.abs(small - mean).max() <= 1.5


@pytest.mark.parametrize(("scale", "side"), [(1.0, 64), (1.4, 64), (2.1, 128), (5.0, 256), (0.5, 32), (0.1, 8)])
def test_near(scale: float, side: int) -> None:
    assert Scaler().near(packed(pixels(64, 64)), scale).shape == (side, side)


def test_a_wild_change_of_sizes_does_not_pile_up() -> None:
    scaler = Scaler()
    for side in range(2, 80):
        scaler.double(packed(pixels(side, side)))
    assert len(scaler._space) <= 20
