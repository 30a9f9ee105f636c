"""`sonorama watch IN OUT`: the command line of watch.py. Heavy imports wait until it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.cli.arguments import parse_out
from ...engine.errors import InputError, OutputError, ValueRefused, one_line
from ...engine.lengths import seconds_of
from ..commands import add_film, add_look, film_values, job_of
from ..timelines.options import add_timeline, film_maker

if TYPE_CHECKING:
    from ...engine.cli.main import Commands
    from ...engine.control.parameters import Value


def parse_settle(text: str) -> float:
    """Seconds, 0 to 3600. Raises ValueRefused otherwise."""
    seconds = seconds_of(text)
    if not 0 <= seconds <= 3600:
        raise ValueRefused(f"--settle {text} is no length of time", "Use seconds, 0 to 3600.")
    return seconds


def add_watch(commands: Commands) -> None:
    """`sonorama watch IN OUT`."""
    parser = commands.add_parser("watch", help="make films of the sounds that come into a folder", allow_abbrev=False)
    parser.add_argument(
        "folder", metavar="IN", type=Path, help="the folder of sounds; the folders in it are not looked into"
    )
    parser.add_argument("out", metavar="OUT", type=parse_out, help="the folder of the films")
    parser.add_argument("--once", action="store_true", help="make the films of what is there, then end")
    parser.add_argument(
        "--settle", type=parse_settle, default=2.0, metavar="S",
        help="seconds for which a file must have stayed the same; default: %(default)g",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object about each film, and no table")
    add_look(parser)
    add_film(parser)
    add_timeline(parser)
    parser.set_defaults(run=run_watch, overwrite=False)


def run_watch(args: argparse.Namespace) -> int:
    """Make films until a signal ends it; then, or with --once, the table of what was made."""
    values = film_values(args)(args.folder)
    from .render_queue import check_options

    suffix = check_options(args)
    _check_folders(args.folder, args.out)
    return _watch(args, values, suffix)


def _watch(args: argparse.Namespace, values: Mapping[str, Value], suffix: str) -> int:
    from dataclasses import replace

    from ..output_path import make_folder
    from .film_rows import FilmRows
    from .render_queue import DEFAULT_PRESET
    from .watch import Watch
    from .watch_record import only_watch

    make = film_maker(args)
    make_folder(args.out)
    job = replace(job_of(args, args.folder, values), preset=args.preset or DEFAULT_PRESET)
    with only_watch(args.out), FilmRows(as_json=args.json, debug=getattr(args, "debug", False)) as rows:
        watch = Watch(args.folder, job, suffix, make, rows, args.settle)
        if args.once:
            watch.once()
        else:
            sys.stderr.write(f"Watching {one_line(args.folder)}; films go to {one_line(args.out)}. Ctrl-C ends it.\n")
            watch.forever()
    return rows.code


def _check_folders(folder: Path, out: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{one_line(folder)} is a file, and a folder is watched", "Give the folder it lies in.")
    if not folder.is_dir():
        raise InputError(f"There is no folder {one_line(folder)}", "Make it first, or choose another one.")
    if out.exists() and out.samefile(folder):
        raise OutputError(
            f"{one_line(out)} is the watched folder itself", "Choose another OUT, such as a folder in it."
        )
