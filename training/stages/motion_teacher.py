"""E_RNN by teacher forcing on inverted clips (stage 3b), rolled as the engine plays it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ...engine.model.motion_rnn import MotionNetwork
from ...engine.model.sound_inversion import SoundInversionEncoder
from ..data.inverted_clips import Clip
from ..data.moving_clips import UNKNOWN
from ..status import Tell, silent
from .motion_roll import Physics, Rolled, follow, motion_step
from .sound_inversion import displaced


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
class ClipBatch:
    """base [B,L,W]; heard E_a [B,T,L,W]; there [B,T]; targets [B,T,L,W] in units of sigma_w."""

    base: Tensor
    heard: Tensor
    there: Tensor
    targets: Tensor


@torch.no_grad()
def prepare(clips: list[Clip], encoder: SoundInversionEncoder, codes: list[Tensor], displacements: Tensor) -> ClipBatch:
    """Let E_a hear all clips; one of no class has no displacement of a class.

    codes: F_a of each clip's long windows, [T,D] a clip; displacements: D [K,L,W].
    """
    none = torch.zeros_like(displacements[0])
    heard = [
        displaced(encoder, c.short_windows, code, none if c.class_id == UNKNOWN else displacements[c.class_id])
        for c, code in zip(clips, codes, strict=True)
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
    heard = batch.heard / network.sigma_w
    b, ticks = heard.shape[:2]
    state = Rolled.begin(network, heard[:, 0])
    made, asked = [], []
    for t in range(ticks):
        see_own = (torch.rand(b) < own)[:, None, None]
        anchor = follow(physics, state, heard[:, t])
        past = torch.where(see_own, anchor + state.residual, batch.targets[:, max(0, t - 1)])
        state = motion_step(network, physics, state, batch.base, heard[:, t], batch.there[:, t], past)
        made.append(state.residual)
        asked.append(batch.targets[:, t] - state.anchor)
    return torch.stack(made, 1), torch.stack(asked, 1)


def motion_loss(made: Tensor, asked: Tensor, speed: float) -> Tensor:
    """Residual [B,T,L,W] against what was asked: place + speed x (velocity + how fast it is on average).

    The mean square alone answers flicker that sound does not foretell with a standstill; the last term asks for
    as much movement as the scene had.
    """
    v, v_asked = made.diff(dim=1), asked.diff(dim=1)
    pace = v.square().mean((1, 3)).add(1e-8).sqrt() - v_asked.square().mean((1, 3)).add(1e-8).sqrt()
    return (made - asked).square().mean() + speed * ((v - v_asked).square().mean() + pace.square().mean())


def train_motion(
    network: MotionNetwork, batch: ClipBatch, rate_hz: float, plan: MotionTraining, tell: Tell = silent
) -> dict[str, float]:
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
            tell(step / plan.steps, loss=loss.item())
    return {"loss_without": first, "loss_with": evaluate(network, batch, physics, plan)}


@torch.no_grad()
def evaluate(network: MotionNetwork, batch: ClipBatch, physics: Physics, plan: MotionTraining) -> float:
    """Loss over all clips when the network lives on its own past."""
    return float(motion_loss(*roll(network, batch, physics, 1.0), plan.speed))
