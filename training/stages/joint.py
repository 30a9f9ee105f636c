"""Trains the joint space of a world.

First words and pictures (words.py); then F_a learns to land where the words and scenes of its class are, with both
frozen, after Lee et al., CVPR 2022: the mean of symmetric InfoNCE over (sound, text), (sound, image) and (sound,
sound), where items of one class are positives of each other; logit scale exp(theta), theta from ln(1/0.07), at
most 100.
"""

from __future__ import annotations

import argparse
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...engine.errors import OutputError
from ...engine.model.frame_encoder import FrameEncoder
from ...engine.model.joint_embedding import SoundEncoder, unit
from ...engine.model.texture_statistics import statistics
from ..data.captions import Captions
from ..data.photos import data_root
from ..data.procedural_pictures import CLASSES
from ..data.recordings import Windows, make_windows, read_recordings, with_procedural
from .ears.listening import EarsTraining, Listening, listen
from .ears.names import NamedClips, built_in
from .joint_space import NAMES_SCALE, SCORE_SCALE, ImageTower, JointTraining, Space, info_nce, logit_scale, save
from .joint_words import Scenes, class_codes, make_scenes, new_space, towers, train_words

__all__ = ["ImageTower", "JointTraining", "Material", "Space", "Targets", "prepare", "run_joint", "save", "train_sound"]
log = logging.getLogger(__name__)


def level(codes: Sequence[Tensor], count: int = 240) -> Tensor:
    """Nine of [K,D], K different -> [9,count,D]: each repeated or cut to the same number."""
    return torch.stack([x[torch.arange(count) % len(x)] for x in codes])


@dataclass(frozen=True)
class Targets:
    """Where sounds of each class should land: codes of its texts and of its scenes [9,K,D]; of its texts again where so
    few photos have no scene of it.
    """

    texts: Tensor
    images: Tensor

    @property
    def labels(self) -> Tensor:
        """One code a class [9,D]."""
        return unit(self.texts.mean(1))

    @staticmethod
    @torch.no_grad()
    def of(space: Space, scenes: Scenes, captions: Captions) -> Targets:
        """Targets in the frozen space of words and pictures."""
        text, image = (tower.eval() for tower in towers(space))
        texts, drawn = (
            class_codes(text, captions),
            [scenes.described[scenes.class_id == k] for k in range(len(CLASSES))],
        )
        return Targets(level(texts), level([image(x) if len(x) else t for x, t in zip(drawn, texts, strict=True)]))

    def draw(self, class_id: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """One text code and one image code [B,D] for every item of `class_id` [B]."""
        return self._pick(self.texts, class_id, rng), self._pick(self.images, class_id, rng)

    @staticmethod
    def _pick(codes: Tensor, class_id: Tensor, rng: torch.Generator) -> Tensor:
        return codes[class_id, torch.randint(codes.shape[1], (len(class_id),), generator=rng)]


@dataclass(frozen=True)
class Ears:
    """F_a as it was trained, and codes of the names beyond the classes [K,D], if it learned any."""

    sound: SoundEncoder
    names: Tensor | None = None


def train_sound(
    windows: Windows, targets: Targets, plan: JointTraining, seed: int = 0, listening: Listening | None = None
) -> Ears:
    """F_a for these windows, with words and pictures frozen.

    Args:
        windows: of the nine classes.
        targets: see the class.
        plan: sizes and lengths.
        seed: of weights and draws.
        listening: the frame encoder that the windows were heard with, and clips that have names beyond the classes.

    """
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed + 1)
    clips, frames = (listening.clips, listening.frames) if listening else (None, None)
    labelled = listening.labelled if listening else None
    net = _untrained(windows, targets, plan, clips, frames)
    heard, theta = net.standardise(windows.heard), logit_scale()
    chance = windows.weights(plan.procedural_share)
    other = None if clips is None else OtherNames(clips, labelled, net, targets.labels, plan)
    learned = [*net.committee.parameters(), theta, *([] if other is None else other.parameters())]
    optimiser = torch.optim.AdamW(learned, plan.sound_rate, weight_decay=0.05, fused=True)
    steps = plan.sound_steps if other is None else plan.names_steps
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.sound_rate, steps)
    for _ in range(steps):
        rows = torch.multinomial(chance, plan.sound_batch, replacement=True, generator=rng)
        class_id, x = windows.class_id[rows], _blurred(heard[rows], plan, rng)
        texts, images = targets.draw(class_id, rng)
        scale, codes = theta.exp().clamp_max(100), net.committee(x)
        loss = sound_loss(codes, class_id, texts, images, scale, plan.smoothing)
        if other is not None:
            loss = loss + other.loss(net, codes, class_id, rng)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return Ears(net.eval(), None if other is None else other.codes().detach())


def _untrained(
    windows: Windows, targets: Targets, plan: JointTraining, clips: NamedClips | None, frames: FrameEncoder | None
) -> SoundEncoder:
    """An F_a that has the frame encoder and knows what its numbers are like, in clips if there are any."""
    config = None if frames is None else frames.config
    net = SoundEncoder(windows.heard.shape[1], targets.texts.shape[2], dropout=0.3, frames=config)
    if net.frames is not None and frames is not None:
        net.frames.load_state_dict(frames.state_dict())
        net.frames.requires_grad_(False)
    chance = windows.weights(plan.procedural_share)
    some, share = (windows.heard, chance / chance.sum()) if clips is None else (clips.heard, None)
    share = torch.full((len(some), 1), 1 / len(some)) if share is None else share[:, None]
    net.mean.copy_((some * share).sum(0))
    net.std.copy_(((some - net.mean).square() * share).sum(0).sqrt() + 1e-3)
    return net


def _blurred(x: Tensor, plan: JointTraining, rng: torch.Generator) -> Tensor:
    """With noise, and some numbers left out."""
    return (x + plan.noise * torch.randn(x.shape, generator=rng)) * (torch.rand(x.shape, generator=rng) > plan.dropped)


class OtherNames(nn.Module):
    """Codes of names beyond the classes, learned with F_a: clips should be nearest to what the teacher says, windows of
    the classes to their class among all names.
    """

    def __init__(
        self, clips: NamedClips, labelled: NamedClips | None, net: SoundEncoder, labels: Tensor, plan: JointTraining
    ) -> None:
        super().__init__()
        self._plan, self._labels = plan, labels
        self._sets = [(clips, plan.names_batch, plan.names_weight)]
        if labelled is not None and len(labelled.heard):
            self._sets.append((labelled, plan.labelled_batch, plan.labelled_weight))
        self._heard = [net.standardise(some.heard) for some, *_ in self._sets]
        self.points = nn.Parameter(torch.randn(len(clips.names), labels.shape[1]))
        self.theta = nn.Parameter(torch.tensor(math.log(15.0)))

    def codes(self) -> Tensor:
        """Unit codes of the names [K,D]."""
        return unit(self.points)

    def loss(self, net: SoundEncoder, codes: Tensor, class_id: Tensor, rng: torch.Generator) -> Tensor:
        """Mean cross entropy of windows, whose codes [M,B,D] are given, and of clips that are drawn."""
        known = torch.cat([self._labels, self.codes()])
        scale, a = self.theta.exp().clamp_max(60), self._plan.smoothing
        classes = (torch.arange(len(known)) < len(CLASSES)) / len(CLASSES)
        of_class = F.one_hot(class_id, len(known)) * (1 - a) + a * classes

        def far(x: Tensor, target: Tensor) -> Tensor:
            return -(target * (scale * x @ known.T).log_softmax(-1)).sum(-1).mean()

        loss = far(codes, of_class)
        for heard, (some, batch, weight) in zip(self._heard, self._sets, strict=True):
            rows = torch.randint(len(heard), (batch,), generator=rng)
            loss = loss + weight * far(net.committee(_blurred(heard[rows], self._plan, rng)), some.target[rows])
        return loss


def sound_loss(
    codes: Tensor, class_id: Tensor, texts: Tensor, images: Tensor, scale: Tensor, smoothing: float
) -> Tensor:
    """Mean InfoNCE of each member's codes [M,B,D] with texts, images and another member's codes of the same sounds."""
    same = (class_id[:, None] == class_id[None]).float()
    terms = [info_nce(codes, other, same, scale, smoothing) for other in (texts, images, codes.roll(1, 0))]
    return torch.stack(terms).mean()


@dataclass(frozen=True)
class Material:
    """Everything F_a learns from. listening: None where it hears statistics."""

    windows: Windows
    targets: Targets
    space: Space
    listening: Listening | None = None

    def scale(self) -> float:
        """Of the scores: NAMES_SCALE where F_a also learns names beyond the classes."""
        return SCORE_SCALE if self.listening is None or self.listening.clips is None else NAMES_SCALE

    def train(self, plan: JointTraining) -> Space:
        """The space, with F_a trained in it."""
        ears = train_sound(self.windows, self.targets, plan, listening=self.listening)
        clips = self.listening.clips if self.listening else None
        names = clips.names if clips is not None else ()
        return replace(self.space, sound=ears.sound, names=names, name_codes=ears.names, scale=self.scale())


def prepare(
    root: Path, work: Path, plan: JointTraining, start: Path | None = None, listening: Listening | None = None
) -> Material:
    """Scenes, words and windows, each made once and kept below `work`; `start`: a joint file or world whose words
    and pictures are taken as they are.
    """
    captions = Captions.of(root)
    scenes = make_scenes(root, work / f"scenes-{plan.scenes}.safetensors", plan.scenes)
    words = work / "words.safetensors"
    if start is not None or words.is_file():
        space = Space.read(start or words)
    else:
        torch.manual_seed(1)
        space = new_space(captions, scenes)
        train_words(space, scenes, captions, plan, work / "words.ckpt")
        save(space, words, plan, plan.words_steps)
    return Material(heard_windows(root, work, plan, listening), Targets.of(space, scenes, captions), space, listening)


def heard_windows(root: Path, work: Path, plan: JointTraining, listening: Listening | None) -> Windows:
    """The windows of a data folder as F_a hears them first, kept below `work`."""
    name, hear = ("windows", statistics) if listening is None else ("windows-frames", listening.frames.window)
    named = [replace(r, class_id=built_in(r.class_id, CLASSES) or r.class_id) for r in read_recordings(root)]
    return make_windows(with_procedural(named), work / name, plan.real, plan.procedural, hear=hear)


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
    root = data_root(args.data)
    listening = listen(root, args.work / "ears", EarsTraining(), args.start)
    space = prepare(root, args.work, plan, args.start, listening).train(plan)
    save(space, args.out, plan, plan.words_steps + plan.sound_steps)
    log.info("%s written", args.out)
    return 0
