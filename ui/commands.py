"""`sonorama panel` and `sonorama view`. Qt is imported when one of them runs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sonorama.engine.cli.main import Commands

DEFAULT_NAME = "sonorama"


def add_panel(commands: Commands) -> None:
    """`sonorama panel`: the mixer of a running show."""
    parser = commands.add_parser("panel", help="open the panel of a running show", allow_abbrev=False)
    parser.add_argument(
        "name", nargs="?", default=DEFAULT_NAME, metavar="NAME", help="of the show; default: %(default)s"
    )
    _add_screenshot(parser)
    parser.set_defaults(run=run_panel)


def add_view(commands: Commands) -> None:
    """`sonorama view`: a frame map in a window."""
    parser = commands.add_parser("view", help="show a frame map in a window", allow_abbrev=False)
    parser.add_argument("name", metavar="NAME", help="of the frame map, which is the show's name")
    parser.add_argument("--full-screen", action="store_true", help="without borders, over the whole display")
    parser.add_argument("--display", type=int, default=0, metavar="N", help="which one, 0 is the first")
    _add_screenshot(parser)
    parser.set_defaults(run=run_view)


def _add_screenshot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--screenshot", metavar="FILE", help="write a PNG and end")
    parser.add_argument(
        "--after", type=float, default=2.0, metavar="S", help="seconds before that; default: %(default)s"
    )


def run_panel(args: argparse.Namespace) -> int:
    """Open the panel; it waits for the show if there is none."""
    from sonorama.engine.ipc.shared_paths import check_name
    from sonorama.engine.log.children import is_child, log_to_parent
    from sonorama.engine.log.show_log import ShowLog

    from .app import run_panel as run

    check_name(args.name)
    if is_child():  # of a show, whose log it goes to
        log_to_parent("panel")
        return run(args.name, args.screenshot, args.after)
    with ShowLog(args.name, "panel", getattr(args, "debug", False)):
        return run(args.name, args.screenshot, args.after)


def run_view(args: argparse.Namespace) -> int:
    """Open the window."""
    from .output import run_view as run

    return run(args.name, args.full_screen, args.display, args.screenshot, args.after)
