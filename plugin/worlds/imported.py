"""An imported world: its card and tensors, without a seed bank or with one.

E_a and E_RNN are untrained, small, and give zero: what moves the pictures are the places and directions of the classes
(bank.py) and whatever the player moves by level, onset and beat.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sonorama.engine.model import stylegan3_config
from sonorama.engine.model.build import as_torch
from sonorama.engine.model.card import Card
from sonorama.engine.model.config import LEVEL_CUTS, EncoderConfig, MotionConfig
from sonorama.engine.model.generator import Generator
from sonorama.engine.model.motion_rnn import MotionNetwork
from sonorama.engine.model.principal_axes import principal_axes, shares
from sonorama.engine.model.seen_classes import SEEN
from sonorama.engine.model.sound_inversion import SoundInversionEncoder
from sonorama.engine.model.stylegan3_config import StyleGAN3Config
from sonorama.engine.model.world_file import World

from .bank import (
    BESIDE_PLACES,
    MIXING,
    TRUNCATION,
    Bank,
    agreement,
    directions,
    largest_activation,
    measure_styles,
    not_by_chance,
    places,
    random_styles,
)
from .stylegan2 import Converted

NARROW = 8
"""Width of networks that give zero."""
Tensors = dict[str, npt.NDArray[Any]]
SHARED = ("sound.", "text.", "image.", "labels.", "names.")
"""Tensors of the base world."""


SLOW = "StyleGAN3: a CPU takes seconds for a picture of the usual widths, so it is for films, or for a GPU."


@dataclass(frozen=True)
class Source:
    """file: its name; digest: its SHA-256; world, licence: of the new world."""

    file: str
    digest: str
    world: str
    licence: str


class Imported:
    """A converted network, and what its world takes from a base world.

    Attributes:
        generator: ours, with the statistics of its W.

    """

    def __init__(self, source: Source, base: World, converted: Converted) -> None:
        self._source, self._base, self._converted = source, base, converted
        self._slow = isinstance(converted.config, StyleGAN3Config)
        self.generator, styles = build_generator(converted)
        self._axes = principal_axes(styles.numpy())
        self._shares = shares(self._axes, styles.numpy())

    @cached_property
    def _largest(self) -> float:
        return largest_activation(self.generator) if self._converted.clamp else 0.0

    def world(self, bank: Bank | None) -> tuple[Card, Tensors]:
        """Card and tensors; without a bank the classes are known, and do not move the picture."""
        shape, base, source = self._converted.config, self._base.card, self._source
        sizes = (shape.num_ws, shape.w_dim)
        cuts = stylegan3_config.LEVEL_CUTS if self._slow else LEVEL_CUTS
        widths = (NARROW,) * len(base.encoder.widths)
        encoder = EncoderConfig(*sizes, base.sound.code_dim, widths, NARROW, cuts, NARROW)
        motion = MotionConfig(*sizes, NARROW, cuts)
        found, learned = self._found(bank)
        measures = {"source": {"file": source.file, "sha256": source.digest}, "axes": self._shares, **learned}
        card = replace(
            base, name=source.world, version="1", licence=source.licence, description=self._description(learned),
            generator=shape, encoder=encoder, motion=motion, truncation=TRUNCATION, mixing=MIXING, inset=0, path="",
            content="", measures=measures, joint=base.joint | {"base": base.name},
            credits=(
                f"{source.file}: unknown", f"words, eyes and ears of {base.name}: {base.licence}", *base.credits
            ),
        )  # fmt: skip
        return card, self._networks(encoder, motion) | found

    def _networks(self, encoder: EncoderConfig, motion: MotionConfig) -> Tensors:
        """The generator, E_a and E_RNN whose last layers are zero, as they begin a training, and the base's."""
        mapping = self.generator.mapping
        with torch.random.fork_rng():
            torch.manual_seed(0)
            networks = {
                "generator": self.generator,
                "encoder": SoundInversionEncoder(encoder, mapping.w_std),
                "motion": MotionNetwork(motion, mapping.w_avg, mapping.w_std),
            }
        tensors = {
            f"{prefix}.{name}": value.detach().numpy()
            for prefix, network in networks.items()
            for name, value in network.state_dict().items()
        }
        tensors |= {name: x for name, x in self._base.tensors.items() if name.startswith(SHARED)}
        return tensors | {"axes.directions": self._axes}

    def _found(self, bank: Bank | None) -> tuple[Tensors, dict[str, Any]]:
        """What was found in the bank: tensors, and measures of the card."""
        mapping, classes = self.generator.mapping, self._base.card.classes
        if bank is None:
            still = np.zeros((len(classes), self._converted.config.num_ws, self._converted.config.w_dim), np.float16)
            return {"meaning.displacements": still}, {"bank": {"seeds": 0}}
        labels, w_std = self._base.tensors["labels.codes"], mapping.w_std.numpy()
        ways, told = directions(bank, labels, w_std), agreement(bank, labels, w_std).astype(np.float64).round(3)
        latents, owners = places(bank, labels, told >= max(SEEN, not_by_chance(len(bank.codes))), mapping.w_avg.numpy())
        ways[np.unique(owners)] *= BESIDE_PLACES
        tensors: Tensors = {
            "bank.codes": bank.codes.astype(np.float16),
            "meaning.displacements": np.repeat(ways[:, None], self._converted.config.num_ws, 1).astype(np.float16),
        }
        if len(latents):
            tensors |= {"meaning.places": latents.astype(np.float16), "meaning.place_classes": owners}
        measures: dict[str, Any] = {
            "directions": dict(zip(classes, told.tolist(), strict=True)),
            "bank": {"seeds": len(bank.codes)},
        }
        if limit := self._converted.clamp:
            measures["clamp"] = {"network": limit, "largest_activation": round(self._largest, 2)}
        return tensors, measures

    def _description(self, learned: Mapping[str, Any]) -> str:
        """For people."""
        text = f"Imported from {self._source.file} (SHA-256 {self._source.digest}). {_seen(learned)}"
        text += " E_a and E_RNN are untrained and give zero."
        if self._slow:
            text += f" {SLOW}"
        clamp = learned.get("clamp", {"network": 0.0, "largest_activation": 0.0})
        passed = 0 < clamp["network"] < clamp["largest_activation"]
        return text + (" Some activations pass the network's clamp, which is not applied." if passed else "")


def _seen(learned: Mapping[str, Any]) -> str:
    if "directions" not in learned:
        return "Its seed bank was not painted: sounds do not move its pictures by class, and prompts find no seeds."
    found = sorted(learned["directions"].items(), key=lambda one: -one[1])
    if known := [name.replace("_", " ") for name, how in found if how >= SEEN]:
        return f"Its seeds were found to differ in: {', '.join(known)}; these sounds move the pictures towards them."
    return "Its pictures are none that the base world's eyes tell apart by sound: directions are by chance."


def build_generator(converted: Converted) -> tuple[Generator, Tensor]:
    """Our generator with these weights and the statistics of its W, and untruncated style codes of random latents."""
    with torch.random.fork_rng():
        generator = Generator(converted.config)
    state = generator.state_dict()
    tensors = as_torch({name: x.reshape(state[name].shape) for name, x in converted.tensors.items()})
    generator.load_state_dict(state | tensors)
    generator.eval().requires_grad_(False)
    styles = random_styles(generator)
    measure_styles(generator, styles, "mapping.w_avg" in tensors)
    return generator, styles
