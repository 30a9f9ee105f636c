"""Parses the argument of device sources: a device name and a selection of channels, `NAME#3,4`."""

from __future__ import annotations

import re

from ...engine.errors import SonoramaError


def split_channels(argument: str) -> tuple[str, tuple[int, ...]]:
    """Split `NAME#3,4` into the name and the channels counted from 0: ("NAME", (2, 3)); () without a `#`.

    Raises:
        SonoramaError: the channels are not numbers 1 to 256.

    """
    name, mark, chosen = argument.partition("#")
    if not mark:
        return name, ()
    numbers = [int(text) for text in chosen.split(",") if re.fullmatch(r"[0-9]{1,3}", text)]
    if len(numbers) != chosen.count(",") + 1 or not all(1 <= number <= 256 for number in numbers):
        raise SonoramaError(f"{chosen!r} is not a list of channels", "Count from 1, such as device:NAME#3,4")
    return name, tuple(number - 1 for number in numbers)


def check_channels(picked: tuple[int, ...], available: int, device: str) -> tuple[int, ...]:
    """The channels to use, from 0: those picked, or up to two if none were.

    Raises:
        SonoramaError: the device has no inputs, or not that many.

    """
    if available < 1:
        raise SonoramaError(f"{device} has no inputs", "Choose another device.")
    if picked and max(picked) >= available:
        raise SonoramaError(f"{device} has no channel {max(picked) + 1}", f"It has channels 1 to {available}.")
    return picked or tuple(range(min(2, available)))
