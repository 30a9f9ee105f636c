"""What a photo says of its scene: coordinates, brightness, sky, horizon; and the light that effects are composed with.

Lengths are in picture heights: y runs 0 (top) to 1 (bottom), x from 0 to the aspect ratio, so effects scale with the height.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

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
    """x where amount is 0, y where it is 1."""
    return x + (y - x) * amount


def screen(x: Tensor, light: Tensor) -> Tensor:
    """Light added as on a photo: it brightens without clipping; both in 0..1."""
    return 1 - (1 - x.clamp(0, 1)) * (1 - light.clamp(0, 1))


def step(x: Tensor, low: float, high: float) -> Tensor:
    """Smooth step: 0 below `low`, 1 above `high` (falling if high < low)."""
    p = ((x - low) / (high - low)).clamp(0, 1)
    return p * p * (3 - 2 * p)


def grey(x: Tensor, amount: Tensor | float) -> Tensor:
    """A picture with part of its colour taken away."""
    return mix(x, luma(x).expand_as(x), amount)


def blur(x: Tensor, radius: float) -> Tensor:
    """Gaussian blur of [H,W] or [C,H,W]; `radius` (one deviation) in heights. Wide ones are made on a smaller picture."""
    planes = x if x.dim() == 3 else x[None]
    h, w = planes.shape[-2:]
    scale = max(1.0, radius * h / 2)
    small = planes
    if scale > 1:
        small = F.interpolate(small[None], (max(2, round(h / scale)), max(2, round(w / scale))), mode="area")[0]
    sigma = max(0.3, radius * h / scale)
    far = min(6, int(2.5 * sigma) + 1)
    weights = [math.exp(-0.5 * (k / sigma) ** 2) for k in range(-far, far + 1)]
    for axis in (1, 2):
        n = small.shape[axis]
        padded = F.pad(small[None], (far, far, 0, 0) if axis == 2 else (0, 0, far, far), mode="replicate")[0]
        small = sum(padded.narrow(axis, k, n) * (p / sum(weights)) for k, p in enumerate(weights))
    out = F.interpolate(small[None], (h, w), mode="bilinear", align_corners=False)[0] if scale > 1 else small
    return out if x.dim() == 3 else out[0]


@dataclass(frozen=True)
class View:
    """A photo [3,H,W] with what was found in it.

    y [H,1] and x [1,W] in heights; sky [H,W] 0..1; horizon: where the ground begins, 0.3 to 0.65; ground, air: mean colours
    [3,1,1] below and above it.
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
        """(H, W)."""
        return self.photo.shape[1], self.photo.shape[2]

    def at(self, x: Tensor, y: Tensor, photo: Tensor | None = None) -> Tensor:
        """The photo, or another picture of its size, looked up at x, y in heights [H,W] (mirrored outside)."""
        x, y = torch.broadcast_tensors(x, y)
        grid = torch.stack([x / self.aspect, y], -1)[None] * 2 - 1
        source = self.photo if photo is None else photo
        return F.grid_sample(source[None], grid, padding_mode="reflection", align_corners=False)[0]


def find_sky(photo: Tensor) -> Tensor:
    """Sky [H,W] in 0..1: what can be reached from the top edge without crossing an edge, and has the colour found there."""
    _, h, w = photo.shape
    small = F.interpolate(photo[None], (48, max(8, round(48 * w / h))), mode="area")[0]
    edge = F.pad((small[:, 1:] - small[:, :-1]).abs().amax(0)[None], (0, 0, 1, 0))[0]
    edge = edge + 0.5 * F.pad((small[:, :, 1:] - small[:, :, :-1]).abs().amax(0)[None], (1, 0, 0, 0))[0]
    crossed = (edge - 0.035).clamp(min=0).cumsum(0)
    rows = torch.linspace(0, 1, 48)[:, None]
    reached = torch.exp(-9 * crossed) * step(rows, 0.78, 0.5)
    reached = blur(reached, 0.02)
    local = blur(reached * small, 0.1) / (blur(reached, 0.1) + 1e-3)
    reached, local = (
        F.interpolate(p, (h, w), mode="bilinear", align_corners=False)[0] for p in (reached[None, None], local[None])
    )
    likeness = torch.exp(-(((photo - local) ** 2).sum(0) / 0.05))
    return (reached[0] * likeness).clamp(0, 1)


def look(photo: Tensor) -> View:
    """Find sky, horizon and colours in a photo [3,H,W] in 0..1."""
    _, h, w = photo.shape
    y, x = (torch.arange(h) + 0.5)[:, None] / h, (torch.arange(w) + 0.5)[None] / h
    sky = find_sky(photo)
    horizon = min(0.62, max(0.34, float(sky.mean(1).sum() / h) + 0.04))
    low, high = step(y, horizon, horizon + 0.1), step(y, horizon, horizon - 0.1)
    ground, air = ((photo * m).sum((1, 2)) / m.sum() / w for m in (low, high))
    return View(photo, y, x, sky, horizon, ground[:, None, None], air[:, None, None])
