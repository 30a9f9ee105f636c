"""Photos, videos and texts -> base codes, with what is to be told about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import torch
from torch import Tensor

from ..files.fingerprint import sha256
from ..inference.text_encoder import text_codes, without_text
from ..model.base_code import BaseCode, keep_code, make_code, remember_code
from ..model.world_file import World
from .encoder import load_encoder
from .inversion import Figures, InversionPlan, Inverter, Seen
from .picture_file import read_photo

Progress = Callable[[int, int], None]
SHOW_PLAN = InversionPlan(loss="perceptual", steps=100, side=64)
"""For photos that are dropped into a show: some 20 s of one core at the lowest priority."""
TEXT_PLAN = InversionPlan(side=64, rate=0.02, near=0.2)
"""Small steps: a picture that wanders far towards a text in a small joint space leaves what the world can paint."""


@dataclass(frozen=True)
class Inverted:
    """A code, and how close its pictures come.

    Attributes:
        code: the code.
        encoder, optimised: figures of the first picture, as the encoder painted it and after the optimisation.
        before, after: the first picture and G(w) [3,H,W], in -1..1, at the size compared.

    """

    code: BaseCode
    encoder: Figures
    optimised: Figures
    before: Tensor
    after: Tensor


def invert_pictures(
    inverter: Inverter, pictures: Iterable[Tensor], source: Path, fps: Fraction, count: int = 1,
    progress: Progress | None = None,
) -> Inverted:  # fmt: skip
    """Invert a photo, or the frames of a video one after the other, each from the code of the frame before.

    Args:
        inverter: of the world.
        pictures: [1,3,H,W] each, in -1..1; at least one.
        source: file that they come from.
        fps: frames a second.
        count: how many frames at most, for `progress` only.
        progress: called with (steps done, steps in all).

    """
    plan, encode = inverter.plan, load_encoder(inverter)
    total = max(1, plan.steps + (count - 1) * plan.following)
    done, codes = 0, list[Tensor]()
    first = start = target = None
    for picture in pictures:
        seen = _seen(inverter, picture)
        steps, near = (plan.following, plan.near) if codes else (plan.steps, 0.0)
        begin = codes[-1] if codes and plan.steps else encode.codes(inverter, picture)
        if first is None:
            first, start, target = picture, begin, seen
        told = None if progress is None else _counted(progress, done, total)
        w = inverter.optimise(begin, inverter.difference(seen), steps if plan.steps else 0, near, told)
        codes.append(w)
        done += steps
    if first is None or start is None or target is None:
        raise ValueError("nothing to invert")
    w = codes[0]
    nearest = inverter.nearest(target.codes)
    card = inverter.world.card
    code = make_code(torch.cat(codes).numpy(), card.content, source.name, sha256(source), nearest, fps)
    with torch.no_grad():
        after = inverter.paint(w)[0].clamp(-1, 1)
    return Inverted(code, inverter.figures(start, target), inverter.figures(w, target), target.pictures[0], after)


@torch.no_grad()
def _seen(inverter: Inverter, picture: Tensor) -> Seen:
    return inverter.see(picture)


def _counted(progress: Progress, done: int, total: int) -> Callable[[int], None]:
    return lambda step: progress(min(done + step, total), total)


def refine_text(
    world: World, text: str, seed: int, steps: int, plan: InversionPlan = TEXT_PLAN, progress: Progress | None = None
) -> tuple[BaseCode, float, float]:
    """The code that `steps` of optimisation make of a seed's, towards a text in the joint space (paper, sec. 4.5).

    Of least 1 - cos(F_v(G(w)), F_t(text)) + w-norm + squared distance from the seed's codes.

    Returns:
        the code, and the cosine of picture and text before and after.

    Raises:
        WorldError: the world has no text encoder, or sees no pictures.

    """
    inverter = Inverter(world, plan)
    wanted = torch.from_numpy(text_codes(world, [text]))

    def cosine(w: Tensor) -> Tensor:
        codes = inverter.see(inverter.paint(w)).codes
        if codes is None:
            raise without_text(world)
        return (codes * wanted).sum(1).mean()

    start = inverter.seed_codes(seed)
    told = None if progress is None else _counted(progress, 0, steps)
    w = inverter.optimise(start, lambda w: plan.clip * (1 - cosine(w)), steps, plan.near, told)
    code = make_code(w.numpy(), world.card.content, text, nearest=seed)
    with torch.no_grad():
        return code, cosine(start).item(), cosine(w).item()


def photo_code(world: World, photo: Path, plan: InversionPlan = SHOW_PLAN) -> str:
    """The name of a photo's code, which is put into the user's folder of codes.

    Raises:
        InputError: no picture.
        MissingExtra: the image backbone is not installed.
        OutputError: the code cannot be kept.

    """
    inverter = Inverter(world, plan)
    made = invert_pictures(inverter, [read_photo(photo, inverter.size)], photo, Fraction(1))
    keep_code(made.code)
    return remember_code(made.code)
