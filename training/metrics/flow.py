"""Optical flow after Horn and Schunck (1981), and AV-Align on it: whether motion peaks at onsets."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SMOOTH, ROUNDS = 0.01, 60
"""alpha^2 of Horn and Schunck for pictures in 0..1, and iterations."""
_MEAN = torch.tensor([[1.0, 2.0, 1.0], [2.0, 0.0, 2.0], [1.0, 2.0, 1.0]])[None, None] / 12


def flow(frames: Tensor) -> Tensor:
    """Flow [T-1,2,H,W] in px (right, down) between neighbouring frames [T,3,H,W] in [-1,1]."""
    luma = (frames / 2 + 0.5).mean(1, keepdim=True)
    a, b = luma[:-1], luma[1:]
    middle = F.pad((a + b) / 2, (1, 1, 1, 1), mode="replicate")
    dx = (middle[:, :, 1:-1, 2:] - middle[:, :, 1:-1, :-2]) / 2
    dy = (middle[:, :, 2:, 1:-1] - middle[:, :, :-2, 1:-1]) / 2
    dt = b - a
    uv = torch.zeros(len(a), 2, *a.shape[2:])
    for _ in range(ROUNDS):
        around = F.conv2d(F.pad(uv, (1, 1, 1, 1), mode="replicate").flatten(0, 1)[:, None], _MEAN).view_as(uv)
        u, v = around[:, :1], around[:, 1:]
        step = (dx * u + dy * v + dt) / (SMOOTH + dx.square() + dy.square())
        uv = torch.cat([u - dx * step, v - dy * step], 1)
    return uv


def flow_strength(frames: Tensor) -> Tensor:
    """Mean length of the flow between neighbouring frames, [T-1], in px."""
    return flow(frames).norm(dim=1).mean((1, 2))


def peaks(x: Tensor, above: float) -> list[int]:
    """Positions of local maxima of x [N] that are higher than `above`."""
    y = [float("-inf"), *x.tolist(), float("-inf")]
    return [i - 1 for i in range(1, len(y) - 1) if y[i] > above and y[i] > y[i - 1] and y[i] >= y[i + 1]]


def av_align(onsets: Tensor, motion: Tensor, within: int = 1) -> float:
    """AV-Align (Yariv et al. 2023): intersection over union of the peaks of onset strength [N] in 0..1 and of motion
    [N], which match where they are at most `within` frames apart. 1 where there are none of both.
    """
    heard, seen = peaks(onsets, 0.3), peaks(motion, float(motion.mean()))
    both = sum(any(abs(a - v) <= within for v in seen) for a in heard)
    union = len(heard) + len(seen) - both
    return both / union if union else 1.0
