"""Measures of a world. They carry their own names: features are EfficientNet-Lite0's, so nothing here is an FID,
a KID of the literature, or LPIPS.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...engine.model.generator import Generator
from ..backbone import Backbone
from ..pictures import CLEAN, PictureSet
from ..stages.directions import random_places
from .distance import kernel_distance, nearest, pooled

Pictures = Tensor
"""[N,3,S,S] in [-1,1]."""


@torch.no_grad()
def sample_places(generator: Generator, codes: Tensor, n: int, size: int, psi: float = 0.7) -> Pictures:
    """N places as seeds make them from the world's own anchors [A,Z]."""
    z = random_places(codes, n, torch.Generator().manual_seed(11))
    chunks = [generator.synthesis(generator.mapping(c, psi), "const", size, "activations") for c in z.split(8)]
    return torch.cat(chunks)


def clean_pictures(data: PictureSet, index: Tensor, size: int) -> Pictures:
    """Training pictures at the side the generator paints."""
    return data.batch(index, torch.zeros(len(index), dtype=torch.bool), size)[0]


@dataclass(frozen=True)
class PictureQuality:
    """world, real and untrained: kernel distance (x 1000) to held photos' crops; nearest_*: mean feature cosine
    distance of a picture to its nearest training crop, for generated pictures and for real crops of other photos.
    """

    world: float
    real: float
    untrained: float
    nearest_world: float
    nearest_real: float


def picture_quality(generator: Generator, codes: Tensor, data: PictureSet, size: int, n: int = 300) -> PictureQuality:
    """Split by photo: crops of every second photo on one side, of the others on the other side.

    codes: the anchors [A,Z] of the generator's world.
    """
    backbone = Backbone()
    clean = torch.nonzero(data.class_id == CLEAN)[:, 0]
    halves = [clean[data.photo[clean] % 2 == k] for k in (0, 1)]
    rng = torch.Generator().manual_seed(13)
    real = [pooled(clean_pictures(data, h[torch.randperm(len(h), generator=rng)[:n]], size), backbone) for h in halves]
    mean, std = torch.cat(real).mean(0), torch.cat(real).std(0) + 1e-6
    torch.manual_seed(0)
    fakes = [pooled(sample_places(g, codes, n, size, 1.0), backbone) for g in (generator, _untrained(generator))]
    a, b, made, raw = ((x - mean) / std for x in (*real, *fakes))
    whole = torch.cat([a, b])
    shape = 1000.0
    return PictureQuality(
        shape * kernel_distance(made, whole), shape * kernel_distance(a, b), shape * kernel_distance(raw, whole),
        nearest(made, whole), nearest(a, b),
    )  # fmt: skip


def _untrained(like: Generator) -> Generator:
    fresh = Generator(like.config).requires_grad_(False)
    fresh.mapping.w_avg.copy_(like.mapping.w_avg * 0)
    return fresh


def colours(picture: Tensor) -> dict[str, float]:
    """What storm, fire, rain and water change, of pictures [N,3,H,W] in [-1,1]: luma, red minus blue, saturation,
    blue-green minus red; all on the 0..1 scale.
    """
    r, g, b = (picture.clamp(-1, 1) * 0.5 + 0.5).unbind(1)
    spread = torch.stack([r, g, b]).amax(0) - torch.stack([r, g, b]).amin(0)
    luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    parts = {"luma": luma, "warmth": r - b, "saturation": spread, "aqua": (g + b) / 2 - r}
    return {name: float(x.mean()) for name, x in parts.items()}
