"""`sonorama fit`: the command line. Heavy imports wait until it runs."""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.cli.arguments import parse_out
from ...engine.errors import InputError, needing_extra, one_line
from ...plugin.worlds.command import parse_name
from ..train.command import parse_minutes
from .sound_files import sound_files

if TYPE_CHECKING:
    from ...engine.cli.main import Commands


def add_fit(commands: Commands) -> None:
    """Add `sonorama fit`."""
    parser = commands.add_parser(
        "fit",
        help="train how an imported world answers to sound and moves; goes on where it stopped",
        description="Trains E_a and E_RNN for a world's generator (docs/models.md).",
        allow_abbrev=False,
    )
    parser.add_argument("world", metavar="WORLD", help="name or path")
    parser.add_argument(
        "--sounds", action="append", type=Path, default=[], metavar="PATH",
        help="a sound or a folder of sounds (repeatable); default: procedural sounds",
    )  # fmt: skip
    parser.add_argument(
        "--minutes", type=parse_minutes, metavar="M", help="time limit; each stage gets at least 8 steps"
    )
    parser.add_argument("--work", type=parse_out, metavar="FOLDER", help="where stages are kept; default: WORLD-fit")
    parser.add_argument(
        "--name", type=parse_name, metavar="NAME", help="of a new world; default: WORLD itself, if it is yours"
    )
    parser.add_argument("-o", "--out", type=parse_out, metavar="FILE", help="default: NAME among your worlds")
    parser.set_defaults(run=run_fit)


def check_sounds(paths: Sequence[Path]) -> None:
    """InputError where one is not there, or is a folder without a file."""
    for path in paths:
        if not path.exists():
            raise InputError(f"There is no {path}", "Give sounds, or folders of sounds.")
        if not sound_files([path]):
            raise InputError(f"There is no file in {path}", "Give sounds, or folders of sounds.")


def run_fit(args: argparse.Namespace) -> int:
    """Fit, and say how to play the world."""
    from ...engine.model.own_worlds import place_for
    from ...engine.model.world_file import find_world, read_card

    check_sounds(args.sounds)
    path = find_world(args.world)
    place_for(path, read_card(path), args.name, args.out)  # seconds before torch is loaded
    with needing_extra():
        from ..status import Status, Tell, log_status
        from .fit import Request, fit

    def tell(stage: str) -> Tell:
        def say(share: float, /, **figures: float) -> None:
            log_status(Status(stage, share, figures))

        return say

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M", stream=sys.stderr)
    work = args.work or Path(f"{Path(args.world).stem}-fit")
    request = Request(args.world, tuple(args.sounds), work, args.minutes, args.name, args.out)
    try:
        made = fit(request, tell)
    except KeyboardInterrupt:
        sys.stderr.write("The same command goes on after the last stage that was finished.\n")
        raise
    played = made.path if args.out is not None else Path(made.path).stem
    sys.stdout.write(f"{one_line(made.path)}\nPlay it: sonorama live --world {shlex.quote(played)}\n")
    return 0
