"""The test pattern, which reveals swapped colours and flipped, stretched or missing frames."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np

from ..units import Pixels
from .blend import plain

Colour = tuple[int, int, int]

WHITE, YELLOW, CYAN, GREEN = (255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0)
MAGENTA, RED, BLUE, BLACK = (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)
BARS: tuple[tuple[str, Colour], ...] = (
    ("W", WHITE), ("Y", YELLOW), ("C", CYAN), ("G", GREEN), ("M", MAGENTA), ("R", RED), ("B", BLUE), ("K", BLACK),
)  # fmt: skip
"""The colour bars from left to right, each with its label."""
CORNERS: tuple[Colour, Colour, Colour, Colour] = (RED, GREEN, BLUE, YELLOW)
"""Colours of the corner marks: top left, top right, bottom left, bottom right."""
GROUND, LINES = 48, 72
BAR_TOP, BAR_BOTTOM, GREY_BOTTOM = 0.64, 0.79, 0.83
TRACK_TOP, TRACK_BOTTOM = 0.855, 0.895

# Glyphs of 5x7 dots: one byte for each row from the top, its five low bits from left to right.
_GLYPHS = {
    "0": "0e11131519110e", "1": "040c040404040e", "2": "0e11010204081f", "3": "1f02040201110e", "4": "02060a121f0202",
    "5": "1f101e0101110e", "6": "0608101e11110e", "7": "1f010204080808", "8": "0e11110e11110e", "9": "0e11110f01020c",
    ".": "00000000000c0c", "B": "1e11111e11111e", "C": "0e11101010110e", "G": "0e11101711110f", "K": "11121418141211",
    "M": "111b1515111111", "O": "0e11111111110e", "P": "1e11111e101010", "R": "1e11111e141211", "S": "0f10100e01011e",
    "T": "1f040404040404", "W": "1111111515150a", "Y": "11110a04040404", " ": "00000000000000",
}  # fmt: skip


LEAST_SIDE = 16
"""Pixels that a picture needs in both directions for its marks."""


class TestPattern:
    """Draws test patterns of one size.

    Args:
        width, height: size in pixels, at least LEAST_SIDE.

    Raises:
        ValueError: the size is too small.

    """

    __test__ = False  # pytest would collect a class of this name

    def __init__(self, width: int, height: int) -> None:
        if min(width, height) < LEAST_SIDE:
            raise ValueError(f"a test pattern of {width}x{height} is too small")
        self.width, self.height = width, height
        self._unit = max(1, min(width, height) // 64)
        self._ground = self._draw_ground()
        self._large = {letter: _glyph(letter, self._unit, WHITE, BLACK) for letter in "0123456789"}
        half = max(1, self._unit // 2)
        self._small = {letter: _glyph(letter, half, WHITE, BLACK) for letter in "0123456789. S"}

    def draw(self, frame: int, fps: Fraction | float) -> Pixels:
        """Draw frame number `frame` (from 0): a new uint8 [H,W,4] RGBA, row 0 at the top, alpha 255.

        The marker at the bottom moves from left to right once per second.
        """
        picture = self._ground.copy()
        seconds = float(frame / fps)
        self._write(picture, f"{frame:06d}", self._large, 0.36)
        self._write(picture, f"{seconds:.2f} S", self._small, 0.50)
        self._fill(picture, *self._bar(seconds % 1.0), WHITE)
        return picture

    def _bar(self, phase: float) -> tuple[float, float, float, float]:
        left = phase * (1 - 1 / 32)
        return left, TRACK_TOP, left + 1 / 32, TRACK_BOTTOM

    def _draw_ground(self) -> Pixels:
        picture = plain(self.width, self.height, GROUND)
        self._draw_grid(picture)
        self._draw_bars(picture)
        self._draw_arrow(picture)
        self._fill(picture, 0, TRACK_TOP, 1, TRACK_BOTTOM, BLACK)
        self._draw_corners(picture)
        return picture

    def _draw_grid(self, picture: Pixels) -> None:
        """Draw squares and a circle, which show a wrong aspect ratio."""
        line = max(1, self._unit // 4)
        for axis, size in ((0, self.height), (1, self.width)):
            offset = np.abs(np.arange(size) - size / 2 + 0.5) % (8 * self._unit)
            lines = offset < line
            picture[lines if axis == 0 else (slice(None), lines)] = (LINES, LINES, LINES, 255)
        y = np.arange(self.height)[:, None] - self.height / 2 + 0.5
        x = np.arange(self.width) - self.width / 2 + 0.5
        radius = np.hypot(y, x) / min(self.width, self.height)
        picture[(radius < 0.47) & (radius > 0.455 - 0.5 / min(self.width, self.height))] = (*WHITE, 255)

    def _draw_bars(self, picture: Pixels) -> None:
        for index, (letter, colour) in enumerate(BARS):
            left, right = 0.1 + 0.1 * index, 0.2 + 0.1 * index
            self._fill(picture, left, BAR_TOP, right, BAR_BOTTOM, colour)
            grey = round(255 * index / (len(BARS) - 1))
            self._fill(picture, left, BAR_BOTTOM, right, GREY_BOTTOM, (grey, grey, grey))
            dark = BLACK if sum(colour) > 255 or colour == GREEN else WHITE
            glyph = _glyph(letter, self._unit, dark, colour)
            self._paste(picture, glyph, (left + right) / 2, BAR_TOP + 0.003)

    def _draw_arrow(self, picture: Pixels) -> None:
        """Draw an arrow pointing up with the word TOP below it; its sides are equal in pixels."""
        short = min(self.width, self.height)
        y, x = np.arange(self.height)[:, None] / short, np.arange(self.width) / short
        off, top = np.abs(x + 0.5 / short - self.width / short / 2), 0.06 * self.height / short
        head = (y >= top) & (y < top + 0.1) & (off <= (y - top))
        shaft = (y >= top + 0.1) & (y < top + 0.15) & (off <= 0.03)
        picture[head | shaft] = (*WHITE, 255)
        letters = {letter: _glyph(letter, self._unit, WHITE, (GROUND, GROUND, GROUND)) for letter in "TOP"}
        self._write(picture, "TOP", letters, top * short / self.height + 0.17 * short / self.height)

    def _draw_corners(self, picture: Pixels) -> None:
        side = max(2, min(self.width, self.height) // 10)
        ends = slice(side), slice(-side, None)
        for corner, colour in zip(itertools.product(ends, ends), CORNERS, strict=True):
            picture[corner] = (*colour, 255)

    def _fill(self, picture: Pixels, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        """Fill a rectangle, whose edges are fractions of the width and height."""
        rows = slice(round(top * self.height), round(bottom * self.height))
        picture[rows, round(left * self.width) : round(right * self.width)] = (*colour, 255)

    def _write(self, picture: Pixels, text: str, glyphs: dict[str, Pixels], top: float) -> None:
        line = np.concatenate([glyphs[letter] for letter in text], axis=1)
        self._paste(picture, line, 0.5, top)

    def _paste(self, picture: Pixels, tile: Pixels, centre: float, top: float) -> None:
        left, row = round(centre * self.width) - tile.shape[1] // 2, round(top * self.height)
        cut = max(0, -left)
        target = picture[row : row + tile.shape[0], left + cut : left + tile.shape[1]]
        target[...] = tile[: target.shape[0], cut : cut + target.shape[1]]


def _glyph(letter: str, scale: int, colour: Colour, ground: Colour) -> Pixels:
    """Draw a letter: uint8 [9*scale, 7*scale, 4], 5x7 dots of `scale` pixels with a margin of one dot."""
    rows = bytes.fromhex(_GLYPHS[letter])
    dots = np.array([[row >> bit & 1 for bit in range(4, -1, -1)] for row in rows], bool)
    shades = np.array([(*ground, 255), (*colour, 255)], np.uint8)
    return shades[np.pad(dots, 1).astype(np.intp)].repeat(scale, 0).repeat(scale, 1)
