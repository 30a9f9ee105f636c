"""`sonorama live`: the show's command line. Heavy imports wait until it runs."""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cli import arguments
from ..control.addresses import OUT_HEIGHT, OUT_WIDTH
from ..errors import SonoramaError, ValueRefused
from ..lengths import WRITTEN, seconds_of
from ..log.children import child_environment, relay
from ..units import DEFAULT_WORLD
from ..whole_numbers import whole_number
from .news import RepeatedLines

if TYPE_CHECKING:
    from ..cli.main import Commands
    from ..control.parameters import Value
    from ..log.show_log import ShowLog
    from .plan import ShowPlan
    from .show import Show

log = logging.getLogger(__name__)
FIRST_PICTURE_S, TURN_S = 300.0, 0.25
HANG_UPS = ("play", "end")
"""Values of `--hup`."""
TEST_CARD = "test-card"
"""`--source` of old, where a test pattern was a source."""


USUAL_SIZE = (1280, 720)
"""Width and height of the output in pixels if nothing is said."""


def parse_size(text: str) -> tuple[int, int]:
    """`1280x720` as (width, height) in pixels; `world` as (0, 0). Raises ValueRefused outside 16 to 4096."""
    if text == "world":
        return 0, 0
    return arguments.parse_size(text, largest=4096)


def parse_duration(text: str) -> float:
    """Seconds, more than 0. Raises ValueRefused otherwise."""
    seconds = seconds_of(text)
    if not 0.0 < seconds < float("inf"):
        raise ValueRefused(f"--duration {text} is no length of time", f"Use {WRITTEN}.")
    return seconds


def parse_port(text: str) -> int:
    """A port, or 0. Raises ValueRefused otherwise."""
    number = whole_number(text, 0, 65_535)
    if number is None:
        raise ValueRefused(f"{text} is no port", "Use 1024 to 65535; 0 lets --osc-port take any, --osc-out none.")
    return number


def add_live(commands: Commands) -> None:
    """`sonorama live`: play a world with live sound."""
    from ..control.live_table import DEVICES, PRECISIONS

    parser = commands.add_parser("live", help="play live: sound in, pictures out, for ever", allow_abbrev=False)
    add = parser.add_argument
    add("--source", metavar="NAME[:ARG]",
        help="sound: device[:NAME], loopback, file:PATH, tone[:BPM], silence; default: device, or tone for a test "
        "pattern. test-card: the old name of --renderer test-pattern --source tone")  # fmt: skip
    add("--world", metavar="NAME|PATH", help=f"default: {DEFAULT_WORLD}")
    add("--resume", action="store_true",
        help="go on with the show of this name that was killed: values, world, seed, motion, source and outputs, as "
        "far as no other ones are given")  # fmt: skip
    add("--renderer", metavar="world|test-pattern",
        help="what paints: the world, or a test pattern to set up a projector; default: world")  # fmt: skip
    add("--name", default="sonorama",
        help="show name; the frame map is called sonorama-NAME; default: %(default)s")  # fmt: skip
    add("--fps", metavar="F", help="frames a second, 23.976 to 120; short for --set /engine/fps=F")
    add(
        "--size",
        type=parse_size,
        metavar="WxH",
        help='output size in pixels, or "world" for the world\'s own; default: 1280x720',
    )
    add("--seed", metavar="N", help="short for --set /look/seed=N")
    add("--text", metavar="PROMPT", help="short for --set /look/text=PROMPT")
    add("--code", type=Path, metavar="FILE", help="start from a code that sonorama edit saved; kept by its name")
    add("--set", action="append", default=[], dest="assignments", metavar="/address=value",
        help="set any parameter (repeatable; all of them: docs/osc.md)")  # fmt: skip
    add("--device", choices=DEVICES, help="short for --set /engine/device=...")
    add("--precision", choices=PRECISIONS, help="short for --set /engine/precision=...")
    add("--sink", action="append", default=[], dest="sinks", metavar="NAME[:ARG][,OPTION]",
        help="add an output, with ,size=WxH ,fit=cover|contain|mirror ,flip=horizontal|vertical|both ,delay=MS "
        "behind it if wanted (repeatable; all of them: sonorama plugins)")  # fmt: skip
    add("--record", type=arguments.parse_out, metavar="OUT",
        help="record picture and sound from the start, .mp4 or .mkv")  # fmt: skip
    add("--take", type=arguments.parse_out, metavar="FOLDER",
        help="keep the performance, to render it again at any size")  # fmt: skip
    add("--cues", type=Path, metavar="FILE", help="file of the cue list; default: the one of the show's name")
    add("--play", action="store_true",
        help="play the cue list from the start, and from its end the first cue again, for installations")  # fmt: skip
    add("--bridge", action="append", default=[], dest="bridges", metavar="NAME[:ARG]",
        help="add a remote control besides OSC (repeatable; all of them: sonorama plugins)")  # fmt: skip
    add("--osc-port", type=parse_port, metavar="PORT",
        help="port to receive OSC on; the next free one if it is busy, 0 for any; default: 9123")  # fmt: skip
    add("--osc-out", type=parse_port, metavar="PORT",
        help="port of this machine that all changes and meters are sent to; 0: only to subscribers; "
        "default: 9124")  # fmt: skip
    add("--osc-host", metavar="ADDRESS",
        help="address of this machine to receive OSC on; 0.0.0.0 is all networks; default: 127.0.0.1")  # fmt: skip
    add("--osc-allow", action="append", default=[], metavar="ADDRESS|NETWORK",
        help="accept OSC from another machine or network (repeatable)")  # fmt: skip
    add("--no-panel", action="store_true", help="do not open the panel; `sonorama panel` opens it later")
    add("--hup", choices=HANG_UPS, default=HANG_UPS[0],
        help="what a closing terminal does: the show plays on, or ends as by Ctrl-C; default: %(default)s")  # fmt: skip
    add("--duration", type=parse_duration, metavar="S", help="end this many seconds after the first picture")
    add("--stats", type=arguments.parse_out, metavar="FILE",
        help="append one JSON object a second to a file; one that holds anything else is refused")  # fmt: skip
    parser.set_defaults(run=run_live)


def plan_of(args: argparse.Namespace) -> ShowPlan:
    """The show that a command line asks for.

    Raises:
        ValueRefused: an unknown control, or a value that is not allowed.

    """
    from ..control import addresses as at
    from ..control.assignments import parse
    from ..control.live_table import SHOW
    from ..model.base_code import keep_code, read_code
    from ..model.world_file import classes_of
    from .plan import ShowPlan

    source, renderer = _source_and_renderer(args)
    world = args.world or DEFAULT_WORLD
    width, height = args.size or _size_unasked(args)
    code = None if args.code is None else read_code(args.code)
    if code is not None:
        keep_code(code)
    short = {
        at.LOOK_CODE: None if code is None else code.name,
        at.ENGINE_FPS: args.fps, at.LOOK_SEED: args.seed, at.LOOK_TEXT: args.text, at.ENGINE_DEVICE: args.device,
        at.ENGINE_PRECISION: args.precision,
        at.OUT_WIDTH: width, at.OUT_HEIGHT: height,
    }  # fmt: skip
    assignments = [f"{path}={value}" for path, value in short.items() if value is not None]
    classes = partial(classes_of, world)
    changes = [parse(text, table=SHOW, classes=classes) for text in [*assignments, *args.assignments]]
    values: dict[str, Value] = {change.path: change.value for change in changes if not SHOW[change.path].event}
    plan = ShowPlan(
        name=args.name, source=source, world=world, renderer=renderer, values=values, sinks=tuple(args.sinks),
        events=tuple(change for change in changes if SHOW[change.path].event),
        record=args.record, record_now=args.record is not None, take=args.take, **_osc(args),
        bridges=tuple(args.bridges), stats=args.stats, cues=args.cues, play=args.play,
    )  # fmt: skip
    if not args.resume:
        return plan
    from .resume import resumed

    named = {*_osc(args), *(("renderer",) if args.renderer or args.source == TEST_CARD else ())}
    return resumed(replace(plan, source=args.source or ""), values, args.world, named)


def _osc(args: argparse.Namespace) -> dict[str, Any]:
    """What the command line says of OSC, as fields of a ShowPlan."""
    said = {"osc_port": args.osc_port, "osc_out": args.osc_out, "osc_host": args.osc_host}
    allow = {"osc_allow": tuple(args.osc_allow)} if args.osc_allow else {}
    return {name: value for name, value in said.items() if value is not None} | allow


def _size_unasked(args: argparse.Namespace) -> tuple[int | None, int | None]:
    """The usual size, unless the show goes on with another one or a side is set by its address."""
    sides = (OUT_WIDTH, OUT_HEIGHT)
    said = any(text.partition("=")[0].strip() in sides for text in args.assignments)
    return (None, None) if said or args.resume else USUAL_SIZE


def _source_and_renderer(args: argparse.Namespace) -> tuple[str, str]:
    from .plan import TEST_PATTERN, WORLD

    if args.source == TEST_CARD:
        return "tone", TEST_PATTERN
    return args.source or ("tone" if args.renderer == TEST_PATTERN else "device"), args.renderer or WORLD


def has_display() -> bool:
    """Whether a window can be opened here, as far as the environment tells."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def run_live(args: argparse.Namespace) -> int:
    """Play until the duration is over, or Ctrl-C."""
    from .resume import offer, take_over

    killed = take_over(args.name)
    plan = plan_of(args)

    from ..log.show_log import ShowLog

    if killed and not args.resume:
        _say(offer(plan.name))
    if args.resume:
        lost = "blackout and freeze do not come back, and --record and --take begin anew"
        _say(f"Going on with the show {plan.name} that was killed; {lost}")
    if args.hup == "play" and hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # for the processes that it starts, too
    with ShowLog(plan.name, debug=getattr(args, "debug", False)) as show_log:
        show_log.begin(f"sonorama {metadata.version('sonorama')}: {' '.join(sys.argv[1:])}")
        _run(plan, args, show_log)
    return 0


def _run(plan: ShowPlan, args: argparse.Namespace, show_log: ShowLog) -> None:
    from .show import Show
    from .sweep import sweep_shared_memory

    began = time.monotonic()
    if swept := sweep_shared_memory(but=plan.name):
        log.info("Removed from shared memory what shows that were killed left: %s", ", ".join(swept))
    show = Show(plan)
    panel: subprocess.Popen[bytes] | None = None
    try:
        show.start()
        panel = None if args.no_panel else _open_panel(plan.name)
        _say_where(show)
        _say(show_log.problem or f"Log: {show_log.path}")
        _play(show, _News(show, panel), began, args.duration)
    finally:
        if panel is not None:
            panel.terminate()
        show.close()
        if panel is not None:
            _leave(panel)


def _leave(panel: subprocess.Popen[bytes]) -> None:
    """Wait until it ends; kill it if it does not."""
    try:
        panel.wait(2.0)
    except subprocess.TimeoutExpired:
        panel.kill()
        panel.wait()


def _say(line: str) -> None:
    """Write to standard error. A terminal or pipe that has closed must not stop the show."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _open_panel(name: str) -> subprocess.Popen[bytes] | None:
    if not has_display():
        _say("No display: playing without a panel; OSC and `sonorama panel` elsewhere still reach it")
        return None
    command = [sys.executable, "-m", "sonorama.engine.cli.entry", "panel", name]
    panel = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=child_environment())
    assert panel.stderr is not None  # noqa: S101 (it was asked for)
    relay(panel.stderr, "panel", logging.WARNING)  # what it says is for the terminal as well
    return panel


def _say_where(show: Show) -> None:
    width, height = show.output_loop.info.width, show.output_loop.info.height
    _say(
        f"Show {show.plan.name}: sound from {show.sound.source}, OSC at port {show.bridges.facts.get('osc_port', 0)}, "
        f"frame map sonorama-{show.plan.name} ({width}x{height})"
    )
    if page := show.bridges.facts.get("query_page"):
        _say(f"Tablet: {page}")


def _play(show: Show, news: _News, began: float, duration: float | None) -> None:
    """Wait for the end: `duration` seconds after the first picture, or never.

    Raises:
        SonoramaError: the renderer cannot begin, or there is a duration, and no picture came in FIRST_PICTURE_S.

    """
    while not show.wait_for_picture(TURN_S):
        news.tell()
        if duration is not None and time.monotonic() > began + FIRST_PICTURE_S:
            raise SonoramaError(
                f"No picture came in {FIRST_PICTURE_S:.0f} s", "See what it said above, and: sonorama doctor"
            )
    _say(f"Playing: first picture after {time.monotonic() - began:.1f} s")
    gc.collect()
    gc.freeze()  # collections skip all that exists now: 1 ms each, not 10
    end = float("inf") if duration is None else time.monotonic() + duration
    while (left := end - time.monotonic()) > 0:
        news.tell()
        time.sleep(min(TURN_S, left))


class _News:
    """Writes and logs new faults, where each sink sends its pictures, and that the panel has ended."""

    def __init__(self, show: Show, panel: subprocess.Popen[bytes] | None) -> None:
        self._show, self._panel = show, panel
        self._lines = RepeatedLines()

    def tell(self) -> None:
        """Write what is new since the last call."""
        runners = self._show.output_loop.runners
        sent = {
            f"{one.label}: {one.about}" for one in runners if one.alive and one.about and one.about not in one.label
        }
        for line in self._lines.choose({*self._show.report.status().faults, *sent}):
            _say(line)
            log.info("%s", line)
        if self._panel is not None and self._panel.poll() is not None:
            self._panel = None
            _say(f"The panel has ended, the show plays on; it opens again with: sonorama panel {self._show.plan.name}")
