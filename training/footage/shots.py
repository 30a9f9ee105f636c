"""Finds cuts in a stream of small pictures, by content, with a look at the pictures that follow."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from statistics import median
from typing import Generic, TypeVar

import numpy as np

from ...engine.units import Array
from .picture import Picture

T = TypeVar("T")

_AHEAD = 2
_RECENT = 12  # differences whose median is the usual one of a shot
_STRONG, _WEAK = 24.0, 12.0  # levels; below the weak one nothing is a cut
_FACTOR = 3.0
_ALIKE, _SAME = 0.7, 0.9  # correlation of two pictures of one place, at another moment and in another light


def thumb(picture: Picture) -> Array:
    """Means [9,16,3], in levels, of the blocks of a picture [H,W,3], H >= 9 and W >= 16."""
    high, wide = picture.shape[0] // 9, picture.shape[1] // 16
    blocks = picture[: 9 * high, : 16 * wide].reshape(9, high, 16, wide, 3)
    return blocks.mean((1, 3), dtype=np.float32)


def difference(a: Array, b: Array) -> float:
    """Mean absolute difference in levels."""
    return float(np.abs(a - b).mean())


def likeness(a: Array, b: Array) -> float:
    """Correlation of the brightness of two pictures, -1..1: changes of light leave it high."""
    x, y = a.mean(2).ravel(), b.mean(2).ravel()
    x, y = x - x.mean(), y - y.mean()
    return float((x @ y + 1e-3) / (np.sqrt((x @ x) * (y @ y)) + 1e-3))


@dataclass(frozen=True)
class InShot(Generic[T]):
    """One picture: the number of its shot, its time in seconds, and what belongs to it."""

    shot: int
    time: Fraction
    picture: Picture
    more: T


def _changed(before: Array, after: Array, usual: float) -> bool:
    d = difference(before, after)
    if d <= max(_WEAK, _FACTOR * usual):
        return False
    return likeness(before, after) < (_SAME if d > _STRONG else _ALIKE)


def in_shots(frames: Iterator[tuple[Fraction, Picture, T]]) -> Iterator[InShot[T]]:
    """Number the shots of a video.

    A cut is a change that is large for the shot, that is not of the light only, and that lasts: a picture later must
    differ from the one before, too. Lightning and flicker are no cuts. Dissolves are not found.

    Args:
        frames: (time in s, picture, anything) in order.

    """
    waiting: deque[tuple[Fraction, Picture, T, Array]] = deque()
    recent: deque[float] = deque(maxlen=_RECENT)
    shot, before = 0, None

    def leave() -> InShot[T]:
        nonlocal shot, before
        time, picture, more, small = waiting.popleft()
        if before is not None:
            usual = median(recent) if recent else 0.0
            later = waiting[-1][3] if waiting else small
            if _changed(before, small, usual) and _changed(before, later, usual):
                shot += 1
                recent.clear()
            else:
                recent.append(difference(before, small))
        before = small
        return InShot(shot, time, picture, more)

    for time, picture, more in frames:
        waiting.append((time, picture, more, thumb(picture)))
        if len(waiting) > _AHEAD:
            yield leave()
    while waiting:
        yield leave()
