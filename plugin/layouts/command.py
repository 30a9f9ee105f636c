"""`sonorama layout FILE`: a controller for another program, from the parameter table; the suffix says which."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from sonorama.engine.cli.arguments import parse_out
from sonorama.engine.errors import OutputError, ValueRefused, one_line

if TYPE_CHECKING:
    from sonorama.engine.cli.main import Commands

_HOW = {
    ".tosc": "open it in TouchOSC; connection: UDP, this computer's address, send port {port}, receive port {out}",
    ".amxd": "drag it onto a track of Live; it sends to {host}:{port}",
    ".companionconfig": "Companion > Import / Export > Import; it sends to {host}:{port}",
}


def add_layout(commands: Commands) -> None:
    """`sonorama layout`."""
    parser = commands.add_parser(
        "layout", help="write a controller for TouchOSC, Max for Live or Companion", allow_abbrev=False
    )
    parser.add_argument("out", type=parse_out, metavar="FILE", help=f"ends with {', '.join(_HOW)}")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="of the show; default: %(default)s")
    parser.add_argument("--port", type=_port, default=9123, metavar="N", help="its OSC port; default: %(default)s")
    parser.set_defaults(run=run_layout)


def _port(text: str) -> int:
    """Raises ValueRefused for what is no port."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 65_535):
        raise ValueRefused(f"--port {text} is no port", "Use 1 to 65535; a show says which it has.")
    return int(text)


def run_layout(args: argparse.Namespace) -> int:
    """Write the file and say how it is opened."""
    from sonorama.engine.control.live_table import SHOW
    from sonorama.engine.files.atomic import write_bytes
    from sonorama.engine.osc.server import PORT_OUT

    suffix = args.out.suffix.lower()
    match suffix:
        case ".tosc":
            from .touchosc import layout

            content = layout(SHOW)
        case ".amxd":
            from .max_for_live import device

            content = device(SHOW, args.host, args.port)
        case ".companionconfig":
            from .companion import page

            content = page(SHOW, args.host, args.port)
        case _:
            raise OutputError(f"{one_line(args.out)} is for no known program", f"Use {', '.join(_HOW)}.")
    write_bytes(args.out, content, new=True)
    how = _HOW[suffix].format(host=args.host, port=args.port, out=PORT_OUT)
    sys.stdout.write(f"{one_line(args.out)}: {how}\n")
    return 0
