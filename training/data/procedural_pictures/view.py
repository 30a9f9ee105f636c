"""What a photo says of its scene: coordinates, brightness, sky, horizon; and the light that effects are composed with.

Lengths are in picture heights: y from 0 (top) to 1 (bottom), x from 0 to the aspect ratio.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor


def colour(r: float, g: float, b: float) -> Tensor:
    """[3,1,1]."""
    return torch.tensor([r, g, b])[:, None, None]


def luma(x: Tensor) -> Tensor:
    """Brightness [H,W] of a picture [3,H,W] (Rec. 709)."""
    return x[0] * 0.2126 + x[1] * 0.7152 + x[2] * 0.0722


def mix(x: Tensor, y: Tensor, amount: Tensor | float) -> Tensor:
    """Linear: x where `amount` is 0, y where it is 1."""
    return torch.lerp(x, y, amount) if isinstance(amount, Tensor) else x + (y - x) * amount


def screen(x: Tensor, light: Tensor) -> Tensor:
    """Light added as on a photo: it brightens without clipping; both in 0..1."""
    return torch.lerp(x.clamp(0, 1), torch.ones(()), light.clamp(0, 1))


def step(x: Tensor, low: float, high: float) -> Tensor:
    """Smooth step: 0 below `low`, 1 above `high` (falling if high < low)."""
    p = (x - low).mul_(1 / (high - low)).clamp_(0, 1)
    return (3 - 2 * p).mul_(p).mul_(p)


def grey(x: Tensor, amount: Tensor | float) -> Tensor:
    """A picture with part of its colour taken away."""
    return mix(x, luma(x).expand_as(x), amount)


def blur(x: Tensor, radius: float) -> Tensor:
    """Gaussian blur of [H,W] or [C,H,W]; `radius` (one deviation) in heights. Wide ones use a smaller picture."""
    planes = (x if x.dim() == 3 else x[None])[None]
    h, w = planes.shape[-2:]
    scale = max(1, int(radius * h / 1.5))
    small = planes
    if scale > 1:
        small = F.avg_pool2d(F.pad(planes, (0, -w % scale, 0, -h % scale), mode="replicate"), scale)
    sigma = max(0.3, radius * h / scale)
    far = min(6, int(2.5 * sigma) + 1)
    weights = [math.exp(-0.5 * (k / sigma) ** 2) for k in range(-far, far + 1)]
    for axis in (2, 3):
        n = small.shape[axis]
        padded = F.pad(small, (far, far, 0, 0) if axis == 3 else (0, 0, far, far), mode="replicate")
        small = torch.zeros_like(small)
        for k, p in enumerate(weights):
            small.add_(padded.narrow(axis, k, n), alpha=p / sum(weights))
    if scale > 1:
        small = F.interpolate(small, scale_factor=scale, mode="bilinear", align_corners=False)[..., :h, :w]
    return small[0] if x.dim() == 3 else small[0, 0]


@dataclass(frozen=True)
class View:
    """A photo [3,H,W] with what was found in it.

    y [H,1] and x [1,W] in heights; sky [H,W] 0..1; horizon: where the ground begins, 0.34 to 0.62; ground, air:
    mean colours [3,1,1] below and above it.
    """

    photo: Tensor
    y: Tensor
    x: Tensor
    sky: Tensor
    horizon: float
    ground: Tensor
    air: Tensor

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.photo.shape[2] / self.photo.shape[1]

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of what is looked at: the photo, or the part of it that `below` took."""
        return self.y.shape[0], self.x.shape[1]

    def below(self, top: float) -> tuple[View, int]:
        """The part of the view from `top` (in heights) down, and its first row; effects of the ground need no more."""
        first = min(max(0, int(top * self.photo.shape[1])), self.photo.shape[1] - 1)
        return replace(self, y=self.y[first:], sky=self.sky[first:]), first

    def relief(self, field: Tensor, strength: float) -> Tensor:
        """Light around 1 on a height field [h,W] from the upper left, from its rise over a hundredth of the height."""
        far = max(1, round(self.photo.shape[1] / 100))
        padded = F.pad(field[None, None], (far, 0, far, 0), mode="replicate")[0, 0]
        return (field - padded[: field.shape[0], : field.shape[1]]).mul_(strength).add_(1)

    def at(self, x: Tensor, y: Tensor, photo: Tensor | None = None) -> Tensor:
        """The photo, or another picture of its size, looked up at x, y in heights [H,W] (mirrored outside)."""
        x, y = torch.broadcast_tensors(x, y)
        grid = torch.stack([x / self.aspect, y], -1)[None] * 2 - 1
        source = self.photo if photo is None else photo
        return F.grid_sample(source[None], grid, padding_mode="reflection", align_corners=False)[0]


def _thumbnail(photo: Tensor, rows: int = 48) -> Tensor:
    """The photo [3,H,W] as [3,rows,w]."""
    _, h, w = photo.shape
    return F.interpolate(photo[None], (rows, max(8, round(rows * w / h))), mode="bilinear", antialias=True)[0]


def find_sky(photo: Tensor, small: Tensor) -> Tensor:
    """Sky [H,W] in 0..1: what the top edge leads to without crossing an edge, and has the colour found there.

    small [3,h,w]: a thumbnail of the photo, on which the edges are sought.
    """
    edge = F.pad((small[:, 1:] - small[:, :-1]).abs().amax(0)[None], (0, 0, 1, 0))[0]
    edge = edge + 0.5 * F.pad((small[:, :, 1:] - small[:, :, :-1]).abs().amax(0)[None], (1, 0, 0, 0))[0]
    crossed = (edge - 0.035).clamp(min=0).cumsum(0)
    rows = torch.linspace(0, 1, small.shape[1])[:, None]
    reached = blur(torch.exp(-9 * crossed) * step(rows, 0.78, 0.5), 0.04)
    local = blur(reached * small, 0.1) / (blur(reached, 0.1) + 1e-3)
    both = torch.cat([reached[None], local])[None]
    reached, local = F.interpolate(both, photo.shape[1:], mode="bilinear", align_corners=False)[0].split([1, 3])
    unlike = (photo - local).square_().sum(0).mul_(-20)
    return unlike.exp_().mul_(reached[0]).clamp_(0, 1)


def look(photo: Tensor) -> View:
    """Find sky, horizon and colours in a photo [3,H,W] in 0..1."""
    _, h, w = photo.shape
    y, x = (torch.arange(h) + 0.5)[:, None] / h, (torch.arange(w) + 0.5)[None] / h
    small = _thumbnail(photo)
    sky = find_sky(photo, small)
    horizon = min(0.62, max(0.34, float(sky.mean(1).sum() / h) + 0.04))
    rows = torch.linspace(0, 1, small.shape[1])[:, None]
    low, high = step(rows, horizon, horizon + 0.1), step(rows, horizon, horizon - 0.1)
    ground, air = ((small.mean(2, keepdim=True) * m).sum(1, keepdim=True) / m.sum() for m in (low, high))
    return View(photo, y, x, sky, horizon, ground, air)
