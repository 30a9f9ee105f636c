"""Ablations that need another training: variants of a finished work folder that make some stages anew.

Everything before those stages is taken from the folder, so that a variant differs in nothing else.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..engine.errors import InputError
from ..engine.files.fingerprint import sha256
from .data.photos import data_root
from .footage.manifest import MANIFEST
from .packing import About
from .recipe import FILE, Recipe
from .runner import PACKED, REQUEST, TrainingRun, make_world
from .train.training import DATA_HASH, DATASET, earlier_request

AFTER = {
    "directions": ("directions", "encoder", "clips", "motion", "adversarial", "rest"),
    "encoder": ("encoder", "motion", "adversarial", "rest"),
    "adversarial": ("adversarial", "rest"),
    "rest": ("rest",),
}
"""Stage -> what is made anew where it changes (clips do not depend on E_a)."""

OTHER = ("ablations", "dataset", "grids", "preview.mp4", "tensorboard")
"""Files and folders of a work folder that no stage reads."""


@dataclass(frozen=True)
class Variant:
    """change: what differs in the recipe; first: the first stage that it concerns; says: what it shows."""

    change: Callable[[Recipe], Recipe]
    first: str
    says: str


def _adversarial(says: str, **changes: object) -> Variant:
    return Variant(lambda r: replace(r, adversarial=replace(r.adversarial, **changes)), "adversarial", says)


def _encoder(says: str, **changes: object) -> Variant:
    return Variant(lambda r: replace(r, encoder=replace(r.encoder, **changes)), "encoder", says)


def _cuts(mid: int, fine: int) -> Variant:
    says = f"levels that begin at other codes: mid at {mid}, fine at {fine}"
    return Variant(lambda r: replace(r, directions=replace(r.directions, level_cuts=(mid, fine))), "directions", says)


VARIANTS: Mapping[str, Variant] = {
    "without-stage-3": _adversarial("E_RNN and E_a of stage 3b", steps=0),
    "without-rest": Variant(lambda r: replace(r, rest=replace(r.rest, steps=0)), "rest", "E_RNN as stage 3 leaves it"),
    "video-without-time": _adversarial("D_V with kernels of 1 in time, as in the released code", time=False),
    "any-sound": _adversarial("D_V does not hear: no clips with the wrong sound", wrong_sound=False),
    "filmed": _adversarial("real clips as filmed, not as the generator paints them", real="frames"),
    "free-place": _adversarial("movement against identity (sec. 5): lam_w = 0", lam_w=0.0),
    "loose-place": _adversarial("the same: lam_w a fifth", lam_w=0.01),
    "tight-place": _adversarial("the same: lam_w five times", lam_w=0.25),
    "without-guidance": _adversarial("eq. 9 without L_enc", lam_enc=0.0),
    "cuts-3-6": _cuts(3, 6),
    "cuts-4-8": _cuts(4, 8),
    "without-text": _encoder("eqs. 2 and 3 without the text term", lam_t=0.0),
    "infonce": _encoder("eq. 2 against the sounds of the batch", mode="infonce"),
}


def begin(work: Path, name: str) -> tuple[Path, Recipe]:
    """The work folder of a variant, with everything that stays as it was in `work`; and its recipe.

    Raises:
        InputError: `work` is no folder of a training, or the training is not finished.

    """
    variant, before = VARIANTS[name], Recipe.read(work)
    folder, anew = work / "ablations" / name, AFTER[variant.first]
    if not (work / "motion.safetensors").is_file():
        raise InputError(f"{work}: the training is not finished", "Finish it with the command that began it.")
    for path in sorted(work.rglob("*")):
        inside = path.relative_to(work)
        if not path.is_file() or inside.parts[0] in (*OTHER, *anew) or path.suffix == ".pt" or inside.stem in anew:
            continue
        if inside.name in (FILE, PACKED, REQUEST):
            continue
        target = folder / inside
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _same(path, target)
    return folder, variant.change(before)


def _same(path: Path, target: Path) -> None:
    """The same file under another name; a copy where the file system has no links."""
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `ablation`."""
    told = "; ".join(f"{name}: {one.says}" for name, one in VARIANTS.items())
    parser.add_argument("variant", choices=VARIANTS, metavar="NAME", help=told)
    parser.add_argument("--data", help="data folder (default: that of the training)")
    parser.add_argument("--work", type=Path, default=Path("build/world"), help="of the finished training (%(default)s)")
    parser.add_argument("--out", type=Path, help="world to write (default: NAME.safetensors in the variant's folder)")


def data_of(work: Path, given: str | None) -> Path:
    """The data that a training has learned from: the given folder, else the one that it was asked to learn from.

    InputError where it holds something else by now.
    """
    root = data_root(given) if given else _asked(work)
    kept = work / DATA_HASH
    there = root / MANIFEST
    if kept.is_file() and (not there.is_file() or sha256(there) != kept.read_text()):
        raise InputError(f"{root} does not hold what {work} was trained on", "Give that folder with --data.")
    return root


def _asked(work: Path) -> Path:
    if (work / DATASET / MANIFEST).is_file():
        return work / DATASET
    asked = earlier_request(work / REQUEST)
    return data_root(None) if asked is None else Path(asked["folder"])


def run_ablation(args: argparse.Namespace) -> int:
    """Train a variant and pack it; `sonorama evaluate` takes its figures."""
    root = data_of(args.work, args.data)
    folder, recipe = begin(args.work, args.variant)
    out = args.out or folder / f"{args.variant}.safetensors"
    about = About(args.variant, "1", f"Ablation: {VARIANTS[args.variant].says}.", "")
    make_world(TrainingRun(root, folder, recipe), out, about)
    return 0
