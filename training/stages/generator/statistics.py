"""What a trained generator says of W: the mean and spread of the latents that seeds come from."""

from __future__ import annotations

import torch
from torch import Tensor

from ....engine.model.generator import Generator
from .diversity import seed_codes

SEEDS = 10_000


@torch.no_grad()
def set_w_statistics(generator: Generator, anchors: Tensor, seeds: int = SEEDS) -> Generator:
    """Set w_avg and sigma_w [W], in place, to those of the first seeds, which the engine mixes of `anchors` [A,Z]."""
    mapping = generator.mapping
    mapping.w_avg.zero_()
    w = torch.cat([mapping(z)[:, 0] for z in seed_codes(anchors, seeds).split(1024)])
    mapping.w_avg.copy_(w.mean(0))
    mapping.w_std.copy_(w.std(0))
    return generator
