"""Codes of training steps: photo codes with noise, and mixtures as seeds make them."""

from __future__ import annotations

import torch
from torch import Tensor

from ....engine.model.generator import Mapping
from ...data.photos import CLEAN, PictureSet

TRUNCATION = 1.0
"""Of seeds as they are played. Towards the average, pictures lose their edges: anchors of the wide recipe are at 521
(whole) and 310 (patch) from photos that were kept out at 1, at 817 and 574 at 0.7."""
MIXING = 0.25
"""Largest share of the second anchor in a seed as it is played: at 0.5 seeds are at 632 and 346, at 0.17 at 537 and
318."""


def mixed_codes(anchors: Tensor, count: int, noise: float) -> Tensor:
    """Mixtures [B,Z] of two to four anchors [A,Z]: half of them near one (share 1 - 0.5 u^2 of it), half even."""
    picked = anchors[torch.randint(len(anchors), (count, 4), device=anchors.device)]
    share = torch.rand(count, 4) + 0.05
    share[torch.arange(4)[None] >= torch.randint(2, 5, (count, 1))] = 0.0
    share = share / share.sum(1, keepdim=True)
    near = torch.rand(count) < 0.5
    rest = 0.5 * torch.rand(count).square()
    share[near, 0], share[near, 1], share[near, 2:] = 1 - rest[near], rest[near], 0.0
    z = (picked * share.to(anchors.device)[:, :, None]).sum(1)
    return z + noise * torch.randn_like(z)


def truncated(mapping: Mapping, z: Tensor, psi: Tensor) -> Tensor:
    """Style codes [B,L,W] of z [B,Z], each truncated towards w_avg by its own psi [B]."""
    w = mapping(z)
    return mapping.w_avg + psi[:, None, None] * (w - mapping.w_avg)


class Draws:
    """Random rows of a picture set: all training pictures by their weights, or clean ones only."""

    def __init__(self, data: PictureSet) -> None:
        self.weight = data.weight.cpu()
        self.clean = torch.where(data.class_id.cpu() == CLEAN, self.weight, 0.0)

    def __call__(self, count: int, clean: bool = False) -> Tensor:
        """Row numbers [count]; from the CPU's random numbers on every device."""
        return torch.multinomial(self.clean if clean else self.weight, count, replacement=True)
