"""Trains the joint space of a world.

First words and pictures (words.py); then F_a learns to land where the words and scenes of its class are, with both
frozen, after Lee et al., CVPR 2022: the mean of symmetric InfoNCE over (sound, text), (sound, image) and (sound,
sound), where items of one class are positives of each other; logit scale exp(theta), theta from ln(1/0.07), at
most 100.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from ...engine.errors import OutputError
from ...engine.model.joint_embedding import SoundEncoder
from ..data.captions import Captions
from ..data.photos import data_root
from ..data.procedural_pictures import CLASSES
from ..data.recordings import Windows, make_windows, read_recordings
from .joint_space import ImageTower, JointTraining, Space, info_nce, logit_scale, save
from .joint_words import Scenes, class_codes, make_scenes, new_space, towers, train_words

__all__ = ["ImageTower", "JointTraining", "Material", "Space", "Targets", "prepare", "run_joint", "save", "train_sound"]
log = logging.getLogger(__name__)


def level(codes: Sequence[Tensor], count: int = 240) -> Tensor:
    """Nine of [K,D], K different -> [9,count,D]: each repeated or cut to the same number."""
    return torch.stack([x[torch.arange(count) % len(x)] for x in codes])


@dataclass(frozen=True)
class Targets:
    """Where sounds of each class should land: codes of its texts and of its scenes [9,K,D]."""

    texts: Tensor
    images: Tensor

    @staticmethod
    @torch.no_grad()
    def of(space: Space, scenes: Scenes, captions: Captions) -> Targets:
        """Targets in the frozen space of words and pictures."""
        text, image = (tower.eval() for tower in towers(space))
        images = [image(scenes.described[scenes.class_id == k]) for k in range(len(CLASSES))]
        return Targets(level(class_codes(text, captions)), level(images))

    def draw(self, class_id: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """One text code and one image code [B,D] for every item of `class_id` [B]."""
        return self._pick(self.texts, class_id, rng), self._pick(self.images, class_id, rng)

    @staticmethod
    def _pick(codes: Tensor, class_id: Tensor, rng: torch.Generator) -> Tensor:
        return codes[class_id, torch.randint(codes.shape[1], (len(class_id),), generator=rng)]


def train_sound(windows: Windows, targets: Targets, plan: JointTraining, seed: int = 0) -> SoundEncoder:
    """F_a for these windows, with words and pictures frozen."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed + 1)
    net = SoundEncoder(windows.heard.shape[1], targets.texts.shape[2], dropout=0.3)
    chance = windows.weights(plan.procedural_share)
    share = (chance / chance.sum())[:, None]
    net.mean.copy_((windows.heard * share).sum(0))
    net.std.copy_(((windows.heard - net.mean).square() * share).sum(0).sqrt() + 1e-3)
    heard, theta = net.standardise(windows.heard), logit_scale()
    optimiser = torch.optim.AdamW([*net.parameters(), theta], plan.sound_rate, weight_decay=0.05, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.sound_rate, plan.sound_steps)
    for _ in range(plan.sound_steps):
        rows = torch.multinomial(chance, plan.sound_batch, replacement=True, generator=rng)
        class_id, x = windows.class_id[rows], heard[rows]
        x = (x + plan.noise * torch.randn(x.shape, generator=rng)) * (torch.rand(x.shape, generator=rng) > plan.dropped)
        texts, images = targets.draw(class_id, rng)
        scale = theta.exp().clamp_max(100)
        loss = sound_loss(net.committee(x), class_id, texts, images, scale, plan.smoothing)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net.eval()


def sound_loss(
    codes: Tensor, class_id: Tensor, texts: Tensor, images: Tensor, scale: Tensor, smoothing: float
) -> Tensor:
    """Mean InfoNCE of each member's codes [M,B,D] with texts, images and another member's codes of the same sounds."""
    same = (class_id[:, None] == class_id[None]).float()
    terms = [info_nce(codes, other, same, scale, smoothing) for other in (texts, images, codes.roll(1, 0))]
    return torch.stack(terms).mean()


@dataclass(frozen=True)
class Material:
    """Everything F_a learns from."""

    windows: Windows
    targets: Targets
    space: Space


def prepare(root: Path, work: Path, plan: JointTraining, start: Path | None = None) -> Material:
    """Scenes, words and windows, each made once and kept below `work`; `start`: a joint file or world whose words
    and pictures are taken as they are.
    """
    captions = Captions.load()
    scenes = make_scenes(root, work / f"scenes-{plan.scenes}.safetensors", plan.scenes)
    words = work / "words.safetensors"
    if start is not None or words.is_file():
        space = Space.from_tensors(
            {k: v.float() if v.is_floating_point() else v for k, v in load_file(start or words).items()}
        )
    else:
        torch.manual_seed(1)
        space = new_space(captions, scenes)
        train_words(space, scenes, captions, plan, work / "words.ckpt")
        save(space, words, plan, plan.words_steps)
    windows = make_windows(read_recordings(root), work / "windows", plan.real, plan.procedural)
    return Material(windows, Targets.of(space, scenes, captions), space)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `joint` and `hear-eval`."""
    parser.add_argument("--data", help="data folder (default: $SONORAMA_DATA, else ../shared/data)")
    parser.add_argument(
        "--work", type=Path, default=Path("build/joint"), help="where parts are kept (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, default=Path("build/shore/joint.safetensors"), help="default: %(default)s")
    parser.add_argument("--from", dest="start", type=Path, help="take words and pictures from this joint file or world")


def run_joint(args: argparse.Namespace) -> int:
    """Train the joint space and write it; an interrupted run goes on where it was.

    OutputError where there is a file of that name.
    """
    if args.out.exists():
        raise OutputError(f"{args.out} is there already", "Give another file with --out, or move that one away.")
    plan = JointTraining()
    material = prepare(data_root(args.data), args.work, plan, args.start)
    space = material.space
    space.sound = train_sound(material.windows, material.targets, plan)
    save(space, args.out, plan, plan.words_steps + plan.sound_steps)
    log.info("%s written", args.out)
    return 0
