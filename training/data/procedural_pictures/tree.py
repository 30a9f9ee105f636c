"""A tree and grass that the wind bends over."""

from __future__ import annotations

import torch
from torch import Tensor

from .noise import chance, noise, pick
from .particles import stamp
from .view import View, step


def blades(view: View, way: float, s: float, t: float, seed: int) -> tuple[Tensor, Tensor]:
    """Tall grass at the lower edge, bent over: brightness [H,W] and cover [H,W]."""
    count, joints = 260, torch.linspace(0, 1, 32)
    index = torch.arange(count)
    root = (view.aspect + 0.6) * chance(seed, 1, index) - 0.3
    tall = (0.14 + 0.22 * chance(seed, 2, index)) * (0.5 + 0.6 * s)
    blow = noise(seed + 9, root * 0.35 - way * 0.45 * t, index * 0.003 + 0.1 * t, 2.0)
    bow = s * (0.7 + 1.3 * blow + 0.3 * chance(seed, 3, index))
    bow, tall = bow[:, None], tall[:, None]
    x = root[:, None] + way * tall * bow * joints**1.8
    y = 1.03 - tall * joints * (1 - 0.16 * bow * joints**1.5)
    width = (0.0046 * (1.05 - joints)).expand_as(x)
    dx, dy = (p.diff(append=2 * p[:, -1:] - p[:, -2:-1]) for p in (x, y))
    long, angle = torch.maximum(0.7 * (dx * dx + dy * dy).sqrt(), width).flatten(), torch.atan2(dy, dx).flatten()
    tone = ((0.35 + 0.65 * chance(seed, 4, index))[:, None] * (0.6 + 0.5 * joints)).flatten()
    x, y, width = x.flatten(), y.flatten(), width.flatten()
    light = stamp(view.size, x, y, tone, long, width, angle, brightest=True)
    return light, step(light, 0.06, 0.2)


def _limbs(start: Tensor, heading: Tensor, length: Tensor, turn: Tensor, joints: int) -> Tensor:
    """Curves [N,joints,2] from `start` [N,2] that head for `heading` and turn by `turn` radians on their way."""
    part = torch.linspace(0, 1, joints)
    angle = heading[:, None] + turn[:, None] * (1 - torch.exp(-1.8 * part))
    steps = torch.stack([angle.cos(), -angle.sin()], -1) * (length[:, None, None] / joints)
    return start[:, None] + steps.cumsum(1)


def tree(view: View, way: float, s: float, t: float, seed: int) -> tuple[Tensor, Tensor]:
    """A tree at the windward side: cover [H,W] of wood and of leaves. Its limbs stream the way the wind goes."""
    x0 = view.aspect * (0.5 - way * pick(seed, 1, 0.14, 0.3))
    sway = float(noise(seed, 0.35 * t, 0.3, 1.8)) - 0.5 + 0.25 * (float(noise(seed, 1.3 * t, 0.6, 1.8)) - 0.5)
    lean = s * (1.25 + 0.6 * sway)
    up = torch.tensor([1.5708])
    trunk = _limbs(torch.tensor([[x0, 1.0]]), up + way * 0.1, torch.tensor([0.66]), -way * lean * torch.ones(1), 90)[0]
    index = torch.arange(34)
    at = (34 + 55 * chance(seed, 2, index)).long()
    spread = 1.5708 + 2.4 * (chance(seed, 3, index) - 0.5)
    downwind = 0.08 if way > 0 else 3.06
    flutter = 0.22 * torch.sin(6.0 * t + 6.28 * chance(seed, 4, index)) + 0.12 * torch.sin(
        11 * t + 9 * chance(seed, 5, index)
    )
    turn = (downwind - spread) * min(1.0, 0.95 * lean) + s * flutter
    length = 0.14 + 0.24 * chance(seed, 6, index)
    limbs = _limbs(trunk[at], spread, length, turn, 36)
    thick = (0.0042 * (1.15 - torch.linspace(0, 1, 36))).expand(34, 36)
    bole = 0.019 * (1.12 - torch.linspace(0, 1, 90)) + 0.004
    points = torch.cat([trunk, limbs.flatten(0, 1)])
    wood = stamp(
        view.size,
        points[:, 0],
        points[:, 1],
        torch.ones(len(points)),
        torch.cat([bole, thick.flatten()]),
        brightest=True,
    )
    count = 1700
    leaf = torch.arange(count)
    place = limbs[leaf % 34, (8 + 27 * chance(seed, 7, leaf)).long()]
    x = place[:, 0] + 0.05 * (chance(seed, 8, leaf) - 0.5) + way * 0.03 * chance(seed, 10, leaf)
    y = place[:, 1] + 0.06 * (chance(seed, 9, leaf) - 0.5)
    tilt = 0.7 * (chance(seed, 11, leaf) - 0.5) + 0.35 * torch.sin(9 * t + 6.28 * chance(seed, 12, leaf))
    size = 0.0045 + 0.0045 * chance(seed, 13, leaf)
    foliage = stamp(view.size, x, y, 0.45 + 0.55 * chance(seed, 14, leaf), size, size * 0.42, tilt, brightest=True)
    return step(wood, 0.25, 0.7), foliage
