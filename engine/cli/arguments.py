"""What several commands read from their command line."""

from __future__ import annotations

from pathlib import Path

from ..errors import ValueRefused
from ..whole_numbers import whole_number

SMALLEST = 16


def parse_out(text: str) -> Path:
    """A file or folder to write, for options that cannot write to standard output.

    Raises:
        ValueRefused: `-`, by which other programs mean standard output; `./-` is a file of that name. An empty name.

    """
    if not text:
        raise ValueRefused("the name of a file or folder to write is empty", "Name one; . is the current folder.")
    if text == "-":
        raise ValueRefused("- stands for standard output, which this option cannot write to", "Name a file or folder.")
    return Path(text)


def parse_size(text: str, largest: int = 8192) -> tuple[int, int]:
    """`1920x1080` as (width, height) in pixels.

    Raises:
        ValueRefused: another form, or a side outside 16 to `largest`.

    """
    hint = f"Write width x height in pixels, such as 1920x1080; each {SMALLEST} to {largest}."
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueRefused(f"--size {text} is no picture size", hint)
    width, height = (whole_number(part, SMALLEST, largest) for part in parts)
    if width is None or height is None:
        raise ValueRefused(f"--size {text} is not possible", hint)
    return width, height
