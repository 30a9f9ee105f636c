"""The small joint space of a world: its three towers, its file, and the loss that shapes it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from ...engine.model.joint_embedding import ImageHead, SoundEncoder, TextTower
from ...engine.model.joint_space import Vocabulary
from ...engine.model.open_clip_towers import NamedClip
from ..backbone import Backbone, describe
from ..checkpoints import write_tensors
from ..data.procedural_pictures import CLASSES

WIDTH = 128
SCORE_SCALE = 8.0
"""`labels.scale`: the scale at which class scores fit sources left out of training best (docs/hearing.md)."""

NAMES_SCALE = 12.0
"""The same, among hundreds of names."""


@dataclass(frozen=True)
class JointTraining:
    """Sizes and lengths. scenes: pictures with an effect for each crop; words_*: the picture-text stage; sound_*:
    F_a; real, procedural: windows a class; procedural_share: how often to draw a procedural window for a real one;
    noise, dropped: noise on and share of statistics set to 0; smoothing of the targets. names_*: instead of
    sound_steps, where F_a also learns names beyond the classes. labelled_*: of the clips that go by the labels of their
    recordings, extra classes and two classes at once (stages/ears/labelled.py). clip: a CLIP model by name (see
    engine/model/open_clip_towers.py) in the place of our own words and pictures; "": none.
    """

    clip: str = ""
    scenes: int = 3
    words_steps: int = 700
    words_batch: int = 96
    words_rate: float = 1.5e-3
    real: int = 200
    procedural: int = 120
    procedural_share: float = 3.0
    sound_steps: int = 200
    sound_batch: int = 64
    sound_rate: float = 3e-3
    names_steps: int = 1000
    names_batch: int = 192
    names_weight: float = 0.3
    labelled_batch: int = 64
    labelled_weight: float = 1.0
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


@dataclass
class Space:
    """The three towers and the label codes of a world; or a named CLIP model, F_a and the label codes. names: other
    sounds than the classes, by name; name_codes: their codes [K,D]; scale: of the scores; classes: those of `labels`.
    """

    text: TextTower | None
    image: ImageHead | None
    sound: SoundEncoder | None
    labels: Tensor
    clip: NamedClip | None = None
    names: tuple[str, ...] = ()
    name_codes: Tensor | None = None
    scale: float = SCORE_SCALE
    classes: tuple[str, ...] = CLASSES

    def eyes(self) -> Callable[[Tensor], Tensor]:
        """F_v, frozen: pictures [B,3,H,W] in [-1,1] -> unit codes [B,D], differentiable in the picture."""
        if self.clip is not None:
            return self.clip.image
        if self.image is None:
            raise ValueError("this joint space sees no pictures")
        return ImageTower(self.image.eval().requires_grad_(False))

    def ears(self) -> SoundEncoder:
        """F_a, frozen."""
        if self.sound is None:
            raise ValueError("this joint space has heard no sounds")
        return self.sound.eval().requires_grad_(False)

    def promoted(self, names: Sequence[str]) -> Space:
        """The same, with some of its other names as classes after its own. ValueError where they are not among them."""
        if missing := [name for name in names if name not in self.names]:
            raise ValueError(f"its names do not hold {', '.join(missing)}")
        if not names or self.name_codes is None:
            return self
        rows = [self.names.index(name) for name in names]
        left = [row for row in range(len(self.names)) if row not in rows]
        rest = replace(
            self, names=tuple(self.names[row] for row in left), name_codes=self.name_codes[left] if left else None
        )
        return rest.with_classes(names, self.name_codes[rows])

    def with_classes(self, names: Sequence[str], codes: Tensor) -> Space:
        """The same, with more classes after its own; codes: their labels, unit [K,D]."""
        return replace(self, classes=(*self.classes, *names), labels=torch.cat([self.labels, codes]))

    def without_names(self, names: Sequence[str]) -> Space:
        """The same without the other names that mean one of these classes."""
        meant = Vocabulary((), self.names, np.zeros((0, 0), np.float32), 1.0)
        gone = {meant.find(name) for name in names}
        rows = [i for i, name in enumerate(self.names) if name not in gone]
        if self.name_codes is None or len(rows) == len(self.names):
            return self
        return replace(
            self, names=tuple(self.names[i] for i in rows), name_codes=self.name_codes[rows] if rows else None
        )

    def tensors(self) -> dict[str, Tensor]:
        """Everything, by the names it has in a world."""
        out = {"labels.codes": self.labels, "labels.scale": torch.tensor([self.scale])}
        if self.name_codes is not None:
            out["names.codes"] = self.name_codes.contiguous()
        for name, tower in (("text", self.text), ("image", self.image), ("sound", self.sound)):
            if tower is not None:
                out |= {f"{name}.{k}": v.detach().contiguous() for k, v in tower.state_dict().items()}
        return out

    @staticmethod
    def read(path: Path, clip: NamedClip | None = None) -> Space:
        """The space in a joint file or a world; clip: the named model that it is in."""
        tensors = {k: v.float() if v.is_floating_point() else v for k, v in load_file(path).items()}

        def part(name: str) -> dict[str, Tensor]:
            return {k[len(name) + 1 :]: v for k, v in tensors.items() if k.startswith(name + ".")}

        sound = SoundEncoder.from_tensors(part("sound")) if part("sound") else None
        classes, names = _names(path)
        known = names, tensors.get("names.codes"), float(tensors["labels.scale"].item()), classes
        if clip is not None:
            return Space(None, None, sound, tensors["labels.codes"], clip, *known)
        towers = TextTower.from_tensors(part("text")), ImageHead.from_tensors(part("image"))
        return Space(*towers, sound, tensors["labels.codes"], None, *known)


def _names(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Classes and other names in a joint file's or a world's metadata."""
    told = told_of(path)
    return tuple(told.get("classes", CLASSES)), tuple(told.get("names", ()))


def told_of(path: Path) -> dict[str, Any]:
    """What a joint file or a world says of itself."""
    with safe_open(path, "pt") as file:
        told = file.metadata() or {}
    return json.loads(told.get("config") or told.get("card") or "{}")


def save(space: Space, path: Path, plan: JointTraining, step: int, base: str = "") -> None:
    """Write a joint file: tensors by prefix, the plan in its metadata; never half a file under its name. base: name of
    the world that its towers are of, if any.
    """
    config = {"width": space.labels.shape[1], "classes": space.classes, "step": step, "plan": asdict(plan)}
    config |= {"names": space.names, "base": base}
    write_tensors(path, space.tensors(), {"format": "sonorama-joint", "config": json.dumps(config)})
