"""Folded kernels: what they must equal, and that no machine changes a bit of them."""

import hashlib

import numpy as np
import pytest
import torch

from sonorama.engine.inference.graphs.graph import Weights
from sonorama.engine.model.folded_kernel import EARLIER_SIZES, fold_kernel, kernel_size
from sonorama.engine.model.world_file import World, load_world


def kernel(*shape: int) -> np.ndarray:
    return (3 * np.random.default_rng(7).standard_normal(shape)).astype(np.float32)


@pytest.mark.parametrize("shape", [(128, 96, 3, 3), (16, 8, 3, 3), (3, 8, 1, 1)])
def test_demodulation_is_the_same(shape: tuple[int, ...]) -> None:
    """rsqrt(sum (w s)^2 + 1e-8) w, by the trained kernel and by the folded one."""
    weight, style = torch.from_numpy(kernel(*shape)), torch.rand(shape[1]) + 0.5
    scaled = weight * style[None, :, None, None]
    expected = scaled * (scaled.square().sum((1, 2, 3), keepdim=True) + 1e-8).rsqrt()
    folded = fold_kernel(weight.numpy())
    d = (style.square() @ torch.from_numpy(folded.energy) + float(folded.epsilon)).rsqrt()
    got = torch.from_numpy(folded.weight) * style[None, :, None, None] * d[:, None, None, None]
    torch.testing.assert_close(got, expected)
    assert kernel_size(folded.weight) == pytest.approx(shape[1] ** -0.5 / shape[2])


def test_a_kernel_of_zeros_stays_finite() -> None:
    folded = fold_kernel(np.zeros((4, 4, 3, 3), np.float32))
    assert not folded.weight.any()
    assert np.isfinite(folded.epsilon) and folded.epsilon > 0


def test_size_is_right_to_the_last_bit() -> None:
    weight = kernel(64, 64, 3, 3)
    squares = weight.astype(np.longdouble) ** 2
    assert np.float32(kernel_size(weight)) == np.float32(np.sqrt(squares.sum() / weight.size))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_do_not_change_a_bit(threads: int) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        folded = fold_kernel(kernel(128, 128, 3, 3))
    finally:
        torch.set_num_threads(before)
    digest = hashlib.sha256(folded.weight.tobytes() + folded.energy.tobytes()).hexdigest()
    assert digest[:16] == "0ac34144d20cb6ee"


def test_sizes_of_earlier_worlds_are_off_by_one_unit_at_most() -> None:
    shore = load_world("shore")
    weights = Weights(World(shore.card, shore.tensors), "generator.synthesis")
    for name, size in EARLIER_SIZES[shore.card.content].items():
        exact = np.float32(kernel_size(weights.take(f"{name}.weight", None, None, 3, 3)))
        assert abs(np.float32(size) - exact) == np.spacing(exact)
