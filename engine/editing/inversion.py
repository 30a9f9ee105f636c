"""Inversion: the style codes in W+ with which a world's generator paints a given picture (sec. 4.3 of the paper).

An encoder gives the start, Adam does the rest: L2 + 0.8 feature distance + 0.005 w-norm + 1 - cos(F_v(G(w)), F_v(x)).
The feature distance is that of the frozen backbone (model/backbone.py). It is not LPIPS, whose place it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import WorldError, needing_extra
from ..model.build import build_networks
from ..model.seed_bank import bank_part, closest_seed, seed_to_z
from ..model.world_file import World

with needing_extra():
    from ..model.backbone import Backbone, descriptor, feature_distance

from ..model.joint_embedding import ImageHead

Loss = Literal["l2", "perceptual", "clip"]
LOSSES: tuple[Loss, ...] = ("l2", "perceptual", "clip")
"""Rows of Table 3b: L2 alone, with the perceptual term, and with the CLIP term too. Each has the w-norm."""


@dataclass(frozen=True)
class InversionPlan:
    """How to invert.

    Attributes:
        loss: which terms count.
        steps: of Adam, for a photo and for the first frame of a video; 0: the encoder alone.
        following: steps for each further frame of a video.
        side: of the pictures compared, px; a world paints up to that block.
        rate: of Adam, in units of sigma_w.
        l2, perceptual, clip, w_norm: weights of the terms.
        near: weight of the squared distance from the frame before, which smooths a video's codes in time.

    """

    loss: Loss = "clip"
    steps: int = 200
    following: int = 20
    side: int = 128
    rate: float = 0.05
    l2: float = 1.0
    perceptual: float = 0.8
    clip: float = 1.0
    w_norm: float = 0.005
    near: float = 0.05


@dataclass(frozen=True)
class Figures:
    """How close G(w) comes to a picture.

    Attributes:
        mse: mean squared difference of pixels, 0..1.
        feature_distance: see model/backbone.py; not LPIPS.
        cosine: of the joint codes of both; NaN where the world sees no pictures.
        w_norm: mean of ((w - w_avg) / sigma_w)^2.

    """

    mse: float
    feature_distance: float
    cosine: float
    w_norm: float

    def __str__(self) -> str:
        return (
            f"MSE {self.mse:.4f}, feature distance {self.feature_distance:.3f} (not LPIPS), "
            f"joint cosine {self.cosine:.3f}, w-norm {self.w_norm:.2f}"
        )


@dataclass(frozen=True)
class Seen:
    """What the losses compare: pictures [B,3,S,S'], feature maps, unit joint codes [B,D] (None without F_v)."""

    pictures: Tensor
    maps: list[Tensor]
    codes: Tensor | None


class Inverter:
    """Inverts pictures in one world.

    Args:
        world: with its tensors.
        plan: how.

    Raises:
        MissingExtra: the image backbone is not installed.
        WorldError: the CLIP term is asked for, and the world sees no pictures.

    """

    def __init__(self, world: World, plan: InversionPlan) -> None:
        self.world, self.plan = world, plan
        self.generator = build_networks(world).generator
        with needing_extra():
            self.backbone = Backbone()
        self._head = _head(world)
        self._clip = _named_clip(world)
        if plan.loss == "clip" and not sees_pictures(world):
            raise WorldError(f"World {world.card.name} sees no pictures", "Use --loss perceptual.")
        mapping = self.generator.mapping
        self.w_avg, self.w_std = mapping.w_avg, mapping.w_std
        sides = [side for side in self.generator.config.sides if side <= plan.side]
        self.side = sides[-1]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the pictures compared."""
        height, width = self.generator.config.shape(self.side)
        return width, height

    def paint(self, w: Tensor, side: int | None = None) -> Tensor:
        """G(w): style codes [B,L,W] -> pictures [B,3,H,W], nominally in -1..1."""
        return self.generator.synthesis(w, "const", side or self.side, "activations")

    def see(self, pictures: Tensor) -> Seen:
        """What the losses compare, of pictures [B,3,H,W] in -1..1 of any size."""
        if tuple(pictures.shape[2:]) != self.size[::-1]:
            pictures = F.interpolate(pictures, self.size[::-1], mode="bicubic", antialias=True).clamp(-1, 1)
        maps = self.backbone(pictures)
        if self._clip is not None:
            return Seen(pictures, maps, self._clip(pictures))
        return Seen(pictures, maps, None if self._head is None else self._head(descriptor(maps, pictures)))

    @torch.no_grad()
    def nearest(self, codes: Tensor | None) -> int:
        """The bank's seed whose picture is closest in the joint space; 1 where the world has no bank."""
        bank = bank_part(self.world.tensors, "codes")
        return 1 if bank is None or codes is None else closest_seed(codes[0].numpy(), bank)

    def seed_codes(self, seed: int) -> Tensor:
        """Style codes [1,L,W] of a seed at the default truncation."""
        return self.seeds([seed])

    @torch.no_grad()
    def seeds(self, seeds: Sequence[int]) -> Tensor:
        """Style codes [N,L,W] of seeds at the default truncation."""
        anchors, z_dim = bank_part(self.world.tensors, "anchors"), self.generator.config.z_dim
        card = self.world.card
        z = np.stack([seed_to_z(seed, z_dim, anchors, card.mixing) for seed in seeds])
        return self.generator.mapping(torch.from_numpy(z), card.truncation)

    def optimise(
        self, start: Tensor, loss: Callable[[Tensor], Tensor], steps: int, near: float = 0.0,
        progress: Callable[[int], None] | None = None,
    ) -> Tensor:  # fmt: skip
        """Style codes [B,L,W] of the smallest `loss(w)` + w_norm |(w - w_avg) / sigma_w|^2 + near |w - start|^2.

        near: weight, in units of sigma_w. progress: called after every step with their number.
        """
        begin = (start - self.w_avg) / self.w_std
        d = begin.clone().requires_grad_()
        optimiser = torch.optim.Adam([d], self.plan.rate, betas=(0.9, 0.99))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(1, steps), 0.1 * self.plan.rate)
        for step in range(steps):
            total = loss(self.w_avg + d * self.w_std) + self.plan.w_norm * d.square().mean()
            total = total + near * (d - begin).square().mean()
            optimiser.zero_grad()
            total.backward()
            optimiser.step()
            schedule.step()
            if progress is not None:
                progress(step + 1)
        return (self.w_avg + d * self.w_std).detach()

    def difference(self, target: Seen) -> Callable[[Tensor], Tensor]:
        """The loss of style codes against pictures, without the w-norm, by the plan's terms."""
        plan = self.plan

        def loss(w: Tensor) -> Tensor:
            if plan.loss == "l2":
                return plan.l2 * (self.paint(w) - target.pictures).square().mean()
            seen = self.see(self.paint(w))
            total = plan.l2 * (seen.pictures - target.pictures).square().mean()
            total = total + plan.perceptual * feature_distance(seen.maps, target.maps).mean()
            if plan.loss == "clip" and seen.codes is not None and target.codes is not None:
                total = total + plan.clip * (1 - (seen.codes * target.codes).sum(1)).mean()
            return total

        return loss

    @torch.no_grad()
    def figures(self, w: Tensor, target: Seen) -> Figures:
        """How close G(w) [1,L,W] comes to a picture."""
        seen = self.see(self.paint(w).clamp(-1, 1))
        cosine = float("nan")
        if seen.codes is not None and target.codes is not None:
            cosine = (seen.codes * target.codes).sum().item()
        return Figures(
            (seen.pictures - target.pictures).square().mean().item() / 4,
            feature_distance(seen.maps, target.maps).mean().item(),
            cosine,
            ((w - self.w_avg) / self.w_std).square().mean().item(),
        )


def sees_pictures(world: World) -> bool:
    """Whether a world has F_v: its own, or a CLIP model's."""
    return world.card.image is not None or bool(world.card.joint.get("clip"))


def _head(world: World) -> ImageHead | None:
    tensors = {name: torch.from_numpy(x.copy()) for name, x in world.part("image").items()}
    return ImageHead.from_tensors(tensors).requires_grad_(False) if tensors else None


def _named_clip(world: World) -> Callable[[Tensor], Tensor] | None:
    """F_v of the CLIP model that the world was made with; None where it has its own."""
    if not (name := world.card.joint.get("clip")):
        return None
    with needing_extra():
        from ..model.open_clip_towers import load_joint

        return load_joint(str(name)).image
