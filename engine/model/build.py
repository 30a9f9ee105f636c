"""Builds the torch networks of a world from its tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..errors import WorldError
from .generator import Generator, GeneratorConfig
from .generator_folded import PlaySynthesis
from .joint_embedding import SoundEncoder
from .motion_rnn import MotionConfig, MotionNetwork
from .sound_inversion import EncoderConfig, SoundInversionEncoder
from .world_file import World


@dataclass(frozen=True)
class Networks:
    """All a world plays with: G, F_a, E_a and E_RNN, in evaluation mode, float32, on the CPU."""

    generator: Generator
    sound: SoundEncoder
    encoder: SoundInversionEncoder
    motion: MotionNetwork

    def play(self) -> PlaySynthesis:
        """The generator in its fast form."""
        return PlaySynthesis(self.generator.synthesis).eval()


def as_torch(tensors: dict[str, npt.NDArray[Any]]) -> dict[str, Tensor]:
    """Numpy -> torch, copied, so that the networks own their memory."""
    return {k: torch.from_numpy(v.copy()) for k, v in tensors.items()}


def _load(world: World, module: nn.Module, prefix: str) -> None:
    try:
        module.load_state_dict(as_torch(world.part(prefix)))
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise WorldError(f"{world.card.path}: its {prefix} does not fit: {reason}", "make this world again") from error
    module.eval().requires_grad_(False)


def build_networks(world: World) -> Networks:
    """WorldError where tensors and card do not fit together."""
    card = world.card
    try:
        generator = Generator(GeneratorConfig(**card.generator))
    except (TypeError, ValueError) as error:
        raise WorldError(f"{card.path}: its card describes no generator: {error}", "make this world again") from error
    cuts = card.level_cuts
    w_dim = generator.config.w_dim
    try:
        sound = SoundEncoder.from_tensors(as_torch(world.part("sound")))
    except WorldError as error:
        raise WorldError(f"{card.path}: {error.message}", error.hint) from error
    code_dim = sound.committee.weight2.shape[2]
    encoder = SoundInversionEncoder(EncoderConfig(card.num_ws, w_dim, code_dim, level_cuts=cuts))
    motion = MotionNetwork(MotionConfig(card.num_ws, w_dim, level_cuts=cuts))
    for module, prefix in ((generator, "generator"), (encoder, "encoder"), (motion, "motion")):
        _load(world, module, prefix)
    return Networks(generator, sound.eval().requires_grad_(False), encoder, motion)
