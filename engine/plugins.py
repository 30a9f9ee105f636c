"""`sonorama plugins`: every source and sink, where it comes from, and how to get what it lacks."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from .errors import one_line

if TYPE_CHECKING:
    from .cli import Commands
    from .registry import Plugin

_HEADINGS = {"sonorama.sources": "sources of sound (--source)", "sonorama.sinks": "sinks for pictures (--sink)"}


def add_plugins(commands: Commands) -> None:
    """`sonorama plugins`: what is installed, and what works here."""
    parser = commands.add_parser("plugins", help="list every source and sink, and what it lacks", allow_abbrev=False)
    parser.add_argument("--json", action="store_true", help="one JSON array")
    parser.set_defaults(run=run_plugins)


def run_plugins(args: argparse.Namespace) -> int:
    """Ask them all and write what they say."""
    import json

    from .registry import survey

    plugins = [*survey(), _test_card()]
    sys.stdout.write(json.dumps([asdict(one) for one in plugins]) + "\n" if args.json else as_text(plugins))
    return 0


def _test_card() -> Plugin:
    """`--source test-card` paints too, so that no plug-in could do it; people look for it here all the same."""
    from importlib.metadata import version

    from .registry import SOURCES, Plugin

    about = "a picture with arrow, bars and frame number, and a tone, to set up a projector"
    return Plugin(SOURCES.group, "test-card", "sonorama", version("sonorama"), "", "available", about)


def as_text(plugins: list[Plugin]) -> str:
    """Rows for people, by kind."""
    wide = max((len(one.name) for one in plugins), default=0)
    lines: list[str] = []
    for group, heading in _HEADINGS.items():
        lines.append(heading)
        for one in plugins:
            if one.group == group:
                origin = f"from {one.package} {one.version}" if one.package else ""
                told = "; ".join(one_line(text) for text in (one.about, origin) if text)
                lines.append(f"  {one.name:{wide}}  {one.state:9}  {told}")
                if one.how_to_install:
                    lines.append(f"  {'':{wide}}  {'':9}  {one_line(one.how_to_install)}")
    return "\n".join(lines) + "\n"
