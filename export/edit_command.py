"""`sonorama edit`: a photo or video becomes a film that follows a sound (secs. 4.3 and 4.5 of the paper)."""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.cli.arguments import parse_out
from ..engine.control.addresses import LOOK_CODE, LOOK_SWAY, LOOK_TRAVEL
from ..engine.errors import OutputError, ValueRefused, needing_extra, one_line
from ..engine.units import DEFAULT_WORLD
from .commands import add_film, add_out, add_set, job_of, parse_at, parse_steps, run_job

if TYPE_CHECKING:
    import numpy as np

    from ..engine.cli.main import Commands
    from ..engine.editing.photo_code import Inverted
    from .render import RenderJob

LOSSES = ("l2", "perceptual", "clip")


def add_edit(commands: Commands) -> None:
    """`sonorama edit PHOTO|VIDEO --sound S -o OUT`."""
    parser = commands.add_parser("edit", help="make a photo or video follow a sound", allow_abbrev=False)
    parser.add_argument("picture", metavar="PHOTO|VIDEO", type=Path, help="what the film starts from")
    parser.add_argument("--sound", type=Path, metavar="S", help="any audio or video file; default: the video's own")
    add_out(parser)
    parser.add_argument("--at", type=parse_at, metavar="S", help="one picture at this second, into an OUT.png")
    _add_inversion(parser)
    look = parser.add_argument_group("what it looks like")
    look.add_argument("--world", metavar="NAME|PATH", help=f"default: {DEFAULT_WORLD}")
    add_set(look)
    add_film(parser)
    parser.set_defaults(run=run_edit, seed=None, text=None, code=None)


def _add_inversion(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how the picture is inverted")
    group.add_argument("--steps", type=parse_steps, default=200, metavar="N", help="of Adam; default: %(default)s")
    more = "for each further frame of a video; default: %(default)s"
    group.add_argument("--following", type=parse_steps, default=20, metavar="N", help=more)
    group.add_argument(
        "--loss", choices=LOSSES, default="perceptual", help="terms: L2; + perceptual; + CLIP; default: %(default)s"
    )
    sides = (32, 64, 128, 256, 512, 1024)
    group.add_argument("--side", type=int, choices=sides, default=128, help="height compared, px; default: %(default)s")
    group.add_argument("--encoder-only", action="store_true", help="do not optimise: faster, less alike")
    group.add_argument("--show-inversion", type=parse_out, metavar="FILE.png", help="the picture and its inversion")
    group.add_argument("--save-code", type=parse_out, metavar="FILE", help="keep the code for render and live --code")


def run_edit(args: argparse.Namespace) -> int:
    """Invert, print the figures, render."""
    from ..engine.control.assignments import parse
    from .commands import start_values

    values = start_values(args)
    told = {parse(text).path for text in args.assignments}
    values |= {path: 0.0 for path in (LOOK_TRAVEL, LOOK_SWAY) if path not in told}  # the film stays with the picture
    for path in (args.show_inversion, args.save_code):
        _check_new(path)
    with needing_extra():
        from ..engine.editing.picture_file import is_video
    video = is_video(args.picture)
    if video and args.pre_roll is None:
        args.pre_roll = 0.0  # the video begins with the film
    job = job_of(args, _sound(args, video), values)
    frames = _check(args, job)
    made = _inverted(args, job, frames if video and args.at is None else 0)
    if args.show_inversion is not None:
        from ..engine.picture.contact_sheet import write_png

        write_png(args.show_inversion, _side_by_side(made))
    values[LOOK_CODE] = _remembered(args, made)
    told = {"code": made.code.name, "encoder": asdict(made.encoder), "optimised": asdict(made.optimised)}
    if args.at is None:
        return run_job(args, job.sound, values, told)
    _write_picture(replace(job, values=values), args.at)
    sys.stdout.write(f"{one_line(job.out)}: the picture at {args.at:g} s\n")
    return 0


def _sound(args: argparse.Namespace, video: bool) -> Path:
    if args.sound is None and not video:
        raise ValueRefused(f"{one_line(args.picture)} is a photo and has no sound", "Give one with --sound.")
    return args.sound or args.picture


def _check(args: argparse.Namespace, job: RenderJob) -> int:
    """Refuse before the inversion, which takes long, what would be refused after it; how many frames the film has."""
    from ..engine.audio.audio_file import open_sound
    from ..engine.take.reader import is_take
    from .provenance import check_signing
    from .render import check_job, count_frames

    if is_take(job.sound):
        raise ValueRefused(f"{one_line(job.sound)} is a take", "Give its sound: the file audio.wav in it.")
    one_picture = job.out.suffix.lower() == ".png" and not job.to_stdout
    if (args.at is not None) != one_picture:
        raise ValueRefused("--at and an OUT.png belong together", "Give both for one picture, or neither for a film.")
    if one_picture:
        _check_new(None if args.overwrite else job.out)
        check_signing(job.sign, job.key, ".png")
    else:
        check_job(job)
    with open_sound(job.sound, job.track, strict=job.strict) as sound:
        frames = count_frames(sound, job)
    if args.at is not None and math.floor(args.at * job.rate) >= frames:
        end = float(frames / job.rate)
        raise ValueRefused(f"--at {args.at:g} is after the end of the sound", f"Use less than {end:g} seconds.")
    return frames


def _check_new(path: Path | None) -> None:
    if path is not None and path.exists():
        raise OutputError(f"{one_line(path)} is there already", "Choose another name, or move it away.")


def _inverted(args: argparse.Namespace, job: RenderJob, frames: int) -> Inverted:
    """The code of the photo; with `frames`, of so many frames of the video at most."""
    from ..engine.cli.progress import Progress
    from ..engine.editing.inversion import InversionPlan, Inverter
    from ..engine.editing.photo_code import invert_pictures
    from ..engine.editing.picture_file import read_photo, read_video
    from ..engine.model.world_file import load_world

    steps = 0 if args.encoder_only else args.steps
    plan = InversionPlan(loss=args.loss, steps=steps, following=args.following, side=args.side)
    inverter = Inverter(load_world(args.world or DEFAULT_WORLD), plan)
    if frames:
        pictures = islice(read_video(args.picture, inverter.size, job.rate, job.start), frames)
    else:
        pictures = iter([read_photo(args.picture, inverter.size)])
    with Progress("invert") as progress:
        made = invert_pictures(inverter, pictures, args.picture, job.rate, max(1, frames), progress)
    sys.stderr.write(f"Encoder:   {made.encoder}\n")
    if steps:
        sys.stderr.write(f"Optimised: {made.optimised}\n")
    return made


def _remembered(args: argparse.Namespace, made: Inverted) -> str:
    from ..engine.model.base_code import remember_code, save_code

    if args.save_code is not None:
        save_code(made.code, args.save_code)
    return remember_code(made.code)


def _write_picture(job: RenderJob, seconds: float) -> None:
    """The frame of a film at a time, as a PNG of the world's size."""
    from ..engine.audio.audio_file import open_sound
    from ..engine.files.atomic import write_bytes
    from ..engine.picture.contact_sheet import eight_bits, png
    from .facts import claim_of
    from .provenance import Signing, check_signing
    from .render import painting

    signer = check_signing(job.sign, job.key, ".png")
    frames = math.floor(seconds * job.rate) + 1
    with open_sound(job.sound, job.track, strict=job.strict) as sound:
        played, paint = painting(job, sound, frames)
        *_, last = paint(range(frames - 1))
    if last is not None:
        data = png(eight_bits(last))
        signed = data if signer is None else Signing(signer, claim_of(job, played)).picture(data, ".png")
        write_bytes(job.out, signed)


def _side_by_side(made: Inverted) -> np.ndarray:
    from ..engine.picture.contact_sheet import contact_sheet

    return contact_sheet([((x + 1) / 2).permute(1, 2, 0).numpy() for x in (made.before, made.after)], 2)
