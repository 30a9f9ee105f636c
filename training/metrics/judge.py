"""The frozen judge: names the class from the picture alone, by a linear head on the frozen image backbone.

It takes no part in any training of a world. Its data: `judge_data`; its figures: `judge_report`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ...engine.errors import InputError
from ...engine.files.atomic import replacing, tensors_into
from ..backbone import Backbone
from ..data.procedural_pictures import CLASSES
from .distance import pooled
from .judge_data import NONE, Examples, JudgePlan

FORMAT = "sonorama-judge"
ROUNDS = 2000
"""Times that clips are drawn anew for an interval."""


@dataclass(frozen=True)
class Head:
    """Features [N,432] -> scores [N,10] of the nine classes and of none: standardise, then one linear layer."""

    mean: Tensor
    std: Tensor
    weight: Tensor
    bias: Tensor

    def scores(self, features: Tensor) -> Tensor:
        """Unnormalised log probabilities [N,10]."""
        return F.linear((features - self.mean) / self.std, self.weight, self.bias)

    def probabilities(self, features: Tensor) -> Tensor:
        """Of the nine classes [N,9], given that it is one of them."""
        return self.scores(features)[:, :NONE].softmax(1)


def fit_head(train: Examples, plan: JudgePlan) -> Head:
    """The head with the least cross entropy, the same on every run: the problem has one minimum.

    Every class weighs the same, and a photo as much as `photo_weight` drawings of its class.
    """
    x, y = train.features.double(), train.class_id
    weight = torch.where(train.drawn, 1.0, plan.photo_weight).double()
    weight = weight / torch.zeros(NONE + 1).double().index_add(0, y, weight)[y]
    weight = weight / weight.sum()
    mean, std = x.mean(0), x.std(0) + 1e-6
    x = (x - mean) / std
    linear = torch.nn.Linear(x.shape[1], NONE + 1, dtype=torch.float64)
    torch.nn.init.zeros_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    optimiser = torch.optim.LBFGS(linear.parameters(), max_iter=300, tolerance_grad=1e-7, line_search_fn="strong_wolfe")

    def cost() -> Tensor:
        optimiser.zero_grad()
        loss = (weight * F.cross_entropy(linear(x), y, reduction="none")).sum()
        loss = loss + plan.decay / 2 * linear.weight.square().sum()
        loss.backward()
        return loss

    with torch.enable_grad():
        optimiser.step(cost)
    return Head(*(t.detach().float() for t in (mean, std, linear.weight, linear.bias)))


class Judge:
    """A head and the backbone that it stands on; neither is trained any more."""

    def __init__(self, head: Head, backbone: Backbone, height: int = 128) -> None:
        """height: in pixels, of the pictures that the head was fitted on."""
        self.head, self.backbone, self.height = head, backbone, height

    @torch.no_grad()
    def features(self, pictures: Tensor) -> Tensor:
        """Features [B,432] of pictures [B,3,H,W], uint8 or in [-1,1], of any size."""
        return pooled(pictures, self.backbone, self.height)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Probabilities [B,9] of the classes for pictures [B,3,H,W], uint8 or in [-1,1], given that they show one."""
        return self.head.probabilities(self.features(pictures))

    def shows_none(self, pictures: Tensor) -> Tensor:
        """Probability [B] that pictures [B,3,H,W] show none of the classes."""
        return self.head.scores(self.features(pictures)).softmax(1)[:, NONE]


def save_head(head: Head, path: Path, plan: JudgePlan, key: str) -> None:
    """Write a head as safetensors; key: of the data and plan that it was fitted with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    about = {"format": FORMAT, "key": key, "height": str(plan.height), "classes": " ".join(CLASSES)}
    with replacing(path) as part, tensors_into(path):
        save_file({name: t.contiguous() for name, t in vars(head).items()}, part, about)


def head_key(path: Path) -> str:
    """The key that a head was saved with. InputError if the file is no judge's."""
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: cannot be read as a judge: {error}", "Give another --work folder.") from error
    if about.get("format") != FORMAT or about.get("classes") != " ".join(CLASSES):
        raise InputError(f"{path}: no judge of these classes", "Give another --work folder.")
    return about["key"]


def load_judge(path: Path, backbone: Backbone | None = None) -> Judge:
    """A judge from its file. InputError if the file is no judge's."""
    head_key(path)
    with safe_open(path, "pt") as file:
        head = Head(*(file.get_tensor(name) for name in Head.__dataclass_fields__))
        height = int((file.metadata() or {}).get("height", JudgePlan.height))
    return Judge(head, backbone or Backbone(), height)


@dataclass(frozen=True)
class Accuracy:
    """Top-1 in 0..1 with a 95 % interval: the mean over classes of the share of frames that are named rightly, each
    clip weighing the same in its class. by_class: class -> share; clips: class -> number of its clips.
    """

    top1: float
    low: float
    high: float
    by_class: dict[str, float]
    clips: dict[str, int]


def accuracy(
    probabilities: Tensor, class_id: Tensor, clips: Sequence[int] | Tensor | None = None, rounds: int = ROUNDS
) -> Accuracy:
    """How often frames are named by their class. probabilities [N,9]: the judge's; class_id [N] in 0..8; clips [N]:
    number of the clip that a frame belongs to (default: each its own). The interval is a bootstrap over the clips of
    each class. ValueError without frames.
    """
    if not len(class_id):
        raise ValueError("no frames to judge")
    right = (probabilities.argmax(1) == class_id).double().numpy()
    names = np.arange(len(right)) if clips is None else np.asarray(clips)
    ids, rng = class_id.numpy(), np.random.default_rng(0)
    means = {
        k: np.array([right[(ids == k) & (names == n)].mean() for n in np.unique(names[ids == k])])
        for k in np.unique(ids)
    }
    drawn = np.mean([rng.choice(m, (rounds, len(m))).mean(1) for m in means.values()], 0)
    by_class = {CLASSES[k]: float(m.mean()) for k, m in means.items()}
    low, high = np.percentile(drawn, [2.5, 97.5])
    top1 = float(np.mean(list(by_class.values())))
    return Accuracy(top1, float(low), float(high), by_class, {CLASSES[k]: len(m) for k, m in means.items()})
