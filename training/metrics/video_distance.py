"""Distances between sets of clips: FVD and the video Inception Score on I3D's scores, and the same formulas on what is
at hand under their own names.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ...engine.errors import needing_extra
from ..backbone import Backbone
from .distance import POOLED, pooled
from .i3d import CLIP, I3D
from .motion import motion_descriptor


class _Given(nn.Identity):
    """Takes descriptors of so many numbers as they are; torchmetrics would download a network of its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width


def frechet(a: Tensor, b: Tensor) -> float:
    """Frechet distance of two Gaussians fitted to [N,D] and [M,D] (Dowson and Landau 1982), by torchmetrics.

    |m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)). Biased for small N: say N beside it.
    """
    with needing_extra():  # here: it is slow to import, and few figures need it
        from torchmetrics.image.fid import FrechetInceptionDistance
    distance = FrechetInceptionDistance(_Given(a.shape[1]))
    distance.update(a, real=True)
    distance.update(b, real=False)
    return float(distance.compute())


def inception_score(logits: Tensor) -> float:
    """Exponential of the mean of KL(p(y|x) || p(y)) over clips (Salimans et al. 2016); logits [N,K].

    torchmetrics' InceptionScore shuffles and splits the clips by torch's global random numbers; this does neither.
    """
    each = logits.double().log_softmax(1)
    mean = each.exp().mean(0, keepdim=True).log()
    return float((each.exp() * (each - mean)).sum(1).mean().exp())


@torch.no_grad()
def i3d_scores(clips: Sequence[Tensor], net: I3D) -> Tensor:
    """Logits [N,400] of the first 16 frames of clips [T,3,H,W] in [-1,1]. ValueError for one that is shorter."""
    if any(len(c) < CLIP for c in clips):
        raise ValueError(f"I3D sees {CLIP} frames")
    return torch.cat([net(c[None, :CLIP]) for c in clips])


@torch.no_grad()
def clip_descriptor(clip: Tensor, backbone: Backbone) -> Tensor:
    """Descriptor [D] of a clip [T,3,H,W] in [-1,1]: what its frames show on average, and how they move. For kernel
    distances, which are not FVD.
    """
    return torch.cat([pooled(clip, backbone).mean(0), motion_descriptor(clip, backbone)])


def moving_part(descriptors: Tensor) -> Tensor:
    """What clip descriptors [N,D] say of motion alone."""
    return descriptors[:, POOLED:]
