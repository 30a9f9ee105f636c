"""`sonorama import FILE --world NAME`: a world of a StyleGAN2 or StyleGAN3 network of another program."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sonorama.engine.cli.arguments import parse_out
from sonorama.engine.errors import ValueRefused, needing_extra, one_line
from sonorama.engine.units import DEFAULT_WORLD

if TYPE_CHECKING:
    from sonorama.engine.cli.main import Commands

    from .make_world import Written

FEWEST, MOST = 16, 65_536
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names that no file has on Windows."""


def add_import(commands: Commands) -> None:
    """`sonorama import`."""
    parser = commands.add_parser(
        "import",
        help="make a world of a StyleGAN2 or StyleGAN3 file of NVIDIA (.pkl), or of rosinality (.pt)",
        description="Makes a world of a StyleGAN2 or StyleGAN3 network; nothing in the file is run (docs/models.md).",
        allow_abbrev=False,
    )
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a .pkl of stylegan2-ada-pytorch or stylegan3, a .pt, or a world"
    )
    parser.add_argument("--world", required=True, type=parse_name, metavar="NAME", help="of the new world")
    parser.add_argument(
        "--base", default=DEFAULT_WORLD, metavar="WORLD", help="whose words, eyes and ears it takes (%(default)s)"
    )
    parser.add_argument(
        "--seeds", type=parse_seeds, metavar="N", help="pictures of the seed bank (512; of StyleGAN3 64)"
    )
    parser.add_argument("--licence", metavar="TEXT", help="of the file, where you know it")
    parser.add_argument("-o", "--out", type=parse_out, metavar="FILE", help="default: NAME among your worlds")
    parser.set_defaults(run=run_import)


def parse_name(text: str) -> str:
    """A name that can be a file's. Raises ValueRefused otherwise."""
    plain = text.strip() and Path(text).name == text and not text.startswith((".", "-")) and one_line(text) == text
    if not plain or _RESERVED.fullmatch(text):
        raise ValueRefused(f"{one_line(text)!r} is no name of a world", "Write a word, such as faces.")
    return text


def parse_seeds(text: str) -> int:
    """Seeds of a bank. Raises ValueRefused for what is no number of them."""
    if not (text.isascii() and text.isdigit() and FEWEST <= int(text) <= MOST):
        raise ValueRefused(f"--seeds {text} is no number of seeds", f"Use {FEWEST} to {MOST}.")
    return int(text)


def run_import(args: argparse.Namespace) -> int:
    """Import, and say how to play the world."""
    from sonorama.engine.cli.progress import Progress

    with needing_extra():
        from .make_world import LICENCE, Request, import_world

    request = Request(args.file, args.world, args.base, args.out, args.seeds, args.licence or LICENCE)
    world, told = shlex.quote(args.world if args.out is None else str(args.out)), False
    if sys.stderr.isatty():
        sys.stderr.write(f"{one_line(args.file.name)} is read and converted, which takes up to a minute.\n")
    made = import_world(request, lambda done, total: progress(done, total))
    try:
        while True:
            with Progress(f"import {one_line(args.file.name)}") as progress:
                written = next(made, None)
            if written is None:
                return 0
            _tell(written, world, told)
            told = True
    except KeyboardInterrupt:
        if told:
            sys.stderr.write("The world stays as it is; the same command paints its bank from the beginning.\n")
        raise


def _tell(written: Written, world: str, again: bool) -> None:
    """Say what can be done with the world now. again: it was written before, with less of its bank."""
    card, seeds, wanted = written.card, written.seeds, written.wanted
    if again:
        sys.stdout.write(
            f"{seeds} of {wanted} pictures are in it: in a show, choose another world and then it again.\n"
        )
    else:
        sys.stdout.write(f"{one_line(card.path)}\n{card.width}x{card.height} px, licence: {one_line(card.licence)}\n")
        sys.stdout.write(f"Play it: sonorama live --world {world}\n")
        if seeds < wanted:
            sys.stdout.write(f"It plays while its seed bank is painted ({wanted} pictures), as yet without classes.\n")
    sys.stdout.flush()
