"""`sonorama train`: the command line. Heavy imports wait until it runs."""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.cli.arguments import parse_out
from ...engine.errors import ValueRefused, needing_extra, one_line
from ..footage.command import LAYOUTS

if TYPE_CHECKING:
    from ...engine.cli.main import Commands

PRESET_NAMES = ("tiny", "laptop", "gpu")
SIZES = (64, 128, 256)


def add_train(commands: Commands) -> None:
    """Add `sonorama train`."""
    parser = commands.add_parser(
        "train",
        help="make a world of a folder of footage; goes on where it stopped",
        description="Makes a world of a folder of videos, photos and sounds; docs/training.md takes you through it.",
    )
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="footage, or a data set (a folder with MANIFEST.tsv)"
    )
    parser.add_argument("--world", required=True, metavar="NAME", help="of the new world")
    time = parser.add_argument_group("how long and how large")
    time.add_argument("--minutes", type=parse_minutes, metavar="M", help="fit everything into this time")
    time.add_argument(
        "--preset", choices=PRESET_NAMES, help="tiny: 64 px, 15 minutes; laptop: 256 px, a night; gpu: 256 px, an hour"
    )
    time.add_argument("--size", type=int, choices=SIZES, help="height of the pictures; default: the preset's")
    time.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="of stage 0 (%(default)s)")
    time.add_argument("--devices", type=int, default=1, metavar="N", help="processes or GPUs for stage 0 (%(default)s)")
    time.add_argument("--nodes", type=int, default=1, metavar="N", help="machines, by torchrun (%(default)s)")
    begin = parser.add_argument_group("what it starts from")
    begin.add_argument(
        "--from", dest="start", metavar="WORLD", help="fine-tune this world: its generator, words and ears"
    )
    begin.add_argument(
        "--base", metavar="WORLD",
        help="words, pictures and ears of this world (default: the default one's); none: trained on the data",
    )  # fmt: skip
    begin.add_argument(
        "--layout", default="auto", choices=LAYOUTS, help="of the footage, as in sonorama footage (%(default)s)"
    )
    begin.add_argument(
        "--table", type=Path, metavar="CSV", help="classes, captions, credits; default: FOLDER/footage.csv"
    )
    about = parser.add_argument_group("what the world's card says")
    about.add_argument("--author", default="", help="of all files that no table names one for")
    about.add_argument("--licence", default="", help="of the files that no table names one for, and of the world")
    about.add_argument("--description", default="", help="default: what its data tells")
    about.add_argument("--release", default="1", metavar="VERSION", help="of the world (%(default)s)")
    parser.add_argument("-o", "--out", type=parse_out, metavar="FILE", help="default: NAME among your worlds")
    parser.add_argument(
        "--work", type=parse_out, metavar="FOLDER", help="where stages are kept; default: NAME-training"
    )
    parser.add_argument(
        "--stage", action="append", default=[], dest="stages", metavar="NAME",
        help="a training stage of another package (repeatable; all of them: sonorama plugins)",
    )  # fmt: skip
    parser.set_defaults(run=run_train)


def parse_minutes(text: str) -> float:
    """Minutes above 0. Raises ValueRefused otherwise."""
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < float("inf"):
        raise ValueRefused(f"--minutes {text} is no length of time", "Write a number of minutes, such as 60.")
    return minutes


def run_train(args: argparse.Namespace) -> int:
    """Train, and say how to play the world."""
    with needing_extra():
        from .training import Request, train

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M", stream=sys.stderr)
    request = Request(
        args.folder, args.world, args.work or Path(f"{args.world}-training"), args.out, minutes=args.minutes,
        preset=args.preset, size=args.size or 0, device=args.device, start=args.start, base=args.base,
        layout=args.layout, table=args.table, author=args.author, licence=args.licence,
        description=args.description, release=args.release, stages=tuple(args.stages), devices=args.devices,
        nodes=args.nodes,
    )  # fmt: skip
    try:
        made = train(request)
    except KeyboardInterrupt:
        sys.stderr.write("The same command goes on from the last checkpoint.\n")
        raise
    world = args.world if args.out is None else shlex.quote(str(made))
    sys.stdout.write(f"{one_line(made)}\n{how_good(made)}Play it: sonorama live --world {world}\n")
    return 0


def how_good(made: Path) -> str:
    """A line of how near a world's pictures are to photos; none where there were too few photos to say."""
    from ...engine.model.world_file import load_world
    from ..runner import PICTURE_FIGURES

    told = load_world(str(made)).card.measures.get(PICTURE_FIGURES)
    if not told:
        return ""
    (far, *_), (best, *_) = told["whole"], told["whole_real"]
    return (
        f"Its pictures are {far:.0f} from photos that were kept out, other photos {best:.0f} (less is better); nearest "
        f"training picture {told['nearest']:.2f}, of photos that were kept out {told['nearest_held']:.2f}.\n"
    )
