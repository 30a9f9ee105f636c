"""The networks in torch, float32: on the CPU the reference; cuda_backend.py paints by captured graphs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..model.build import build_networks
from ..model.world_file import World
from ..units import Array
from .placement import with_placement


class TorchBackend:
    """All networks of a world in torch, as they are written in the model room.

    Args:
        world: what to play.
        device: where everything but G runs; G runs on the CPU.

    """

    def __init__(self, world: World, device: str = "cpu") -> None:
        self._device = torch.device(device)
        self.name, self.painters = f"torch-{self._device.type}", 1
        networks, self._rows = build_networks(world), world.card.painted_rows
        self._sound, self._encoder = networks.sound.to(self._device), networks.encoder.to(self._device)
        self._motion = networks.motion.to(self._device)
        self._mapping = networks.generator.mapping.to(self._device)
        self._synthesis = networks.generator.synthesis

    def _in(self, x: Array) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(x, np.float32))[None].to(self._device)

    def embed_sound(self, window: Array) -> Array:
        """F_a."""
        with torch.inference_mode():
            return self._sound(self._in(window[None]))[0].cpu().numpy()

    def invert_sound(self, window: Array, code: Array) -> tuple[Array, float]:
        """E_a."""
        with torch.inference_mode():
            displacement, presence = self._encoder(self._in(window[None]), self._in(code))
            return displacement[0].cpu().numpy(), float(presence)

    def step_rnn(self, u: Array, h: Array) -> tuple[Array, Array]:
        """E_RNN."""
        with torch.inference_mode():
            delta, h_next = self._motion(self._in(u), self._in(h))
            return delta[0].cpu().numpy(), h_next[0].cpu().numpy()

    def map_latent(self, z: Array) -> Array:
        """Mapping without truncation."""
        with torch.inference_mode():
            return self._mapping(self._in(z))[0, 0].cpu().numpy()

    def synthesize(self, ws: Array) -> Array:
        """G."""
        with torch.inference_mode():
            picture = self._synthesis(self._in(with_placement(ws, self._rows)), "const")
            return (picture * 0.5 + 0.5).clamp(0, 1)[0].permute(1, 2, 0).numpy()
