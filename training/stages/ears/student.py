"""The student: a small convolutional network that codes frames of one second of sound.

A frame is 88 log-mel columns of 128 bands. Its level is taken off, so that what is heard does not depend on how loud
it is; the lowest band (below 45 Hz) is left out, since much of what lies there is the microphone's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....engine.model.mel import BANDS, FLOOR_DB


@dataclass(frozen=True)
class StudentConfig:
    """Sizes.

    widths: channels of the four scales. code: width of the code. names: of the teacher's. components: of the
    teacher's embedding, for training only. regions: bands of frequency that are pooled apart.
    """

    widths: tuple[int, int, int, int] = (24, 48, 96, 160)
    code: int = 256
    names: int = 521
    components: int = 192
    regions: int = 4
    dropout: float = 0.1


LOWEST_DB, HIGHEST_DB = -50.0, 30.0
"""Of a frame's cells, about its mean power."""


def level_free(mel: Tensor) -> Tensor:
    """Log-mel [B,128,T] in 0..1 -> decibels about the frame's mean power, over 20 [B,1,128,T]."""
    db = -FLOOR_DB * (mel[:, 1:] - 1)
    level = 10 * torch.log10((10 ** (db / 10)).mean((1, 2), keepdim=True) + 1e-12)
    db = (db - level).clamp(LOWEST_DB, HIGHEST_DB) / 20
    return F.pad(db, (0, 0, 1, 0), value=LOWEST_DB / 20)[:, None]


class Block(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, a: int, b: int, kernel: tuple[int, int] = (3, 3), stride: tuple[int, int] = (2, 2)) -> None:
        super().__init__()
        self.conv = nn.Conv2d(a, b, kernel, stride, (kernel[0] // 2, kernel[1] // 2), bias=False)
        self.norm = nn.BatchNorm2d(b)

    def forward(self, x: Tensor) -> Tensor:
        """[B,a,H,W] -> [B,b,H',W']."""
        return F.relu(self.norm(self.conv(x)))


class Residual(nn.Module):
    """Two blocks around which the input passes unchanged."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = Block(width, width, stride=(1, 1)), nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,H,W] -> the same shape."""
        return F.relu(x + self.norm(self.second(self.first(x))))


class Student(nn.Module):
    """Frames [B,128,88] in 0..1 -> codes [B,code]; heads for the teacher's names and components."""

    def __init__(self, config: StudentConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or StudentConfig()
        a, b, c, d = config.widths
        self.trunk = nn.Sequential(
            Block(1, a, (7, 5), (4, 2)), Block(a, b), Block(b, c), Residual(c), Block(c, d), Residual(d)
        )
        self.code = nn.Linear(2 * config.regions * d, config.code)
        self.norm = nn.BatchNorm1d(config.code)
        self.dropout = nn.Dropout(config.dropout)
        self.names = nn.Linear(config.code, config.names)
        self.components = nn.Linear(config.code, config.components)

    def encode(self, mel: Tensor) -> Tensor:
        """Codes [B,code]."""
        x = self.trunk(level_free(mel).to(memory_format=torch.channels_last))
        x = F.adaptive_avg_pool2d(x, (self.config.regions, x.shape[3]))
        pooled = torch.cat([x.mean(3), x.amax(3)], 1).flatten(1)
        return F.silu(self.norm(self.code(pooled)))

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of names [B,521] and standardised components [B,192]."""
        code = self.dropout(self.encode(mel))
        return self.names(code), self.components(code)


def parameters(student: Student) -> int:
    """How many numbers play: all but the head that only training has."""
    return sum(p.numel() for name, p in student.named_parameters() if not name.startswith("components."))


assert BANDS == 128  # noqa: S101 (the trunk's four regions come of it)
