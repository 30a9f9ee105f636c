"""The last stage of a fit: E_RNN at rest (stages/motion_rest.py), for as long as there is time."""

from __future__ import annotations

import copy
import time

import torch
from torch import Tensor

from ...engine.model.motion_rnn import MotionNetwork
from ...engine.model.sound_inversion import SoundInversionEncoder
from ..stages.directions import random_places
from ..stages.motion_by_sound import Fixed
from ..stages.motion_rest import RestTraining, rest_sounds, train_rest
from ..status import Tell, silent

LEAST = 8
"""Steps of a stage that is fitted into a short time."""
TRIAL = RestTraining(steps=4, seconds=2.0, sounds=1)


def rest_plan(steps: int) -> RestTraining:
    """The usual plan with so many steps; where they are fewer than usual, with as much less sound."""
    usual = RestTraining()
    return usual.shorter(steps / usual.steps, LEAST)


def fit_rest(
    motion: MotionNetwork, encoder: SoundInversionEncoder, fixed: Fixed, mels: list[list[Tensor]], hz: float,
    plan: RestTraining, tell: Tell = silent,
) -> dict[str, float]:  # fmt: skip
    """Train E_RNN in place by the sounds [128,T] of every class; the figures of `train_rest`. hz: motion steps a
    second.
    """
    tell(0.0)
    rng = torch.Generator().manual_seed(24)

    def places(count: int) -> Tensor:
        with torch.no_grad():
            return fixed.generator.mapping(random_places(fixed.codes, count, rng))

    sounds = rest_sounds(encoder, fixed.judges.hear, fixed.displacements, mels, hz, plan)
    return train_rest(motion, sounds, places, hz, plan, tell)


def rest_steps(
    motion: MotionNetwork, encoder: SoundInversionEncoder, fixed: Fixed, mels: list[list[Tensor]], hz: float,
    seconds: float,
) -> int:  # fmt: skip
    """How many steps fit into a time, by a short trial on a copy: at least LEAST, at most as many as usual."""
    begun = time.monotonic()
    fit_rest(copy.deepcopy(motion), encoder, fixed, mels, hz, TRIAL)
    trial, usual = time.monotonic() - begun, RestTraining()
    # The trial has a larger share of the sound than of the steps: this is rather too much, and some time may be left.
    whole = trial * usual.steps / TRIAL.steps
    return int(min(max(usual.steps * seconds / max(whole, 1e-3), LEAST), usual.steps))
