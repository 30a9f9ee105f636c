"""`sonorama study`: makes a user study, and evaluates its answers. Heavy imports wait until it runs."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.cli.arguments import parse_out, parse_size
from ...engine.errors import ValueRefused, one_line
from ...engine.lengths import seconds_of

if TYPE_CHECKING:
    from ...engine.cli.main import Commands
    from .plan import Plan, StudyJob

_VARIANTS = ("ours", "no-sound", "wrong-sound", "static")
_LONGEST_S = 120.0


def add_study(commands: Commands) -> None:
    """`sonorama study WORLD... -o FOLDER` and `sonorama study --results FOLDER CSV...`."""
    parser = commands.add_parser("study", help="compare worlds in a user study", allow_abbrev=False)
    parser.add_argument(
        "inputs", nargs="*", metavar="WORLD|CSV", help="worlds to compare; with --results, files of answers"
    )
    parser.add_argument(
        "-o", "--out", type=parse_out, metavar="OUT", help="folder of the study; with --results: OUT.md and OUT.csv"
    )
    parser.add_argument(
        "--results", type=Path, metavar="STUDY", help="evaluate answers to this study (its folder, or its key.json)"
    )
    parser.add_argument("--overwrite", action="store_true", help="with --results: replace OUT.md and OUT.csv")
    _add_films(parser)
    parser.set_defaults(run=run_study)


def _add_films(parser: argparse.ArgumentParser) -> None:
    films = parser.add_argument_group("what is compared")
    films.add_argument(
        "--sound", action="append", type=Path, default=[], dest="sounds", metavar="FILE",
        help="a sound or video file (repeatable); default: the recordings in examples/",
    )  # fmt: skip
    films.add_argument(
        "--variant", action="append", choices=_VARIANTS, default=[], dest="variants",
        help="of each world (repeatable); default: ours, and for a single world ours, no-sound and wrong-sound",
    )  # fmt: skip
    films.add_argument(
        "--reference", type=Path, metavar="FOLDER", help="real clips with the file names of the sounds, shown first"
    )
    films.add_argument("--seconds", type=_seconds, metavar="S", help="longest film; default: 5")
    films.add_argument("--size", type=parse_size, metavar="WxH", help="of all films; default: the first world's own")
    films.add_argument("--seed", type=_seed, metavar="N", help="of the first sound (default: 1); each next one adds 1")
    films.add_argument(
        "--set", action="append", default=[], dest="settings", metavar="/address=value",
        help="any parameter, in all worlds (repeatable; all of them: sonorama parameters)",
    )  # fmt: skip
    films.add_argument("--device", metavar="NAME", help="what paints; default: auto")


def _seconds(text: str) -> float:
    seconds = seconds_of(text)
    if not 0.1 <= seconds <= _LONGEST_S:
        raise ValueRefused(f"--seconds {text} is no length of a film", f"Use 0.1 to {_LONGEST_S:g} seconds.")
    return seconds


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ValueRefused(f"--seed {text} is no seed", "Use a whole number, 0 or more.")
    return int(text)


def run_study(args: argparse.Namespace) -> int:
    """Make a study, or evaluate one."""
    if args.results is not None:
        return _evaluate(args)
    if args.out is None:
        raise ValueRefused("There is no folder to write the study into", "Name one: sonorama study shore -o study")
    if args.overwrite:
        raise ValueRefused("--overwrite is for reports, and a study is never replaced", "Leave it out.")
    return _make(args)


def _evaluate(args: argparse.Namespace) -> int:
    made_with = ("sounds", "variants", "reference", "seconds", "size", "seed", "settings", "device")
    if any(getattr(args, name) not in (None, []) for name in made_with):
        raise ValueRefused("--results takes no options of films", "Give the study and files of answers only.")
    from .evaluation import evaluate

    report = evaluate(args.results, [Path(name) for name in args.inputs])
    for line in report.remarks:
        sys.stderr.write(f"{one_line(line)}\n")
    sys.stdout.write(report.text)
    if args.out is not None:
        for path in report.write(args.out, args.overwrite):
            sys.stdout.write(f"{one_line(path)}\n")
    return 0


def _job(args: argparse.Namespace) -> StudyJob:
    from ..sidecar import command_line
    from .plan import StudyJob, default_sounds

    given = {name: getattr(args, name) for name in ("seconds", "seed", "device") if getattr(args, name) is not None}
    return StudyJob(
        worlds=tuple(args.inputs),
        sounds=tuple(args.sounds) or default_sounds(),
        variants=tuple(args.variants),
        reference=args.reference,
        size=args.size,
        settings=tuple(args.settings),
        command=command_line(tuple(sys.argv)),
        **given,
    )


def _make(args: argparse.Namespace) -> int:
    from .plan import plan_study

    plan = plan_study(_job(args))

    from ...engine.cli.progress import Progress
    from .films import make_films
    from .folder import study_folder
    from .page import build_page

    with study_folder(args.out, plan.key) as folder, Progress("study") as progress:
        folder.write_key(plan.key)
        made = make_films(plan, folder, progress)
        folder.write_page(build_page(plan))
    for path in folder.set_aside:
        sys.stderr.write(f"Changed since it was written, and kept as {one_line(path)}\n")
    sys.stdout.write(_told(args.out, plan, made))
    return 0


def _told(out: Path, plan: Plan, made: int) -> str:
    key, kept = plan.key, len(plan.key.films) - made
    there = f" ({kept} of them were there already)" if kept else ""
    turns = math.lcm(len(key.sound_orders), len(key.model_orders))
    return (
        f"{one_line(out)}: {len(key.films)} films{there}, {len(key.sounds)} sounds, {len(key.models)} models\n"
        f"For participants: the folder {one_line(out / 'page')} (open index.html); about {plan.minutes:.0f} min each\n"
        f"For you: {one_line(out / 'key.json')}, which says which model is which\n"
        f"Orders are balanced over {turns} participants and multiples of it\n"
    )
