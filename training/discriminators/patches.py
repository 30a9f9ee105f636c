"""Patch discriminators of pictures and of clips for eqs. 7 to 9: D_I in two dimensions, D_V in three.

PatchGAN (Isola et al. 2017): every score judges a patch. D_V's kernels are 4 long in time too; the authors' released
D_V has temporal kernels of 1, so that another order of the frames only reorders its scores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LARGEST = 512


@dataclass(frozen=True)
class PatchPlan:
    """width: channels of the first layer, doubled by each up to 512; layers: strided ones, 0 for log2(height) - 3;
    scales of D_V, each half the height of the one before; time: whether D_V sees time (False: kernels of 1, an
    ablation); sound: width of the sound embedding that D_V's scores are projected on, 0 for none.
    """

    width: int = 64
    layers: int = 0
    scales: int = 2
    time: bool = True
    sound: int = 0

    def depth(self, height: int) -> int:
        """Strided layers for pictures of this height."""
        return self.layers or max(1, round(math.log2(height)) - 3)


def _widths(plan: PatchPlan, height: int) -> list[int]:
    return [min(LARGEST, plan.width * 2**i) for i in range(plan.depth(height))]


class ImageDiscriminator(nn.Module):
    """D_I: pictures [B,3,H,W] in [-1,1] -> list of one map of scores [B,1,h,w]."""

    def __init__(self, plan: PatchPlan, height: int) -> None:
        super().__init__()
        widths = _widths(plan, height)
        layers: list[nn.Module] = []
        for i, (a, b) in enumerate(zip([3, *widths], widths, strict=False)):
            layers.append(nn.Conv2d(a, b, 4, stride=2, padding=1))
            if i:
                layers.append(nn.InstanceNorm2d(b))
            layers.append(nn.LeakyReLU(0.2))
        self.net = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Scores."""
        return [self.net(x)]


class _ClipScale(nn.Module):
    """One scale of D_V: [B,6,T,H,W] and, where it is asked for, sound [B,S] -> scores [B,1,t,h,w]."""

    def __init__(self, plan: PatchPlan, height: int) -> None:
        super().__init__()
        widths = _widths(plan, height)
        self.strided = nn.ModuleList()
        for i, (a, b) in enumerate(zip([6, *widths], widths, strict=False)):
            # Time is halved twice at most: 16 frames become 4.
            step = 2 if i < 2 and plan.time else 1
            kernel, pad = (4, 1) if step == 2 else ((3, 1) if plan.time else (1, 0))
            self.strided.append(nn.Conv3d(a, b, (kernel, 4, 4), stride=(step, 2, 2), padding=(pad, 1, 1)))
        self.norms = nn.ModuleList([nn.InstanceNorm3d(b) for b in widths[1:]])
        kernel, pad = (3, 1) if plan.time else (1, 0)
        self.score = nn.Conv3d(widths[-1], 1, (kernel, 3, 3), padding=(pad, 1, 1))
        self.project = nn.Linear(plan.sound, widths[-1], bias=False) if plan.sound else None

    def forward(self, x: Tensor, sound: Tensor | None) -> Tensor:
        for i, layer in enumerate(self.strided):
            x = layer(x)
            x = F.leaky_relu(self.norms[i - 1](x) if i else x, 0.2)
        scores = self.score(x)
        if self.project is None or sound is None:
            return scores
        # Projection (Miyato and Koyama 2018): how far the features at each place go with the sound.
        along = torch.einsum("bcthw,bc->bthw", x, self.project(sound)) / x.shape[1] ** 0.5
        return scores + along[:, None]


class VideoDiscriminator(nn.Module):
    """D_V: clips [B,T,3,H,W] in [-1,1] -> scores [B,1,t,h,w] of each scale.

    Every frame is seen beside the clip's first one. sound [B,S]: mean F_a(x) of the clip, if the plan asks for it.
    """

    def __init__(self, plan: PatchPlan, height: int) -> None:
        super().__init__()
        self.plan = plan
        self.scales = nn.ModuleList([_ClipScale(plan, height >> i) for i in range(plan.scales)])

    def forward(self, clips: Tensor, sound: Tensor | None = None) -> list[Tensor]:
        """Scores, the largest scale first. ValueError where the plan's sound is missing."""
        if self.plan.sound and sound is None:
            raise ValueError("this discriminator judges clips with their sound")
        pairs = torch.cat([clips[:, :1].expand_as(clips), clips], 2).transpose(1, 2)  # [B,6,T,H,W]
        scores = []
        for i, scale in enumerate(self.scales):
            scores.append(scale(pairs if i == 0 else F.avg_pool3d(pairs, (1, 2**i, 2**i)), sound))
        return scores
