"""`sonorama footage`: the command line of training/footage/build.py. Heavy imports wait until it runs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.cli.arguments import parse_out

if TYPE_CHECKING:
    from ...engine.cli.main import Commands

LAYOUTS = ("auto", "folders", "names", "none", "landscape", "sub-urmp", "lhq", "vggsound")


def add_footage(commands: Commands) -> None:
    """Add `sonorama footage`."""
    parser = commands.add_parser(
        "footage",
        help="make a data set for training from a folder of videos, photos and sound files",
        description="Makes a data set for training from a folder of videos, photos and sound files; docs/footage.md.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="with videos, photos, sound files; is only read")
    parser.add_argument(
        "-o", "--out", type=parse_out, required=True, metavar="DATASET", help="a new folder, or one to continue"
    )
    parser.add_argument("--aspect", default="auto", metavar="W:H", help="default: what most files have")
    parser.add_argument("--size", type=int, default=512, metavar="PX", help="short side of pictures (%(default)s)")
    parser.add_argument(
        "--every", type=float, default=1.0, metavar="S", help="seconds between pictures of a shot (%(default)s)"
    )
    parser.add_argument("--clip-height", type=int, default=128, metavar="PX", help="of moving clips (%(default)s)")
    parser.add_argument("--clip-seconds", type=float, default=3.0, metavar="S", help="longest clip (%(default)s)")
    parser.add_argument(
        "--clips", type=int, default=40, metavar="N", help="most clips of a video (%(default)s); 0: none"
    )
    parser.add_argument(
        "--layout", choices=LAYOUTS, default="auto", help="where classes come from (default: recognised, else folders)"
    )
    parser.add_argument(
        "--table",
        type=Path,
        metavar="CSV",
        help="classes, captions, credits by file (default: FOLDER/footage.csv)",
    )
    parser.add_argument("--author", default="", help="of all files that no table names one for")
    parser.add_argument("--licence", default="", help="of all files that no table names one for")
    parser.set_defaults(run=run_footage)


def run_footage(args: argparse.Namespace) -> int:
    """Make the data set and print its report."""
    from ...engine.cli.progress import Progress
    from ...engine.errors import one_line
    from .build import Wishes, build
    from .crops import parse_aspect
    from .settings import AUTO, Settings

    aspect = AUTO if args.aspect == AUTO else parse_aspect(args.aspect)
    settings = Settings(aspect, args.size, args.every, args.clip_height, args.clip_seconds, args.clips)
    wishes = Wishes(args.folder, args.out, settings, args.layout, args.table, args.author, args.licence)
    with Progress("footage") as progress:
        built = build(wishes, progress)
    kept = f"{built.kept} source files were as before and stayed.\n" if built.kept else ""
    sys.stdout.write("\n".join(built.sentences) + f"\n{kept}{one_line(args.out)}\n")
    return 0
