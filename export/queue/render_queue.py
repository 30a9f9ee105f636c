"""`sonorama render A B C -o FOLDER/`: a film of each sound. The same command goes on where it was ended."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...engine.errors import OutputError, ValueRefused, one_line
from ..commands import job_of
from ..output_path import make_folder
from ..presets import PRESETS, check_size, choose
from ..render import DEFAULT_FPS, RenderJob
from ..timecode import timecode
from ..timelines.options import film_maker
from .film_rows import FilmRows

if TYPE_CHECKING:
    from ...engine.control.parameters import Value

DEFAULT_PRESET = "h264"


def run_queue(args: argparse.Namespace, values_of: Callable[[Path], Mapping[str, Value]]) -> int:
    """Make the films one by one; one that cannot be made does not stop the others.

    Raises:
        SonoramaError: options that suit no film, or two sounds for one film; before any work.

    """
    jobs = list_jobs(args, values_of)
    make = film_maker(args)
    make_folder(Path(args.out))
    with FilmRows(as_json=args.json, debug=getattr(args, "debug", False)) as rows:
        for job in jobs:
            rows.make(job, make)
    return rows.code


def list_jobs(args: argparse.Namespace, values_of: Callable[[Path], Mapping[str, Value]]) -> list[RenderJob]:
    """The job of each sound of a command line.

    Raises:
        OutputError: OUT is no folder, a preset that is not there, two sounds for one film.
        ValueRefused: see `check_options`.

    """
    if not args.out.endswith(("/", os.sep)):
        folder = "films" if args.out == "-" else one_line(args.out)
        hint = f"End it in a slash, for a film of each in this folder: -o {folder}/"
        raise OutputError(f"Several sounds do not go into one film, {one_line(args.out)}", hint)
    suffix = check_options(args)
    check_names(args.sounds)
    return [
        replace(job_of(args, sound, values_of(sound), clean=args.clean, as_played=args.as_played),
                out=film_of(sound, Path(args.out), suffix), preset=args.preset or DEFAULT_PRESET)
        for sound in args.sounds
    ]  # fmt: skip


def check_options(args: argparse.Namespace) -> str:
    """The suffix of the films ("" for folders of pictures), if nothing speaks against the options as such.

    Raises:
        OutputError: no such preset, a size that it cannot hold, a timecode that the rate does not have.

    """
    name = args.preset or DEFAULT_PRESET
    preset = PRESETS[name] if name in PRESETS else choose(name, Path("film.mp4"))
    suffix = "" if preset.sequence else preset.suffixes[0]
    choose(name, Path(f"film{suffix}"))
    if args.size is not None:
        check_size(preset, args.size)
    if args.timecode is not None:
        timecode(args.timecode, args.fps or DEFAULT_FPS)
    return suffix


def film_of(sound: Path, folder: Path, suffix: str) -> Path:
    """FOLDER/STEM and the suffix: `a/rain.v2.wav` -> `FOLDER/rain.v2.mp4`; of a take the name of its folder."""
    return folder / f"{_stem(sound)}{suffix}"


def _stem(sound: Path) -> str:
    sound = sound if sound.name not in ("", "..") else sound.resolve()
    return sound.name if sound.is_dir() else sound.stem


def check_names(sounds: Iterable[Path]) -> None:
    """Refuse two sounds whose films would have one name; upper and lower case are one on many disks.

    Raises:
        ValueRefused: there are two.

    """
    seen: dict[str, Path] = {}
    for sound in sounds:
        other = seen.setdefault(_stem(sound).casefold(), sound)
        if other is not sound:
            message = f"{one_line(other)} and {one_line(sound)} would make one film, {one_line(_stem(sound))}"
            raise ValueRefused(message, "Rename one of them, or render them into two folders.")
