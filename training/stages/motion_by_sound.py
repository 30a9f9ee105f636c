"""E_RNN without films: eqs. 2 and 3 through its own roll (eqs. 4 and 5), for a generator that knows no moving clips.

The style codes of a few motion steps, rolled as the engine plays them, are painted at the first and the last of the
roll's windows; L_enc of sound_inversion.py is taken of those. What moves a picture between is E_RNN's to find: there is
no teacher and no discriminator, so that it learns to carry the picture towards what is heard, not how such things move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ...engine.model.generator import Generator
from ...engine.model.mel import ENCODER_COLUMNS, SOUND_COLUMNS
from ...engine.model.motion_rnn import MotionNetwork
from ...engine.model.sound_inversion import SoundInversionEncoder
from ..data.sound_windows import ending_at, random_columns
from ..status import Tell, silent
from .directions import PlaceLatents, random_places
from .motion_roll import Physics, Rolled, motion_step
from .sound_inversion import PSI, EncoderTraining, Judges, change_gain, displaced, look_at, sound_guidance_loss


@dataclass(frozen=True)
class SoundMotionTraining:
    """steps of AdamW at `rate`; clips a step; ticks of a roll at `hz`; painted: of them, how many are looked at; lam_w
    keeps the place, as in stage 3.
    """

    steps: int = 200
    clips: int = 2
    ticks: int = 12
    painted: int = 3
    rate: float = 3e-4
    hz: float = 15.0
    lam_w: float = 0.05


@dataclass(frozen=True)
class Fixed:
    """What does not change: G, D [K,L,W] in units of sigma_w, anchors [N,Z], F_a and F_v, places of classes or None."""

    generator: Generator
    displacements: Tensor
    codes: Tensor
    judges: Judges
    places: PlaceLatents | None


def guide_motion(
    network: MotionNetwork, encoder: SoundInversionEncoder, fixed: Fixed, mels: list[list[Tensor]],
    plan: SoundMotionTraining, seen: EncoderTraining, tell: Tell = silent,
) -> dict[str, float]:  # fmt: skip
    """Train E_RNN in place on the classes that have sounds, beside E_a, whose plan `seen` says how pictures are looked
    at; the mean L_enc of the first and the last tenth of the steps.
    """
    rng = torch.Generator().manual_seed(9)
    heard = [k for k, some in enumerate(mels) if some]
    physics = Physics.defaults(network.config.level_sizes, plan.hz)
    optimiser = torch.optim.AdamW(network.parameters(), plan.rate)
    losses: list[float] = []
    for step in range(plan.steps):
        class_id = [heard[(step * plan.clips + i) % len(heard)] for i in range(plan.clips)]
        with torch.no_grad():
            heard_now = _heard(encoder, fixed, _drawn(mels, class_id, plan, rng), class_id, rng)
        guidance, moved = _step(network, physics, fixed, heard_now, class_id, plan, seen, rng)
        optimiser.zero_grad()
        (guidance + plan.lam_w * moved).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        losses.append(guidance.item())
        if step % 20 == 0:
            tell(step / plan.steps, loss=losses[-1])
    tenth = max(1, len(losses) // 10)
    return {"loss_before": sum(losses[:tenth]) / tenth, "loss_after": sum(losses[-tenth:]) / tenth}


def _drawn(
    mels: list[list[Tensor]], class_id: list[int], plan: SoundMotionTraining, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Windows of E_a [B,T,1,128,88] and F_a [B,T,1,128,344] of one stretch of a random sound of each class."""
    short, long = [], []
    for k in class_id:
        mel = mels[k][int(torch.randint(len(mels[k]), (1,), generator=rng))]
        gain, pick = torch.rand(2, generator=rng).tolist()
        mel, columns = random_columns(change_gain(mel, (2 * gain - 1) * 0.15), plan.ticks, plan.hz, pick)
        short.append(torch.stack([ending_at(mel, c, ENCODER_COLUMNS) for c in columns]))
        long.append(torch.stack([ending_at(mel, c, SOUND_COLUMNS) for c in columns]))
    return torch.stack(short), torch.stack(long)


class _Heard(NamedTuple):
    """What E_RNN is given: w_0 [B,L,W], F_a [B,T,D], E_a [B,T,L,W] in units of sigma_w, presence [B,T]."""

    base: Tensor
    code: Tensor
    units: Tensor
    present: Tensor


def _heard(
    encoder: SoundInversionEncoder, fixed: Fixed, windows: tuple[Tensor, Tensor], class_id: list[int],
    rng: torch.Generator,
) -> _Heard:  # fmt: skip
    generator, (short, long) = fixed.generator, windows
    shape = short.shape[:2]
    base = generator.mapping(random_places(fixed.codes, shape[0], rng), PSI)
    if fixed.places is not None:
        base = fixed.places.go(base, class_id, torch.ones(shape[0]), PSI, generator.mapping.w_avg, rng)
    code = fixed.judges.hear(long.flatten(0, 1))
    every = fixed.displacements[torch.tensor(class_id)].repeat_interleave(shape[1], 0)
    heard, _, present = displaced(encoder, short.flatten(0, 1), code, every)
    units = heard / encoder.sigma_w
    return _Heard(base, *(x.unflatten(0, shape) for x in (code, units, present)))


def _step(
    network: MotionNetwork, physics: Physics, fixed: Fixed, heard: _Heard, class_id: list[int],
    plan: SoundMotionTraining, seeing: EncoderTraining, rng: torch.Generator,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """L_enc of the painted motion steps, and how far the style codes are from w_0 (mean square, units of sigma_w)."""
    generator, ids, (base, code, units, present) = fixed.generator, torch.tensor(class_id), heard
    ticks = units.shape[1]
    state, moved = Rolled.begin(network, units[:, 0]), []
    for t in range(ticks):
        state = motion_step(network, physics, state, base, units[:, t], present[:, t], state.moved)
        moved.append(state.moved)
    at = torch.linspace(0, ticks - 1, plan.painted).round().long()
    shown = torch.stack(moved, 1)[:, at]  # [B,P,L,W]
    w = base[:, None] + shown * network.sigma_w
    pictures = generator.synthesis(w.flatten(0, 1), "const", seeing.size, "activations")
    seen = look_at(fixed.judges.see, pictures, seeing, rng).unflatten(0, (len(base), len(at)))
    label = fixed.judges.labels[ids][:, None].expand_as(seen)
    about = (w - generator.mapping.w_avg) / network.sigma_w
    loss = sound_guidance_loss(seen, code[:, at], label, about, shown, seeing, ids)
    return loss, shown.square().mean()
