"""The commands `sonorama panel` and `sonorama view`. Qt is imported only when one of them runs."""

from __future__ import annotations

import argparse
import math
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sonorama.engine.cli.arguments import parse_out
from sonorama.engine.errors import OutputError, ValueRefused
from sonorama.engine.whole_numbers import whole_number

if TYPE_CHECKING:
    from sonorama.engine.cli.main import Commands

DEFAULT_NAME = "sonorama"
_LONGEST_S = 86_400


def add_panel(commands: Commands) -> None:
    """Add `sonorama panel`, the control panel of a running show."""
    parser = commands.add_parser("panel", help="open the panel of a running show", allow_abbrev=False)
    parser.add_argument(
        "name", nargs="?", default=DEFAULT_NAME, metavar="NAME", help="name of the show; default: %(default)s"
    )
    _add_screenshot(parser)
    parser.set_defaults(run=run_panel)


def add_view(commands: Commands) -> None:
    """Add `sonorama view`, which shows a frame map in a window."""
    parser = commands.add_parser("view", help="show a frame map in a window", allow_abbrev=False)
    parser.add_argument("name", metavar="NAME", help="name of the frame map, which is the show's name")
    parser.add_argument("--full-screen", action="store_true", help="open full screen, without borders")
    parser.add_argument(
        "--display",
        default="0",
        metavar="DISPLAY",
        help="its number from 0, name or serial number; default: %(default)s",
    )
    parser.add_argument(
        "--window",
        type=_window_number,
        default=1,
        metavar="N",
        help="which parameters place it in full screen: 1 is /window/, 2 is /window/2/ ...; default: %(default)s",
    )
    _add_screenshot(parser)
    parser.set_defaults(run=run_view)


def _window_number(text: str) -> int:
    """Raises ValueRefused if there is no such window."""
    from sonorama.engine.control.live_table import WINDOWS

    number = whole_number(text, 1, WINDOWS)
    if number is None:
        raise ValueRefused(f"There is no window {text}", f"Use 1 to {WINDOWS}.")
    return number


def _add_screenshot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--screenshot", type=parse_out, metavar="FILE", help="write a PNG of the window and exit")
    parser.add_argument("--overwrite", action="store_true", help="replace a screenshot that is there already")
    parser.add_argument(
        "--after",
        type=_seconds,
        default=2.0,
        metavar="S",
        help="seconds before the screenshot; default: %(default)s",
    )


def _seconds(text: str) -> float:
    """Raises ValueRefused if it is not a time to wait."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _LONGEST_S:
        raise ValueRefused(f"--after {text} is not a time to wait", f"Use seconds from 0 to {_LONGEST_S}.")
    return seconds


def _shot(args: argparse.Namespace) -> Path | None:
    """Where the screenshot goes. Raises OutputError if a file is there that it must not replace."""
    file: Path | None = args.screenshot
    if file is not None and os.path.lexists(file) and not (args.overwrite and file.is_file()):
        hint = "Choose another FILE, or replace it with --overwrite." if file.is_file() else "Choose another FILE."
        raise OutputError(f"{file} is there already" if file.is_file() else f"{file} is not a regular file", hint)
    return file


def run_panel(args: argparse.Namespace) -> int:
    """Open the panel; it waits until a show of that name is running."""
    from sonorama.engine.ipc.shared_paths import check_name
    from sonorama.engine.log.children import is_child, log_to_parent
    from sonorama.engine.log.show_log import ShowLog

    from .app import run_panel as run

    check_name(args.name)
    shot = _shot(args)
    if is_child():  # of a show, whose log it goes to
        log_to_parent("panel")
        return run(args.name, shot, args.after)
    with ShowLog(args.name, "panel", getattr(args, "debug", False)):
        code = run(args.name, shot, args.after, None if shot else partial(_tell_missing, args.name))
    if shot:  # said once it is written, since an error is two lines
        _tell_missing(args.name)
    return code


def _tell_missing(name: str) -> None:
    """Say if no show of this name runs, and which do; the panel waits for it all the same."""
    from sonorama.engine.errors import SonoramaError
    from sonorama.engine.ipc.channel import read_session

    try:
        read_session(name)
    except SonoramaError as error:
        sys.stderr.write(f"{error.message}; the panel waits for it. {error.hint}\n")


def run_view(args: argparse.Namespace) -> int:
    """Open the output window."""
    from .output import run_view as run

    return run(args.name, args.full_screen, args.display, _shot(args), args.after, args.window)
