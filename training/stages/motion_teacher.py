"""E_RNN by teacher forcing on inverted clips (stage 3b), in the same arithmetic as the stepper's `tick`."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch
from torch import Tensor

from ...engine.control.addresses import MotionName, motion
from ...engine.control.render_table import TABLE
from ...engine.model.motion_rnn import MotionNetwork
from ...engine.model.sound_inversion import SoundInversionEncoder
from ...engine.pipeline.latent_motion import NOISE, decay
from ...engine.units import LEVELS
from ..data.clips import Clip
from .sound_inversion import displaced

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MotionTraining:
    """steps, batch of clips, rate of AdamW; own_from..own_to: share of steps in which the network sees its own
    past instead of the teacher's (scheduled sampling); speed: weight of the velocity terms.
    """

    steps: int = 500
    batch: int = 12
    rate: float = 1e-3
    own_from: float = 0.0
    own_to: float = 0.9
    speed: float = 2.0
    weight_decay: float = 0.01


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
class ClipBatch:
    """base [B,L,W]; heard E_a [B,T,L,W]; there [B,T]; targets [B,T,L,W] in units of sigma_w."""

    base: Tensor
    heard: Tensor
    there: Tensor
    targets: Tensor


@torch.no_grad()
def prepare(clips: list[Clip], encoder: SoundInversionEncoder, codes: list[Tensor], displacements: Tensor) -> ClipBatch:
    """Let E_a hear all clips. codes: F_a of each clip's long windows, [T,D] a clip; displacements: D [K,L,W]."""
    heard = [
        displaced(encoder, c.windows, code, displacements[c.class_id]) for c, code in zip(clips, codes, strict=True)
    ]
    return ClipBatch(
        torch.stack([c.base for c in clips]),
        torch.stack([h[0] for h in heard]),
        torch.stack([h[2] for h in heard]),
        torch.stack([c.targets for c in clips]),
    )


def roll(network: MotionNetwork, batch: ClipBatch, physics: Physics, own: float) -> tuple[Tensor, Tensor]:
    """Play clips through E_RNN: residual r [B,T,L,W] and what the teacher asks of it, both in units of sigma_w.

    own: chance, a tick, that the network sees the codes it made itself instead of the teacher's.
    """
    std = network.sigma_w
    b, ticks = batch.heard.shape[:2]
    # The anchor of a clip has been following its sound for a while already.
    follow, h = batch.heard[:, 0] / std, network.start(b)
    r = torch.zeros_like(follow)
    made, asked = [], []
    for t in range(ticks):
        heard = batch.heard[:, t] / std
        follow = physics.follow * follow + (1 - physics.follow) * heard
        see_own = (torch.rand(b) < own)[:, None, None]
        before = torch.where(see_own, follow + r, batch.targets[:, max(0, t - 1)])
        there = batch.there[:, t, None, None]
        u = batch.base + (before + heard + NOISE * there * torch.randn_like(heard)) * std
        delta, h = network(u, h)
        r = physics.inertia * r + (1 - physics.inertia) * physics.kappa * torch.tanh(delta * there)
        made.append(r)
        asked.append(batch.targets[:, t] - follow)
    return torch.stack(made, 1), torch.stack(asked, 1)


def motion_loss(made: Tensor, asked: Tensor, speed: float) -> Tensor:
    """Residual [B,T,L,W] against what was asked: place + speed x (velocity + how fast it is on average).

    The mean square alone answers flicker that sound does not foretell with a standstill; the last term asks for
    as much movement as the scene had.
    """
    v, v_asked = made.diff(dim=1), asked.diff(dim=1)
    pace = v.square().mean((1, 3)).add(1e-8).sqrt() - v_asked.square().mean((1, 3)).add(1e-8).sqrt()
    return (made - asked).square().mean() + speed * ((v - v_asked).square().mean() + pace.square().mean())


def train_motion(network: MotionNetwork, batch: ClipBatch, rate_hz: float, plan: MotionTraining) -> dict[str, float]:
    """Train in place; returns the loss before (r = 0) and after, with own past only."""
    physics = Physics.defaults(network.config.level_sizes, rate_hz)
    optimiser = torch.optim.AdamW(network.parameters(), plan.rate, weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.steps)
    first = evaluate(network, batch, physics, plan)
    for step in range(plan.steps):
        index = torch.randint(len(batch.base), (plan.batch,))
        part = ClipBatch(batch.base[index], batch.heard[index], batch.there[index], batch.targets[index])
        own = plan.own_from + (plan.own_to - plan.own_from) * step / plan.steps
        loss = motion_loss(*roll(network, part, physics, own), plan.speed)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 50 == 0:
            log.info("motion %d: %.4f", step, loss.item())
    return {"loss_without": first, "loss_with": evaluate(network, batch, physics, plan)}


@torch.no_grad()
def evaluate(network: MotionNetwork, batch: ClipBatch, physics: Physics, plan: MotionTraining) -> float:
    """Loss over all clips when the network lives on its own past."""
    return float(motion_loss(*roll(network, batch, physics, 1.0), plan.speed))
