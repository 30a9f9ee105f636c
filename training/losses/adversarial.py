"""Adversarial losses of eqs. 7 to 9, each written as two minimisations.

As printed, eq. 7 is unbounded (read log(1 - D)); in eq. 9 the discriminators maximise and the generator's side
minimises. `lsgan` (Mao et al. 2017), as in the authors' released code: L_D = 0.5 E[(D(v) - 1)^2] + 0.5 E[D(v~)^2],
L_G = E[(D(v~) - 1)^2]. `logistic`: the non-saturating logistic loss (Goodfellow et al. 2014), to be used with R1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Scores = Sequence[Tensor]
"""Score maps of one or more scales; scales count alike."""


def _mean(maps: list[Tensor]) -> Tensor:
    return torch.stack(maps).mean()


def _ls_real(scores: Scores) -> Tensor:
    return 0.5 * _mean([(s - 1).square().mean() for s in scores])


def _ls_fake(scores: Scores) -> Tensor:
    return 0.5 * _mean([s.square().mean() for s in scores])


def _log_real(scores: Scores) -> Tensor:
    return _mean([F.softplus(-s).mean() for s in scores])


def _log_fake(scores: Scores) -> Tensor:
    return _mean([F.softplus(s).mean() for s in scores])


@dataclass(frozen=True)
class AdversarialLoss:
    """real, fake: a discriminator's losses of what it should accept and reject; wanted: the other side's loss."""

    real: Callable[[Scores], Tensor]
    fake: Callable[[Scores], Tensor]
    wanted: Callable[[Scores], Tensor]


LOSSES = {
    "lsgan": AdversarialLoss(_ls_real, _ls_fake, lambda scores: 2 * _ls_real(scores)),
    "logistic": AdversarialLoss(_log_real, _log_fake, _log_real),
}


def gradient_penalty(score: Callable[[Tensor], Scores], real: Tensor) -> Tensor:
    """R1 of the mean scores of every scale at real input [B,...]."""
    return squared_gradient(lambda x: torch.stack([s.flatten(1).mean(1).sum() for s in score(x)]).sum(), real)


def squared_gradient(total: Callable[[Tensor], Tensor], real: Tensor) -> Tensor:
    """R1 (Mescheder et al. 2018): squared gradient at real input [B,...] of `total`, a sum over the batch; mean over
    the batch.
    """
    real = real.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(total(real), real, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()
