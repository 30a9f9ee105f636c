"""The student: the frame encoder (engine/model/frame_encoder.py) as it is trained, with batch normalisation and with
heads for what the teacher says.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....engine.model.config import FramesConfig
from ....engine.model.frame_encoder import ROWS, FrameEncoder, level_free, pooled


@dataclass(frozen=True)
class StudentConfig:
    """Sizes.

    widths: channels of the four scales. code: width of the code. names: of the teacher's. components: of the
    teacher's embedding, for training only.
    """

    widths: tuple[int, int, int, int] = (24, 48, 96, 160)
    code: int = 256
    names: int = 521
    components: int = 192
    dropout: float = 0.1


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
        self.code = nn.Linear(2 * ROWS * d, config.code)
        self.norm = nn.BatchNorm1d(config.code)
        self.dropout = nn.Dropout(config.dropout)
        self.names = nn.Linear(config.code, config.names)
        self.components = nn.Linear(config.code, config.components)

    def encode(self, mel: Tensor) -> Tensor:
        """Codes [B,code]."""
        x = self.trunk(level_free(mel).to(memory_format=torch.channels_last))
        return F.silu(self.norm(self.code(pooled(x))))

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of names [B,521] and standardised components [B,192]."""
        code = self.dropout(self.encode(mel))
        return self.names(code), self.components(code)


def parameters(student: Student) -> int:
    """How many numbers play: all but the head that only training has."""
    return sum(p.numel() for name, p in student.named_parameters() if not name.startswith("components."))


@torch.no_grad()
def frame_encoder(student: Student) -> FrameEncoder:
    """The same codes, with the normalisations folded into the layers before them."""
    config = student.config
    made = FrameEncoder(FramesConfig(config.widths, config.code))
    blocks = [part for part in student.trunk if isinstance(part, Block)]
    residuals = [part for part in student.trunk if isinstance(part, Residual)]
    for to, block in zip(made.reductions(), blocks, strict=True):
        _fold(to, block.conv, block.norm)
    for inner, part in zip(made.residuals(), residuals, strict=True):
        _fold(inner.first, part.first.conv, part.first.norm)
        _fold(inner.second, part.second, part.norm)
    _fold(made.linear, student.code, student.norm)
    return made.eval().requires_grad_(False)


Layer = nn.Conv2d | nn.Linear


def _fold(to: Layer, layer: Layer, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
    """Weights and biases of a layer and its normalisation as one layer."""
    assert norm.running_mean is not None and norm.running_var is not None  # noqa: S101 (both track)
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    to.weight.copy_(layer.weight * scale.reshape(-1, *[1] * (layer.weight.dim() - 1)))
    bias = torch.zeros_like(scale) if layer.bias is None else layer.bias
    assert to.bias is not None  # noqa: S101 (layers that play have one)
    to.bias.copy_((bias - norm.running_mean) * scale + norm.bias)
