"""E_a, the Sound Inversion Encoder (eq. 1: w_hat = w + g E_a(x)).

A light network instead of the authors' pSp encoder of 238 M parameters, so that it can run ten times a second.
Silence gives zero by construction: the output for silence is subtracted, and a gate closes below about -70 dB.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import EncoderConfig
from .mel import BANDS, ENCODER_COLUMNS

GATE_LOW, GATE_HIGH = 0.06, 0.16
"""Loudness (mean over time of the loudest band, in mel units: 0 = -80 dB, 1 = 0 dB) where the gate opens."""


def presence(window: Tensor) -> Tensor:
    """How much sound there is: windows [B,1,bands,T] -> [B] in 0..1; 0 for silence."""
    loudness = window[:, 0].amax(1).mean(1)  # [B]
    return ((loudness - GATE_LOW) / (GATE_HIGH - GATE_LOW)).clamp(0, 1)


class EncoderBlock(nn.Module):
    """conv3 stride 2, norm, SiLU, depthwise 3, 1 x 1, norm, SiLU. [B,I,bands,T] -> [B,O,bands/2,T/2]."""

    def __init__(self, n_in: int, n_out: int, groups: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(n_in, n_out, 3, stride=2, padding=1)
        self.norm1 = nn.GroupNorm(groups, n_out)
        self.depthwise = nn.Conv2d(n_out, n_out, 3, padding=1, groups=n_out)
        self.mix = nn.Conv2d(n_out, n_out, 1)
        self.norm2 = nn.GroupNorm(groups, n_out)

    def forward(self, x: Tensor) -> Tensor:
        """One block."""
        x = F.silu(self.norm1(self.reduce(x)))
        return F.silu(self.norm2(self.mix(self.depthwise(x))))


class SoundInversionEncoder(nn.Module):
    """Window [B,1,128,88] and sound code F_a(x) [B,code_dim] -> displacement of the style codes [B,L,W]."""

    sigma_w: Tensor
    silence_code: Tensor

    def __init__(self, config: EncoderConfig, sigma_w: Tensor | None = None) -> None:
        super().__init__()
        self.config = config
        sizes = (1, *config.widths)
        self.blocks = nn.Sequential(*[EncoderBlock(a, b, config.groups) for a, b in pairwise(sizes)])
        self.attention = nn.Linear(config.widths[-1], 1)
        self.join = nn.Linear(config.widths[-1] + config.code_dim, config.hidden)
        outputs = [k * config.w_dim for k in config.level_sizes]
        self.first = nn.ModuleList([nn.Linear(config.hidden, config.hidden) for _ in outputs])
        last = [nn.Linear(config.hidden, n) for n in outputs]
        for layer in last:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.last = nn.ModuleList(last)
        self.register_buffer("sigma_w", torch.ones(config.w_dim) if sigma_w is None else sigma_w.clone())
        self.register_buffer("silence_code", torch.zeros(1, config.code_dim))

    def units(self, window: Tensor, code: Tensor) -> Tensor:
        """The displacement in units of sigma_w, before silence is subtracted: [B,L,W]."""
        x = self.blocks(window).mean(2).transpose(1, 2)  # [B,T',C]: averaged over the bands that are left
        x = (self.attention(x).softmax(1) * x).sum(1)  # [B,C]
        x = F.silu(self.join(torch.cat([x, code], 1)))  # [B,hidden]
        levels = [b(F.silu(a(x))) for a, b in zip(self.first, self.last, strict=True)]  # three of [B,k W]
        return torch.cat(levels, 1).unflatten(1, (self.config.num_ws, self.config.w_dim))

    def forward(self, window: Tensor, code: Tensor) -> tuple[Tensor, Tensor]:
        """Returns E_a(x) [B,L,W] and presence [B]; both are 0 for silence."""
        present = presence(window)
        silent = self.units(torch.zeros(1, 1, BANDS, ENCODER_COLUMNS, device=window.device), self.silence_code)
        change = self.units(window, code) - silent
        return present[:, None, None] * change * self.sigma_w, present
