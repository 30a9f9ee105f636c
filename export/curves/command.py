"""`sonorama curves SOUND -o OUT`: what is heard at each frame, as a table or as keyframes."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...engine.cli.arguments import parse_out
from ...engine.cli.sound_options import add_sound_options
from ...engine.errors import OutputError, ValueRefused, one_line
from ...engine.units import DEFAULT_WORLD
from ..commands import add_pre_roll, parse_duration, parse_fps, parse_start

if TYPE_CHECKING:
    from ...engine.audio.audio_file import Sound
    from ...engine.cli.main import Commands
    from ...engine.pipeline.sound_curves import SoundCurves
    from ..render import RenderJob

SUFFIXES = (".csv", ".json", ".jsx", ".py")


def add_curves(commands: Commands) -> None:
    """`sonorama curves SOUND -o OUT`."""
    about = "level, bands, onset, beat and classes at each frame, for other programs"
    parser = commands.add_parser("curves", help=about, allow_abbrev=False)
    parser.add_argument("sound", metavar="SOUND", type=Path, help="any audio or video file; its sound is used")
    parser.add_argument(
        "-o", "--out", required=True, metavar="OUT", type=parse_out,
        help=".csv, .json, .jsx (After Effects) or .py (Blender)",
    )  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there already")
    parser.add_argument(
        "--label", action="append", default=[], metavar="TEXT", help="add a class by a text (repeatable)"
    )
    parser.add_argument("--world", default=DEFAULT_WORLD, metavar="NAME|PATH", help="default: %(default)s")
    parser.add_argument("--fps", type=parse_fps, help="30 (default), 29.97, 30000/1001 ...")
    parser.add_argument("--start", type=parse_start, default=0.0, metavar="S", help="begin at this second of the sound")
    parser.add_argument("--duration", type=parse_duration, metavar="S", help="length in seconds")
    parser.add_argument("--loop", action="store_true", help="repeat a sound that is shorter than --duration")
    add_pre_roll(parser, "is heard first")
    add_sound_options(parser)
    parser.set_defaults(run=run_curves)


def run_curves(args: argparse.Namespace) -> int:
    """Write the curves of exactly the frames of the film that `render` makes with the same options."""
    from ...engine.cli.main import note_nonfinite
    from ...engine.cli.progress import Progress
    from ...engine.files.atomic import write_bytes
    from ..render import RenderJob, open_job_sound
    from .analysis import film_curves

    _check(args)
    part = {"start": args.start, "duration": args.duration, "loop": args.loop, "pre_roll": args.pre_roll}
    job = RenderJob(args.sound, args.out, args.world, args.fps, track=args.track, strict=args.strict, **part)
    with open_job_sound(job, None) as sound, Progress("curves") as progress:
        curves = film_curves(job, sound, args.label, progress)
    write_bytes(args.out, _content(job, sound, curves), new=not args.overwrite)
    if sound.had_nonfinite:
        note_nonfinite(args.sound)
    sys.stdout.write(f"{one_line(args.out)}: {counted(curves)}\n")
    return 0


def counted(curves: SoundCurves) -> str:
    """How much is in the curves, in words."""
    heard = ", ".join(dict.fromkeys(curves.changes.values()))
    return f"{curves.frames} frames, {len(curves.onsets)} onsets, {len(curves.beats)} beats; {heard}"


def _check(args: argparse.Namespace) -> None:
    from ...engine.take.reader import is_take
    from ..output_path import check_place

    if args.out.suffix.lower() not in SUFFIXES:
        raise OutputError(f"Cannot tell what to write into {one_line(args.out)}", f"Name it {', '.join(SUFFIXES)}.")
    if any(not label.strip() for label in args.label):
        raise ValueRefused("--label is empty", "Give a text, such as --label 'a passing train'.")
    if is_take(args.sound):
        raise ValueRefused(f"{one_line(args.sound)} is a take", "Give its sound: the file audio.wav in it.")
    if os.path.lexists(args.out) and not args.overwrite:
        raise OutputError(
            f"{one_line(args.out)} is there already", "Choose another OUT, or replace it with --overwrite."
        )
    check_place(args.out, args.sound, sequence=False)


def _content(job: RenderJob, sound: Sound, curves: SoundCurves) -> bytes:
    from ...engine.files.fingerprint import sha256
    from .keyframes import as_after_effects, as_blender
    from .tables import as_csv, as_json

    name = one_line(job.sound.name)
    about: dict[str, Any] = {"sound": name, "sound_sha256": sha256(sound.path), "start": job.start, "world": job.world}
    match job.out.suffix.lower():
        case ".csv":
            return as_csv(curves)
        case ".json":
            return as_json(curves, about)
        case ".jsx":
            return as_after_effects(curves, about, f"sonorama {name}")
        case _:
            return as_blender(curves, about, f"sonorama {name}")
