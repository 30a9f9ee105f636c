"""`sonorama export WORLD -o DIR`: the networks of a world as ONNX graphs for other programs."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ...engine.cli.arguments import parse_out
from ...engine.errors import ValueRefused, needing_extra, one_line
from ...engine.whole_numbers import whole_number

if TYPE_CHECKING:
    from ...engine.cli.main import Commands

OPSET, FIRST, LAST = 20, 18, 24
"""Versions of the ONNX operators: the default, and those that ONNX Runtime and OpenVINO were tried with."""


def add_export(commands: Commands) -> None:
    """`sonorama export`."""
    parser = commands.add_parser(
        "export",
        help="write a world as ONNX graphs",
        description="Writes the networks of a world as ONNX graphs, compared with torch (docs/onnx.md).",
        allow_abbrev=False,
    )
    parser.add_argument("world", metavar="WORLD", help="a name from `sonorama worlds`, or the path of a world file")
    parser.add_argument("-o", "--out", required=True, type=parse_out, metavar="DIR", help="a folder: a new one, an "
        "empty one, or that of an earlier export, which is replaced")  # fmt: skip
    parser.add_argument("--precision", choices=("fp32", "fp16"), default="fp32",
        help="of the generator; default: %(default)s, which sonorama itself can play")  # fmt: skip
    parser.add_argument(
        "--opset", type=parse_opset, default=OPSET, metavar="N", help=f"{FIRST} to {LAST}; default: %(default)s"
    )
    parser.set_defaults(run=run_export)


def parse_opset(text: str) -> int:
    """Version of the ONNX operators. Raises ValueRefused outside FIRST to LAST."""
    number = whole_number(text, FIRST, LAST)
    if number is None:
        raise ValueRefused(f"--opset {text} is not possible", f"Use {FIRST} to {LAST}.")
    return number


def run_export(args: argparse.Namespace) -> int:
    """Export, and print what was compared and written."""
    from ...engine.model.world_file import load_world
    from .folder import check_out

    check_out(args.out)
    world = load_world(args.world)
    with needing_extra():
        from .export import export_world
        from .parity import as_table
    report = export_world(world, args.out, args.precision, args.opset, _note)
    sys.stdout.write(f"Largest differences from torch:\n\n{as_table(report.rows)}\n")
    sys.stdout.write(f"{one_line(args.out)}: {', '.join(report.files)}\n")
    return 0


def _note(what: str) -> None:
    sys.stderr.write(f"export: {what}\n")
