"""Options that say how a sound file is read; several commands have them."""

from __future__ import annotations

import argparse


def add_sound_options(group: argparse._ActionsContainer) -> None:
    """`--track` and `--strict`."""
    group.add_argument(
        "--track",
        metavar="N|LANGUAGE",
        help="sound track: 1 is the first, or a language such as eng; default: the main one",
    )
    group.add_argument(
        "--strict", action="store_true", help="refuse a sound that is cut off or damaged; default: play what is there"
    )
