"""Adversarial losses: values by hand, and who pulls where."""

import math

import pytest
import torch

from sonorama.training.losses.adversarial import LOSSES, gradient_penalty


def test_least_squares_as_two_minimisations() -> None:
    """Mao et al. 2017, as in the authors' code: 0.5 (D - 1)^2 + 0.5 D^2 for D, (D - 1)^2 for the other side."""
    loss = LOSSES["lsgan"]
    scores = [torch.tensor([0.0, 3.0]), torch.tensor([1.0])]
    assert loss.real(scores).item() == pytest.approx(0.5 * ((1 + 4) / 2 + 0) / 2)
    assert loss.fake(scores).item() == pytest.approx(0.5 * (9 / 2 + 1) / 2)
    assert loss.wanted(scores).item() == pytest.approx((2.5 + 0) / 2)


def test_non_saturating_logistic() -> None:
    loss = LOSSES["logistic"]
    scores = [torch.tensor([0.0]), torch.tensor([2.0])]
    assert loss.real(scores).item() == pytest.approx((math.log(2) + math.log1p(math.exp(-2))) / 2)
    assert loss.fake(scores).item() == pytest.approx((math.log(2) + 2 + math.log1p(math.exp(-2))) / 2)
    assert loss.wanted(scores).item() == loss.real(scores).item()


@pytest.mark.parametrize("name", LOSSES)
def test_both_sides_pull_against_each_other(name: str) -> None:
    fake = torch.zeros(4, requires_grad=True)
    (rejected,) = torch.autograd.grad(LOSSES[name].fake([fake + 0.2]), fake)
    (wanted,) = torch.autograd.grad(LOSSES[name].wanted([fake + 0.2]), fake)
    assert (rejected > 0).all()
    assert (wanted < 0).all()


def test_gradient_penalty_of_a_linear_judge() -> None:
    weight = torch.tensor([[1.0, -2.0, 0.5]])
    penalty = gradient_penalty(lambda x: [x @ weight.T], torch.randn(6, 3))
    assert penalty.item() == pytest.approx(1 + 4 + 0.25)
