"""Scenes in time: clips whose picture follows a recording's loudness, inverted to W+ frame by frame.

They are the teacher of E_RNN (stage 3b): no adversary, no real video, only what a scene does while it sounds.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch
from torch import Tensor

from ...engine.model.generator import Generator
from ...engine.model.mel import ENCODER_COLUMNS, HOP
from ...engine.units import SAMPLE_RATE
from ..backbone import Backbone
from ..stages.directions import draw_batch, picture_loss, random_places

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClipPlan:
    """clips a class; ticks a clip at `rate` Hz; size painted; steps of Adam an inversion."""

    clips: int = 4
    ticks: int = 16
    rate: float = 15.0
    size: int = 64
    steps: int = 8
    adam_rate: float = 0.05


@dataclass(frozen=True)
class Clip:
    """base w_0 [L,W]; windows [T,1,128,88] and long_windows [T,1,128,344] that end at each tick; targets [T,L,W]:
    displacement from w_0 in units of sigma_w; class_id.
    """

    base: Tensor
    windows: Tensor
    long_windows: Tensor
    targets: Tensor
    class_id: int


def swell(mel: Tensor, column: int) -> float:
    """Loudness now against the last second, 0..1, from log-mel [128,T]: the scene swells and sinks with it."""
    now = mel[:, max(0, column - 9) : column].mean() if column else mel.new_zeros(())
    about = mel[:, max(0, column - ENCODER_COLUMNS) : column]
    if about.numel() == 0:
        return 0.0
    means = about.mean(0)
    return float(((now - means.min()) / (means.max() - means.min() + 0.05)).clamp(0, 1))


def ending_at(mel: Tensor, column: int, width: int) -> Tensor:
    """Log-mel [128,T] -> its `width` columns that end at `column`, silence before the start: [1,128,width]."""
    window = mel[:, max(0, column - width) : column]
    return torch.nn.functional.pad(window, (width - window.shape[1], 0))[None]


def tick_columns(first: int, plan: ClipPlan) -> list[int]:
    """Number of mel columns heard at each tick of a clip that starts at column `first`."""
    return [first + round(i * SAMPLE_RATE / plan.rate / HOP) for i in range(plan.ticks)]


def invert(
    generator: Generator, base: Tensor, start: Tensor, target: Tensor, backbone: Backbone, plan: ClipPlan
) -> Tensor:
    """Displacements [T,L,W] (units of sigma_w) with which G paints the pictures `target` [T,3,S,S] from w_0 =
    base [L,W]; Adam from `start`, held near it by a small quadratic term.
    """
    std = generator.mapping.w_std
    d = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([d], plan.adam_rate, betas=(0.5, 0.99))
    for _ in range(plan.steps):
        picture = generator.synthesis(base + d * std, "const", plan.size, "activations")
        loss = picture_loss(picture, target, backbone).sum() + 0.5 * (d - start).square().mean((1, 2)).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return d.detach()


def make_clip(
    generator: Generator,
    directions: Tensor,
    mel: Tensor,
    class_id: int,
    codes: Tensor,
    backbone: Backbone,
    plan: ClipPlan,
    rng: torch.Generator,
) -> Clip:
    """One clip of one class on one place, with a recording's log-mel [128,T] as its sound."""
    spare = max(1, mel.shape[1] - round(plan.ticks * SAMPLE_RATE / plan.rate / HOP))
    columns = tick_columns(int(torch.randint(spare, (1,), generator=rng)), plan)
    strength = torch.tensor([0.45 + 0.55 * swell(mel, c) for c in columns])
    with torch.no_grad():
        base = generator.mapping(random_places(codes, 1, rng), 0.85)[0]
        before = generator.synthesis(base[None], "const", plan.size, "activations").expand(plan.ticks, -1, -1, -1)
        times = float(torch.rand((), generator=rng)) * 60 + torch.arange(plan.ticks) / plan.rate
        seed = int(torch.randint(10**6, (1,), generator=rng))
        # One seed for the whole clip: the scene's clouds, streaks and bubbles flow on from frame to frame.
        frames = [
            draw_batch(before[i : i + 1], [class_id], strength[i : i + 1], times[i : i + 1], seed)
            for i in range(plan.ticks)
        ]
    start = strength[:, None, None] * directions[class_id]
    targets = invert(generator, base, start, torch.cat(frames), backbone, plan)
    windows = torch.stack([ending_at(mel, c, ENCODER_COLUMNS) for c in columns])
    long_windows = torch.stack([ending_at(mel, c, 344) for c in columns])
    return Clip(base, windows, long_windows, targets, class_id)
