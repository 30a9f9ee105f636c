"""Discriminators. Stage 0 judges frozen backbone features (as in Projected GANs, Sauer et al. 2021)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ..backbone import CHANNELS


class CrossScaleMixing(nn.Module):
    """Fixed random projections that mix the four feature maps top-down; they are never trained."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.lateral = nn.ModuleList([nn.Conv2d(c, width, 1) for c in CHANNELS])
        self.smooth = nn.ModuleList([nn.Conv2d(width, width, 3, padding=1) for _ in CHANNELS])
        self.requires_grad_(False)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Four maps -> four maps of `width` channels at the same sides; the finest has seen all."""
        out: list[Tensor] = []
        for i in range(len(maps) - 1, -1, -1):
            x: Tensor = self.lateral[i](maps[i])
            if out:
                x = x + F.interpolate(out[-1], x.shape[2:], mode="bilinear")
            out.append(self.smooth[i](x))
        return out[::-1]


def _head(width: int) -> nn.Sequential:
    return nn.Sequential(
        spectral_norm(nn.Conv2d(width, width, 4, stride=2, padding=1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(width, width, 3, padding=1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(width, 1, 1)),
    )


class FeatureDiscriminator(nn.Module):
    """Four small spectral-normalised heads, one a scale."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.mixing = CrossScaleMixing(width)
        self.heads = nn.ModuleList([_head(width) for _ in CHANNELS])

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Backbone maps -> four maps of scores."""
        even = [F.normalize(m, dim=1) * m.shape[1] ** 0.5 for m in maps]
        return [head(x) for head, x in zip(self.heads, self.mixing(even), strict=True)]


def hinge_d(real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Hinge loss of the heads, summed over scales."""
    pairs = zip(real, fake, strict=True)
    return torch.stack([F.relu(1 - r.float()).mean() + F.relu(1 + f.float()).mean() for r, f in pairs]).sum()


def hinge_g(fake: list[Tensor]) -> Tensor:
    """The generator's side of the hinge loss."""
    return -torch.stack([f.float().mean() for f in fake]).sum()
