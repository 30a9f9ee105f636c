"""`sonorama render`: the command line of export/video.py. Heavy imports wait until it runs."""

from __future__ import annotations

import argparse
import json
import math
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.errors import ValueRefused

if TYPE_CHECKING:
    from ..engine.cli import Commands
    from ..engine.params import Value
    from .video import RenderReport

DEFAULT_WORLD = "shore"
# Broadcast rates are 1000/1001 of these; people write them with two or three decimals.
_BROADCAST = (24, 30, 48, 60, 120)
_FPS_HINT = "Use 1 to 240, such as 30, 25, 29.97 or 30000/1001."
_SIZE_HINT = "Write width x height in pixels, such as 1920x1080; each 16 to 8192."


def parse_fps(text: str) -> Fraction:
    """Frames per second as an exact fraction: 30, 12.5, 30000/1001; 29.97, 23.976 mean the broadcast rates.

    Raises:
        ValueRefused: no number, or outside 1 to 240.

    """
    try:
        fps = Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise ValueRefused(f"--fps {text} is no frame rate", _FPS_HINT) from None
    if not 1 <= fps <= 240:
        raise ValueRefused(f"--fps {text} is not possible", _FPS_HINT)
    exact = (Fraction(1000 * rate, 1001) for rate in _BROADCAST)
    return next((rate for rate in exact if fps.denominator > 1 and abs(rate - fps) < Fraction(6, 1000)), fps)


def parse_size(text: str) -> tuple[int, int]:
    """`1920x1080` as (width, height) in pixels.

    Raises:
        ValueRefused: another form, or a side outside 16 to 8192.

    """
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueRefused(f"--size {text} is no picture size", _SIZE_HINT)
    width, height = (int(part) for part in parts)
    if not (16 <= width <= 8192 and 16 <= height <= 8192):
        raise ValueRefused(f"--size {text} is not possible", _SIZE_HINT)
    return width, height


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
    parser = commands.add_parser("render", help="make a film from a sound", allow_abbrev=False)
    parser.add_argument("sound", metavar="SOUND", type=Path, help="any audio or video file; its sound is used")
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        type=Path,
        metavar="OUT",
        help=".mp4, .mov, .mkv, or a folder for pictures",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object about the film")
    _add_look(parser)
    _add_film(parser)
    parser.set_defaults(run=run_render)


def _add_look(parser: argparse.ArgumentParser) -> None:
    look = parser.add_argument_group("what it looks like")
    look.add_argument("--world", default=DEFAULT_WORLD, metavar="NAME|PATH", help="default: %(default)s")
    look.add_argument("--seed", metavar="N", help="the place to start from; short for --set /look/seed=N")
    look.add_argument("--text", metavar="PROMPT", help="the place in words; short for --set /look/text=PROMPT")
    look.add_argument(
        "--set",
        action="append",
        default=[],
        dest="assignments",
        metavar="/address=value",
        help="any control (repeatable; all of them: sonorama parameters)",
    )


def _add_film(parser: argparse.ArgumentParser) -> None:
    film = parser.add_argument_group("what kind of film")
    film.add_argument("--fps", type=parse_fps, default=Fraction(30), help="30 (default), 29.97, 30000/1001 ...")
    film.add_argument("--size", type=parse_size, metavar="WxH", help="default: the world's own")
    film.add_argument("--fit", choices=("cover", "contain", "mirror"), default="cover", help="default: %(default)s")
    film.add_argument("--preset", metavar="NAME", help="codec; an unknown name lists them; default: fits OUT")
    film.add_argument("--start", type=parse_start, default=0.0, metavar="S", help="begin at this second of the sound")
    film.add_argument("--duration", type=parse_duration, metavar="S", help="length in seconds")
    film.add_argument("--loop", action="store_true", help="repeat a sound that is shorter than --duration")
    film.add_argument("--timecode", metavar="HH:MM:SS:FF", help="of the first frame; default 00:00:00:00")
    film.add_argument("--device", choices=("auto", "cpu", "cuda", "ort"), default="auto", help="default: %(default)s")


def start_values(args: argparse.Namespace) -> dict[str, Value]:
    """Values of every control: defaults, then --seed and --text, then --set in order."""
    from ..engine import values

    short = {"/look/seed": args.seed, "/look/text": args.text}
    assignments = [f"{path}={value}" for path, value in short.items() if value is not None]
    return values.start_values(values.parse(text) for text in [*assignments, *args.assignments])


def run_render(args: argparse.Namespace) -> int:
    """Render the film; the last line says where it is and how fast it went."""
    values = start_values(args)  # refuses before anything slow is imported

    from ..engine.cli import note_nonfinite
    from ..engine.progress import Progress
    from .video import RenderJob, render

    job = RenderJob(
        sound=args.sound,
        out=args.out,
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
        timecode=args.timecode,
    )
    with Progress("render") as progress:
        report = render(job, progress)
    if report.had_nonfinite:
        note_nonfinite(args.sound)
    sys.stdout.write(_as_json(report) if args.json else _as_text(report))
    return 0


def _as_text(report: RenderReport) -> str:
    speed = report.seconds / report.wall_seconds
    return f"{report.out}: {report.frames} frames, {report.seconds:.2f} s, {speed:.2f} times real time\n"


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
    }
    return json.dumps(facts) + "\n"
