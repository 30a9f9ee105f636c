"""Words and pictures: a small CLIP that has not heard a sound yet.

Pictures are photos and scenes drawn on them; texts are captions of the photos, phrases of the classes, and the
colours that a picture shows. A text is a positive of every picture of which it is true.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor
from torchvision.io import decode_image

from ...engine.model.joint_embedding import ImageHead, TextTower, unit
from ...engine.model.tokenizer import END, START, encode
from ..backbone import Backbone, describe
from ..checkpoints import read_state, restoring, write_state, write_tensors
from ..data.captions import ANY, Captions, Narrator, Text, colours_of
from ..data.photos import CLEAN
from ..data.procedural_pictures import CLASSES, draw
from .joint_space import WIDTH, JointTraining, Space, info_nce, logit_scale

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scenes:
    """described [N,816]: descriptors of pictures; class_id [N] (CLEAN: none drawn); photo [N]; names of the photos."""

    described: Tensor
    class_id: Tensor
    photo: Tensor
    names: tuple[str, ...]

    @property
    def colours(self) -> Tensor:
        """Which colours each picture shows, bool [N,11]; the thumbnail is the descriptor's end."""
        return colours_of(self.described[:, -48:].unflatten(1, (3, 4, 4)))


def read_square(path: Path, size: int) -> Tensor:
    """A picture file squeezed into float32 [3,size,size] in 0..1."""
    x = decode_image(str(path)).float()[None, :3] / 255
    return F.interpolate(x, (size, size), mode="bicubic", antialias=True)[0].clamp(0, 1)


def photo_of(path: Path) -> str:
    """Name of the photo that a picture file shows or was cut from."""
    stem = path.stem
    return stem.rsplit("__", 1)[0] if path.parent.name == "images_crops" else stem


@torch.no_grad()
def make_scenes(root: Path, cache: Path, each: int) -> Scenes:
    """Descriptors of every crop and photo, clean and with `each` random classes drawn on it; kept in `cache`. A data
    set of `sonorama footage` has photos/ instead of images/ and crops.
    """
    folders = ("images", "images_crops") if (root / "images").is_dir() else ("photos",)
    paths = [path for folder in folders for path in sorted((root / folder).glob("*.jpg"))]
    names = tuple(sorted({photo_of(p) for p in paths}))
    if not cache.is_file():
        backbone, rng, rows = Backbone(), torch.Generator().manual_seed(2), []
        for i, path in enumerate(paths):
            clean = read_square(path, 128)
            class_ids = torch.randperm(len(CLASSES), generator=rng)[:each].tolist()
            strength, time_s = torch.rand(2, each, generator=rng).tolist()
            drawn = [
                draw(clean, CLASSES[k], 0.5 + 0.5 * s, 60 * t, i)
                for k, s, t in zip(class_ids, strength, time_s, strict=True)
            ]
            pictures = torch.stack([clean, *drawn])
            described = describe((pictures if i % 2 else pictures.flip(3)) * 2 - 1, backbone)
            rows.append(
                (described, torch.tensor([CLEAN, *class_ids]), torch.full((each + 1,), names.index(photo_of(path))))
            )
        names_of = ("described", "class_id", "photo")
        write_tensors(cache, dict(zip(names_of, map(torch.cat, zip(*rows, strict=True)), strict=True)))
        log.info("%d scenes described", sum(len(r[1]) for r in rows))
    return Scenes(**load_file(cache), names=names)


def applies(texts: Sequence[Text], scenes: Scenes, rows: Tensor, colours: Tensor) -> Tensor:
    """Which texts are true of which pictures: [pictures, texts] of 0 and 1."""
    photo, class_id, colour = (
        torch.tensor([getattr(t, k) for t in texts])[None] for k in ("photo", "class_id", "colour")
    )
    same_photo = (photo == ANY) | (photo == scenes.photo[rows][:, None])
    same_class_id = (class_id == ANY) | (class_id == scenes.class_id[rows][:, None])
    shown = (colour == ANY) | colours[rows][:, colour[0].clamp_min(0)]
    return (same_photo & same_class_id & shown).float()


def vocabulary(texts: Sequence[str]) -> Tensor:
    """Ids of the tokens that occur, with start and end of text, in rising order."""
    ids = {token for text in texts for token in encode(text)} | {START, END}
    return torch.tensor(sorted(ids), dtype=torch.int32)


def new_space(captions: Captions, scenes: Scenes) -> Space:
    """Untrained towers for these captions and pictures."""
    image = ImageHead(scenes.described.shape[1], WIDTH, dropout=0.3)
    image.mean.copy_(scenes.described.mean(0))
    image.std.copy_(scenes.described.std(0) + 1e-4)
    text = TextTower(vocabulary(captions.all_texts()), out=WIDTH, context=20)
    return Space(text, image, None, torch.zeros(len(CLASSES), WIDTH))


@torch.no_grad()
def class_codes(text: Callable[[Sequence[str]], Tensor], captions: Captions) -> list[Tensor]:
    """Codes of all texts of each class by F_t: nine of [K,D]."""
    return [text(captions.class_texts(class_id)) for class_id in CLASSES]


def label_codes(codes: Sequence[Tensor]) -> Tensor:
    """One unit code a class [9,D]: the mean over its texts."""
    return torch.stack([unit(x.mean(0)) for x in codes])


def train_words(space: Space, scenes: Scenes, captions: Captions, plan: JointTraining, checkpoint: Path) -> None:
    """Pictures and words, in place; goes on from `checkpoint` where there is one."""
    text, image = towers(space)
    rng, narrator = torch.Generator().manual_seed(11), Narrator(captions, scenes.names)
    theta, colours, done = logit_scale(), scenes.colours, 0
    torch.manual_seed(11)
    weights = [*text.parameters(), *image.parameters(), theta]
    optimiser = torch.optim.AdamW(weights, plan.words_rate, weight_decay=0.05)
    if checkpoint.is_file():
        done = resume(checkpoint, space, theta, optimiser, rng)
    by_class = torch.bincount(scenes.class_id + 1, minlength=len(CLASSES) + 1).float()
    chance = (1 / by_class)[scenes.class_id + 1] * torch.where(scenes.class_id == CLEAN, 3.0, 1.0)
    text.train()
    image.train()
    for step in range(done, plan.words_steps):
        rows = torch.multinomial(chance, min(plan.words_batch, len(chance)), generator=rng)
        texts = [narrator.say(int(scenes.photo[i]), int(scenes.class_id[i]), colours[i], rng) for i in rows.tolist()]
        seen, said = image(scenes.described[rows]), text([forgetful(t.words, rng) for t in texts])
        loss = info_nce(seen, said, applies(texts, scenes, rows, colours), theta.exp().clamp_max(100), 0.05)
        for group in optimiser.param_groups:
            group["lr"] = (
                plan.words_rate * min(1, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * step / plan.words_steps))
            )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 50 == 0:
            log.info("words %d: loss %.3f, scale %.1f", step, loss.item(), theta.exp().item())
        if step % 100 == 99:
            keep(checkpoint, space, theta, optimiser, step + 1, rng)
    text.eval()
    image.eval()
    space.labels = label_codes(class_codes(text, captions))


def towers(space: Space) -> tuple[TextTower, ImageHead]:
    """F_t and the head of F_v. ValueError where a named CLIP model stands in their place."""
    if space.text is None or space.image is None:
        raise ValueError("this joint space has no words and pictures of its own")
    return space.text, space.image


def forgetful(words: str, rng: torch.Generator, share: float = 0.06) -> str:
    """The words, a few replaced by one that the tower does not know, so that it learns to hear past such."""
    lost = torch.rand(len(words.split()), generator=rng) < share
    return " ".join("qzx" if gone else word for word, gone in zip(words.split(), lost.tolist(), strict=True))


def keep(
    path: Path, space: Space, theta: Tensor, optimiser: torch.optim.Optimizer, step: int, rng: torch.Generator
) -> None:
    """Write a checkpoint. OutputError where it cannot be written."""
    text, image = towers(space)
    state = {"text": text.state_dict(), "image": image.state_dict(), "theta": theta.detach()}
    random = (rng.get_state(), torch.get_rng_state())  # dropout draws from the second
    write_state(path, state | {"optimiser": optimiser.state_dict(), "step": step, "random": random})


def resume(path: Path, space: Space, theta: Tensor, optimiser: torch.optim.Optimizer, rng: torch.Generator) -> int:
    """Read a checkpoint back and return its step. InputError where it is damaged or of another version."""
    state = read_state(path)
    with restoring(path):
        for tower, name in zip(towers(space), ("text", "image"), strict=True):
            tower.load_state_dict(state[name])
        theta.data.copy_(state["theta"])
        optimiser.load_state_dict(state["optimiser"])
        rng.set_state(state["random"][0])
        torch.set_rng_state(state["random"][1])
        return int(state["step"])
