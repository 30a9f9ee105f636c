"""Moving pictures, inverted to W+ frame by frame: the teacher of E_RNN (stage 3b).

A scene is drawn onto a picture that the generator paints, and follows a recording (scene_motion.py); the displacements
are sought with which the generator paints the drawn pictures. Clips of footage are inverted likewise, from the base
latent of their first frame, with the sound that is heard meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ...engine.model.generator import Generator
from ...engine.model.mel import ENCODER_COLUMNS, SOUND_COLUMNS
from ..backbone import Backbone, describe
from ..stages.directions import picture_loss, random_places
from ..stages.sound_inversion import strength
from .moving_clips import UNKNOWN, ClipDraws, MovingClip
from .photos import CodeBook
from .procedural_pictures import CLASSES
from .scene_motion import SceneDrive, scene_frames, scene_motion
from .sound_windows import ending_at, random_columns

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClipPlan:
    """clips a class that can be drawn; ticks a clip at `rate` Hz; size painted; steps of Adam an inversion, at
    adam_rate; drive: how sound moves the scenes. filmed: largest share of clips that are inverted footage, where there
    is any; first_steps: of the base latent of its first frame.
    """

    clips: int = 4
    ticks: int = 16
    rate: float = 15.0
    size: int = 64
    steps: int = 8
    adam_rate: float = 0.05
    drive: SceneDrive = field(default_factory=SceneDrive)
    filmed: float = 0.5
    first_steps: int = 60


@dataclass(frozen=True)
class Clip:
    """base w_0 [L,W]; targets [T,L,W]: displacement from w_0 in units of sigma_w; mel [128,C]: log-mel of the sound;
    columns [T]: how many of its columns are heard at each frame; class_id.
    """

    base: Tensor
    targets: Tensor
    mel: Tensor
    columns: Tensor
    class_id: int

    def windows(self, width: int) -> Tensor:
        """What is heard at each frame, [T,1,128,width]."""
        return torch.stack([ending_at(self.mel, c, width) for c in self.columns.tolist()])

    @property
    def short_windows(self) -> Tensor:
        """Of E_a, [T,1,128,88]."""
        return self.windows(ENCODER_COLUMNS)

    @property
    def long_windows(self) -> Tensor:
        """Of F_a, [T,1,128,344]."""
        return self.windows(SOUND_COLUMNS)


def invert(
    generator: Generator, base: Tensor, start: Tensor, target: Tensor, backbone: Backbone, plan: ClipPlan
) -> Tensor:
    """Displacements [T,L,W] (units of sigma_w) with which G paints the pictures `target` [T,3,S,S] from w_0 =
    base [L,W]; Adam from `start`, held near it by a small quadratic term.
    """
    std = generator.mapping.w_std
    d = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([d], plan.adam_rate, betas=(0.5, 0.99))
    for _ in range(plan.steps):
        picture = generator.synthesis(base + d * std, "const", plan.size, "activations")
        loss = picture_loss(picture, target, backbone).sum() + 0.5 * (d - start).square().mean((1, 2)).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return d.detach()


def make_clip(
    generator: Generator,
    directions: Tensor,
    mel: Tensor,
    class_id: int,
    codes: Tensor,
    backbone: Backbone,
    plan: ClipPlan,
    rng: torch.Generator,
) -> Clip:
    """One clip of one class at one base latent, with a recording's log-mel [128,C] as its sound."""
    pick, start = torch.rand(2, generator=rng).tolist()
    mel, columns = random_columns(mel, plan.ticks, plan.rate, pick)
    strength, time_s = scene_motion(mel, columns, plan.rate, plan.drive)
    with torch.no_grad():
        base = generator.mapping(random_places(codes, 1, rng), 0.85)[0]
        before = generator.synthesis(base[None], "const", plan.size, "activations")
        seed = int(torch.randint(10**6, (1,), generator=rng))
        photo = (before / 2 + 0.5).clamp(0, 1)
        frames = scene_frames(photo, CLASSES[class_id], strength, time_s + 60 * start, seed) * 2 - 1
    targets = invert(generator, base, strength[:, None, None] * directions[class_id], frames, backbone, plan)
    return Clip(base, targets, mel, torch.tensor(columns), class_id)


def invert_footage(
    generator: Generator, directions: Tensor, clip: MovingClip, book: CodeBook, backbone: Backbone, plan: ClipPlan,
    rng: torch.Generator,
) -> Clip:  # fmt: skip
    """A random stretch of a clip of footage, inverted.

    The first frame's style codes are sought from its code in the picture set. What its sound adds to them by the class
    is taken off again to give w_0: there the sound is not heard yet.

    Args:
        generator: G.
        directions: D [K,L,W] in units of sigma_w.
        clip: with at least `plan.ticks` frames at the plan's rate.
        book: of the picture set that G learned.
        backbone: of the picture loss.
        plan: sizes and lengths.
        rng: decides where the stretch begins.

    """
    draws = ClipDraws([clip], plan.ticks, plan.rate)
    first = int(torch.randint(draws.room(clip), (1,), generator=rng))
    index = [first + i * draws.stride(clip) for i in range(plan.ticks)]
    filmed, columns = clip.frames[index].float() / 127.5 - 1, [clip.columns[i] for i in index]
    frames = F.interpolate(filmed, generator.config.shape(plan.size), mode="bilinear", antialias=True)
    way = directions[clip.class_id] if clip.class_id != UNKNOWN else torch.zeros_like(directions[0])
    windows = torch.stack([ending_at(clip.mel, column, ENCODER_COLUMNS) for column in columns])
    start = strength(windows)[:, None, None] * way
    with torch.no_grad():
        high, wide = generator.config.shape()
        large = F.interpolate(filmed[:1], (high, wide), mode="bilinear", antialias=True)
        w = generator.mapping(book.encode(describe(large, backbone, wide / high)), 1.0)[0]
    found = invert(generator, w, start[:1] * 0, frames[:1], backbone, replace(plan, steps=plan.first_steps))[0]
    base = w + (found - start[0]) * generator.mapping.w_std
    targets = invert(generator, base, start, frames, backbone, plan)
    return Clip(base, targets, clip.mel[:, : columns[-1]].contiguous(), torch.tensor(columns), clip.class_id)


@torch.no_grad()
def painted(clips: Sequence[Clip], generator: Generator, plan: ClipPlan, held_every: int) -> list[MovingClip]:
    """Inverted clips as the generator paints them; every `held_every`th round of classes is held out."""
    found = []
    for number, clip in enumerate(clips):
        w = clip.base + clip.targets * generator.mapping.w_std
        frames = generator.synthesis(w, "const", plan.size, "activations").clamp(-1, 1)
        frames = ((frames + 1) * 127.5).round().to(torch.uint8)
        held = number // len(CLASSES) % held_every == held_every - 1
        columns = tuple(clip.columns.tolist())
        found.append(MovingClip(frames, plan.rate, clip.mel, columns, clip.class_id, f"inverted {number}", held))
    return found
