"""`sonorama export-npz WORLD OUT.npz`: a world as a NumPy archive."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonorama.engine.errors import OutputError

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_export_npz(commands: _SubParsersAction[Any]) -> None:
    """`sonorama export-npz`: write a world as a NumPy archive."""
    parser = commands.add_parser("export-npz", help="write a world as a NumPy archive", allow_abbrev=False)
    parser.add_argument("world", metavar="NAME|PATH")
    parser.add_argument("out", type=Path, metavar="OUT.npz")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, write, say so. What is heavy is imported here, not above."""
    from sonorama.engine.model.world_file import load_world

    from .world_loader import save_npz

    if args.out.exists():
        raise OutputError(f"{args.out} is there already", "Choose another name.")
    save_npz(args.out, load_world(args.world))
    sys.stdout.write(f"{args.out}\n")
    return 0
