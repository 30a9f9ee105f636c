"""Stage 3: E_RNN and E_a against an image and a video discriminator (eqs. 7 to 9), through the frozen generator.

Eq. 9 is min over theta = (E_RNN, E_a), max over D_I and D_V of L_V + L_I + lam_enc L_enc, written as two minimisations
(losses/adversarial.py); lam_w mean(((w_hat - w_0) / sigma_w)^2) keeps the place. Starts from stage 3b.
"""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...engine.model.generator import Generator
from ...engine.model.motion_rnn import MotionNetwork
from ...engine.model.sound_inversion import SoundInversionEncoder
from ..checkpoints import read_state, restoring, write_state
from ..data.moving_clips import ClipDraws, MovingBatch
from ..discriminators.patches import ImageDiscriminator, PatchPlan, VideoDiscriminator
from ..losses.adversarial import LOSSES, gradient_penalty
from ..status import Tell, silent
from .adversarial_plan import AdversarialTraining
from .averaging import average_in
from .directions import random_places
from .motion_roll import Physics, Rolled, follow, motion_step
from .recovery import TrainingFailed, all_finite, step_that_fits
from .sound_inversion import EncoderTraining, Judges, displaced, look_at, sound_guidance_loss

log = logging.getLogger(__name__)
TRAINED = ("motion", "encoder")
PARTS = (*TRAINED, "motion_mean", "encoder_mean", "image_judge", "video_judge", "optimiser", "optimiser_judges")


@dataclass(frozen=True)
class Fixed:
    """What stage 3 does not change.

    Attributes:
        generator: G.
        codes: of the places that w_0 is drawn from [A,Z].
        displacements: D [K,L,W], in units of sigma_w.
        judges: the joint space, for L_enc.
        physics: of the motion.
        weights: lam_* of L_enc.

    """

    generator: Generator
    codes: Tensor
    displacements: Tensor
    judges: Judges
    physics: Physics
    weights: EncoderTraining


@dataclass(frozen=True)
class Played:
    """A clip that was made: style codes w_hat and (w_hat - w_0) / sigma_w, E_a / sigma_w [B,T,L,W], pictures
    [B,T,3,H,W].
    """

    codes: Tensor
    moved: Tensor
    displacement: Tensor
    frames: Tensor


class MotionAdversary:
    """Holds the networks of stage 3 and trains them; a checkpoint has everything, so that an interrupted run ends
    where an uninterrupted one does, bit for bit.

    halved: how often the batch was halved for want of memory; slowed: rates are halved since numbers failed.
    """

    def __init__(
        self, motion: MotionNetwork, encoder: SoundInversionEncoder, fixed: Fixed, draws: ClipDraws,
        plan: AdversarialTraining, checkpoint: Path,
    ) -> None:  # fmt: skip
        self.motion, self.encoder, self.fixed, self.draws, self.plan = motion, encoder, fixed, draws, plan
        self.checkpoint = checkpoint
        fixed.generator.requires_grad_(False)
        self.motion.requires_grad_(True)
        self.encoder.requires_grad_(True)
        self.motion_mean, self.encoder_mean = (copy.deepcopy(n).requires_grad_(False) for n in (motion, encoder))
        sound = fixed.judges.labels.shape[1] if plan.wrong_sound else 0
        patches = PatchPlan(plan.width, scales=plan.scales, time=plan.time, sound=sound)
        self.image_judge, self.video_judge = (
            ImageDiscriminator(patches, plan.height),
            VideoDiscriminator(patches, plan.height),
        )
        groups = [
            {"params": list(motion.parameters()), "lr": plan.rate},
            {"params": list(encoder.parameters()), "lr": plan.rate_encoder},
        ]
        self.optimiser = torch.optim.Adam(groups, plan.rate, betas=plan.betas)
        judges = [*self.image_judge.parameters(), *self.video_judge.parameters()]
        self.optimiser_judges = torch.optim.Adam(judges, plan.rate_judges, betas=plan.betas)
        self.loss, self.step, self.rng = LOSSES[plan.loss], 0, torch.Generator().manual_seed(31)
        self.halved, self.slowed = 0, False

    # ---- what is played

    def sounds(self, batch: MovingBatch) -> Tensor:
        """F_a(x) of every motion step, [B,S+T,D]."""
        with torch.no_grad():
            return self.fixed.judges.hear(batch.long_windows.flatten(0, 1)).unflatten(0, batch.windows.shape[:2])

    def displace(self, batch: MovingBatch, codes: Tensor, first: int, last: int) -> tuple[Tensor, Tensor]:
        """E_a / sigma_w [B,t,L,W] and presence [B,t] of motion steps first..last; a clip of no class has no D_c."""
        t = last - first
        known = (batch.class_id >= 0).float()[:, None, None]
        ways = (self.fixed.displacements[batch.class_id.clamp_min(0)] * known).repeat_interleave(t, 0)
        windows, heard = (x[:, first:last].flatten(0, 1) for x in (batch.windows, codes))
        full, _, present = displaced(self.encoder, windows, heard, ways)
        shape = (len(batch.windows), t)
        return (full / self.encoder.sigma_w).unflatten(0, shape), present.unflatten(0, shape)

    def play(self, batch: MovingBatch, codes: Tensor) -> Played:
        """Fake clips: w_0 by random places, some motion steps before the first frame without gradient, then T."""
        plan, fixed, count = self.plan, self.fixed, len(batch.windows)
        lead = self.draws.lead - int(torch.randint(self.draws.lead + 1, (1,), generator=self.rng))
        with torch.no_grad():
            base = fixed.generator.mapping(random_places(fixed.codes, count, self.rng), plan.psi)
            before, present = self.displace(batch, codes, lead, self.draws.lead + 1)
            state = Rolled.begin(self.motion, before[:, 0])
            for t in range(before.shape[1] - 1):
                state = self._advance(state, base, before[:, t], present[:, t])
        displacement, present = self.displace(batch, codes, self.draws.lead, batch.windows.shape[1])
        state, moved = state.detach(), list[Tensor]()
        for t in range(displacement.shape[1]):
            state = self._advance(state, base, displacement[:, t], present[:, t])
            moved.append(state.moved)
        moved = torch.stack(moved, 1)
        w = base[:, None] + moved * self.motion.sigma_w
        frames = fixed.generator.synthesis(w.flatten(0, 1), "const", plan.height, "activations")
        return Played(w, moved, displacement, frames.unflatten(0, moved.shape[:2]))

    def _advance(self, state: Rolled, base: Tensor, displacement: Tensor, presence: Tensor) -> Rolled:
        past = follow(self.fixed.physics, state, displacement) + state.residual
        return motion_step(self.motion, self.fixed.physics, state, base, displacement, presence, past)

    # ---- losses

    def guidance(self, batch: MovingBatch, codes: Tensor, played: Played) -> Tensor:
        """L_enc of eqs. 2 and 3 on some frames of every clip whose class is known; 0 if none is."""
        known = (batch.class_id >= 0).nonzero()[:, 0]
        if not len(known):
            return played.moved.new_zeros(())
        index = torch.randperm(played.frames.shape[1], generator=self.rng)[: self.plan.shown]
        frames = played.frames[known][:, index]
        seen = look_at(self.fixed.judges.see, frames.flatten(0, 1), self.fixed.weights, self.rng)
        seen = seen.unflatten(0, frames.shape[:2])
        label = self.fixed.judges.labels[batch.class_id[known]][:, None].expand_as(seen)
        mapping = self.fixed.generator.mapping
        about = (played.codes[known][:, index] - mapping.w_avg) / self.motion.sigma_w
        code = codes[known][:, self.draws.lead :][:, index]
        displacement = played.displacement[known][:, index]
        return sound_guidance_loss(seen, code, label, about, displacement, self.fixed.weights, batch.class_id[known])

    def _stills(self, frames: Tensor) -> Tensor:
        """Random frames of every clip for D_I, [B x stills,3,H,W]."""
        index = torch.randperm(frames.shape[1], generator=self.rng)[: self.plan.stills]
        return frames[:, index].flatten(0, 1)

    def _judge_loss(self, real: Tensor, fake: Tensor, sound: Tensor, class_id: Tensor) -> Tensor:
        """L_D of both discriminators; fake has no gradient."""
        shown, made = self._stills(real), self._stills(fake)
        loss = self.loss.real(self.image_judge(shown)) + self.loss.fake(self.image_judge(made))
        loss = loss + self.loss.real(self.video_judge(real, sound))
        rejected = self.loss.fake(self.video_judge(fake, sound))
        other = (class_id != class_id.roll(1)).nonzero()[:, 0]
        if self.plan.wrong_sound and len(other):
            wrong = self.loss.fake(self.video_judge(real[other], sound.roll(1, 0)[other]))
            rejected = (rejected + wrong) / 2
        loss = loss + rejected
        if self.plan.loss == "logistic":
            penalty = gradient_penalty(lambda x: self.video_judge(x, sound), real)
            loss = loss + 0.5 * self.plan.r1 * (penalty + gradient_penalty(self.image_judge, self._stills(real)))
        return loss

    def train_step(self) -> dict[str, float]:
        """One step of both sides."""
        plan = self.plan
        batch = self.draws(self.batch, self.rng)
        codes = self.sounds(batch)
        sound = codes[:, self.draws.lead :].mean(1)
        played = self.play(batch, codes)
        judged = {
            "video": plan.lam_v * self.loss.wanted(self.video_judge(played.frames, sound)),
            "image": plan.lam_i * self.loss.wanted(self.image_judge(self._stills(played.frames))),
            "guidance": plan.lam_enc * self.guidance(batch, codes, played),
            "kept": plan.lam_w * played.moved.square().mean(),
        }
        self.optimiser.zero_grad(set_to_none=True)
        torch.stack(list(judged.values())).sum().backward()
        nn.utils.clip_grad_norm_(self.motion.parameters(), 1.0)
        self.optimiser.step()
        loss = self._judge_loss(batch.frames, played.frames.detach(), sound, batch.class_id)
        self.optimiser_judges.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser_judges.step()
        for name in TRAINED:
            average_in(getattr(self, f"{name}_mean"), getattr(self, name), self.plan.ema, self.step)
        return {k: float(v.detach()) for k, v in judged.items()} | {"judges": float(loss.detach())}

    # ---- checkpoints, and what happens when numbers or memory fail

    @property
    def batch(self) -> int:
        """Clips a step: the plan's, halved as often as memory did not suffice."""
        return max(1, self.plan.batch >> self.halved)

    def save(self) -> None:
        """Write the checkpoint atomically."""
        state: dict[str, Any] = {name: getattr(self, name).state_dict() for name in PARTS}
        state |= {"step": self.step, "random": (self.rng.get_state(), torch.get_rng_state())}
        write_state(self.checkpoint, state | {"halved": self.halved, "slowed": self.slowed})

    def load(self) -> bool:
        """Go on from the checkpoint; False if there is none. InputError where it is damaged or of another recipe."""
        if not self.checkpoint.is_file():
            return False
        state = read_state(self.checkpoint)
        with restoring(self.checkpoint):
            for name in PARTS:
                getattr(self, name).load_state_dict(state[name])
            self.step = state["step"]
            self.halved, self.slowed = state.get("halved", 0), state.get("slowed", False)
            self.rng.set_state(state["random"][0])
            torch.set_rng_state(state["random"][1])
        return True

    def _scale_rates(self, factor: float) -> None:
        for optimiser in (self.optimiser, self.optimiser_judges):
            for group in optimiser.param_groups:
                group["lr"] *= factor  # which is part of the optimiser's state in the checkpoint

    def _halve(self) -> None:
        what = f"Memory does not suffice for {self.batch} clips a step"
        if self.batch == 1:
            hint = f"Make the recipe's clips shorter, or add memory. The last state is {self.checkpoint}."
            raise TrainingFailed(what, hint)
        self.halved += 1
        self._scale_rates(0.5**0.5)
        log.warning("%s: going on with %d", what, self.batch)

    def _go_back(self) -> None:
        """To the last checkpoint, with half the rates; the second time training ends."""
        what = f"Stage 3: a loss is NaN or infinite at step {self.step}"
        if self.slowed or not self.load():
            hint = f"The last good state is kept: {self.checkpoint}. Lower the rates in the plan."
            raise TrainingFailed(f"{what}{' again, at half the rates' if self.slowed else ''}", hint)
        self._scale_rates(0.5)
        self.slowed = True
        log.warning("%s: back to %s, with half the rates", what, self.checkpoint)

    # ---- the loop

    def run(self, stop: Callable[[], bool] = lambda: False, tell: Tell = silent) -> None:
        """Train to the plan's end, or until `stop`; a checkpoint is written in both cases.

        Raises:
            TrainingFailed: NaN for the second time, or no memory for one clip.
            OutputError: a checkpoint cannot be written; the one before it stays.

        """
        if not self.checkpoint.is_file():
            if not self._finite():
                hint = "Train again in another folder: those before it are of no use."
                raise TrainingFailed("Stage 3 begins with weights that are NaN or infinite", hint)
            self.save()
        saved, means = time.monotonic(), dict[str, list[float]]()
        while not (self.step >= self.plan.steps or stop()):
            losses = step_that_fits(self.train_step, self._halve)
            last = self.step + 1 == self.plan.steps or time.monotonic() - saved > self.plan.checkpoint_s
            if not all(map(math.isfinite, losses.values())) or (last and not self._finite()):
                self._go_back()
                continue
            self.step += 1
            for name, value in losses.items():
                means.setdefault(name, []).append(value)
            if self.step % 10 == 0:
                tell(self.step / self.plan.steps, **{k: sum(v) / len(v) for k, v in means.items()})
                means.clear()
            if last:
                self.save()
                saved = time.monotonic()
        if self.step < self.plan.steps and self._finite():
            self.save()

    def _finite(self) -> bool:
        return all_finite(self.motion, self.encoder, self.image_judge, self.video_judge)
