"""The command `sonorama plugins`: all installed plug-ins, their packages, and what is missing for them to work."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..errors import ValueRefused, one_line

if TYPE_CHECKING:
    from ..plugins.survey import Plugin
    from .main import Commands


def add_plugins(commands: Commands) -> None:
    """Add `sonorama plugins`."""
    parser = commands.add_parser("plugins", help="list all plug-ins, and what they need to work", allow_abbrev=False)
    parser.add_argument(
        "kind", nargs="?", metavar="KIND", help="list one kind only: sinks, sources, bridges, modulators, backends ..."
    )
    parser.add_argument("--json", action="store_true", help="one JSON array")
    parser.set_defaults(run=run_plugins)


def run_plugins(args: argparse.Namespace) -> int:
    """Probe all plug-ins and list the results."""
    import json

    from ..plugins.registry import KINDS
    from ..plugins.survey import survey

    kinds = {kind.group.rpartition(".")[2]: kind for kind in KINDS}
    if args.kind is not None and args.kind not in kinds:
        raise ValueRefused(f"There is no kind of plug-in called {args.kind}", f"Use one of: {', '.join(kinds)}.")
    plugins = survey(KINDS if args.kind is None else (kinds[args.kind],))
    sys.stdout.write(json.dumps([asdict(one) for one in plugins]) + "\n" if args.json else as_text(plugins))
    return 0


def as_text(plugins: list[Plugin]) -> str:
    """Text in columns, by kind."""
    from ..plugins.registry import KINDS

    wide = max((len(one.name) for one in plugins), default=0)
    lines: list[str] = []
    for kind in KINDS:
        lines += [kind.heading] if any(one.group == kind.group for one in plugins) else []
        for one in plugins:
            if one.group == kind.group:
                origin = f"from {one.package} {one.version}" if one.package else ""
                told = "; ".join(one_line(text) for text in (one.about, origin) if text)
                lines.append(f"  {one.name:{wide}}  {one.state:9}  {told}")
                if one.how_to_install:
                    lines.append(f"  {'':{wide}}  {'':9}  {one_line(one.how_to_install)}")
    return "\n".join(lines) + "\n"
