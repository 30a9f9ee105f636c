"""Builds the torch networks of a world from the configurations on its card and its tensors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..errors import WorldError
from .card import Card
from .generator import Generator
from .generator_folded import PlaySynthesis
from .joint_embedding import SoundEncoder
from .motion_rnn import MotionNetwork
from .sound_inversion import SoundInversionEncoder
from .stylegan3 import PlayStyleGAN3, StyleGAN3Synthesis
from .world_file import World

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Networks:
    """What a world plays with: G, F_a, E_a and E_RNN, in evaluation mode, float32, on the CPU."""

    card: Card
    generator: Generator
    sound: SoundEncoder
    encoder: SoundInversionEncoder
    motion: MotionNetwork

    def play(self) -> PlaySynthesis | PlayStyleGAN3:
        """The generator in its fast form."""
        synthesis = self.generator.synthesis
        made = PlayStyleGAN3(synthesis) if isinstance(synthesis, StyleGAN3Synthesis) else PlaySynthesis(synthesis)
        return made.eval()


def as_torch(tensors: dict[str, npt.NDArray[Any]]) -> dict[str, Tensor]:
    """Numpy -> torch, copied, so that the networks own their memory."""
    return {k: torch.from_numpy(v.copy()) for k, v in tensors.items()}


def build_networks(world: World) -> Networks:
    """The networks of any world, of the sizes on its card.

    Raises:
        WorldError: tensors and card do not belong together.

    """
    card = world.card
    return Networks(
        card,
        _build(world, "generator", lambda: Generator(card.generator, card.num_ws)),
        _build(world, "sound", lambda: SoundEncoder.sized(card.sound, card.frames)),
        _build(world, "encoder", lambda: SoundInversionEncoder(card.encoder)),
        _build(world, "motion", lambda: MotionNetwork(card.motion)),
    )


def _build(world: World, prefix: str, make: Callable[[], Network]) -> Network:
    """One network with the tensors below `prefix`."""
    tensors = world.part(prefix)
    with _Unfilled():  # a card of any sizes is first held against the tensors
        # In a file a number without axes has one.
        expected: dict[str, tuple[int, ...]] = {k: tuple(x.shape) or (1,) for k, x in make().state_dict().items()}
    if unfit := _difference(expected, {name: x.shape for name, x in tensors.items()}):
        raise WorldError(f"{world.card.path}: its {prefix} does not fit its card: {unfit}", "Make this world again.")
    network = make()
    network.load_state_dict(as_torch(tensors))
    return network.eval().requires_grad_(False)


class _Unfilled(TorchFunctionMode):
    """Tensors are made on the meta device, which allocates nothing, and are not filled.

    torch's own operations on that device would import its compiler and sympy, which takes seconds.
    """

    _MAKERS = frozenset({"empty", "full", "ones", "randn", "zeros"})

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Collection[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Makers give a tensor of their size, what fills or scales a tensor gives that tensor; else as torch does."""
        del types
        name, named = func.__name__, dict(kwargs or {})
        if name in self._MAKERS and args:
            return torch.empty(args if isinstance(args[0], int) else args[0], device="meta")
        if name in ("div", "__truediv__") or (name.endswith("_") and not name.endswith("__")):
            return args[0] if args else named["tensor"]
        return func(*args, **named)


def _difference(expected: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]]) -> str:
    """The first tensor that is missing, of another shape, or of no use; empty where there is none."""
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            return f"{name} is {found.get(name, 'missing')}, not {expected.get(name, 'expected at all')}"
    return ""
