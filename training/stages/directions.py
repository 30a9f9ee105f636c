"""What each class does to a picture: its displacement D_c in W+ (E_a(x) = R(x) + sum_c a_c(x) D_c).

While a class is heard the base latent goes to a place of its own, the latent of a photo that shows it. From there all
codes learn the weather: the generator paints the picture, the class's scene is drawn onto it, and the displacement is
sought that makes G paint the drawn picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...engine.model.config import LEVEL_CUTS
from ...engine.model.generator import Generator
from ...engine.pipeline.class_places import FULL
from ..backbone import Backbone, feature_distance
from ..data.photos import PictureSet
from ..data.procedural_pictures import CLASSES, draw
from ..status import Tell, silent


@dataclass(frozen=True)
class DirectionTraining:
    """steps and batch; size: side painted in px; rate of Adam; shrink: weight of mean(D^2). level_cuts: first mid and
    first fine code of the world's levels, for E_a and E_RNN too.

    weather: strength of the drawn scene at a_c = 1. The place shows the class already, and the more is drawn on it, the
    less it looks like a photo: with full scenes on places, pictures with sound were at a distance of 2,154 from photos,
    with displacements of half the length at 1,649, with none at 1,325 (27 recordings; without places 2,580).
    psi: truncation of the pictures that are drawn on.
    """

    steps: int = 150
    batch: int = 9
    size: int = 64
    rate: float = 0.03
    shrink: float = 0.01
    weather: float = 0.6
    psi: float = 0.85
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


@dataclass(frozen=True)
class PlaceLatents:
    """Latents of pictures that show each class, without truncation: where the picture goes when the class is heard
    (engine/pipeline/class_places.py).

    Attributes:
        latents: of all pictures [N,W]; in training those of its photos.
        classes: the class that each shows [N].

    """

    latents: Tensor
    classes: Tensor

    @staticmethod
    @torch.no_grad()
    def of(generator: Generator, by_class: Sequence[Tensor]) -> PlaceLatents:
        """by_class: codes [N,Z] of the photos of each class."""
        latents = [generator.mapping(photos)[:, 0] for photos in by_class if len(photos)]
        classes = torch.repeat_interleave(torch.arange(len(by_class)), torch.tensor([len(x) for x in by_class]))
        empty = generator.mapping.w_avg.new_zeros(0, len(generator.mapping.w_avg))
        return PlaceLatents(torch.cat(latents) if latents else empty, classes)

    def tensors(self) -> dict[str, Tensor]:
        """For the world file, below `meaning.`; none where no class has a photo."""
        return {"places": self.latents, "place_classes": self.classes.int()} if len(self.classes) else {}

    def go(self, w: Tensor, class_id: Sequence[int], strength: Tensor, psi: float, mean: Tensor,
           rng: torch.Generator) -> Tensor:  # fmt: skip
        """Base latents [B,L,W] on their way to a place of their class, truncated by psi; one without places stays.

        strength: a_c of each [B]. mean: w_avg.
        """
        moved = w.clone()
        for row, (index, a) in enumerate(zip(class_id, strength.tolist(), strict=True)):
            own = torch.nonzero(self.classes == index)[:, 0]
            if len(own):
                place = self.latents[own[torch.randint(len(own), (1,), generator=rng)]]
                moved[row] += min(1.0, a / FULL) * (mean + psi * (place - mean) - w[row])
        return moved


def find_directions(
    generator: Generator,
    data: PictureSet,
    plan: DirectionTraining,
    places: PlaceLatents,
    classes: int,
    tell: Tell = silent,
) -> Tensor:
    """D [K,L,W] in units of sigma_w: G(w + s sigma_w D_c) looks like G(w) with class c drawn on it at strength
    s * plan.weather, w being the base latent as it is when the class is heard. The `classes` after the nine have no
    scene, and a D_c of 0.
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
            w = generator.mapping(random_places(clean, plan.batch, rng), plan.psi)
            w = places.go(w, class_id, strength, plan.psi, generator.mapping.w_avg, rng)
            before = generator.synthesis(w, "const", plan.size, "activations")
            target = draw_batch(
                before, class_id, plan.weather * strength, 60 * torch.rand(plan.batch, generator=rng), step * 97
            )
        after = generator.synthesis(w + strength[:, None, None] * d[class_id] * std, "const", plan.size, "activations")
        loss = picture_loss(after, target, backbone).mean() + plan.shrink * d.square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 20 == 0:
            tell(step / plan.steps, loss=loss.item(), length=d.square().mean().sqrt().item())
    return torch.cat([d.detach(), d.new_zeros(max(0, classes - len(CLASSES)), *d.shape[1:])])
