"""Particles: drops, sparks, bubbles and leaves as stamps, drawn all at once onto a picture plane."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .noise import chance

Shape = Callable[[Tensor, Tensor], Tensor]
"""Coordinates along and across a stamp, in its radii -> brightness."""


def soft(a: Tensor, b: Tensor) -> Tensor:
    """A Gaussian dot; one radius is one deviation."""
    return torch.exp(-0.5 * (a * a + b * b))


def disc(a: Tensor, b: Tensor) -> Tensor:
    """A disc with a soft rim."""
    return ((1.15 - (a * a + b * b).sqrt()) * 4).clamp(0, 1)


def ages(count: int, period: Tensor | float, time_s: float, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Particles that live again and again: index [N], age 0..1 [N] within a life of `period` seconds, number of the life [N]."""
    index = torch.arange(count)
    lives = time_s / torch.as_tensor(period, dtype=torch.float64) + chance(seed, 900, index).double()
    turn = lives.floor()
    return index, (lives - turn).float(), turn.long()


def stamp(
    size: tuple[int, int],
    x: Tensor,
    y: Tensor,
    value: Tensor,
    along: Tensor,
    across: Tensor | None = None,
    angle: Tensor | float = 0.0,
    shape: Shape = soft,
    reach: float = 2.5,
    brightest: bool = False,
) -> Tensor:
    """Stamps at x, y in heights [N] -> [H,W]; they add up, or with `brightest` the brightest wins.

    along, across: radii in heights [N] (round without `across`), turned by `angle` radians. What is thinner than a pixel is
    drawn a pixel wide and fainter. reach: radii after which `shape` is nothing.
    """
    h, w = size
    across = along if across is None else across
    thin = 0.55 / h
    value = value * (along / thin).clamp(max=1) * (across / thin).clamp(max=1)
    along, across = along.clamp(min=thin), across.clamp(min=thin)
    far = int(float(torch.maximum(along, across).max()) * h * reach) + 1
    offsets = torch.arange(-far, far + 1)
    column, row = (x * h).floor().long(), (y * h).floor().long()
    cols, rows = column[:, None, None] + offsets, row[:, None, None] + offsets[:, None]
    dx, dy = (cols + 0.5) / h - x[:, None, None], (rows + 0.5) / h - y[:, None, None]
    turn = torch.as_tensor(angle).expand(x.shape)[:, None, None]
    a = (dx * turn.cos() + dy * turn.sin()) / along[:, None, None]
    b = (dy * turn.cos() - dx * turn.sin()) / across[:, None, None]
    ink = value[:, None, None] * shape(a, b)
    inside = (cols >= 0) & (cols < w) & (rows >= 0) & (rows < h)
    place, ink = (rows * w + cols)[inside], ink[inside]
    canvas = torch.zeros(h * w)
    if brightest:
        canvas.scatter_reduce_(0, place, ink, "amax")
    else:
        canvas.index_add_(0, place, ink)
    return canvas.view(h, w)
