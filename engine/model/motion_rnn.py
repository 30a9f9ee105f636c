"""E_RNN, the hierarchical recurrent network (eqs. 4 and 5): one GRU a level, in step with the sound.

It sees u^t = w_hat^{t-1} + g E_a(x^t) + sigma_n sigma_w eps and answers with Delta^t. How Delta moves the style
codes ("anchored" or "literal") is plain arithmetic and lives in the stepper.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .world_file import level_sizes


@dataclass(frozen=True)
class MotionConfig:
    """num_ws: L. w_dim: width of a style code. hidden: h of every GRU. level_cuts: first mid, first fine code."""

    num_ws: int = 14
    w_dim: int = 512
    hidden: int = 128
    level_cuts: tuple[int, int] = (3, 7)

    @property
    def level_sizes(self) -> list[int]:
        """Number of style codes of coarse, mid and fine."""
        return level_sizes(self.num_ws, self.level_cuts)


class LevelMotion(nn.Module):
    """One level: Linear(k W -> h), SiLU, GRU(h), Linear(h -> k W), which starts at zero."""

    def __init__(self, codes: int, w_dim: int, hidden: int) -> None:
        super().__init__()
        self.codes = codes
        self.inward = nn.Linear(codes * w_dim, hidden)
        self.gru = nn.GRUCell(hidden, hidden)
        self.outward = nn.Linear(hidden, codes * w_dim)
        nn.init.zeros_(self.outward.weight)
        nn.init.zeros_(self.outward.bias)

    def forward(self, u: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """U [B,k,W], h [B,h] -> Delta [B,k,W], h."""
        h = self.gru(F.silu(self.inward(u.flatten(1))), h)
        return self.outward(h).unflatten(1, (self.codes, u.shape[2])), h


class MotionNetwork(nn.Module):
    """Three levels, coarse to fine."""

    sigma_w: Tensor
    w_avg: Tensor

    def __init__(self, config: MotionConfig, w_avg: Tensor | None = None, sigma_w: Tensor | None = None) -> None:
        super().__init__()
        self.config = config
        self.levels = nn.ModuleList([LevelMotion(k, config.w_dim, config.hidden) for k in config.level_sizes])
        self.register_buffer("w_avg", torch.zeros(config.w_dim) if w_avg is None else w_avg.clone())
        self.register_buffer("sigma_w", torch.ones(config.w_dim) if sigma_w is None else sigma_w.clone())

    def start(self, batch: int = 1) -> Tensor:
        """The state at rest: [B,3,h] of zeros."""
        return torch.zeros(batch, 3, self.config.hidden, device=self.w_avg.device)

    def forward(self, u: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        """U [B,L,W] (style codes), h [B,3,h] -> Delta [B,L,W] in units of sigma_w, new h."""
        x = (u - self.w_avg) / self.sigma_w
        parts = x.split(self.config.level_sizes, dim=1)
        results = [level(p, h[:, i]) for i, (level, p) in enumerate(zip(self.levels, parts, strict=True))]
        return torch.cat([r[0] for r in results], 1), torch.stack([r[1] for r in results], 1)
