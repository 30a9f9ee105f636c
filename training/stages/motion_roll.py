"""E_RNN rolled over several motion steps in torch, in the same arithmetic as the engine's `advance_motion` (anchored).

All latents are in units of sigma_w.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...engine.control.addresses import MotionName, motion
from ...engine.control.render_table import TABLE
from ...engine.model.motion_rnn import MotionNetwork
from ...engine.pipeline.latent_motion import NOISE, decay
from ...engine.units import LEVELS


@dataclass(frozen=True)
class Physics:
    """The table's default half-lives and bounds as columns [L,1]: rho_follow, rho_r, kappa."""

    follow: Tensor
    inertia: Tensor
    kappa: Tensor

    @staticmethod
    def defaults(level_sizes: list[int], rate: float) -> Physics:
        """What a film has when nobody touches the controls."""

        def column(name: MotionName, half_life: bool) -> Tensor:
            values = [float(TABLE[motion(level, name)].default) for level in LEVELS]
            values = [decay(v, rate) if half_life else v for v in values]
            return torch.cat([torch.full((k, 1), v) for k, v in zip(level_sizes, values, strict=True)])

        return Physics(column("follow", True), column("inertia", True), column("kappa", False))


@dataclass(frozen=True)
class Rolled:
    """anchor, residual [B,L,W] and E_RNN's state hidden [B,3,H] after a motion step."""

    anchor: Tensor
    residual: Tensor
    hidden: Tensor

    @staticmethod
    def begin(network: MotionNetwork, first: Tensor) -> Rolled:
        """In the middle of a sound: the anchor has followed E_a [B,L,W] of the first step for a while already."""
        return Rolled(first, torch.zeros_like(first), network.start(len(first)))

    @property
    def moved(self) -> Tensor:
        """(w_hat - w_0) / sigma_w."""
        return self.anchor + self.residual

    def detach(self) -> Rolled:
        """The same without its history."""
        return Rolled(self.anchor.detach(), self.residual.detach(), self.hidden.detach())


def follow(physics: Physics, state: Rolled, displacement: Tensor) -> Tensor:
    """The anchor after one more step with E_a [B,L,W]."""
    return physics.follow * state.anchor + (1 - physics.follow) * displacement


def motion_step(
    network: MotionNetwork, physics: Physics, state: Rolled, base: Tensor, displacement: Tensor, presence: Tensor,
    past: Tensor,
) -> Rolled:  # fmt: skip
    """One motion step (eqs. 4 and 5, anchored).

    Args:
        network: E_RNN.
        physics: half-lives and bounds.
        state: before the step.
        base: w_0 [B,L,W], as style codes.
        displacement: E_a(x) [B,L,W].
        presence: [B].
        past: what E_RNN takes for (w_hat - w_0) / sigma_w of the step before [B,L,W]: its own, or a teacher's.

    """
    u = network_input(network, base, past, displacement, presence)
    delta, hidden = network(u, state.hidden)
    return moved_on(physics, state, displacement, torch.tanh(delta * presence[:, None, None]), hidden)


def network_input(network: MotionNetwork, base: Tensor, past: Tensor, displacement: Tensor, presence: Tensor) -> Tensor:
    """What E_RNN sees: u^t = w_0 + sigma_w (past + E_a(x^t) + noise), [B,L,W]; see motion_step."""
    noise = NOISE * presence[:, None, None] * torch.randn_like(displacement)
    return base + (past + displacement + noise) * network.sigma_w


def moved_on(physics: Physics, state: Rolled, displacement: Tensor, answer: Tensor, hidden: Tensor) -> Rolled:
    """The state after E_RNN's answer tanh(Delta), [B,L,W]."""
    residual = physics.inertia * state.residual + (1 - physics.inertia) * physics.kappa * answer
    return Rolled(follow(physics, state, displacement), residual, hidden)
