"""I3D (Carreira and Zisserman 2017): the video classifier on whose scores FVD and the video Inception Score stand.

Plain torch; parameters have the names of the published state dictionary `rgb_imagenet.pt` (Kinetics-400). The weights
cannot be shipped: users give the file. Without it there is no FVD here.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...engine.errors import InputError
from .given_weights import read_given

CLIP, SIDE, CLASSES = 16, 224, 400
"""Frames and px of what it sees, and its classes."""
MIXED: dict[str, tuple[int, tuple[int, int, int, int, int, int]]] = {
    "Mixed_3b": (192, (64, 96, 128, 16, 32, 32)),
    "Mixed_3c": (256, (128, 128, 192, 32, 96, 64)),
    "Mixed_4b": (480, (192, 96, 208, 16, 48, 64)),
    "Mixed_4c": (512, (160, 112, 224, 24, 64, 64)),
    "Mixed_4d": (512, (128, 128, 256, 24, 64, 64)),
    "Mixed_4e": (512, (112, 144, 288, 32, 64, 64)),
    "Mixed_4f": (528, (256, 160, 320, 32, 128, 128)),
    "Mixed_5b": (832, (256, 160, 320, 32, 128, 128)),
    "Mixed_5c": (832, (384, 192, 384, 48, 128, 128)),
}
"""Inception blocks: channels in, and out of their branches (1 x 1; 1 x 1, 3 x 3; 1 x 1, 3 x 3; 1 x 1 after pooling)."""
POOLS = {"Mixed_3b": ((1, 3, 3), (1, 2, 2)), "Mixed_4b": ((3, 3, 3), (2, 2, 2)), "Mixed_5b": ((2, 2, 2), (2, 2, 2))}
"""Kernel and stride of the pooling before a block."""


def _same(x: Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> Tensor:
    """Zeros around x [B,C,T,H,W] as TensorFlow's padding `same` has them: the odd one at the end."""
    pads: list[int] = []
    for size, k, s in reversed(list(zip(x.shape[2:], kernel, stride, strict=True))):
        total = max(k - (s if size % s == 0 else size % s), 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def _pool(x: Tensor, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> Tensor:
    return F.max_pool3d(_same(x, kernel, stride), kernel, stride)


class Unit(nn.Module):
    """Convolution with padding `same`, batch norm, ReLU; `plain`: the convolution alone, with a bias."""

    def __init__(self, n_in: int, n_out: int, kernel: int = 1, stride: int = 1, plain: bool = False) -> None:
        super().__init__()
        self.kernel, self.stride = (kernel, kernel, kernel), (stride, stride, stride)
        self.conv3d = nn.Conv3d(n_in, n_out, kernel, stride, bias=plain)
        self.bn = None if plain else nn.BatchNorm3d(n_out, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """[B,I,T,H,W] -> [B,O,T/s,H/s,W/s]."""
        x = self.conv3d(_same(x, self.kernel, self.stride))
        return x if self.bn is None else F.relu(self.bn(x))


class Inception(nn.Module):
    """Four branches side by side."""

    def __init__(self, n_in: int, n: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        self.b0, self.b1a, self.b1b = Unit(n_in, n[0]), Unit(n_in, n[1]), Unit(n[1], n[2], 3)
        self.b2a, self.b2b, self.b3b = Unit(n_in, n[3]), Unit(n[3], n[4], 3), Unit(n_in, n[5])

    def forward(self, x: Tensor) -> Tensor:
        """[B,I,T,H,W] -> [B,O,T,H,W]."""
        pooled = _pool(x, (3, 3, 3), (1, 1, 1))
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)], 1)


class I3D(nn.Module):
    """Clips [B,16,3,H,W] in [-1,1] -> scores (logits) of Kinetics-400, [B,400]."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = Unit(3, 64, 7, 2)
        self.Conv3d_2b_1x1, self.Conv3d_2c_3x3 = Unit(64, 64), Unit(64, 192, 3)
        for name, (n_in, n) in MIXED.items():
            self.add_module(name, Inception(n_in, n))
        self.logits = Unit(1024, CLASSES, plain=True)
        self.eval().requires_grad_(False)

    def forward(self, clips: Tensor) -> Tensor:
        """Scores. Frames are resized to 224 x 224."""
        b, t = clips.shape[:2]
        x = F.interpolate(clips.flatten(0, 1), (SIDE, SIDE), mode="bilinear", align_corners=False)
        x = x.unflatten(0, (b, t)).transpose(1, 2)
        x = _pool(self.Conv3d_1a_7x7(x), (1, 3, 3), (1, 2, 2))
        x = self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x))
        for name in MIXED:
            if name in POOLS:
                x = _pool(x, *POOLS[name])
            x = self.get_submodule(name)(x)
        return self.logits(F.avg_pool3d(x, (2, 7, 7), stride=1)).mean((2, 3, 4))


def load_i3d(path: Path) -> I3D:
    """I3D with the weights in a `.pt` state dictionary, of which only numbers are read.

    Raises:
        InputError: no such file, or not the weights of this network.

    """
    hint = "Give the Kinetics-400 weights of RGB I3D as a state dictionary (rgb_imagenet.pt)."
    state = read_given(path, hint)
    net = I3D()
    own = net.state_dict()
    if {k: tuple(v.shape) for k, v in own.items()} != {k: tuple(v.shape) for k, v in state.items()}:
        raise InputError(f"{path}: not the weights of I3D", hint)
    net.load_state_dict(state)
    return net
