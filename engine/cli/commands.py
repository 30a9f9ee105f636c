"""The commands `hear`, `worlds` and `parameters`. Heavy modules are imported only when a command runs."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import SonoramaError, one_line
from ..units import DEFAULT_WORLD
from .sound_options import add_sound_options

if TYPE_CHECKING:
    from ..audio.audio_file import Sound
    from ..model.card import Card
    from ..model.world_file import World
    from ..pipeline.window_scores import WindowScores
    from .main import Commands


def add_hear(commands: Commands) -> None:
    """Add `sonorama hear`, which classifies sounds with a world's sound embedding."""
    parser = commands.add_parser("hear", help="classify sounds over time", allow_abbrev=False)
    parser.add_argument("sounds", nargs="+", metavar="SOUND", help="an audio or video file")
    parser.add_argument(
        "--label", action="append", default=[], type=_label, metavar="TEXT", help="add a class by a text (repeatable)"
    )
    parser.add_argument("--world", default=DEFAULT_WORLD, metavar="NAME|PATH", help="default: %(default)s")
    add_sound_options(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object per file and line")
    parser.set_defaults(run=run_hear)


def _label(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("the label is empty")
    return text


def run_hear(args: argparse.Namespace) -> int:
    """Classify all files; one that cannot be read is reported, and the others are still classified."""
    from ..audio.audio_file import open_sound
    from .main import note_nonfinite, report

    write = _write_json if args.json else _write_rows
    code, world = 0, None
    for name in args.sounds:
        try:
            sound = open_sound(name, args.track, strict=args.strict)
        except SonoramaError as error:
            code = report(error)
            continue
        with sound:
            world = world or _load(args.world)  # after opening the sound, so that a wrong file name is reported at once
            write(name, _classify(world, sound, args.label))
            if sound.had_nonfinite:
                note_nonfinite(name)
        sys.stdout.flush()
    return code


def _load(name: str) -> World:
    from ..model.world_file import load_world

    return load_world(name)


def _classify(world: World, sound: Sound, labels: Sequence[str]) -> list[WindowScores]:
    from ..pipeline.classify import classify
    from .progress import Progress

    windows, seconds = [], math.ceil(sound.duration)
    with Progress(f"hear {one_line(sound.path.name)}") as progress:
        for window in classify(world, sound.mono(), labels):
            windows.append(window)
            progress(min(seconds, round(window.end)), seconds)
    return windows


def mean_scores(windows: Sequence[WindowScores]) -> dict[str, float]:
    """Mean score of every class and name over the windows of one sound."""
    names = dict.fromkeys(name for w in windows for name in w.scores)
    return {name: sum(w.scores.get(name, 0.0) for w in windows) / len(windows) for name in names}


def _write_json(name: str, windows: Sequence[WindowScores]) -> None:
    import json
    from dataclasses import asdict

    line = {"file": name, "scores": mean_scores(windows), "windows": [asdict(w) for w in windows]}
    sys.stdout.write(json.dumps(line) + "\n")


def _write_rows(name: str, windows: Sequence[WindowScores]) -> None:
    sys.stdout.write(f"{one_line(name)}\n")
    for window in _one_a_second(windows):
        sys.stdout.write(f"  {window.end:7.1f} s  {_top(window.scores)}\n")
    sys.stdout.write(f"       mean  {_top(mean_scores(windows))}\n")


def _one_a_second(windows: Sequence[WindowScores]) -> Iterator[WindowScores]:
    due = 0.0
    for window in windows:
        if window.end >= due:
            yield window
            due = window.end + 1.0


def _top(scores: Mapping[str, float], count: int = 3) -> str:
    """The highest scores. Silence has the same score for every class."""
    if len(scores) > 1 and math.isclose(max(scores.values()), min(scores.values())):
        return "no sound"
    best = sorted(scores.items(), key=lambda item: -item[1])[:count]
    return "   ".join(f"{name} {score:.2f}" for name, score in best)


def add_worlds(commands: Commands) -> None:
    """Add `sonorama worlds`, which lists the installed worlds."""
    parser = commands.add_parser("worlds", help="list the installed worlds", allow_abbrev=False)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON array of their cards")
    form.add_argument("--credits", action="store_true", help="licence and credits of each, as Markdown")
    parser.add_argument("--prepare", action="store_true",
        help="write the networks' graphs to the cache now, for a faster first start")  # fmt: skip
    parser.set_defaults(run=run_worlds)


def credits_of(card: Card) -> str:
    """Licence and credits of a world, as Markdown."""
    lines = "".join(f"* {' '.join(line.split())}\n" for line in card.credits)
    return f"## {card.name}, version {card.version}\n\nLicence: {card.licence}. Trained on:\n\n{lines}"


def run_worlds(args: argparse.Namespace) -> int:
    """List the worlds that `--world` accepts by name."""
    import json

    from ..model.seen_classes import advice
    from ..model.world_file import list_worlds

    cards = list_worlds()
    if args.prepare:
        _prepare([card.path for card in cards])
    if args.json:
        sys.stdout.write(json.dumps([card.to_json() | {"path": card.path} for card in cards]) + "\n")
        return 0
    if args.credits:
        sys.stdout.write("\n".join(credits_of(card) for card in cards))
        return 0
    for card in cards:
        sys.stdout.write(f"{card.name} {card.version}  {card.width}x{card.height} px, {card.licence}\n")
        sys.stdout.write(f"  {card.description}\n")
        if told := advice(card):
            sys.stdout.write(f"  {told}\n")
        sys.stdout.write(f"  {card.path}\n")
    return 0


def _prepare(paths: Iterable[str]) -> None:
    """Open each world with the settings of films and of shows, which writes their graphs to the cache."""
    from ..inference.backend import PAINTERS, open_backend, threads_of_one
    from ..model.world_file import load_world

    for path in paths:
        world = load_world(path)
        for threads, painters in ((1, PAINTERS), (threads_of_one(), 1)):
            open_backend(world, "auto", threads, painters)


def add_parameters(commands: Commands) -> None:
    """Add `sonorama parameters`, which lists the parameters for `--set`."""
    parser = commands.add_parser("parameters", help="list all parameters and their ranges", allow_abbrev=False)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON array")
    form.add_argument("--markdown", action="store_true", help="the page docs/parameters.md")
    form.add_argument("--osc", action="store_true", help="the page docs/osc.md: every address of a show")
    parser.set_defaults(run=run_parameters)


def run_parameters(args: argparse.Namespace) -> int:
    """Write the list in the format asked for."""
    from . import osc_page, reference_pages

    if args.osc:
        sys.stdout.write(osc_page.as_markdown())
        return 0
    if args.json:
        page = reference_pages.as_json()
    else:
        page = reference_pages.as_markdown() if args.markdown else reference_pages.as_text()
    sys.stdout.write(page)
    return 0
