"""The options --timeline and --markers, and what makes the films of a command that has them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ...engine.errors import ValueRefused, missing_extra
from ..curves.markers import MARKER_KINDS

if TYPE_CHECKING:
    from ..render import Progress, RenderJob, RenderReport

_FORMS = ("otio", "edl", "xml", "mlt")
_PACKAGES = ("opentimelineio", "otio_cmx3600_adapter", "otio_fcp_adapter")  # of all forms but mlt


def add_timeline(parser: argparse.ArgumentParser) -> None:
    """The options of timelines beside a film."""
    group = parser.add_argument_group("timelines beside the film, for editing programs")
    group.add_argument(
        "--timeline", type=_parse_forms, default=(), metavar="otio,edl,xml,mlt",
        help="OpenTimelineIO, CMX 3600, Final Cut Pro 7 (Premiere, Resolve), MLT (Shotcut); default: none",
    )  # fmt: skip
    group.add_argument(
        "--markers", type=_parse_markers, default=MARKER_KINDS, metavar="changes,beats,onsets",
        help="what they mark: changes of what is heard, beats, onsets, or none; default: all three",
    )  # fmt: skip


def _parse_forms(text: str) -> tuple[str, ...]:
    return _listed("--timeline", text.replace(".", ""), _FORMS)


def _parse_markers(text: str) -> tuple[str, ...]:
    return () if text == "none" else _listed("--markers", text, MARKER_KINDS)


def _listed(option: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    asked = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",")))
    for part in asked:
        if part not in known:
            raise ValueRefused(f"{option} {text}: there is no {part or 'empty one'}", f"Use {', '.join(known)}.")
    return asked


def film_maker(args: argparse.Namespace) -> Callable[[RenderJob, Progress], RenderReport]:
    """`render`, or with --timeline what also writes the timelines.

    Raises:
        MissingExtra: a package for that is not installed.

    """
    from ..render import render

    forms = getattr(args, "timeline", ())
    if not forms:
        return render
    for package in _PACKAGES if {*forms} - {"mlt"} else ():
        if find_spec(package) is None:
            raise missing_extra(package)
    from .beside import Timelines

    return Timelines(forms, args.markers).make
