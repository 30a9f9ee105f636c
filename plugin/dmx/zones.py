"""The colours of a picture's zones, as DMX levels for lamps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sonorama.engine.units import Pixels

from .levels import CHANNELS

COLOURS = 3
"""Channels of a lamp: red, green and blue."""
MOST = 1360
"""Zones at most: eight universes."""
_SAMPLES = 16
"""Pixels along each side of a zone that are averaged; further ones make no difference to be seen."""


@dataclass(frozen=True, slots=True)
class Zones:
    """A grid over the picture.

    Attributes:
        columns, rows: of the grid.

    """

    columns: int
    rows: int

    @property
    def count(self) -> int:
        """How many there are."""
        return self.columns * self.rows

    def colours(self, pixels: Pixels) -> bytes:
        """The mean red, green and blue (0 to 255, sRGB) of each zone, row by row from the top left.

        Args:
            pixels: [H,W,4].

        """
        rows, columns = (
            ((np.arange(count * _SAMPLES) + 0.5) * size / (count * _SAMPLES)).astype(int)
            for count, size in zip((self.rows, self.columns), pixels.shape[:2], strict=True)
        )
        samples = pixels[rows][:, columns, :COLOURS].reshape(self.rows, _SAMPLES, self.columns, _SAMPLES, COLOURS)
        return np.rint(samples.mean((1, 3), dtype=np.float32)).astype(np.uint8).tobytes()


def universes(colours: bytes, start: int) -> Iterator[bytes]:
    """The levels of one universe after the other, CHANNELS each; a lamp lies in one universe whole.

    Args:
        colours: levels of the lamps.
        start: channel of the first lamp; in further universes it is 1.

    """
    while colours:
        room = (CHANNELS - start + 1) // COLOURS * COLOURS
        yield (bytes(start - 1) + colours[:room]).ljust(CHANNELS, b"\0")
        colours, start = colours[room:], 1
