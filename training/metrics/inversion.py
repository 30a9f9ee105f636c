"""Inversion of photos by each of its losses, as in Table 3b of the paper: pixels, features and joint space.

MSE is that of pixels in 0..1. Features are EfficientNet-Lite0's, so their distance is not LPIPS and no number of the
paper's table can be compared with it; LPIPS itself is added where its network's weights are given.
"""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import astuple
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...engine.editing.encoder import load_encoder
from ...engine.editing.inversion import LOSSES, InversionPlan, Inverter, Seen
from ...engine.editing.picture_file import read_photo
from ...engine.errors import InputError
from ...engine.model.world_file import World, load_world
from ...engine.picture.contact_sheet import contact_sheet, write_png
from .lpips import Lpips, load_lpips

log = logging.getLogger(__name__)
JUDGED = 128
"""Height at which all are compared, px."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m sonorama.training inversion`."""
    parser.add_argument("world", help="name or path")
    parser.add_argument("photos", type=Path, help="folder of photos")
    parser.add_argument("--count", type=int, default=8, help="so many, evenly over the folder (%(default)s)")
    parser.add_argument("--steps", type=int, default=100, help="of Adam (%(default)s)")
    parser.add_argument("--side", type=int, default=64, help="height compared while inverting, px (%(default)s)")
    parser.add_argument(
        "--lpips", type=Path, metavar="FILE", help="torchvision's weights of AlexNet or VGG16: adds LPIPS"
    )
    parser.add_argument("--sheet", type=Path, help="a PNG file: photo, encoder, each loss; one row a photo")


def run_inversion(args: argparse.Namespace) -> int:
    """Print the table."""
    lpips = load_lpips(args.lpips) if args.lpips else None
    files = sorted(path for path in args.photos.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not files or args.count < 1:
        raise InputError(f"{args.photos} holds no photos", "Give a folder of .jpg or .png files.")
    chosen = files[:: max(1, len(files) // args.count)][: args.count]
    world = load_world(args.world)
    judge = Inverter(world, InversionPlan(side=JUDGED))
    photos = [read_photo(path, judge.size) for path in chosen]
    rows, painted = measure(world, judge, photos, args.steps, args.side)
    sys.stdout.write(f"{len(chosen)} photos, {args.steps} steps at {args.side} px\n")
    sys.stdout.write(_table(rows, {} if lpips is None else {f"LPIPS ({lpips.name})": _seen_by(lpips, photos, painted)}))
    if args.sheet is not None:
        cells = torch.stack([torch.cat(photos), *painted], 1).flatten(0, 1)
        write_png(args.sheet, contact_sheet([*((cells + 1) / 2).permute(0, 2, 3, 1).numpy()], 1 + len(painted)))
    return 0


def _table(rows: dict[str, np.ndarray], more: dict[str, list[float]]) -> str:
    """Means over photos, one row a loss; more: further columns."""
    heads = ["", "MSE (pixels 0..1)", "feature distance", "joint cosine", "w-norm", *more]
    lines = [" | ".join(heads), " | ".join("---" for _ in heads)]
    for number, (name, row) in enumerate(rows.items()):
        mse, features, cosine, norm = row.mean(0)
        added = [f"{column[number]:.3f}" for column in more.values()]
        lines.append(" | ".join([name, f"{mse:.4f}", f"{features:.3f}", f"{cosine:.3f}", f"{norm:.2f}", *added]))
    return "".join(f"| {line} |\n" for line in lines)


def _seen_by(lpips: Lpips, photos: list[Tensor], painted: list[Tensor]) -> list[float]:
    """Mean LPIPS to the photos of what each loss has painted, at the height that all are compared at."""

    def small(pictures: Tensor) -> Tensor:
        width = round(JUDGED * pictures.shape[3] / pictures.shape[2])
        return F.interpolate(pictures, (JUDGED, width), mode="bilinear", antialias=True).clamp(-1, 1)

    originals = small(torch.cat(photos))
    return [lpips(small(pictures), originals).mean().item() for pictures in painted]


def measure(
    world: World, judge: Inverter, photos: list[Tensor], steps: int, side: int
) -> tuple[dict[str, np.ndarray], list[Tensor]]:
    """Figures [N,4] (MSE, feature distance, joint cosine, w-norm) by loss, the encoder's first; and the pictures
    [N,3,S,S'] of each.
    """
    with torch.no_grad():
        targets = [judge.see(photo) for photo in photos]
    encoder = load_encoder(judge)
    starts = [encoder.codes(judge, photo) for photo in photos]
    found = {"encoder alone": starts}
    for loss in LOSSES:
        inverter = Inverter(world, InversionPlan(loss=loss, side=side))
        found[loss] = [_inverted(inverter, photo, start, steps) for photo, start in zip(photos, starts, strict=True)]
        log.info("inversion: %s done", loss)
    rows = {name: np.array([_row(judge, w, t) for w, t in zip(ws, targets, strict=True)]) for name, ws in found.items()}
    with torch.no_grad():
        return rows, [torch.cat([judge.paint(w) for w in ws]) for ws in found.values()]


def _inverted(inverter: Inverter, photo: Tensor, start: Tensor, steps: int) -> Tensor:
    with torch.no_grad():
        target = inverter.see(photo)
    return inverter.optimise(start, inverter.difference(target), steps)


def _row(judge: Inverter, w: Tensor, target: Seen) -> tuple[float, ...]:
    return astuple(judge.figures(w, target))
