"""Trains the joint space of a world.

First words and pictures (a small CLIP: captions and the nine classes, scenes drawn on photos); it has not heard a
sound yet. Then F_a learns to land where the words and scenes of its class are, with both frozen, after Lee et
al., CVPR 2022: the mean of symmetric InfoNCE over (sound, text), (sound, image) and (sound, sound), where items
of one class are positives of each other; logit scale exp(theta), theta from ln(1/0.07), at most 100.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..engine.model.joint import ImageHead, SoundEncoder, TextTower, tokenizer, unit
from .backbone import Backbone
from .captions import ANY, Captions, Narrator, Text, colours_of
from .pictures import CLEAN, data_root, describe, read_crop
from .scenes import CLASSES, draw
from .sounds import Windows, make_windows, read_recordings

log = logging.getLogger(__name__)
WIDTH = 128
SCORE_SCALE = 12.0
"""`labels.scale`: the scale of class scores that fits sources left out of training best (docs/hearing.md)."""


@dataclass(frozen=True)
class JointTraining:
    """Sizes and lengths. scenes: pictures with an effect for each crop; words_*: the picture-text stage; sound_*:
    F_a; real, procedural: windows a class; procedural_share: how often to draw a procedural window for a real one;
    noise, dropped: noise on and share of statistics set to 0; smoothing of the targets.
    """

    scenes: int = 3
    words_steps: int = 700
    words_batch: int = 96
    words_rate: float = 1.5e-3
    real: int = 200
    procedural: int = 120
    procedural_share: float = 0.7
    sound_steps: int = 200
    sound_batch: int = 64
    sound_rate: float = 3e-3
    noise: float = 0.3
    dropped: float = 0.1
    smoothing: float = 0.1


class ImageTower(nn.Module):
    """F_v: pictures [B,3,H,W] in [-1,1], 64 px and up -> unit codes [B,D], differentiable in the picture."""

    def __init__(self, head: ImageHead, backbone: Backbone | None = None) -> None:
        super().__init__()
        self.head, self.backbone = head, backbone or Backbone()

    def forward(self, x: Tensor) -> Tensor:
        """Codes of pictures."""
        return self.head(describe(x, self.backbone))


def info_nce(a: Tensor, b: Tensor, positive: Tensor, scale: Tensor | float, smoothing: float = 0.0) -> Tensor:
    """Symmetric InfoNCE of unit codes a [...,N,D], b [...,M,D]; positive [N,M] of 0 and 1: a row with several
    shares them, a row with none does not count.
    """
    logits = scale * a @ b.transpose(-1, -2)
    losses = []
    for axis in (1, 0):
        some = positive.sum(axis, keepdim=True)
        target = positive / some.clamp_min(1) * (1 - smoothing) + smoothing / positive.shape[axis]
        each = -(target * logits.log_softmax(axis - 2)).sum(axis - 2)
        losses.append(each[..., some.flatten() > 0].mean())
    return (losses[0] + losses[1]) / 2


def logit_scale() -> nn.Parameter:
    """Theta of s = exp(theta), as in the paper (the released code multiplies by exp(0.07) instead: do not copy)."""
    return nn.Parameter(torch.tensor(math.log(1 / 0.07)))


@dataclass(frozen=True)
class Scenes:
    """described [N,816]: descriptors of pictures; klass [N] (CLEAN: none drawn); photo [N]; names of the photos."""

    described: Tensor
    klass: Tensor
    photo: Tensor
    names: tuple[str, ...]

    @property
    def colours(self) -> Tensor:
        """Which colours each picture shows, bool [N,11]; the thumbnail is the descriptor's end."""
        return colours_of(self.described[:, -48:].unflatten(1, (3, 4, 4)))


def photo_of(path: Path) -> str:
    """Name of the photo that a picture file shows or was cut from."""
    stem = path.stem
    return stem.rsplit("__", 1)[0] if path.parent.name == "images_crops" else stem


@torch.no_grad()
def make_scenes(root: Path, cache: Path, each: int) -> Scenes:
    """Descriptors of every crop and photo, clean and with `each` random classes drawn on it; kept in `cache`."""
    paths = sorted((root / "images").glob("*.jpg")) + sorted((root / "images_crops").glob("*.jpg"))
    names = tuple(sorted({photo_of(p) for p in paths}))
    if not cache.is_file():
        backbone, rng, rows = Backbone(), torch.Generator().manual_seed(2), []
        for i, path in enumerate(paths):
            clean = read_crop(path, 128)
            klasses = torch.randperm(len(CLASSES), generator=rng)[:each].tolist()
            strength, time_s = torch.rand(2, each, generator=rng).tolist()
            drawn = [draw(clean, CLASSES[k], 0.5 + 0.5 * s, 60 * t, i) for k, s, t in zip(klasses, strength, time_s, strict=True)]
            pictures = torch.stack([clean, *drawn])
            described = describe((pictures if i % 2 else pictures.flip(3)) * 2 - 1, backbone)
            rows.append((described, torch.tensor([CLEAN, *klasses]), torch.full((each + 1,), names.index(photo_of(path)))))
        cache.parent.mkdir(parents=True, exist_ok=True)
        save_file(dict(zip(("described", "klass", "photo"), map(torch.cat, zip(*rows, strict=True)), strict=True)), cache)
        log.info("%d scenes described", sum(len(r[1]) for r in rows))
    return Scenes(**load_file(cache), names=names)


def applies(texts: Sequence[Text], scenes: Scenes, rows: Tensor, colours: Tensor) -> Tensor:
    """Which texts are true of which pictures: [pictures, texts] of 0 and 1."""
    photo, klass, colour = (torch.tensor([getattr(t, k) for t in texts])[None] for k in ("photo", "klass", "colour"))
    same_photo = (photo == ANY) | (photo == scenes.photo[rows][:, None])
    same_klass = (klass == ANY) | (klass == scenes.klass[rows][:, None])
    shown = (colour == ANY) | colours[rows][:, colour[0].clamp_min(0)]
    return (same_photo & same_klass & shown).float()


def vocabulary(texts: Sequence[str]) -> Tensor:
    """Ids of the tokens that occur, with start and end of text, in rising order."""
    encode = tokenizer(77)
    ids = {i for text in texts for i in encode.encode(text)} | {encode.sot_token_id, encode.eot_token_id}
    return torch.tensor(sorted(ids), dtype=torch.int32)


@dataclass
class Space:
    """The three towers and the label codes of a world."""

    text: TextTower
    image: ImageHead
    sound: SoundEncoder | None
    labels: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """Everything, by the names it has in a world."""
        out = {"labels.codes": self.labels, "labels.scale": torch.tensor([SCORE_SCALE])}
        for name, tower in (("text", self.text), ("image", self.image), ("sound", self.sound)):
            if tower is not None:
                out |= {f"{name}.{k}": v.detach().contiguous() for k, v in tower.state_dict().items()}
        return out

    @staticmethod
    def from_tensors(tensors: dict[str, Tensor]) -> Space:
        """A space out of a joint file or a world (other tensors are left alone)."""

        def part(name: str) -> dict[str, Tensor]:
            return {k[len(name) + 1 :]: v for k, v in tensors.items() if k.startswith(name + ".")}

        sound = SoundEncoder.from_tensors(part("sound")) if part("sound") else None
        made = TextTower.from_tensors(part("text")), ImageHead.from_tensors(part("image"))
        return Space(*made, sound, tensors["labels.codes"])


def save(space: Space, path: Path, plan: JointTraining, step: int) -> None:
    """Write a joint file: tensors by prefix, the plan in its metadata; never half a file under its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    config = {"width": WIDTH, "classes": CLASSES, "step": step, "plan": asdict(plan)}
    save_file(space.tensors(), part, {"format": "sonorama-joint", "config": json.dumps(config)})
    part.replace(path)


def new_space(captions: Captions, scenes: Scenes) -> Space:
    """Untrained towers for these captions and pictures."""
    image = ImageHead(scenes.described.shape[1], WIDTH, dropout=0.3)
    image.mean.copy_(scenes.described.mean(0))
    image.std.copy_(scenes.described.std(0) + 1e-4)
    text = TextTower(vocabulary(captions.all_texts()), out=WIDTH, context=20)
    return Space(text, image, None, torch.zeros(len(CLASSES), WIDTH))


@torch.no_grad()
def class_codes(text: TextTower, captions: Captions) -> list[Tensor]:
    """Codes of all texts of each class: nine of [K,D]."""
    text.eval()
    return [text(captions.class_texts(klass)) for klass in CLASSES]


def label_codes(codes: Sequence[Tensor]) -> Tensor:
    """One unit code a class [9,D]: the mean over its texts."""
    return torch.stack([unit(x.mean(0)) for x in codes])


def train_words(space: Space, scenes: Scenes, captions: Captions, plan: JointTraining, checkpoint: Path) -> None:
    """Pictures and words, in place; goes on from `checkpoint` where there is one."""
    rng, narrator = torch.Generator().manual_seed(11), Narrator(captions, scenes.names)
    theta, colours, done = logit_scale(), scenes.colours, 0
    torch.manual_seed(11)
    weights = [*space.text.parameters(), *space.image.parameters(), theta]
    optimiser = torch.optim.AdamW(weights, plan.words_rate, weight_decay=0.05)
    if checkpoint.is_file():
        done = resume(checkpoint, space, theta, optimiser)
    by_class = torch.bincount(scenes.klass + 1, minlength=len(CLASSES) + 1).float()
    chance = (1 / by_class)[scenes.klass + 1] * torch.where(scenes.klass == CLEAN, 3.0, 1.0)
    space.text.train(), space.image.train()
    for step in range(done, plan.words_steps):
        rows = torch.multinomial(chance, plan.words_batch, generator=rng)
        texts = [narrator.say(int(scenes.photo[i]), int(scenes.klass[i]), colours[i], rng) for i in rows.tolist()]
        seen, said = space.image(scenes.described[rows]), space.text([forgetful(t.words, rng) for t in texts])
        loss = info_nce(seen, said, applies(texts, scenes, rows, colours), theta.exp().clamp_max(100), 0.05)
        for group in optimiser.param_groups:
            group["lr"] = plan.words_rate * min(1, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * step / plan.words_steps))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 50 == 0:
            log.info("words %d: loss %.3f, scale %.1f", step, loss.item(), theta.exp().item())
        if step % 100 == 99:
            keep(checkpoint, space, theta, optimiser, step + 1)
    space.text.eval(), space.image.eval()
    space.labels = label_codes(class_codes(space.text, captions))


def forgetful(words: str, rng: torch.Generator, share: float = 0.06) -> str:
    """The words, a few replaced by one that the tower does not know, so that it learns to hear past such."""
    lost = torch.rand(len(words.split()), generator=rng) < share
    return " ".join("qzx" if gone else word for word, gone in zip(words.split(), lost.tolist(), strict=True))


def keep(path: Path, space: Space, theta: Tensor, optimiser: torch.optim.Optimizer, step: int) -> None:
    """Write a checkpoint (torch format, our own file in an ignored folder)."""
    state = {"text": space.text.state_dict(), "image": space.image.state_dict(), "theta": theta.detach()}
    torch.save(state | {"optimiser": optimiser.state_dict(), "step": step}, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def resume(path: Path, space: Space, theta: Tensor, optimiser: torch.optim.Optimizer) -> int:
    """Read a checkpoint back and return its step."""
    state = torch.load(path, weights_only=True)
    space.text.load_state_dict(state["text"])
    space.image.load_state_dict(state["image"])
    theta.data.copy_(state["theta"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


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
        images = [space.image.eval()(scenes.described[scenes.klass == k]) for k in range(len(CLASSES))]
        return Targets(level(class_codes(space.text, captions)), level(images))

    def draw(self, klass: Tensor, rng: torch.Generator) -> tuple[Tensor, ...]:
        """One text code and one image code [B,D] for every item of `klass` [B]."""

        return tuple(self._pick(codes, klass, rng) for codes in (self.texts, self.images))

    @staticmethod
    def _pick(codes: Tensor, klass: Tensor, rng: torch.Generator) -> Tensor:
        return codes[klass, torch.randint(codes.shape[1], (len(klass),), generator=rng)]


def train_sound(windows: Windows, targets: Targets, plan: JointTraining, seed: int = 0) -> SoundEncoder:
    """F_a for these windows, with words and pictures frozen."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed + 1)
    net = SoundEncoder(windows.heard.shape[1], WIDTH, dropout=0.3)
    chance = windows.weights(plan.procedural_share)
    share = (chance / chance.sum())[:, None]
    net.mean.copy_((windows.heard * share).sum(0))
    net.std.copy_(((windows.heard - net.mean).square() * share).sum(0).sqrt() + 1e-3)
    heard, theta = net.standardise(windows.heard), logit_scale()
    optimiser = torch.optim.AdamW([*net.parameters(), theta], plan.sound_rate, weight_decay=0.05, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.sound_rate, plan.sound_steps)
    for _ in range(plan.sound_steps):
        rows = torch.multinomial(chance, plan.sound_batch, replacement=True, generator=rng)
        klass, x = windows.klass[rows], heard[rows]
        x = (x + plan.noise * torch.randn(x.shape, generator=rng)) * (torch.rand(x.shape, generator=rng) > plan.dropped)
        loss = sound_loss(net.committee(x), klass, *targets.draw(klass, rng), theta.exp().clamp_max(100), plan.smoothing)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net.eval()


def sound_loss(codes: Tensor, klass: Tensor, texts: Tensor, images: Tensor, scale: Tensor, smoothing: float) -> Tensor | float:
    """Mean InfoNCE of each member's codes [M,B,D] with texts, images and another member's codes of the same sounds."""
    same = (klass[:, None] == klass[None]).float()
    return sum(info_nce(codes, other, same, scale, smoothing) for other in (texts, images, codes.roll(1, 0))) / 3


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
        space = Space.from_tensors({k: v.float() if v.is_floating_point() else v for k, v in load_file(start or words).items()})
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
    parser.add_argument("--work", type=Path, default=Path("build/joint"), help="where parts are kept (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("build/shore/joint.safetensors"), help="default: %(default)s")
    parser.add_argument("--from", dest="start", type=Path, help="take words and pictures from this joint file or world")


def run_joint(args: argparse.Namespace) -> int:
    """Train the joint space and write it; an interrupted run goes on where it was."""
    plan = JointTraining()
    material = prepare(data_root(args.data), args.work, plan, args.start)
    space = material.space
    space.sound = train_sound(material.windows, material.targets, plan)
    save(space, args.out, plan, plan.words_steps + plan.sound_steps)
    log.info("%s written", args.out)
    return 0
