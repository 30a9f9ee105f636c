"""E_RNN's rest, after stages 3b and 3: it learns to move about its place instead of away from it.

Clips last a second or two. Played for longer, E_RNN's answer Delta settles at a value that is not 0, and r, which adds
it up over its half-life, far from 0: a displacement that no sound asks for, seen as haze. So it is rolled through long
recordings and learns its own answers y = tanh(Delta) without their slow mean m, beside a copy of itself that hears the
same: mean((y - gain (y' - m'))^2) + lam_mean mean(m^2). Not in the paper.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...engine.model.mel import ENCODER_COLUMNS, SOUND_COLUMNS
from ...engine.model.motion_rnn import MotionNetwork
from ...engine.model.sound_inversion import SoundInversionEncoder
from ...engine.pipeline.latent_motion import decay
from ..data.sound_windows import ending_at, frame_columns
from ..status import Tell, silent
from .motion_roll import Physics, Rolled, follow, moved_on, network_input
from .sound_inversion import displaced


@dataclass(frozen=True)
class RestTraining:
    """Plan of the rest.

    steps of AdamW at `rate`, on `batch` recordings; 0 leaves E_RNN as it is. ticks: motion steps between two steps of
    the optimiser, through which gradients go. seconds: of every recording, which is repeated where it is shorter.
    sounds: recordings of each class. mean_s: half-life of the slow mean. gain: of what is left of the answers without
    it; at 2.5 the codes move at a third of the speed before, at 8 at half of it, and pictures are as near to photos;
    at 20 they are as far from them as before. lam_mean: weight of the mean.
    """

    steps: int = 400
    batch: int = 8
    ticks: int = 30
    seconds: float = 20.0
    sounds: int = 3
    rate: float = 3e-4
    mean_s: float = 3.0
    gain: float = 8.0
    lam_mean: float = 1.0

    def shorter(self, share: float, least: int) -> RestTraining:
        """A share of it, 0..1, but so many steps at least."""
        steps = min(self.steps, max(least, round(self.steps * share)))
        sounds = min(self.sounds, max(1, round(self.sounds * share)))
        return replace(self, steps=steps, sounds=sounds, seconds=max(2.0, self.seconds * min(1.0, share)))


@dataclass(frozen=True)
class RestSounds:
    """E_a / sigma_w [N,T,L,W] (half precision) and presence [N,T] at every motion step of some recordings."""

    heard: Tensor
    there: Tensor


@torch.no_grad()
def rest_sounds(
    encoder: SoundInversionEncoder, hear: Callable[[Tensor], Tensor], displacements: Tensor,
    mels: Sequence[Sequence[Tensor]], hz: float, plan: RestTraining,
) -> RestSounds:  # fmt: skip
    """What E_a says of the first recordings of every class.

    Args:
        encoder: R.
        hear: F_a, long windows [B,1,128,344] -> [B,D].
        displacements: D_c [K,L,W], in units of sigma_w.
        mels: log-mels [128,C] by class.
        hz: motion steps a second.
        plan: how many, and how long.

    """
    ticks = max(plan.ticks, round(plan.seconds * hz))
    heard, there = list[Tensor](), list[Tensor]()
    for k, some in enumerate(mels):
        for mel in some[: plan.sounds]:
            columns = frame_columns(1, ticks, hz)
            long = mel.repeat(1, -(-columns[-1] // mel.shape[1]))
            parts = []
            for at in torch.tensor(columns).split(64):
                short, wide = (
                    torch.stack([ending_at(long, int(c), width) for c in at])
                    for width in (ENCODER_COLUMNS, SOUND_COLUMNS)
                )
                parts.append(displaced(encoder, short, hear(wide), displacements[k]))
            heard.append((torch.cat([p[0] for p in parts]) / encoder.sigma_w).half())
            there.append(torch.cat([p[2] for p in parts]))
    return RestSounds(torch.stack(heard), torch.stack(there))


class _Roll:
    """Some recordings from their beginning, heard by E_RNN and by the copy it learns from."""

    def __init__(
        self, network: MotionNetwork, sounds: RestSounds, index: Tensor, base: Tensor, physics: Physics, rho: float
    ) -> None:
        self.sounds, self.index, self.base, self.physics, self.rho = sounds, index, base, physics, rho
        self.at = 0
        first = sounds.heard[index, 0].float()
        self.state = Rolled.begin(network, first)
        self.hidden = network.start(len(index))
        self.mean, self.mean_copy = torch.zeros_like(first), torch.zeros_like(first)

    def left(self) -> int:
        """Motion steps until the end."""
        return self.sounds.heard.shape[1] - self.at

    def detach(self) -> None:
        """Forget how it came here."""
        self.state, self.mean = self.state.detach(), self.mean.detach()

    def step(self, network: MotionNetwork, own: MotionNetwork) -> tuple[Tensor, Tensor, Tensor]:
        """One motion step: E_RNN's answer y, the copy's without its slow mean, and the slow mean of y [B,L,W]."""
        heard, there = self.sounds.heard[self.index, self.at].float(), self.sounds.there[self.index, self.at]
        present, past = there[:, None, None], follow(self.physics, self.state, heard) + self.state.residual
        u = network_input(network, self.base, past, heard, there)
        delta, hidden = network(u, self.state.hidden)
        answer = torch.tanh(delta * present)
        with torch.no_grad():
            delta, self.hidden = own(u.detach(), self.hidden)
            copied = torch.tanh(delta * present)
            self.mean_copy = self.rho * self.mean_copy + (1 - self.rho) * copied
        self.mean = self.rho * self.mean + (1 - self.rho) * answer
        self.at += 1
        seen = 1 - self.rho**self.at  # both means began at 0
        self.state = moved_on(self.physics, self.state, heard, answer, hidden)
        return answer, copied - self.mean_copy / seen, self.mean / seen


def train_rest(
    network: MotionNetwork, sounds: RestSounds, places: Callable[[int], Tensor], hz: float, plan: RestTraining,
    tell: Tell = silent,
) -> dict[str, float]:  # fmt: skip
    """Train in place; `places` gives so many base latents [B,L,W]. Returns how far r is from the place in the mean of
    the recordings' later half, root mean square in units of sigma_w, and its change a step, before and after.
    """
    physics, rho = Physics.defaults(network.config.level_sizes, hz), decay(plan.mean_s, hz)
    own = copy.deepcopy(network).requires_grad_(False)

    def begin(index: Tensor) -> _Roll:
        return _Roll(network, sounds, index, places(len(index)), physics, rho)

    before = _rested(network, begin(torch.arange(len(sounds.heard))))
    optimiser = torch.optim.AdamW(network.parameters(), plan.rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.steps)
    roll = None
    for step in range(plan.steps):
        if roll is None or roll.left() < plan.ticks:
            roll = begin(torch.randint(len(sounds.heard), (plan.batch,)))
        roll.detach()
        said = [roll.step(network, own) for _ in range(plan.ticks)]
        loss = torch.stack([(y - plan.gain * wanted).square().mean() for y, wanted, _ in said]).mean()
        mean = torch.stack([m.square().mean() for *_, m in said]).mean()
        optimiser.zero_grad()
        (loss + plan.lam_mean * mean).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 20 == 0:
            tell(step / plan.steps, loss=loss.item(), offset=mean.sqrt().item())
    after = _rested(network, begin(torch.arange(len(sounds.heard))))
    return {"offset_before": before[0], "offset_after": after[0], "speed_before": before[1], "speed_after": after[1]}


@torch.no_grad()
def _rested(network: MotionNetwork, roll: _Roll) -> tuple[float, float]:
    residuals, half = list[Tensor](), roll.left() // 2
    while roll.left():
        roll.step(network, network)
        if roll.left() < half:
            residuals.append(roll.state.residual)
    later = torch.stack(residuals, 1)
    return float(later.mean(1).square().mean().sqrt()), float(later.diff(dim=1).square().mean().sqrt())
