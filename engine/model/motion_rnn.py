"""E_RNN, the hierarchical recurrent network (eqs. 4 and 5): one GRU for each level, one step for each motion step.

Its input is u^t = w_hat^{t-1} + g E_a(x^t) + sigma_n sigma_w eps, its output Delta^t. How Delta moves the style codes
("anchored" or "literal") is arithmetic in pipeline/latent_motion.py.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import MotionConfig


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
        h = self.gru(F.silu(self.inward(u.flatten(1))), h)  # [B,k W] -> [B,H]
        return self.outward(h).unflatten(1, (self.codes, u.shape[2])), h


class MotionNetwork(nn.Module):
    """Three levels, coarse to fine. w_avg, sigma_w [W]: mean and deviation of the world's style codes."""

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
        x = (u - self.w_avg) / self.sigma_w  # [B,L,W]
        parts = x.split(self.config.level_sizes, dim=1)  # three of [B,k,W]
        results = [level(p, h[:, i]) for i, (level, p) in enumerate(zip(self.levels, parts, strict=True))]
        return torch.cat([r[0] for r in results], 1), torch.stack([r[1] for r in results], 1)
