"""What each class does to a picture, as a displacement in W+: the scenes, inverted through the generator.

For a place w_0 the generator paints a picture, the scene's effect is drawn onto it, and one displacement a
class (shared by all places) is sought that makes G paint the drawn picture. It is the teacher of E_a.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...engine.model.generator import Generator
from ..backbone import Backbone, feature_distance
from ..data.photos import PictureSet
from ..data.procedural_pictures import CLASSES, draw

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DirectionTraining:
    """steps and batch; size: side painted in px; rate of Adam; shrink: weight of mean(D^2)."""

    steps: int = 150
    batch: int = 9
    size: int = 64
    rate: float = 0.03
    shrink: float = 0.01


def picture_loss(fake: Tensor, real: Tensor, backbone: Backbone, side: int = 96) -> Tensor:
    """Distance of two pictures [B,3,H,W] in [-1,1], per picture [B]: 2 L1 at a quarter of the side + 0.5 L1 +
    feature distance.
    """
    coarse = (F.avg_pool2d(fake, 4) - F.avg_pool2d(real, 4)).abs().mean((1, 2, 3))
    fine = (fake - real).abs().mean((1, 2, 3))
    return 2 * coarse + 0.5 * fine + feature_distance(backbone(fake, side), backbone(real, side))


def draw_batch(pictures: Tensor, class_id: list[int], strength: Tensor, time_s: Tensor, seed: int) -> Tensor:
    """Scenes drawn onto pictures [B,3,H,W] in [-1,1]; the same shape and range."""
    rows = zip(pictures / 2 + 0.5, class_id, strength.tolist(), time_s.tolist(), strict=True)
    return torch.stack([draw(x.clamp(0, 1), CLASSES[k], s, t, seed + i) for i, (x, k, s, t) in enumerate(rows)]) * 2 - 1


def random_places(codes: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """Codes [n,Z] of places as seeds make them: mostly one photo, some of another."""
    a, b = (codes[torch.randint(len(codes), (n,), generator=rng)] for _ in range(2))
    part = 0.5 * torch.rand(n, 1, generator=rng) ** 2
    return (1 - part) * a + part * b


@torch.no_grad()
def first_guess(generator: Generator, data: PictureSet) -> Tensor:
    """Mean of w(scene) - w(its photo) by class, in units of sigma_w: [9,L,W]."""
    mapping = generator.mapping
    moved = mapping(data.codes)[:, 0] - mapping(data.codes[data.base])[:, 0]
    rows = [moved[(data.class_id == k) & ~data.held].mean(0) / mapping.w_std for k in range(len(CLASSES))]
    return torch.stack(rows)[:, None].repeat(1, generator.config.num_ws, 1)


def find_directions(generator: Generator, data: PictureSet, plan: DirectionTraining) -> Tensor:
    """D [9,L,W] in units of sigma_w: G(w_0 + s sigma_w D_c) looks like G(w_0) with class c drawn at strength s."""
    generator.requires_grad_(False)
    backbone, rng = Backbone(), torch.Generator().manual_seed(3)
    d = first_guess(generator, data).requires_grad_()
    optimiser = torch.optim.Adam([d], plan.rate, betas=(0.5, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.steps)
    clean = data.anchors
    for step in range(plan.steps):
        class_id = [(step * plan.batch + i) % len(CLASSES) for i in range(plan.batch)]
        strength = 0.4 + 0.6 * torch.rand(plan.batch, generator=rng)
        with torch.no_grad():
            w = generator.mapping(random_places(clean, plan.batch, rng), 0.85)
            before = generator.synthesis(w, "const", plan.size, "activations")
            target = draw_batch(before, class_id, strength, 60 * torch.rand(plan.batch, generator=rng), step * 97)
        moved = w + strength[:, None, None] * d[class_id] * generator.mapping.w_std
        after = generator.synthesis(moved, "const", plan.size, "activations")
        loss = picture_loss(after, target, backbone).mean() + plan.shrink * d.square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 20 == 0:
            log.info("directions %d: loss %.3f, |D| %.2f", step, loss.item(), d.square().mean().sqrt().item())
    return d.detach()
