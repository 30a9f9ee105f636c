"""A world whose networks are loaded on a device: its latent space, its seed bank, and where motion starts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..model.config import FRAME_STEP
from ..model.mel import HOP
from ..model.principal_axes import world_axes
from ..model.seed_bank import TRUNCATION, SeedBank, bank_part
from ..units import SAMPLE_RATE, Array
from .class_places import ClassPlaces, places_of
from .conditioning_worker import SOUND_STEP, SoundNetworks
from .latent_motion import MotionState, StyleSpace
from .meaning_mixer import MeaningMixer
from .quality_gate import QualityGate

if TYPE_CHECKING:
    from ..inference.backend import Backend
    from ..model.world_file import World

GATE_SEEDS = (1, 2, 3, 4)
"""The base latents whose pictures lower precision is judged by."""


@dataclass(frozen=True)
class LoadedWorld:
    """A world ready to be played. backend: where its networks run."""

    world: World
    backend: Backend

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of its pictures, px."""
        return self.world.card.width, self.world.card.height

    @cached_property
    def space(self) -> StyleSpace:
        """Its latent space, for latent_motion.py."""
        card, tensors = self.world.card, self.world.tensors
        w_avg, w_std = tensors["generator.mapping.w_avg"], tensors["generator.mapping.w_std"]
        return StyleSpace(card.level_codes(), card.num_ws, w_avg, w_std, card.motion_rate)

    @cached_property
    def seed_bank(self) -> SeedBank:
        """Base latents of seeds and prompts."""
        card, anchors = self.world.card, bank_part(self.world.tensors, "anchors")
        w_avg = self.world.tensors["generator.mapping.w_avg"]
        codes = bank_part(self.world.tensors, "codes")
        return SeedBank(
            self.backend.map_latent, w_avg, card.num_ws, card.generator.z_dim, anchors, codes,
            truncation=card.truncation, mixing=card.mixing,
        )  # fmt: skip

    @cached_property
    def axes(self) -> Array | None:
        """Principal axes [8,W], each a standard deviation of its seeds at the default truncation; None: it has none."""
        found = world_axes(self.world.card, self.world.tensors)
        return None if found is None else found * np.float32(self.world.card.truncation)

    @cached_property
    def quality_gate(self) -> QualityGate:
        """What pictures in lower precision are compared with. The first use paints, so it comes before the show's."""
        bank = self.seed_bank
        codes = [bank.base(seed, TRUNCATION, 0.0, None, 0.0) for seed in GATE_SEEDS]
        return QualityGate.made(self.backend, codes)

    @property
    def sound_networks(self) -> SoundNetworks:
        """F_a and E_a; a sound that is none of its classes displaces little or nothing."""
        step = SOUND_STEP if self.world.card.frames is None else FRAME_STEP * HOP
        return SoundNetworks(self.backend, self.world.vocabulary, step)

    @cached_property
    def meaning_mixer(self) -> MeaningMixer:
        """What its classes make of a sound displacement, by the settings of /meaning/."""
        own = self.world.tensors.get("meaning.displacements")
        return MeaningMixer(len(self.world.card.classes), None if own is None else own.astype(np.float32))

    @cached_property
    def class_places(self) -> ClassPlaces | None:
        """Where the picture goes while a class is heard; None: the world has no such places."""
        return places_of(self.world.tensors)

    @property
    def hidden(self) -> int:
        """Width of E_RNN's state."""
        return self.world.card.motion.hidden

    def rest(self, sample: int = 0) -> MotionState:
        """Motion at rest; its first motion step is the first one after `sample` (at sample 0 where that is 0)."""
        state = MotionState.rest(self.space, self.hidden)
        return MotionState(**{**vars(state), "tick": ticks_until(self.space, sample) if sample else 0})


def tick_sample(space: StyleSpace, tick: int) -> int:
    """The sample index of a motion step."""
    return round(tick * SAMPLE_RATE / space.motion_rate)


def ticks_until(space: StyleSpace, sample: int) -> int:
    """How many motion steps there are at or before `sample`."""
    tick = int(sample * space.motion_rate / SAMPLE_RATE)
    return tick + 1 if tick_sample(space, tick) <= sample else tick
