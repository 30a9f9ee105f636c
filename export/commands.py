"""`sonorama render`: the command line of export/render.py. Heavy imports wait until it runs."""

from __future__ import annotations

import argparse
import json
import math
import sys
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.cli.arguments import parse_size
from ..engine.control.addresses import LOOK_SEED, LOOK_TEXT
from ..engine.errors import ValueRefused, one_line
from ..engine.units import DEFAULT_WORLD

if TYPE_CHECKING:
    from ..engine.cli.main import Commands
    from ..engine.control.parameters import Value
    from .render import RenderReport

_FPS_HINT = "Use 1 to 240, such as 30, 25, 29.97 or 30000/1001."


def parse_fps(text: str) -> Fraction:
    """Frames per second as an exact fraction: 30, 12.5, 30000/1001; 29.97, 23.976 mean the broadcast rates.

    Raises:
        ValueRefused: no number, or outside 1 to 240.

    """
    from ..engine.pipeline.frame_grid import exact_rate

    try:
        fps = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueRefused(f"--fps {text} is no frame rate", _FPS_HINT) from None
    if not 1 <= fps <= 240:
        raise ValueRefused(f"--fps {text} is not possible", _FPS_HINT)
    return exact_rate(fps)


def parse_start(text: str) -> float:
    """Seconds from the beginning of the sound, 0 or more. Raises ValueRefused otherwise."""
    return _seconds("--start", text, lowest=0.0)


def parse_duration(text: str) -> float:
    """Seconds of film, at least a millisecond. Raises ValueRefused otherwise."""
    return _seconds("--duration", text, lowest=0.001)


def _seconds(option: str, text: str, lowest: float) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not lowest <= seconds < math.inf:
        raise ValueRefused(f"{option} {text} is no length of time", f"Use seconds, {lowest:g} or more.")
    return seconds


def add_render(commands: Commands) -> None:
    """`sonorama render SOUND -o OUT`."""
    parser = commands.add_parser("render", help="make a film from a sound or a take", allow_abbrev=False)
    parser.add_argument(
        "sound", metavar="SOUND", type=Path, help="any audio or video file (its sound is used), or the folder of a take"
    )
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        metavar="OUT",
        help=".mp4, .mov, .mkv, a folder for pictures, or - to stream NUT to standard output",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a film that is there already")
    parser.add_argument("--json", action="store_true", help="print one JSON object about the film")
    _add_look(parser)
    _add_film(parser)
    parser.set_defaults(run=run_render)


def _add_look(parser: argparse.ArgumentParser) -> None:
    look = parser.add_argument_group("what it looks like")
    where = f"default: {DEFAULT_WORLD}; with a take: where its world is now"
    look.add_argument("--world", metavar="NAME|PATH", help=where)
    look.add_argument("--seed", metavar="N", help="seed of the base latent; short for --set /look/seed=N")
    look.add_argument("--text", metavar="PROMPT", help="text prompt; short for --set /look/text=PROMPT")
    look.add_argument(
        "--set",
        action="append",
        default=[],
        dest="assignments",
        metavar="/address=value",
        help="any control (repeatable; all of them: sonorama parameters)",
    )
    look.add_argument("--clean", action="store_true", help="a take without its master, blackout, freeze, flip, guard")
    look.add_argument(
        "--as-played",
        action="store_true",
        help="a take in the precision in which it was played, where this machine has it; default: exact",
    )


def _add_film(parser: argparse.ArgumentParser) -> None:
    from ..engine.control.live_table import DEVICES

    film = parser.add_argument_group("what kind of film")
    film.add_argument("--fps", type=parse_fps, help="30 (default; a take's own), 29.97, 30000/1001 ...")
    film.add_argument("--size", type=parse_size, metavar="WxH", help="default: the world's own; a take's own")
    film.add_argument("--fit", choices=("cover", "contain", "mirror"), default="cover", help="default: %(default)s")
    film.add_argument("--preset", metavar="NAME", help="codec; an unknown name lists them; default: fits OUT")
    film.add_argument("--start", type=parse_start, default=0.0, metavar="S", help="begin at this second of the sound")
    film.add_argument("--duration", type=parse_duration, metavar="S", help="length in seconds")
    film.add_argument("--loop", action="store_true", help="repeat a sound that is shorter than --duration")
    film.add_argument("--timecode", metavar="HH:MM:SS:FF", help="of the first frame; default 00:00:00:00")
    film.add_argument(
        "--device", choices=(*DEVICES, "reference"), help="default: auto, or what a take ran on; reference is slow"
    )


def start_values(args: argparse.Namespace) -> dict[str, Value]:
    """Values of every control: defaults, then --seed and --text, then --set in order."""
    from ..engine.control import assignments as values
    from ..engine.model.world_file import classes_of

    short = {LOOK_SEED: args.seed, LOOK_TEXT: args.text}
    assignments = [f"{path}={value}" for path, value in short.items() if value is not None]
    classes = partial(classes_of, args.world or DEFAULT_WORLD)
    return values.start_values(values.parse(text, classes=classes) for text in [*assignments, *args.assignments])


def _asks(args: argparse.Namespace) -> bool:
    """Whether any value was given."""
    return bool(args.assignments) or args.seed is not None or args.text is not None


def run_render(args: argparse.Namespace) -> int:
    """Render the film; the last line says where it is and how fast it went."""
    from ..engine.take.reader import is_take

    values = start_values(args) if _asks(args) or not is_take(args.sound) else {}  # refuses before slow imports

    from ..engine.cli.main import note_nonfinite
    from ..engine.cli.progress import Progress
    from .output_path import STDOUT
    from .render import RenderJob, render

    to_stdout = args.out == "-"  # ./- is a file of that name
    job = RenderJob(
        sound=args.sound,
        out=STDOUT if to_stdout else Path(args.out),
        world=args.world,
        fps=args.fps,
        size=args.size,
        fit=args.fit,
        preset=args.preset,
        values=values,
        start=args.start,
        duration=args.duration,
        loop=args.loop,
        device=args.device,
        clean=args.clean,
        as_played=args.as_played,
        timecode=args.timecode,
        overwrite=args.overwrite,
        to_stdout=to_stdout,
    )
    with Progress("render") as progress:
        report = render(job, progress)
    if report.had_nonfinite:
        note_nonfinite(args.sound)
    told = sys.stderr if to_stdout else sys.stdout
    told.write(_as_json(report) if args.json else _as_text(report))
    return 0


def _as_text(report: RenderReport) -> str:
    speed = report.seconds / report.wall_seconds
    out = one_line(report.out)
    if report.was_there:
        return f"{out} is there already, made by the same job: {report.frames} frames, {report.seconds:.2f} s\n"
    return f"{out}: {report.frames} frames, {report.seconds:.2f} s, {speed:.2f} times real time\n"


def _as_json(report: RenderReport) -> str:
    facts = {
        "out": str(report.out),
        "frames": report.frames,
        "seconds": report.seconds,
        "wall_seconds": report.wall_seconds,
        "times_real_time": report.seconds / report.wall_seconds,
        "width": report.size[0],
        "height": report.size[1],
        "fps": str(report.fps),
        "device": report.device,
        "was_there": report.was_there,
    }
    return json.dumps(facts) + "\n"
