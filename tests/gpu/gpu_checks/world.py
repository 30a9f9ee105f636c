"""A world file on a device: its pictures against the reference's, and the quality gate's figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sonorama.engine.inference.cuda_backend import CudaBackend
from sonorama.engine.inference.precision import fast_precisions, open_in
from sonorama.engine.inference.torch_backend import TorchBackend
from sonorama.engine.model.build import build_networks
from sonorama.engine.model.world_file import SafetensorsLoader, World
from sonorama.engine.pipeline.quality_gate import ENOUGH_DB, QualityGate

SEEDS = 4
TRUNCATION = 0.7


def load_plainly(path: Path) -> World:
    """A world without the registry of loaders, which an installation has."""
    world = SafetensorsLoader().load(path)
    return World(
        world.card, {k: v.astype(np.float32) if v.dtype == np.float16 else v for k, v in world.tensors.items()}
    )


def codes_of(world: World, count: int) -> Tensor:
    """Style codes [count,L,W] of random latents at the usual truncation."""
    mapping = build_networks(world).generator.mapping
    z = torch.randn(count, world.card.generator.z_dim, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        return mapping(z, TRUNCATION)


def world_network(path: Path, count: int) -> tuple[object, Tensor]:
    """Its synthesis network and style codes [count,L,W]."""
    world = load_plainly(path)
    return build_networks(world).generator.synthesis, codes_of(world, count)


def check_world(path: Path, device: str) -> Iterator[tuple[str, float, float]]:
    """(name, figure, limit) of every check; of a PSNR how far it is below the limit."""
    world = load_plainly(path)
    codes = [one.numpy() for one in codes_of(world, SEEDS)]
    cuda, reference = CudaBackend(world, device=device), TorchBackend(world)
    furthest = max(float(np.abs(cuda.synthesize(ws) - reference.synthesize(ws)).max()) for ws in codes)
    yield f"{path.name}: exact pictures, largest difference", furthest, 1e-4
    gate = QualityGate.made(cuda, codes)
    for precision in fast_precisions(cuda):
        decibels = gate.decibels(open_in(cuda, precision).synthesize)
        yield f"{path.name}: {precision}, {decibels:.1f} dB of {ENOUGH_DB:.0f}; dB missing", ENOUGH_DB - decibels, 0.0
