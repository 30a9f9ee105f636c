"""The frame encoder: a small convolutional network that codes one second of sound; what F_a listens with.

It is trained by distillation (training/stages/ears) and holds the folded weights of that student: batch normalisation
is part of the convolutions. A frame is 88 log-mel columns of 128 bands. Its level is taken off, so that the code does
not depend on how loud the sound is, and the lowest band is left out, where much is the microphone's own rumble.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import FRAME_SCALES, FRAME_SOUND, FRAME_STARTS, FramesConfig
from .mel import BANDS, ENCODER_COLUMNS, FLOOR_DB

LOWEST_DB, HIGHEST_DB = -50.0, 30.0
"""Bounds of a frame's cells, about its mean power."""
ROWS = 4
"""Of the last feature map: regions of frequency that are pooled apart."""


def level_free(frames: Tensor) -> Tensor:
    """Log-mel frames [B,128,T] in 0..1 -> decibels about the frame's mean power, over 20 [B,1,128,T]."""
    db = -FLOOR_DB * (frames[:, 1:] - 1)
    level = 10 * torch.log10((10 ** (db / 10)).mean((1, 2), keepdim=True) + 1e-12)
    db = (db - level).clamp(LOWEST_DB, HIGHEST_DB) / 20
    return F.pad(db, (0, 0, 1, 0), value=LOWEST_DB / 20)[:, None]


def pooled(x: Tensor) -> Tensor:
    """Mean and maximum over time of a feature map [B,C,ROWS,T] -> [B,2 C ROWS]."""
    return torch.cat([x.mean(3), x.amax(3)], 1).flatten(1)


class Residual(nn.Module):
    """Two convolutions around which the input passes unchanged."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(width, width, 3, 1, 1), nn.Conv2d(width, width, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,H,W] -> the same shape."""
        return F.relu(x + self.second(F.relu(self.first(x))))


class FrameEncoder(nn.Module):
    """Frames [B,128,88] in 0..1 -> codes [B,code]."""

    def __init__(self, config: FramesConfig) -> None:
        super().__init__()
        a, b, c, d = config.widths
        self.config = config
        self.reduce = nn.ModuleList([
            nn.Conv2d(1, a, (7, 5), (4, 2), (3, 2)), nn.Conv2d(a, b, 3, 2, 1),
            nn.Conv2d(b, c, 3, 2, 1), nn.Conv2d(c, d, 3, 2, 1),
        ])  # fmt: skip
        self.residual = nn.ModuleList([Residual(c), Residual(d)])
        self.linear = nn.Linear(2 * ROWS * d, config.code)

    def reductions(self) -> list[nn.Conv2d]:
        """The convolutions with strides, in their order."""
        return [part for part in self.reduce if isinstance(part, nn.Conv2d)]

    def residuals(self) -> list[Residual]:
        """The blocks after the last two of them."""
        return [part for part in self.residual if isinstance(part, Residual)]

    def forward(self, frames: Tensor) -> Tensor:
        """One pass."""
        x = level_free(frames)
        for i, reduce in enumerate(self.reductions()):
            x = F.relu(reduce(x))
            x = self.residuals()[i - 2](x) if i >= 2 else x
        return F.silu(self.linear(pooled(x)))

    def window(self, window: Tensor) -> Tensor:
        """Windows [B,1,128,344] -> the mean code [B,code] of their frames that hold sound; 0 where none does."""
        frames = frames_of(window)
        codes, share = self(frames.flatten(0, 1)).unflatten(0, frames.shape[:2]), sounding_frames(window)
        return (codes * share[..., None]).sum(1) / share.sum(1, keepdim=True).clamp_min(1)


def frames_of(window: Tensor) -> Tensor:
    """Windows [B,1,128,344] -> their frames [B,4,128,88]."""
    return torch.stack([window[:, 0, :, start : start + ENCODER_COLUMNS] for start in FRAME_STARTS], 1)


def sounding_frames(window: Tensor) -> Tensor:
    """Which frames of windows hold sound: [B,1,128,344] -> [B,4] of 0 and 1."""
    return (frames_of(window).amax((2, 3)) > FRAME_SOUND).float()


def frames_config(tensors: Mapping[str, Tensor]) -> FramesConfig:
    """Sizes of the frame encoder of these tensors. KeyError where one is missing."""
    widths = tuple(len(tensors[f"reduce.{i}.bias"]) for i in range(FRAME_SCALES))
    return FramesConfig(widths, len(tensors["linear.bias"]))


assert BANDS == 32 * ROWS  # noqa: S101 (the strides 4, 2, 2, 2 leave four rows)
