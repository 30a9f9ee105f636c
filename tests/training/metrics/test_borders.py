"""How many outermost pixels of a world's pictures are left out."""

import pytest
import torch
from torch import Tensor

from sonorama.training.metrics.borders import inset


def landscapes(count: int = 12) -> Tensor:
    """Smooth pictures with noise, 96 x 160 px."""
    generator = torch.Generator().manual_seed(0)
    small = torch.rand(count, 3, 6, 10, generator=generator) - 0.5
    smooth = torch.nn.functional.interpolate(small, (96, 160), mode="bicubic")
    return smooth + 0.05 * torch.randn(smooth.shape, generator=generator)


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("side", ["top", "bottom", "left", "right"])
def test_a_pale_border_is_found(width: int, side: str) -> None:
    pictures = landscapes()
    rows = {"top": pictures[:, :, :width], "bottom": pictures[:, :, -width:], "left": pictures[..., :width]}
    rows["right"] = pictures[..., -width:]
    rows[side] += 0.3
    assert inset(pictures) == width


def test_none_where_there_is_none() -> None:
    assert inset(landscapes()) == 0
    assert inset(landscapes()[..., :32, :32]) == 0
