"""Which device, and which of its channels: `NAME#3,4`."""

from __future__ import annotations

import re

from ...engine.errors import SonoramaError


def split_channels(argument: str) -> tuple[str, tuple[int, ...]]:
    """`NAME#3,4` -> ("NAME", (2, 3)): the name, and the channels counted from 0; no `#` means the first two.

    Raises:
        SonoramaError: channels that are no numbers from 1 to 256, or none.

    """
    name, mark, chosen = argument.partition("#")
    if not mark:
        return name, ()
    numbers = [int(text) for text in chosen.split(",") if re.fullmatch(r"[0-9]{1,3}", text)]
    if len(numbers) != chosen.count(",") + 1 or not all(1 <= number <= 256 for number in numbers):
        raise SonoramaError(f"{chosen!r} names no channels", "Count from 1, such as device:NAME#3,4")
    return name, tuple(number - 1 for number in numbers)


def check_channels(picked: tuple[int, ...], there: int, device: str) -> tuple[int, ...]:
    """The channels to use, at most the first two if none were picked.

    Raises:
        SonoramaError: the device has no inputs, or not that many.

    """
    if there < 1:
        raise SonoramaError(f"{device} has no inputs", "Choose another device.")
    if picked and max(picked) >= there:
        raise SonoramaError(f"{device} has no channel {max(picked) + 1}", f"It has channels 1 to {there}.")
    return picked or tuple(range(min(2, there)))
