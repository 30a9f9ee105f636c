"""E_a(x) = R(x) + a(x) D_class: the encoder learns R by eqs. 2 and 3, with the displacements D of the classes given.

Four consecutive windows of one clip are painted at one base latent, and F_v sees the picture whole and in cutouts:
L_enc = mean_t[1 - cos(F_v(G(w_hat^t)), F_a(x^t))] + lam_t mean_t[1 - cos(F_v(G(w_hat^t)), F_t(label))]
+ lam_b mean(((w_hat^t - w_bar) / sigma_w)^2) + lam_n mean((E_a / sigma_w)^2) + lam_r mean((R / sigma_w)^2).
a(x) is what the engine makes of a sound that is surely of its class (engine/pipeline/meaning_mixer.py).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ...engine.model.generator import Generator
from ...engine.model.mel import BANDS, ENCODER_COLUMNS, SOUND_COLUMNS
from ...engine.model.sound_inversion import SoundInversionEncoder
from ...engine.pipeline.meaning_mixer import LOUD_FROM, LOUD_OVER, QUIET
from ..data.sound_windows import ending_at
from ..status import Tell, silent
from .averaging import average_in
from .directions import PlaceLatents, random_places

PSI = 0.7
"""Truncation of the base latents."""
SHORT = 0.01
"""Mean square of displacements below which R is held no smaller: those of classes that were taught are 0."""
GAIN = 0.15
"""12 dB on the mel scale of 80 dB to 1."""


@dataclass(frozen=True)
class EncoderTraining:
    """steps, clips a step, windows a clip and rate; lam_* are the weights of eqs. 2 and 3; lam_r keeps R small beside
    the displacements; size: side painted. every: mel columns from one window of a clip to the next (100 ms, the grid
    on which E_a is played).

    cutouts: how often F_v looks at a picture, the first time at all of it, then at parts of at least `cut` of its
    sides; mode: `cosine` (eq. 2), or `infonce` (images against the sounds of all clips of a step, of which those of
    its class are right) at infonce_scale, for spaces where pictures and sounds lie in different corners. ema: of the
    averaged encoder, a step.

    widths: channels of E_a's blocks. The loss over the last 50 of 200 steps is the same to a hundredth with them, with
    (24, 48, 96, 128) and with (32, 64, 128, 192): 1.35, 1.36 and 1.35. A window takes 0.59, 1.05 and 1.5 ms.
    """

    steps: int = 200
    clips: int = 3
    windows: int = 4
    rate: float = 3e-4
    lam_t: float = 1.0
    lam_b: float = 0.1
    lam_n: float = 0.05
    lam_r: float = 1.0
    size: int = 64
    every: int = 9
    cutouts: int = 4
    cut: float = 0.6
    mode: str = "cosine"
    infonce_scale: float = 20.0
    ema: float = 0.99
    widths: tuple[int, ...] = (16, 32, 64, 128)


def strength(window: Tensor) -> Tensor:
    """How strongly a window [B,1,128,88] shows by its loudness, [B], as in `meaning_mixer.class_weights`."""
    loudness = window[:, 0].amax(1).mean(1)
    return QUIET + (1 - QUIET) * ((loudness - LOUD_FROM) / LOUD_OVER).clamp(0, 1)


def displaced(
    encoder: SoundInversionEncoder, windows: Tensor, codes: Tensor, displacements: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """E_a of windows [B,1,128,88] with F_a's codes [B,D], as the engine mixes it.

    Args:
        encoder: R.
        windows: of E_a.
        codes: F_a's, of the sounds that end with the windows.
        displacements: D of the class of each, [B,L,W] or [L,W], in units of sigma_w.

    Returns:
        E_a [B,L,W], R [B,L,W] and presence [B].

    """
    own, present = encoder(windows, codes)
    shown = (present * strength(windows))[:, None, None] * displacements * encoder.sigma_w
    return own + shown, own, present


@dataclass(frozen=True)
class Heard:
    """Windows [B,1,128,88] and long_windows [B,1,128,344] that end at the same column; class_id [B]."""

    windows: Tensor
    long_windows: Tensor
    class_id: Tensor


def change_gain(mel: Tensor, gain: float) -> Tensor:
    """Log-mel of the same sound, louder or softer by gain x 80 dB; silence stays silence."""
    return torch.where(mel > 0, (mel + gain).clamp(0, 1), mel)


def draw_windows(
    mels: list[list[Tensor]], class_id: list[int], each: int, rng: torch.Generator, every: int = 9
) -> Heard:
    """`each` windows of one random recording a wanted class, `every` columns apart (closer in a sound that is too short
    for that), at one random gain of +-12 dB; [B = classes x each].
    """
    short, long, names = [], [], []
    for k in class_id:
        mel = mels[k][int(torch.randint(len(mels[k]), (1,), generator=rng))]
        mel = change_gain(mel, float((torch.rand((), generator=rng) * 2 - 1) * GAIN))
        low = min(20, mel.shape[1])
        apart = min(every, (mel.shape[1] - low) // each)
        first = int(torch.randint(low, mel.shape[1] + 1 - apart * (each - 1), (1,), generator=rng))
        for end in range(first, first + apart * (each - 1) + 1, apart) if apart else [first] * each:
            short.append(ending_at(mel, end, ENCODER_COLUMNS))
            long.append(ending_at(mel, end, SOUND_COLUMNS))
            names.append(k)
    return Heard(torch.stack(short), torch.stack(long), torch.tensor(names))


def look_at(see: Callable[[Tensor], Tensor], pictures: Tensor, plan: EncoderTraining, rng: torch.Generator) -> Tensor:
    """F_v of pictures [B,3,H,W]: the mean over cutouts [B,D], whose cosine with a code is the mean of their cosines."""
    height, width = pictures.shape[2:]
    seen = [see(pictures)]
    for _ in range(plan.cutouts - 1):
        share, top, left = torch.rand(3, generator=rng).tolist()
        share = plan.cut + (1 - plan.cut) * share
        h, w = round(share * height), round(share * width)
        top, left = round(top * (height - h)), round(left * (width - w))
        seen.append(see(pictures[:, :, top : top + h, left : left + w]))
    return torch.stack(seen).mean(0)


def to_sounds(seen: Tensor, code: Tensor, class_id: Tensor, scale: float) -> Tensor:
    """InfoNCE of images against all sounds: seen, code [B,T,D]; class_id [B]: clips of one class are right for each
    other.
    """
    right = (class_id[:, None] == class_id[None]).float().repeat_interleave(seen.shape[1], 0)
    right = right.repeat_interleave(seen.shape[1], 1)
    logits = scale * seen.flatten(0, 1) @ code.flatten(0, 1).T
    return -(right / right.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1).mean()


def sound_guidance_loss(
    seen: Tensor, code: Tensor, label: Tensor, moved: Tensor, heard: Tensor, plan: EncoderTraining,
    class_id: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """L_enc of eqs. 2 and 3. seen F_v [B,T,D], code F_a [B,T,D], label F_t [B,T,D]: unit. moved (w_hat - w_avg) /
    sigma_w and heard E_a / sigma_w [B,T,L,W]. w_bar is the MEAN over t (the paper prints a sum). class_id [B] is
    needed in the mode `infonce`.
    """
    if plan.mode == "infonce" and class_id is not None:
        to_sound = to_sounds(seen, code, class_id, plan.infonce_scale)
    elif plan.mode == "cosine":
        to_sound = (1 - (seen * code).sum(-1)).mean()
    else:
        raise ValueError(f"no mode {plan.mode} without classes")
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
    encoder: SoundInversionEncoder, generator: Generator, displacements: Tensor, mels: list[list[Tensor]],
    codes: Tensor, judges: Judges, plan: EncoderTraining, tell: Tell = silent, places: PlaceLatents | None = None,
) -> dict[str, float]:  # fmt: skip
    """Train R in place on the classes that have sounds, to its average over the steps: eqs. 2 and 3 through the frozen
    generator. displacements: D [K,L,W], in units of sigma_w. places: of the classes, where w_0 starts. Returns the mean
    cosine of picture and sound over the first and the last tenth of the steps.
    """
    rng = torch.Generator().manual_seed(7)
    heard = [k for k, some in enumerate(mels) if some]
    generator.requires_grad_(False)
    encoder.silence_code.copy_(judges.hear(torch.zeros(1, 1, BANDS, SOUND_COLUMNS)))
    optimiser = torch.optim.AdamW(encoder.parameters(), plan.rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.steps)
    shape, cosines, mean = (plan.clips, plan.windows), [], copy.deepcopy(encoder)
    size = displacements.square().mean().clamp_min(SHORT)
    for step in range(plan.steps):
        class_id = [heard[(step * plan.clips + i) % len(heard)] for i in range(plan.clips)]
        batch = draw_windows(mels, class_id, plan.windows, rng, plan.every)
        with torch.no_grad():
            base = generator.mapping(random_places(codes, plan.clips, rng), PSI)
            if places is not None:
                base = places.go(base, class_id, torch.ones(plan.clips), PSI, generator.mapping.w_avg, rng)
            base = base.repeat_interleave(plan.windows, 0)
            code = judges.hear(batch.long_windows)
        moved, own, _ = displaced(encoder, mask(batch.windows, rng), code, displacements[batch.class_id])
        picture = generator.synthesis(base + moved, "const", plan.size, "activations")
        seen, units = look_at(judges.see, picture, plan, rng), moved / encoder.sigma_w
        about = (base + moved - generator.mapping.w_avg) / encoder.sigma_w
        seen, code, label, about, units = (
            x.unflatten(0, shape) for x in (seen, code, judges.labels[batch.class_id], about, units)
        )
        loss = sound_guidance_loss(seen, code, label, about, units, plan, torch.tensor(class_id))
        loss = loss + plan.lam_r * (own / encoder.sigma_w).square().mean() / size
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        average_in(mean, encoder, plan.ema, step)
        cosines.append((seen * code).sum(-1).mean().item())
        if step % 20 == 0:
            tell(step / plan.steps, loss=loss.item(), cosine=cosines[-1])
    encoder.load_state_dict(mean.state_dict())
    tenth = max(1, len(cosines) // 10)
    return {"cosine_before": sum(cosines[:tenth]) / tenth, "cosine_after": sum(cosines[-tenth:]) / tenth}


def mask(window: Tensor, rng: torch.Generator) -> Tensor:
    """SpecAugment: one stripe of at most 15 % of the bands and one of at most 20 % of the time set to silence."""
    window = window.clone()
    for axis, share in ((2, 0.15), (3, 0.2)):
        n = window.shape[axis]
        width = int(torch.randint(1, max(2, int(n * share)), (1,), generator=rng))
        window.narrow(axis, int(torch.randint(n - width, (1,), generator=rng)), width).zero_()
    return window
