"""What each class does to a picture: its displacement D_c in W+ (E_a(x) = R(x) + sum_c a_c(x) D_c).

It has two parts. Coarse and mid codes go the mean way from the average picture to photos of what is heard. Then, from
there, all codes learn the weather: the generator paints the picture, the class's scene is drawn onto it, and the
displacement is sought that makes G paint the drawn picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...engine.model.config import LEVEL_CUTS
from ...engine.model.generator import Generator
from ..backbone import Backbone, feature_distance
from ..data.photos import PictureSet
from ..data.procedural_pictures import CLASSES, draw
from ..status import Tell, silent


@dataclass(frozen=True)
class DirectionTraining:
    """steps and batch; size: side painted in px; rate of Adam; shrink: weight of mean(D^2). level_cuts: first mid and
    first fine code of the world's levels, for E_a and E_RNN too.

    towards: length of the way to photos of the class (root mean square, in sigma_w): at 0.4 it is hardly seen, at
    1.2 all base latents look alike.
    """

    steps: int = 150
    batch: int = 9
    size: int = 64
    rate: float = 0.03
    shrink: float = 0.01
    towards: float = 0.8
    level_cuts: tuple[int, int] = LEVEL_CUTS


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
    """Mean of w(scene) - w(its photo) by class, in units of sigma_w: [9,L,W]; 0 where so few photos have no scene of a
    class.
    """
    mapping = generator.mapping
    moved = mapping(data.codes)[:, 0] - mapping(data.codes[data.base])[:, 0]
    drawn = [moved[(data.class_id == k) & ~data.held] for k in range(len(CLASSES))]
    rows = [(x.mean(0) if len(x) else torch.zeros_like(mapping.w_std)) / mapping.w_std for x in drawn]
    return torch.stack(rows)[:, None].repeat(1, generator.config.num_ws, 1)


@torch.no_grad()
def towards_photos(
    generator: Generator, by_class: Sequence[Tensor], level_cuts: tuple[int, int], length: float
) -> Tensor:
    """The part of D that leads to photos of each class, [K,L,W] in units of sigma_w; 0 in the fine codes, and for a
    class without photos.

    Args:
        generator: G.
        by_class: codes [N,Z] of the photos of each class.
        level_cuts: first codes of mid and fine.
        length: root mean square of the coarse and mid codes. The mean way to many different photos is short, and shows
            little if it is not made longer.

    """
    mapping = generator.mapping
    ways = torch.zeros(len(by_class), generator.config.num_ws, len(mapping.w_std))
    for way, photos in zip(ways, by_class, strict=True):
        if len(photos):
            mean = ((mapping(photos)[:, 0] - mapping.w_avg) / mapping.w_std).mean(0)
            way[: level_cuts[1]] = length * mean / mean.square().mean().sqrt().clamp_min(1e-6)
    return ways


def find_directions(
    generator: Generator, data: PictureSet, plan: DirectionTraining, ways: Tensor, tell: Tell = silent
) -> Tensor:
    """D [K,L,W] in units of sigma_w: G(w_0 + s sigma_w D_c) looks like G(w_0 + s sigma_w ways_c) with class c drawn on
    it at strength s. Classes after the nine have no scene; D_c is their way.
    """
    generator.requires_grad_(False)
    backbone, rng = Backbone(), torch.Generator().manual_seed(3)
    d = first_guess(generator, data).requires_grad_()
    optimiser = torch.optim.Adam([d], plan.rate, betas=(0.5, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.steps)
    clean, std = data.anchors, generator.mapping.w_std
    for step in range(plan.steps):
        class_id = [(step * plan.batch + i) % len(CLASSES) for i in range(plan.batch)]
        strength = 0.4 + 0.6 * torch.rand(plan.batch, generator=rng)
        with torch.no_grad():
            w = generator.mapping(random_places(clean, plan.batch, rng), 0.85)
            w = w + strength[:, None, None] * ways[class_id] * std
            before = generator.synthesis(w, "const", plan.size, "activations")
            target = draw_batch(before, class_id, strength, 60 * torch.rand(plan.batch, generator=rng), step * 97)
        after = generator.synthesis(w + strength[:, None, None] * d[class_id] * std, "const", plan.size, "activations")
        loss = picture_loss(after, target, backbone).mean() + plan.shrink * d.square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 20 == 0:
            tell(step / plan.steps, loss=loss.item(), length=d.square().mean().sqrt().item())
    return torch.cat([ways[: len(CLASSES)] + d.detach(), ways[len(CLASSES) :]])
