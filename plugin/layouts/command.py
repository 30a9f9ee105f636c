"""`sonorama layout FILE`: a controller for another program, from the parameter table; the suffix says which."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import sys
from typing import TYPE_CHECKING

from sonorama.engine.cli.arguments import parse_out
from sonorama.engine.errors import OutputError, ValueRefused, one_line
from sonorama.engine.whole_numbers import whole_number

if TYPE_CHECKING:
    from sonorama.engine.cli.main import Commands

_HOW = {
    ".tosc": "open it in TouchOSC; connection: UDP, this computer's address, send port {port}, receive port {out}",
    ".amxd": "drag it onto a track of Live; it sends to {host}:{port}",
    ".companionconfig": "Companion > Import / Export > Import; it sends to {host}:{port}",
    ".py": "put it into a Text DAT of TouchDesigner and choose Run Script; it sends to {host}:{port}",
    ".tsv": "load it into a Table DAT of TouchDesigner",
}


def add_layout(commands: Commands) -> None:
    """`sonorama layout`."""
    parser = commands.add_parser(
        "layout", help="write a controller for TouchOSC, Max for Live, Companion or TouchDesigner", allow_abbrev=False
    )
    parser.add_argument("out", type=parse_out, metavar="FILE", help=f"ends with {', '.join(_HOW)}")
    parser.add_argument(
        "--host", type=_host, default="127.0.0.1", metavar="ADDRESS", help="of the show; default: %(default)s"
    )
    parser.add_argument("--port", type=_port, default=9123, metavar="N", help="its OSC port; default: %(default)s")
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there already")
    parser.set_defaults(run=run_layout)


def _port(text: str) -> int:
    """Raises ValueRefused for what is no port."""
    number = whole_number(text, 1, 65_535)
    if number is None:
        raise ValueRefused(f"--port {text} is no port", "Use 1 to 65535; a show says which it has.")
    return number


def _host(text: str) -> str:
    """Raises ValueRefused for what is neither an IP address nor the name of a computer."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if re.fullmatch(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*", text) and len(text) < 254:
            return text
    raise ValueRefused(f"--host {text} is no address", "Give the IP address or the name of the show's computer.")


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
        case ".py" | ".tsv":
            from .touchdesigner import script_file, table_file

            content = table_file(SHOW) if suffix == ".tsv" else script_file(SHOW, args.host, args.port)
        case _:
            raise OutputError(f"{one_line(args.out)} is for no known program", f"Use {', '.join(_HOW)}.")
    if os.path.lexists(args.out) and not args.overwrite:
        hint = "Choose another FILE, or replace it with --overwrite."
        raise OutputError(f"{one_line(args.out)} is there already", hint)
    write_bytes(args.out, content, new=not args.overwrite)
    host = f"[{args.host}]" if ":" in args.host else args.host
    how = _HOW[suffix].format(host=host, port=args.port, out=PORT_OUT)
    sys.stdout.write(f"{one_line(args.out)}: {how}\n")
    return 0
