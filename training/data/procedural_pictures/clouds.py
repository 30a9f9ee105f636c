"""Clouds, smoke, mist and the perspective of the ground: what several effects share."""

from __future__ import annotations

import torch
from torch import Tensor

from .noise import noise
from .view import View


def overcast(view: View, seed: int, drift: float, rising: float) -> tuple[Tensor, Tensor]:
    """A sheet of clouds seen from below: thickness [H,W] in 0..1, and its shading around 1.

    Flatter towards the horizon. drift: how far it has moved to the right, in heights; rising: how far it has changed.
    """
    far = 0.75 / (view.horizon - view.y + 0.5).clamp(min=0.3)
    u, v = (view.x - view.aspect / 2) * far * 0.3 - drift * 0.3, far * 0.45
    body = noise(seed, u, v + rising * 0.1)
    folds = noise(seed + 1, u * 2.1 + rising * 0.17, v * 2.3 - rising * 0.2)
    detail = noise(seed + 2, u * 5.3 - rising * 0.3, v * 6.1)
    thick = 0.55 * body + 0.3 * folds + 0.15 * detail
    return thick, view.relief(thick, 5.0).clamp(0.4, 1.7)


def plume(
    view: View, seed: int, x0: float, y0: float, time_s: float, width: float, lean: float, speed: float
) -> tuple[Tensor, Tensor]:
    """Smoke that rises from (x0, y0) and widens: cover [H,W] in 0..1 and shading around 1.

    width: radius at the source; lean: sideways drift for each height risen; speed in heights a second.
    """
    up = (y0 - view.y).clamp(min=0)
    bend = 0.25 * (noise(seed + 3, 0.31, up * 0.5 + time_s * speed * 0.25) - 0.5) * (up / 0.3).clamp(max=1)
    radius = width + 0.34 * up + 0.12 * up.sqrt()
    side = (view.x - x0 - lean * up * (0.6 + up) - bend) / radius
    # Inside the plume the pattern is as wide as the plume: billows grow as they rise.
    along = torch.log(up + 0.12) * 1.15 - time_s * speed * 0.55
    body = noise(seed, side * 0.32, along * 0.5)
    puffs = noise(seed + 1, side * 0.8 + 0.3 * body, along * 1.15)
    fine = noise(seed + 2, side * 1.9, along * 2.4 + 0.2 * puffs)
    thick = 0.45 * body + 0.35 * puffs + 0.2 * fine
    shape = 1.25 - side * side + 1.3 * (thick - 0.5)
    cover = ((shape - 0.35) * 2.2).clamp(0, 1) * ((y0 - view.y) / 0.03).clamp(0, 1)
    return cover, view.relief(thick, 4.5).clamp(0.4, 1.7)


def mist(view: View, seed: int, time_s: float, rise: float, scale: float = 1.0) -> Tensor:
    """Drifting veils [H,W] in 0..1 that climb by `rise` heights a second."""
    y = view.y + rise * time_s
    soft = noise(seed, view.x * 0.5 * scale + 0.02 * time_s, y * 0.6 * scale, 2.2)
    fine = noise(seed + 1, view.x * 1.3 * scale - 0.03 * time_s, y * 1.6 * scale)
    return 0.65 * soft + 0.35 * fine


def ground_plane(view: View, horizon: float, height: float = 0.22) -> tuple[Tensor, Tensor, Tensor]:
    """Perspective of a flat ground: u [H,W] across, v [H,1] away from the eye, mask [H,1] of rows below the horizon.

    v falls towards the bottom edge, where it is `height` / (1 - horizon).
    """
    down = view.y - horizon
    far = height / down.clamp(min=0.012)
    return (view.x - view.aspect / 2) * far / height * 0.5, far, ((down + 0.004) / 0.008).clamp(0, 1)
