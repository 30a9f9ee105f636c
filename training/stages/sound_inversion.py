"""E_a: first it learns which displacement each sound means (from the scenes' directions), then eqs. 2 and 3.

Stage A needs no generator: E_a(x) -> strength(x) D_class. Stage B paints: four windows of one clip a place,
L_enc = mean_t[1 - cos(F_v(G(w_hat^t)), F_a(x^t))] + lam_t mean_t[1 - cos(F_v(G(w_hat^t)), F_t(label))]
+ lam_b mean(((w_hat^t - w_bar) / sigma_w)^2) + lam_n mean((E_a / sigma_w)^2), plus staying near stage A.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ...engine.model.generator import Generator
from ...engine.model.mel import ENCODER_COLUMNS, SOUND_COLUMNS
from ...engine.model.sound_inversion import SoundInversionEncoder
from ..data.clips import ending_at
from .directions import random_places

log = logging.getLogger(__name__)
GAIN = 0.15
"""12 dB on the mel scale of 80 dB to 1."""


@dataclass(frozen=True)
class EncoderTraining:
    """Steps, batches and rates of both stages; lam_* are the weights of eqs. 2 and 3; lam_d holds E_a near the
    directions in stage B; size: side painted.
    """

    steps_a: int = 450
    batch_a: int = 48
    rate_a: float = 2e-3
    steps_b: int = 80
    clips_b: int = 3
    windows_b: int = 4
    rate_b: float = 1e-4
    lam_t: float = 1.0
    lam_b: float = 0.1
    lam_n: float = 0.05
    lam_d: float = 1.0
    size: int = 64


def strength(window: Tensor) -> Tensor:
    """How strongly a window [B,1,128,88] shows: 0.45 for a whisper to 1 for a loud sound; 12 dB change it by 0.17."""
    loudness = window[:, 0].amax(1).mean(1)
    return 0.45 + 0.55 * ((loudness - 0.2) / 0.5).clamp(0, 1)


@dataclass(frozen=True)
class Heard:
    """Windows [B,1,128,88] and long_windows [B,1,128,344] that end at the same column; class_id [B]."""

    windows: Tensor
    long_windows: Tensor
    class_id: Tensor


def change_gain(mel: Tensor, gain: float) -> Tensor:
    """Log-mel of the same sound, louder or softer by gain x 80 dB; silence stays silence."""
    return torch.where(mel > 0, (mel + gain).clamp(0, 1), mel)


def draw_windows(mels: list[list[Tensor]], class_id: list[int], each: int, rng: torch.Generator) -> Heard:
    """`each` windows of one random recording a wanted class, at one random gain of +-12 dB; [B = classes x each]."""
    short, long, names = [], [], []
    for k in class_id:
        mel = mels[k][int(torch.randint(len(mels[k]), (1,), generator=rng))]
        mel = change_gain(mel, float((torch.rand((), generator=rng) * 2 - 1) * GAIN))
        low = min(20, mel.shape[1])
        for end in torch.randint(low, mel.shape[1] + 1, (each,), generator=rng).tolist():
            short.append(ending_at(mel, end, ENCODER_COLUMNS))
            long.append(ending_at(mel, end, SOUND_COLUMNS))
            names.append(k)
    return Heard(torch.stack(short), torch.stack(long), torch.tensor(names))


def learn_directions(
    encoder: SoundInversionEncoder, directions: Tensor, mels: list[list[Tensor]],
    hear: Callable[[Tensor], Tensor], plan: EncoderTraining,
) -> float:  # fmt: skip
    """Stage A in place. hear: F_a, [B,1,128,344] -> [B,D]. Returns the last running loss as a share of mean(D^2)."""
    rng = torch.Generator().manual_seed(5)
    encoder.silence_code.copy_(hear(torch.zeros(1, 1, 128, SOUND_COLUMNS)))
    optimiser = torch.optim.AdamW(encoder.parameters(), plan.rate_a, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.steps_a)
    scale, running = directions.square().mean(), 1.0
    for step in range(plan.steps_a):
        class_id = torch.randint(len(mels), (plan.batch_a // 2,), generator=rng).tolist()
        batch = draw_windows(mels, class_id, 2, rng)
        wanted = strength(batch.windows)[:, None, None] * directions[batch.class_id]
        heard, there = encoder(mask(batch.windows, rng), hear(batch.long_windows))
        error = (heard / encoder.sigma_w - there[:, None, None] * wanted).square().mean() / scale
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        schedule.step()
        running += 0.02 * (error.item() - running)
        if step % 100 == 0:
            log.info("encoder A %d: %.3f of the directions' power", step, running)
    return running


def mask(window: Tensor, rng: torch.Generator) -> Tensor:
    """SpecAugment: one stripe of at most 15 % of the bands and one of at most 20 % of the time set to silence."""
    window = window.clone()
    for axis, share in ((2, 0.15), (3, 0.2)):
        n = window.shape[axis]
        width = int(torch.randint(1, max(2, int(n * share)), (1,), generator=rng))
        window.narrow(axis, int(torch.randint(n - width, (1,), generator=rng)), width).zero_()
    return window


def sound_guidance_loss(
    seen: Tensor, code: Tensor, label: Tensor, moved: Tensor, heard: Tensor, plan: EncoderTraining
) -> Tensor:
    """L_enc of eqs. 2 and 3. seen F_v [B,T,D], code F_a [B,T,D], label F_t [B,T,D]: unit. moved (w_hat - w_avg) /
    sigma_w and heard E_a / sigma_w [B,T,L,W]. w_bar is the MEAN over t (the paper prints a sum).
    """
    to_sound = (1 - (seen * code).sum(-1)).mean()
    to_text = (1 - (seen * label).sum(-1)).mean()
    steady = (moved - moved.mean(1, keepdim=True)).square().mean()
    return to_sound + plan.lam_t * to_text + plan.lam_b * steady + plan.lam_n * heard.square().mean()


@dataclass(frozen=True)
class Judges:
    """The frozen joint space: F_a, F_v (picture [B,3,H,W] in [-1,1] -> unit [B,D]) and the label codes F_t [9,D]."""

    hear: Callable[[Tensor], Tensor]
    see: Callable[[Tensor], Tensor]
    labels: Tensor


def guide_by_sound(
    encoder: SoundInversionEncoder, generator: Generator, directions: Tensor, mels: list[list[Tensor]],
    codes: Tensor, judges: Judges, plan: EncoderTraining,
) -> dict[str, float]:  # fmt: skip
    """Stage B in place: eqs. 2 and 3 through the frozen generator. Returns mean cosine of picture and sound over
    the first and the last tenth of the steps.
    """
    rng = torch.Generator().manual_seed(7)
    generator.requires_grad_(False)
    optimiser = torch.optim.AdamW(encoder.parameters(), plan.rate_b, weight_decay=0.02)
    shape, cosines = (plan.clips_b, plan.windows_b), []
    for step in range(plan.steps_b):
        class_id = [(step * plan.clips_b + i) % len(mels) for i in range(plan.clips_b)]
        batch = draw_windows(mels, class_id, plan.windows_b, rng)
        with torch.no_grad():
            base = generator.mapping(random_places(codes, plan.clips_b, rng), 0.7).repeat_interleave(plan.windows_b, 0)
            code = judges.hear(batch.long_windows)
        heard, there = encoder(batch.windows, code)
        picture = generator.synthesis(base + heard, "const", plan.size, "activations")
        seen, units = judges.see(picture), heard / encoder.sigma_w
        moved = (base + heard - generator.mapping.w_avg) / encoder.sigma_w
        wanted = (there * strength(batch.windows))[:, None, None] * directions[batch.class_id]
        seen, code, label, moved, by_clip = (
            x.unflatten(0, shape) for x in (seen, code, judges.labels[batch.class_id], moved, units)
        )
        loss = (
            sound_guidance_loss(seen, code, label, moved, by_clip, plan)
            + plan.lam_d * (units - wanted).square().mean() / directions.square().mean()
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        cosines.append(F.cosine_similarity(seen, code).mean().item())
        if step % 20 == 0:
            log.info("encoder B %d: loss %.3f, cos %.3f", step, loss.item(), cosines[-1])
    tenth = max(1, len(cosines) // 10)
    return {"cosine_before": sum(cosines[:tenth]) / tenth, "cosine_after": sum(cosines[-tenth:]) / tenth}
