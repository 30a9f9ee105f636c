"""`sonorama teach WORLD --sound a.wav --seed 12`: looks by example, as classes of a world of the user's."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sonorama.engine.cli.arguments import parse_out
from sonorama.engine.errors import ValueRefused, one_line
from sonorama.engine.whole_numbers import whole_number

from .command import parse_name

if TYPE_CHECKING:
    from sonorama.engine.cli.main import Commands
    from sonorama.engine.model.card import Card

    from .teach import Pair

SEEDS = 2**31 - 1
ALIKE = 0.5
"""Least mean score of a taught sound as itself."""


def add_teach(commands: Commands) -> None:
    """`sonorama teach`."""
    parser = commands.add_parser(
        "teach",
        help="name looks by example: sounds like these are to look like these seeds",
        description="Sounds like each --sound move the picture towards the --seed after it (docs/models.md).",
        allow_abbrev=False,
    )
    parser.add_argument("world", metavar="WORLD", help="name or path")
    parser.add_argument(
        "--sound", action="append", type=Path, required=True, metavar="FILE",
        help="repeatable; files of one name and seed make one class",
    )  # fmt: skip
    parser.add_argument("--seed", action="append", type=parse_seed, required=True, metavar="N", help="one a sound")
    parser.add_argument(
        "--name", type=parse_name, metavar="NAME", help="of a new world; default: WORLD itself, if it is yours"
    )
    parser.add_argument("-o", "--out", type=parse_out, metavar="FILE", help="default: NAME among your worlds")
    parser.set_defaults(run=run_teach)


def parse_seed(text: str) -> int:
    """A seed. Raises ValueRefused for what is none."""
    if (seed := whole_number(text, 0, SEEDS)) is None:
        raise ValueRefused(f"--seed {one_line(text)} is no seed", f"Use a whole number from 0 to {SEEDS}.")
    return seed


def run_teach(args: argparse.Namespace) -> int:
    """Teach, and say what was understood."""
    from sonorama.engine.inference.onnx_backend import open_sound_encoder
    from sonorama.engine.model.own_worlds import place_for
    from sonorama.engine.model.world_file import find_world, load_world, save_world
    from sonorama.engine.model.world_formats import loader_of

    from .teach import Pair, listen, taught

    if len(args.sound) != len(args.seed):
        what = f"There are {len(args.sound)} --sound and {len(args.seed)} --seed"
        raise ValueRefused(what, "Give one --seed after each --sound.")
    path = find_world(args.world)
    world = load_world(path)
    out = place_for(path, world.card, args.name, args.out)
    pairs: list[Pair] = [Pair(sound, seed) for sound, seed in zip(args.sound, args.seed, strict=True)]
    lessons = listen(pairs, open_sound_encoder(world))
    card, tensors = taught(world, loader_of(path).load(path).tensors, lessons)
    made = save_world(out, replace(card, name=args.name or card.name), tensors)
    _tell(made, {lesson.name for lesson in lessons})
    played = str(out) if args.out is not None else out.stem
    sys.stdout.write(f"{one_line(made.path)}\nPlay it: sonorama live --world {shlex.quote(played)}\n")
    return 0


def _tell(card: Card, new: set[str]) -> None:
    from sonorama.engine.control.render_table import MEANING_SLOTS

    for row in card.measures["taught"]["classes"]:
        if row["name"] in new:
            alike = "" if round(row["heard"], 2) >= ALIKE else ": too like another sound that this world knows"
            sys.stdout.write(f"{row['name']}: seed {row['seed']}, its own sound scores {row['heard']:.2f}{alike}\n")
    if len(card.classes) > MEANING_SLOTS:
        left = ", ".join(card.classes[MEANING_SLOTS:])
        sys.stdout.write(f"Without a row in the mixer, of which there are {MEANING_SLOTS}: {left}\n")
