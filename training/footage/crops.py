"""Chooses the aspect of a data set and the part of each file that is kept."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ...engine.errors import ValueRefused
from .picture import Box, Picture

ASPECTS = ("9:16", "2:3", "3:4", "1:1", "4:3", "3:2", "16:9", "2:1")
"""What an aspect is chosen from, where none is given."""
_BLACK, _LIT = 24, 60  # levels: a black border is darker everywhere; a picture that shows one has light elsewhere
_SMALLEST_BORDER = 0.01
_POSITIONS = (0.5, 0.25, 0.75, 0.0, 1.0)
_CENTRE = 1.15  # how much more detail another part must have to be preferred to the centre


def parse_aspect(text: str) -> str:
    """`16:9`, checked and reduced. Raises ValueRefused."""
    parts = text.replace("x", ":").split(":")
    if len(parts) != 2 or not all(p.isascii() and p.isdigit() and 0 < int(p) < 10000 for p in parts):
        raise ValueRefused(f"--aspect {text} is no aspect", "Write width:height, such as 16:9 or 448:256.")
    width, height = int(parts[0]), int(parts[1])
    if not 1 / 4 <= width / height <= 4:
        raise ValueRefused(f"--aspect {text} is not possible", "Use 1:4 to 4:1.")
    common = math.gcd(width, height)
    return f"{width // common}:{height // common}"


def ratio(aspect: str) -> float:
    """Width / height of an aspect such as 16:9."""
    width, height = aspect.split(":")
    return int(width) / int(height)


def nearest_aspect(shown: tuple[int, int]) -> str:
    """The one of ASPECTS that a picture of (width, height) is nearest to."""
    return min(ASPECTS, key=lambda aspect: abs(math.log(ratio(aspect) * shown[1] / shown[0])))


def choose_aspect(shown: Sequence[tuple[int, int]]) -> str:
    """The aspect that most pictures of these sizes are nearest to; the wider one of two that are as common."""
    votes = Counter(nearest_aspect(size) for size in shown)
    return max(votes, key=lambda aspect: (votes[aspect], ratio(aspect)))


def without_borders(pictures: Sequence[Picture]) -> Box:
    """The part inside black borders that all pictures of a file have on two opposite sides alike."""
    brightest = np.max([picture.max(2) for picture in pictures], 0)
    if brightest.max() < _LIT:
        return Box()
    top, height = _inside(np.percentile(brightest, 98, axis=1))
    left, width = _inside(np.percentile(brightest, 98, axis=0))
    return Box(left, top, width, height)


def _inside(levels: np.ndarray) -> tuple[float, float]:
    """(begin, extent) of what lies between the borders of one axis; all of it where they are not alike."""
    lit = np.flatnonzero(levels >= _BLACK)
    if not len(lit):
        return 0.0, 1.0
    before, after = lit[0] / len(levels), 1 - (lit[-1] + 1) / len(levels)
    alike = abs(before - after) <= max(0.02, 1.5 / len(levels))
    if not alike or min(before, after) < _SMALLEST_BORDER or before + after > 0.8:
        return 0.0, 1.0  # a dark sky is no border
    return float(before), float(1 - before - after)


def choose_crop(shown: tuple[int, int], inside: Box, aspect: float, pictures: Sequence[Picture]) -> Box:
    """The largest part of an aspect within `inside`: in the middle, unless there is clearly more detail elsewhere.

    Args:
        shown: (width, height) of the upright picture.
        inside: what may be used of it.
        aspect: width / height of the result.
        pictures: samples of the whole upright picture, of one shape.

    """
    own = shown[0] * inside.width / (shown[1] * inside.height)
    width, height = inside.width * min(1.0, aspect / own), inside.height * min(1.0, own / aspect)
    at = max(
        _POSITIONS, key=lambda p: _detail(pictures, _placed(inside, width, height, p)) * (_CENTRE if p == 0.5 else 1)
    )
    return _placed(inside, width, height, at)


def _placed(inside: Box, width: float, height: float, at: float) -> Box:
    return Box(inside.left + (inside.width - width) * at, inside.top + (inside.height - height) * at, width, height)


def _detail(pictures: Sequence[Picture], box: Box) -> float:
    """Mean absolute difference of neighbouring pixels inside a box."""
    total = 0.0
    for picture in pictures:
        luma = cut(picture, box).mean(2)
        total += float(np.abs(np.diff(luma, axis=0)).mean() + np.abs(np.diff(luma, axis=1)).mean())
    return total


def cut(picture: Picture, box: Box) -> Picture:
    """The part of an upright picture inside a box, at least 2 x 2 pixels."""
    high, wide = picture.shape[:2]
    top, left = min(round(box.top * high), high - 2), min(round(box.left * wide), wide - 2)
    return picture[top : top + max(2, round(box.height * high)), left : left + max(2, round(box.width * wide))]


def crop_size(shown: tuple[int, int], box: Box, aspect: float, short_side: int) -> tuple[int, int]:
    """(width, height) of a crop at a short side of at most `short_side`, never enlarged, exactly of the aspect up to
    one pixel, so that all full crops of a data set have one shape.
    """
    short = min(short_side, int(min(shown[0] * box.width, shown[1] * box.height) + 0.5))
    return (round(short * aspect), short) if aspect >= 1 else (short, round(short / aspect))
