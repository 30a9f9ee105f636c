"""`sonorama live`: the show's command line. Heavy imports wait until it runs."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ..cli import arguments
from ..errors import SonoramaError, ValueRefused

if TYPE_CHECKING:
    from ..cli.main import Commands
    from ..control.parameters import Value
    from .show import Show, ShowPlan

FIRST_PICTURE_S, TURN_S = 300.0, 0.25


def parse_size(text: str) -> tuple[int, int]:
    """`1280x720` as (width, height) in pixels. Raises ValueRefused outside 16 to 4096."""
    return arguments.parse_size(text, largest=4096)


def parse_duration(text: str) -> float:
    """Seconds, more than 0. Raises ValueRefused otherwise."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < float("inf"):
        raise ValueRefused(f"--duration {text} is no length of time", "Use seconds, such as 60.")
    return seconds


def parse_port(text: str) -> int:
    """A port, or 0. Raises ValueRefused otherwise."""
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise ValueRefused(f"{text} is no port", "Use 1024 to 65535; 0 lets --osc-port take any, --osc-out none.")
    return int(text)


def add_live(commands: Commands) -> None:
    """`sonorama live`: play a world with live sound."""
    from ..control.live_table import DEVICES

    parser = commands.add_parser("live", help="play live: sound in, pictures out, for ever", allow_abbrev=False)
    add = parser.add_argument
    add("--source", default="device", metavar="NAME[:ARG]",
        help="device[:NAME], loopback, file:PATH, tone[:BPM], silence, test-card; default: %(default)s")  # fmt: skip
    add("--world", default="shore", metavar="NAME|PATH", help="default: %(default)s")
    add("--name", default="sonorama", help="of the show; its frame map is sonorama-NAME; default: %(default)s")
    add("--fps", metavar="F", help="23.976 to 120; short for --set /engine/fps=F")
    add("--size", type=parse_size, metavar="WxH", help="that leaves; default: the world's own")
    add("--seed", metavar="N", help="short for --set /look/seed=N")
    add("--text", metavar="PROMPT", help="short for --set /look/text=PROMPT")
    add("--set", action="append", default=[], dest="assignments", metavar="/address=value",
        help="any control (repeatable; all of them: docs/osc.md)")  # fmt: skip
    add("--device", choices=DEVICES, help="short for --set /engine/device=...")
    add("--sink", action="append", default=[], dest="sinks", metavar="NAME[:ARG]",
        help="one more output (repeatable; all of them: sonorama plugins)")  # fmt: skip
    add("--record", type=Path, metavar="OUT", help="record picture and sound from the start, .mp4 or .mkv")
    add("--take", type=Path, metavar="FOLDER", help="keep the performance, to render it again at any size")
    add("--bridge", action="append", default=[], dest="bridges", metavar="NAME[:ARG]",
        help="remote control besides OSC (repeatable; all of them: sonorama plugins)")  # fmt: skip
    add("--osc-port", type=parse_port, default=9123, metavar="PORT",
        help="default: %(default)s, or the next free one; 0 is any")  # fmt: skip
    add("--osc-out", type=parse_port, default=9124, metavar="PORT",
        help="who listens here is told of everything; 0: only those who subscribe; default: %(default)s")  # fmt: skip
    add("--osc-host", default="127.0.0.1", metavar="ADDRESS",
        help="of this machine, to listen at; 0.0.0.0 is all networks; default: %(default)s")  # fmt: skip
    add("--osc-allow", action="append", default=[], metavar="ADDRESS|NETWORK",
        help="another machine that may send (repeatable)")  # fmt: skip
    add("--no-panel", action="store_true", help="do not open the panel; `sonorama panel` opens it later")
    add("--duration", type=parse_duration, metavar="S", help="end so many seconds after the first picture")
    add("--stats", type=Path, metavar="FILE", help="append one JSON object a second")
    parser.set_defaults(run=run_live)


def plan_of(args: argparse.Namespace) -> ShowPlan:
    """The show that a command line asks for.

    Raises:
        ValueRefused: an unknown control, or a value that is not allowed.

    """
    from ..control.assignments import parse
    from ..control.live_table import SHOW
    from .show import ShowPlan

    width, height = args.size or (None, None)
    short = {
        "/engine/fps": args.fps, "/look/seed": args.seed, "/look/text": args.text, "/engine/device": args.device,
        "/out/width": width, "/out/height": height,
    }  # fmt: skip
    assignments = [f"{path}={value}" for path, value in short.items() if value is not None]
    changes = [parse(text, table=SHOW) for text in [*assignments, *args.assignments]]
    values: dict[str, Value] = {change.path: change.value for change in changes if not SHOW[change.path].event}
    return ShowPlan(
        name=args.name, source=args.source, world=args.world, values=values, sinks=tuple(args.sinks),
        events=tuple(change for change in changes if SHOW[change.path].event),
        record=args.record, record_now=args.record is not None, take=args.take, osc_port=args.osc_port,
        osc_out=args.osc_out, osc_host=args.osc_host, osc_allow=tuple(args.osc_allow),
        bridges=tuple(args.bridges), stats=args.stats,
    )  # fmt: skip


def has_display() -> bool:
    """Whether a window can be opened here, as far as the environment tells."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def run_live(args: argparse.Namespace) -> int:
    """Play until the duration is over, or Ctrl-C."""
    plan = plan_of(args)

    from .show import Show

    began = time.monotonic()
    show = Show(plan)
    panel: subprocess.Popen[bytes] | None = None
    try:
        show.start()
        panel = None if args.no_panel else _open_panel(plan.name)
        _say_where(show)
        _play(show, _News(show, panel), began, args.duration)
    finally:
        if panel is not None:
            panel.terminate()
        show.close()
        if panel is not None:
            _leave(panel)
    return 0


def _leave(panel: subprocess.Popen[bytes]) -> None:
    """See it end; one that does not hear is killed."""
    try:
        panel.wait(2.0)
    except subprocess.TimeoutExpired:
        panel.kill()
        panel.wait()


def _say(line: str) -> None:
    """Tell whoever started it. They may have gone, with the terminal or the pipe; that stops no show."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _open_panel(name: str) -> subprocess.Popen[bytes] | None:
    if not has_display():
        _say("No display: playing without a panel; OSC and `sonorama panel` elsewhere still reach it")
        return None
    return subprocess.Popen([sys.executable, "-m", "sonorama.engine.cli.main", "panel", name], stdin=subprocess.DEVNULL)


def _say_where(show: Show) -> None:
    width, height = show.output_loop.info.width, show.output_loop.info.height
    _say(
        f"Show {show.plan.name}: hears {show.source}, OSC at port {show.bridges.facts.get('osc_port', 0)}, "
        f"frame map sonorama-{show.plan.name} ({width}x{height})"
    )


def _play(show: Show, news: _News, began: float, duration: float | None) -> None:
    """Stay; `duration` seconds from the first picture on.

    Raises:
        SonoramaError: the renderer cannot begin, or no picture came in FIRST_PICTURE_S although it should end some day.

    """
    while not show.wait_for_picture(TURN_S):
        news.tell()
        if duration is not None and time.monotonic() > began + FIRST_PICTURE_S:
            raise SonoramaError(
                f"No picture came in {FIRST_PICTURE_S:.0f} s", "See what it said above, and: sonorama doctor"
            )
    _say(f"Playing: first picture after {time.monotonic() - began:.1f} s")
    gc.collect()
    gc.freeze()  # from here on collections look at what the show made, not at what it is made of: 1 ms, not 10
    end = float("inf") if duration is None else time.monotonic() + duration
    while (left := end - time.monotonic()) > 0:
        news.tell()
        time.sleep(min(TURN_S, left))


class _News:
    """Says each new fault once, where each sink sends its pictures now, and that the panel has gone."""

    def __init__(self, show: Show, panel: subprocess.Popen[bytes] | None) -> None:
        self._show, self._panel = show, panel
        self._said: set[str] = set()

    def tell(self) -> None:
        """What is new since the last time."""
        runners = self._show.output_loop.runners
        sent = {f"{one.label}: {one.about}" for one in runners if one.about and one.about not in one.label}
        lines = set(self._show.all_faults()) | sent
        for line in sorted(lines - self._said):
            _say(line)
        self._said = lines
        if self._panel is not None and self._panel.poll() is not None:
            self._panel = None
            _say(f"The panel has ended, the show plays on; it opens again with: sonorama panel {self._show.plan.name}")
