"""Texture losses: detail counts, not where it is."""

import torch
import torch.nn.functional as F

from sonorama.training.losses.texture import band_texture, bands, local_deviation, map_texture


def noise(seed: int) -> torch.Tensor:
    return torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(seed)) * 0.2


def test_other_noise_of_the_same_size_is_nearer_than_a_blurred_picture() -> None:
    """L1 has it the other way round."""
    real, other = noise(0), noise(1)
    blurred = F.avg_pool2d(real, 3, 1, 1)
    assert band_texture(real, real) == 0
    assert band_texture(other, real) < 0.2 < band_texture(blurred, real) < band_texture(real * 0, real) <= 1
    assert (other - real).abs().mean() > (blurred - real).abs().mean()
    assert map_texture([other], [real]) < 0.2 < map_texture([blurred], [real])


def test_detail_belongs_where_the_real_picture_has_it() -> None:
    half = noise(0)
    half[..., 48:] = 0
    assert band_texture(half.flip(3), half) > 4 * band_texture(noise(1) * (half != 0), half)


def test_more_detail_than_the_real_one_is_wrong_too() -> None:
    fake = (noise(1) * 1.5).requires_grad_()
    band_texture(fake, noise(0)).backward()
    assert fake.grad is not None
    assert (fake.grad * fake).sum() > 0  # a step against the gradient makes it weaker


def test_bands_add_up() -> None:
    x = noise(0)
    fine, coarse = bands(x, 2)
    assert fine.shape[2:] == (96, 96)
    assert coarse.shape[2:] == (48, 48)
    low = F.interpolate(F.avg_pool2d(x, 2), (96, 96), mode="bilinear")
    assert torch.allclose(fine + low, x, atol=1e-6)


def test_a_flat_picture_has_a_gradient_that_is_finite() -> None:
    flat = torch.zeros(1, 3, 32, 32, requires_grad=True)
    band_texture(flat, noise(0)[:1, :, :32, :32]).backward()
    assert flat.grad is not None
    assert torch.isfinite(flat.grad).all()
    assert local_deviation(torch.zeros(1, 1, 4, 4), 8).shape == (1, 1, 1, 1)
