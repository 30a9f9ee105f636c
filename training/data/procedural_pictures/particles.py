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
    """Particles that live again and again: index, age 0..1 in a life of `period` seconds, number of the life; [N]."""
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

    along, across: radii in heights [N] (round without `across`), turned by `angle` radians. What is thinner than a
    pixel is drawn a pixel wide and fainter. reach: radii after which `shape` is nothing.
    """
    h, w = size
    across = along if across is None else across
    thin = 0.55 / h
    value = value * (along / thin).clamp(max=1) * (across / thin).clamp(max=1)
    along, across = along.clamp(min=thin), across.clamp(min=thin)
    turn = torch.as_tensor(angle, dtype=torch.float32).expand(x.shape)
    cos, sin = turn.cos(), turn.sin()
    wide = reach * h * ((along * cos) ** 2 + (across * sin) ** 2).sqrt()
    tall = reach * h * ((along * sin) ** 2 + (across * cos) ** 2).sqrt()
    margin = 2 * int(max(float(wide.max()), float(tall.max()))) + 2
    rows, cols = h + 2 * margin, w + 2 * margin
    canvas = torch.zeros(rows * cols)
    on = (x * h > -wide) & (x * h < w + wide) & (y * h > -tall) & (y * h < h + tall) & (value > 0)
    # Stamps of like size together, so that small ones do not pay for the patch of the largest.
    octave = torch.maximum(wide, tall).clamp(min=1).log2().floor().masked_fill(~on, -1)
    for level in octave.unique().tolist():
        if level < 0:
            continue
        k = octave == level
        far_x, far_y = int(float(wide[k].max())) + 1, int(float(tall[k].max())) + 1
        column, row = (x[k] * h).floor(), (y[k] * h).floor()
        dx = (column + 0.5 - x[k] * h)[:, None] + torch.arange(-far_x, far_x + 1)
        dy = (row + 0.5 - y[k] * h)[:, None] + torch.arange(-far_y, far_y + 1)
        dx, dy = dx[:, None, :] / h, dy[:, :, None] / h
        c, s = cos[k, None, None], sin[k, None, None]
        a = (dx * c + dy * s) / along[k, None, None]
        b = (dy * c - dx * s) / across[k, None, None]
        ink = value[k, None, None] * shape(a, b)
        corner = (row.long() + margin) * cols + column.long() + margin
        patch = torch.arange(-far_y, far_y + 1)[:, None] * cols + torch.arange(-far_x, far_x + 1)
        place = (corner[:, None, None] + patch).flatten()
        if brightest:
            canvas.scatter_reduce_(0, place, ink.flatten(), "amax")
        else:
            canvas.index_add_(0, place, ink.flatten())
    return canvas.view(rows, cols)[margin : margin + h, margin : margin + w]
