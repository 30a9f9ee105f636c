"""What an imported generator lacks: mean and deviation of W, the seed bank, and directions in W for what is heard.

A class's direction is found in the bank: over the seeds, style codes are regressed on how much each picture is of each
class in the joint space (ridge regression, closed form), so that a sound moves the picture towards those of its class.
Where that is found to hold, the seeds that are most of a class are its places (engine/pipeline/class_places.py), too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sonorama.engine.errors import InputError, needing_extra
from sonorama.engine.model.generator import Generator, StyledConv, ToRGB
from sonorama.engine.model.joint_embedding import ImageHead
from sonorama.engine.model.seed_bank import seed_to_z
from sonorama.engine.model.world_file import World
from sonorama.engine.units import Array

SAMPLES = 10_000
TRUNCATION, MIXING = 0.7, 0.5
"""Of the imported world's card: as these networks are usually sampled; its seeds are plain, there is nothing to mix."""
LENGTH = 0.8
"""Root mean square of a direction, in units of sigma_w."""
BESIDE_PLACES = 0.5
"""Share of a direction that remains where the class has places: they show it already."""
PLACES = 32
"""One seed in so many is a place of a class; two at least."""
RIDGE = 0.1
"""Of the regression, as a share of the scores' variance."""
HELD_OUT = 4
"""Every fourth seed is left out of the regression that is judged."""
See = Callable[[Tensor], Tensor]
"""F_v: pictures [B,3,H,W] in [-1,1] -> unit codes [B,D]."""


def eyes(base: World) -> See:
    """F_v of a world.

    Raises:
        MissingExtra: the image backbone is not installed.
        InputError: the world sees no pictures.

    """
    if clip := base.card.joint.get("clip"):
        with needing_extra():
            from sonorama.engine.model.open_clip_towers import load_joint

            return load_joint(str(clip)).image
    if base.card.image is None:
        raise InputError(f"{base.card.name}: this world sees no pictures", "Give another one with --base.")
    with needing_extra():
        from sonorama.engine.model.backbone import Backbone, describe

        backbone = Backbone()
    head = ImageHead.from_tensors({name: torch.from_numpy(x.copy()) for name, x in base.part("image").items()})
    return lambda pictures: head(describe(pictures, backbone))


@torch.no_grad()
def random_styles(generator: Generator) -> Tensor:
    """Untruncated style codes [SAMPLES,W] of random latents."""
    z = torch.from_numpy(np.random.default_rng(0).standard_normal((SAMPLES, generator.config.z_dim)).astype(np.float32))
    return torch.cat([generator.mapping(part)[:, 0] for part in z.split(1000)])


@torch.no_grad()
def measure_styles(generator: Generator, styles: Tensor, keep_average: bool) -> None:
    """Fill w_std, and w_avg unless the file had one, from random style codes."""
    if not keep_average:
        generator.mapping.w_avg.copy_(styles.mean(0))
    generator.mapping.w_std.copy_(styles.std(0).clamp_min(1e-6))


@dataclass(frozen=True)
class Bank:
    """codes [N,D] of the pictures of the first seeds; styles [N,W], the truncated w that they were painted from."""

    codes: Array
    styles: Array


@torch.no_grad()
def largest_activation(generator: Generator, seeds: int = 4) -> float:
    """The largest output of a layer, in size, over pictures of the first seeds: to compare with a network's clamp."""
    largest = [0.0]

    def note(_: object, __: object, output: Tensor) -> None:
        largest[0] = max(largest[0], float(output.abs().max()))

    hooks = [m.register_forward_hook(note) for m in generator.modules() if isinstance(m, StyledConv | ToRGB)]
    for seed in range(seeds):
        z = torch.from_numpy(seed_to_z(seed, generator.config.z_dim, None))[None]
        generator(z, TRUNCATION, form="activations")
    for hook in hooks:
        hook.remove()
    return largest[0]


def directions(bank: Bank, labels: Array, w_std: Array) -> Array:
    """Direction of each class [K,W], in units of w and of length LENGTH; 0 where the pictures do not differ.

    labels: unit codes of the classes [K,D].
    """
    moved = (bank.styles - bank.styles.mean(0)) / w_std
    ways = _ridge(_scores(bank.codes, labels), moved)
    length = np.sqrt(np.square(ways).mean(1, keepdims=True))
    return (ways * np.where(length > 1e-6, LENGTH / np.maximum(length, 1e-6), 0.0) * w_std).astype(np.float32)


def places(bank: Bank, labels: Array, seen: npt.NDArray[np.bool_], w_avg: Array) -> tuple[Array, npt.NDArray[np.int32]]:
    """Latents without truncation of the seeds whose pictures are most of each class [N,W], and the class of each [N].

    labels: unit codes of the classes [K,D]. seen: the classes that have places [K].
    """
    count, scores = max(2, len(bank.codes) // PLACES), _scores(bank.codes, labels)
    rows = [np.argsort(-scores[:, index], kind="stable")[:count] for index in np.flatnonzero(seen)]
    best = np.concatenate([*rows, np.zeros(0, np.int64)]).astype(np.int64)
    latents = w_avg + (bank.styles[best] - w_avg) / np.float32(TRUNCATION)
    return latents.astype(np.float32), np.repeat(np.flatnonzero(seen), count).astype(np.int32)


def agreement(bank: Bank, labels: Array, w_std: Array) -> Array:
    """How far a class can be told from where a style code lies on its direction: the correlation [K] of both over seeds
    that the direction was not found from. Near 0: the joint space does not see the class in these pictures.
    """
    out = np.arange(len(bank.codes)) % HELD_OUT == 0
    ways = directions(Bank(bank.codes[~out], bank.styles[~out]), labels, w_std)
    along = (bank.styles[out] / np.square(w_std)) @ ways.T
    scores = _scores(bank.codes[out], labels)
    along, scores = along - along.mean(0), scores - scores.mean(0)
    size = np.sqrt(np.square(along).sum(0) * np.square(scores).sum(0))
    return ((along * scores).sum(0) / np.maximum(size, 1e-9)).astype(np.float32)


def not_by_chance(seeds: int) -> float:
    """The agreement that one class in a hundred has by chance, in a bank of so many seeds."""
    return 2.33 / math.sqrt(max(1, -(-seeds // HELD_OUT)))


def _scores(codes: Array, labels: Array) -> Array:
    """How much each picture is of each class, beside the other classes [N,K]; mean 0 and deviation 1 over the bank."""
    cosines = codes @ labels.T
    scores = cosines - cosines.mean(1, keepdims=True)
    return ((scores - scores.mean(0)) / np.maximum(scores.std(0), 1e-6)).astype(np.float32)


def _ridge(scores: Array, moved: Array) -> Array:
    """B [K,W] of moved = scores B, of least squares with a penalty."""
    size = len(scores)
    normal = scores.T @ scores / size + RIDGE * np.eye(scores.shape[1], dtype=np.float32)
    return np.linalg.solve(normal, scores.T @ moved / size).astype(np.float32)
