"""Collapse: whether the pictures of different seeds have become alike."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ....engine.model.generator import Generator
from ....engine.model.seed_bank import seed_to_z
from ...data.photos import CLEAN, PictureSet

SEEDS = 8
LARGEST = 64
"""Height in px that is compared at most."""
ALIKE = 0.25
"""A spread below this share of the best one so far is a collapse."""
CONSTANT = 0.02
"""Pictures with less than this share of the photos' spread are one picture."""


@torch.no_grad()
def paint_codes(generator: Generator, z: Tensor, side: int, psi: float = 1.0) -> Tensor:
    """Pictures [N,3,H,W] in [-1,1] of codes z [N,Z] as they are played (constant noise), on the CPU."""
    device = generator.mapping.w_avg.device
    ws = [generator.mapping(c.to(device), psi) for c in z.split(8)]
    chunks = [generator.synthesis(w, "const", side, "activations") for w in ws]
    return torch.cat(chunks).clamp(-1, 1).cpu()


def seed_codes(anchors: Tensor, count: int, first: int = 1, mixing: float = 0.5) -> Tensor:
    """Codes [N,Z] of seeds as the engine makes them."""
    table = anchors.cpu().numpy()
    seeds = range(first, first + count)
    return torch.from_numpy(np.stack([seed_to_z(seed, table.shape[1], table, mixing) for seed in seeds]))


def spread(pictures: Tensor) -> float:
    """Mean absolute difference of two different pictures of [N,3,H,W], over all pairs."""
    flat = pictures.float().flatten(1)
    n = len(flat)
    return float(torch.cdist(flat, flat, p=1).sum() / flat.shape[1] / (n * (n - 1)))


def relative_spread(generator: Generator, data: PictureSet, side: int) -> float:
    """Spread of the pictures of the first seeds over that of as many clean photos; about 1 for a good generator."""
    side = min(side, LARGEST)
    clean = torch.nonzero((data.class_id == CLEAN) & ~data.held)[:, 0]
    rows = clean[:: max(1, len(clean) // SEEDS)][:SEEDS]
    photos = spread(data.at(rows, side).cpu())
    return spread(paint_codes(generator, seed_codes(data.anchors, SEEDS), side)) / max(photos, 1e-6)
