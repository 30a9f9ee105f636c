"""`sonorama render`: the command line of export/render.py. Heavy imports wait until it runs."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.cli.arguments import parse_size
from ..engine.cli.sound_options import add_sound_options
from ..engine.control.addresses import LOOK_CODE, LOOK_SEED, LOOK_TEXT
from ..engine.errors import ValueRefused, one_line
from ..engine.lengths import WRITTEN, seconds_of
from ..engine.units import DEFAULT_WORLD
from ..engine.whole_numbers import whole_number
from .contents import add_contents, contents_of
from .timelines.options import add_timeline, film_maker

if TYPE_CHECKING:
    from ..engine.cli.main import Commands
    from ..engine.control.parameters import Value
    from .render import RenderJob, RenderReport

MOST_STEPS = 10_000
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


def parse_at(text: str) -> float:
    """Seconds from the beginning of a film, 0 or more. Raises ValueRefused otherwise."""
    return _seconds("--at", text, lowest=0.0)


def parse_duration(text: str) -> float:
    """Seconds of film, at least a millisecond. Raises ValueRefused otherwise."""
    return _seconds("--duration", text, lowest=0.001)


def parse_look_ahead(text: str) -> float | None:
    """Milliseconds, or auto -> seconds, None. Raises ValueRefused otherwise."""
    if text == "auto":
        return None
    milliseconds = math.nan if ":" in text else seconds_of(text)
    return _at_least("--look-ahead", text, milliseconds, 0.0, "milliseconds or auto") / 1000


def add_pre_roll(parser: argparse.ArgumentParser | argparse._ArgumentGroup, what: str) -> None:
    """`--pre-roll` of a part; what: what the sound before it does."""
    parser.add_argument(
        "--pre-roll", type=parse_pre_roll, metavar="S|all",
        help=f"seconds of sound before --start that {what}; default: all, if it is 10 minutes at most",
    )  # fmt: skip


def parse_pre_roll(text: str) -> float:
    """Seconds, or all: infinite. Raises ValueRefused otherwise."""
    return math.inf if text == "all" else _seconds("--pre-roll", text, lowest=0.0, unit="all, " + WRITTEN)


def parse_jobs(text: str) -> int:
    """How many processes paint, 1 to MOST_JOBS. Raises ValueRefused otherwise."""
    from .farm.of_job import MOST_JOBS

    number = whole_number(text, 1, MOST_JOBS)
    if number is None:
        raise ValueRefused(f"--jobs {text} is no number of processes", f"Use a whole number, 1 to {MOST_JOBS}.")
    return number


def parse_steps(text: str) -> int:
    """Steps of an optimisation, 0 to 10,000. Raises ValueRefused otherwise."""
    number = whole_number(text, 0, MOST_STEPS)
    if number is None:
        raise ValueRefused(f"{text} is no number of steps", f"Use a whole number, 0 to {MOST_STEPS}.")
    return number


def _seconds(option: str, text: str, lowest: float, unit: str = WRITTEN) -> float:
    return _at_least(option, text, seconds_of(text), lowest, unit)


def _at_least(option: str, text: str, value: float, lowest: float, unit: str) -> float:
    if not lowest <= value < math.inf:
        raise ValueRefused(f"{option} {text} is no length of time", f"Use {unit}, at least {lowest:g}.")
    return value


def add_render(commands: Commands) -> None:
    """`sonorama render SOUND... -o OUT`."""
    parser = commands.add_parser("render", help="make films from sounds or takes", allow_abbrev=False)
    parser.add_argument(
        "sounds", metavar="SOUND", nargs="+", type=Path,
        help="any audio or video file (its sound is used), or the folder of a take; several make a film each",
    )  # fmt: skip
    add_out(parser, "; with several sounds a folder, FOLDER/")
    add_look(parser)
    add_film(parser)
    add_timeline(parser)
    parser.set_defaults(run=run_render)


def add_out(parser: argparse.ArgumentParser, more: str = "") -> None:
    """The options that say where the film goes; more: for the help."""
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        metavar="OUT",
        help=f".mp4, .mov, .mkv, a folder for pictures, or - to stream NUT to standard output{more}",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a film that is there already")
    parser.add_argument("--json", action="store_true", help="print one JSON object about each film")


def add_look(parser: argparse.ArgumentParser) -> None:
    """The options that say what the film looks like."""
    look = parser.add_argument_group("what it looks like")
    where = f"default: {DEFAULT_WORLD}; with a take: where its world is now"
    look.add_argument("--world", metavar="NAME|PATH", help=where)
    look.add_argument("--seed", metavar="N", help="seed of the base latent; short for --set /look/seed=N")
    look.add_argument("--text", metavar="PROMPT", help="text prompt; short for --set /look/text=PROMPT")
    look.add_argument(
        "--refine", type=parse_steps, default=0, metavar="STEPS",
        help="optimise the prompt's picture towards it, such as 100 steps; needs torch; default: off",
    )  # fmt: skip
    look.add_argument("--code", type=Path, metavar="FILE", help="start from a code that sonorama edit saved")
    add_set(look)
    look.add_argument("--clean", action="store_true", help="a take without its master, blackout, freeze, flip, guard")
    look.add_argument(
        "--as-played",
        action="store_true",
        help="a take in the precision in which it was played, where this machine has it; default: exact",
    )


def add_set(group: argparse._ArgumentGroup) -> None:
    """The option `--set`."""
    group.add_argument(
        "--set",
        action="append",
        default=[],
        dest="assignments",
        metavar="/address=value",
        help="any control (repeatable; all of them: sonorama parameters)",
    )


def add_film(parser: argparse.ArgumentParser) -> None:
    """The options that say what kind of film it is."""
    from ..engine.control.live_table import DEVICES

    film = parser.add_argument_group("what kind of film")
    film.add_argument("--fps", type=parse_fps, help="30 (default; a take's own), 29.97, 30000/1001 ...")
    film.add_argument("--size", type=parse_size, metavar="WxH", help="default: the world's own; a take's own")
    film.add_argument("--fit", choices=("cover", "contain", "mirror"), default="cover", help="default: %(default)s")
    film.add_argument("--preset", metavar="NAME", help="codec; an unknown name lists them; default: fits OUT")
    film.add_argument("--start", type=parse_start, default=0.0, metavar="S", help="begin at this second of the sound")
    film.add_argument("--duration", type=parse_duration, metavar="S", help="length in seconds")
    add_sound_options(film)
    film.add_argument("--loop", action="store_true", help="repeat a sound that is shorter than --duration")
    film.add_argument(
        "--look-ahead", type=parse_look_ahead, metavar="MS|auto",
        help="how much of the coming sound a frame may know: 0 follows the sound as a show does; default: auto, hits "
        "are on their frame",
    )  # fmt: skip
    add_pre_roll(film, "the picture follows from")
    farm = parser.add_argument_group("who paints it")
    farm.add_argument("--jobs", type=parse_jobs, metavar="N", help="processes that paint; the film is the same")
    farm.add_argument(
        "--ray", metavar="ADDRESS", help="paint on a Ray cluster, with N or all of its processors; `local`: here"
    )
    film.add_argument(
        "--timecode", metavar="HH:MM:SS:FF", help="of the first frame; default: the file's own, else zero"
    )
    add_contents(parser)
    film.add_argument(
        "--device", choices=(*DEVICES, "reference"), help="default: auto, or what a take ran on; reference is slow"
    )


def start_values(args: argparse.Namespace) -> dict[str, Value]:
    """Values of every control: defaults, then --seed, --text and --code, then --set in order."""
    from ..engine.control import assignments as values
    from ..engine.control.live_table import FILM
    from ..engine.model.base_code import read_code, remember_code
    from ..engine.model.world_file import classes_of
    from ..engine.pipeline.builtin_modulators import is_steps

    code = None if args.code is None else remember_code(read_code(args.code))
    short = {LOOK_SEED: args.seed, LOOK_TEXT: args.text, LOOK_CODE: code}
    assignments = [f"{path}={value}" for path, value in short.items() if value is not None]
    classes = partial(classes_of, args.world or DEFAULT_WORLD)
    texts = [*assignments, *args.assignments]
    changes = [values.parse(text, table=FILM, classes=classes) for text in texts]
    for change in changes:
        if change.path.endswith("/steps") and not is_steps(str(change.value)):
            message = f"{change.path} has no steps in {str(change.value)[:40]!r}"
            raise ValueRefused(message, "Use numbers 0 to 1 with spaces between them, such as 1 0 0.5 0.")
    return values.start_values(changes, FILM)


def _asks(args: argparse.Namespace) -> bool:
    """Whether any value was given."""
    given = (args.seed, args.text, args.code)
    return bool(args.assignments or args.refine) or any(one is not None for one in given)


def run_render(args: argparse.Namespace) -> int:
    """Render the film; the last line says where it is and how fast it went. Several sounds: a table says it of each."""
    values_of = film_values(args)  # refuses before slow imports
    if len(args.sounds) > 1:
        from .queue.render_queue import run_queue

        return run_queue(args, values_of)
    sound = args.sounds[0]
    return run_job(args, sound, values_of(sound), clean=args.clean, as_played=args.as_played)


def film_values(args: argparse.Namespace) -> Callable[[Path], dict[str, Value]]:
    """The values that the options of `add_look` ask for: sound or take -> values, which are none for a plain take."""
    from ..engine.take.reader import is_take

    values = start_values(args)
    if args.refine:
        values = values | {LOOK_CODE: _refined(args, str(values[LOOK_TEXT]))}
    return lambda sound: values if _asks(args) or not is_take(sound) else {}


def _refined(args: argparse.Namespace, text: str) -> str:
    """The name of the code of a text, from its best seed on; see `refine_text`."""
    if not text.strip():
        raise ValueRefused("--refine needs a text", "Give it with --text.")
    if args.code is not None:
        raise ValueRefused("--refine starts from the seed of the text, not from --code", "Give one of the two.")
    from ..engine.cli.progress import Progress
    from ..engine.errors import needing_extra
    from ..engine.model.base_code import remember_code
    from ..engine.model.world_file import load_world
    from ..engine.pipeline.prompt import logged_prompt_seed

    with needing_extra():
        from ..engine.editing.photo_code import refine_text
    world = load_world(args.world or DEFAULT_WORLD)
    with Progress("refine") as progress:
        code, before, after = refine_text(world, text, logged_prompt_seed(world, text), args.refine, progress=progress)
    sys.stderr.write(f"Cosine of picture and text: {before:.3f}, refined {after:.3f}\n")
    return remember_code(code)


def run_job(
    args: argparse.Namespace, sound: Path, values: Mapping[str, Value], told: Mapping[str, object] | None = None,
    *, clean: bool = False, as_played: bool = False,
) -> int:  # fmt: skip
    """Render the film that the options of `add_film` ask for; told: further entries of --json."""
    from ..engine.cli.main import note_nonfinite
    from ..engine.cli.progress import Progress

    job = job_of(args, sound, values, clean=clean, as_played=as_played)
    with Progress("render") as progress:
        report = film_maker(args)(job, progress)
    if report.had_nonfinite:
        note_nonfinite(sound)
    stream = sys.stderr if job.to_stdout else sys.stdout
    stream.write(_as_json(report, told or {}) if args.json else as_text(report))
    return 0


def job_of(
    args: argparse.Namespace, sound: Path, values: Mapping[str, Value], *, clean: bool = False, as_played: bool = False
) -> RenderJob:
    """The job that a command line asks for."""
    from .output_path import STDOUT
    from .render import RenderJob

    to_stdout = args.out == "-"  # ./- is a file of that name
    return RenderJob(
        sound=sound,
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
        clean=clean,
        as_played=as_played,
        timecode=args.timecode,
        track=args.track,
        strict=args.strict,
        look_ahead=args.look_ahead,
        pre_roll=args.pre_roll,
        jobs=args.jobs or (0 if args.ray else 1),
        ray=args.ray,
        overwrite=args.overwrite,
        **contents_of(args),
        to_stdout=to_stdout,
    )


def as_text(report: RenderReport) -> str:
    """One line about a film."""
    speed = report.seconds / report.wall_seconds
    out = one_line(report.out)
    if report.was_there:
        return f"{out} is there already, made by the same job: {report.frames} frames, {report.seconds:.2f} s\n"
    return f"{out}: {report.frames} frames, {report.seconds:.2f} s, {speed:.2f} times real time\n"


def _as_json(report: RenderReport, told: Mapping[str, object]) -> str:
    return json.dumps({**report_facts(report), **told}) + "\n"


def report_facts(report: RenderReport) -> dict[str, object]:
    """What --json says about a film."""
    return {
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
