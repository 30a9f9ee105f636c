"""The guard for photosensitive eyes: at most three flashes in any one second (WCAG 2.3.1, ITU-R BT.1702).

A general flash is a pair of opposing changes of relative luminance by 10 % of white or more, the darker side below
80 %; a red flash is the same of saturated red. It counts where it covers a quarter of the picture. The guard looks at
the mean light of a grid of cells and counts changes of two kinds, each for luminance and for red: those of every cell
alone, and those that a part of the picture makes at about the same time. A picture with which a fourth flash would
be complete is not let through as it is: the picture before moves towards it only as far as no such change comes about.
All limits are a little stricter than the rules, so that others who measure with other grids agree.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..plugins.interfaces import Pixels
from .blend import ONE, weighted
from .scale import scaler

Cells = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

CELLS = 32
"""Cells along each side, whatever the picture's shape."""
AREA = 0.22
"""Part of the picture that may flash as it likes (rule: a quarter)."""
PERIOD = 1.05
"""Seconds in which the flashes are counted (rule: 1)."""
FLASHES = 3
"""Allowed in it."""
LIGHT, RED = 0.08, 0.05
"""Least change that counts, of luminance and of R - G - B (rules: 0.1 and 20/320)."""
SURELY = 1.5
"""Times that change, from which on others surely have counted it."""
BRIGHT = 0.8
"""Luminance from which on changes among bright pictures do not count."""
SATURATED = 0.8
"""Part of red in R + G + B from which on it is saturated."""
TOGETHER = 0.03
"""Seconds within which changes of different cells are one change of the picture: with the frame itself, 1/24 s."""
DOTS = 8
"""Pixels looked at along each side of a cell."""
STEPS = 32
"""Weights tried between the picture before and the one that is held back."""
THIN = slice(2, None, 4)
"""The dots that suffice to look for the weight; all of them decide."""
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def _linear_table() -> npt.NDArray[np.float32]:
    """float32 [256]: level of sRGB -> linear light 0..1 (IEC 61966-2-1)."""
    coded = np.arange(256) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear_table()


class _Turns(NamedTuple):
    """What one picture does to the cells: which begin an opposing change, and which still complete one."""

    begun: dict[int, Mask]
    moving: dict[int, Mask]


class _Changes:
    """Opposing changes of one quantity: of every cell alone, and of a large part of the picture together.

    A change counts from `least` on, and its time is the last at which others, with a higher threshold or another grid,
    may first see it.
    """

    def __init__(self, least: float) -> None:
        cells = CELLS * CELLS
        self._least, self._surely = np.float32(least), np.float32(least * SURELY)
        # Where the last change of a cell began and how far it went: low to high on the way up, high to low down.
        self._low, self._high = np.full(cells, np.inf, np.float32), np.full(cells, -np.inf, np.float32)
        self._low_counts, self._high_counts = np.zeros(cells, bool), np.zeros(cells, bool)
        self._way = np.zeros(cells, np.int8)
        self._times = np.full((2 * FLASHES + 2, cells), -np.inf)
        self._too_many = np.full(cells, -np.inf)
        self._moved = {1: np.full(cells, -np.inf), -1: np.full(cells, -np.inf)}
        self._whole = {1: [-np.inf] * (FLASHES + 1), -1: [-np.inf] * (FLASHES + 1)}

    def turns(self, values: Cells, counts: Mask) -> _Turns:
        """What these values do. counts: the cells whose state makes a change from or to it count."""
        up = (self._way <= 0) & (values - self._low >= self._least) & (self._low_counts | counts)
        down = (self._way >= 0) & (self._high - values >= self._least) & (self._high_counts | counts)
        down &= ~up
        unsure = self._high - self._low < self._surely
        rising = up | unsure & (self._way == 1) & (values > self._high)
        falling = down | unsure & (self._way == -1) & (values < self._low)
        return _Turns({1: up, -1: down}, {1: rising, -1: falling})

    def allowed(self, turns: _Turns, now: float) -> bool:
        """Whether both counts stay within the limit."""
        over = self._over(turns, now)
        if over.any() and np.mean(over | (now - self._too_many < PERIOD)) > AREA:
            return False
        new = self._new_whole(turns, now)
        fourth = [times[-FLASHES if way in new else 0] for way, times in self._whole.items()]
        return not new or now - min(fourth) >= PERIOD

    def accept(self, values: Cells, counts: Mask, turns: _Turns, now: float) -> None:
        """Take them as what was shown."""
        self._too_many[self._over(turns, now)] = now
        for way in self._new_whole(turns, now):
            self._whole[way] = [*self._whole[way][1:], now]
        for way, moving in turns.moving.items():
            self._moved[way][moving] = now
            if self._share(way, turns, now) > AREA:
                self._moved[way][:] = -np.inf
        begun = turns.begun[1] | turns.begun[-1]
        self._times[:-1, begun] = self._times[1:, begun]
        self._times[-1, turns.moving[1] | turns.moving[-1]] = now
        self._follow(values, counts, turns)

    def _follow(self, values: Cells, counts: Mask, turns: _Turns) -> None:
        up, down = turns.begun[1], turns.begun[-1]
        self._way[up], self._way[down] = 1, -1
        higher = up | (self._way >= 0) & (values > self._high)
        lower = down | (self._way <= 0) & (values < self._low)
        self._high[higher], self._high_counts[higher] = values[higher], counts[higher]
        self._low[lower], self._low_counts[lower] = values[lower], counts[lower]

    def _over(self, turns: _Turns, now: float) -> Mask:
        """Cells with one flash too many: a change begun is one more than the times hold."""
        begun, moving = (masks[1] | masks[-1] for masks in turns)
        return moving & (now - np.where(begun, self._times[1], self._times[0]) < PERIOD)

    def _share(self, way: int, turns: _Turns, now: float) -> float:
        return float(np.mean(turns.moving[way] | (now - self._moved[way] < TOGETHER)))

    def _new_whole(self, turns: _Turns, now: float) -> list[int]:
        """The ways in which a large part of the picture changes now: opposing ones, or both at once."""
        large = [way for way in (1, -1) if turns.moving[way].any() and self._share(way, turns, now) > AREA]
        return [way for way in large if -way in large or self._whole[-way][-1] >= self._whole[way][-1]]


class _Look(NamedTuple):
    """What the cells of one picture hold. Each: the quantity, and where its changes count."""

    light: tuple[Cells, Mask]
    red: tuple[Cells, Mask]


def _look(dots: Pixels) -> _Look:
    """dots: as `_dots` gives them."""
    red, green, blue = (_LINEAR.take(dots[..., colour]).sum(0) / np.float32(len(dots)) for colour in range(3))
    light, total = _LUMA @ (red, green, blue), red + green + blue
    saturated = (red >= SATURATED * total) & (total > 0)
    return _Look((light, light < BRIGHT), (np.maximum(red - green - blue, 0), saturated))


@lru_cache(maxsize=4)
def _places(height: int, width: int) -> npt.NDArray[np.intp]:
    """Where in a flat picture the pixels are that are looked at, evenly spread: [DOTS*DOTS, CELLS*CELLS]."""
    parts = (np.arange(CELLS * DOTS) * 2 + 1) / (2 * CELLS * DOTS)
    rows, columns = (parts * height).astype(np.intp), (parts * width).astype(np.intp)
    square = (rows[:, None] * width + columns).reshape(CELLS, DOTS, CELLS, DOTS)
    return square.transpose(1, 3, 0, 2).reshape(DOTS * DOTS, CELLS * CELLS).copy()


def _dots(pixels: Pixels) -> Pixels:
    """The pixels that are looked at: uint8 [DOTS*DOTS, CELLS*CELLS, 4], a copy."""
    dots = pixels.view(np.uint32).reshape(-1).take(_places(*pixels.shape[:2]))
    return dots.view(np.uint8).reshape(*dots.shape, 4)


class FlashGuard:
    """Lets pictures through as they are until a fourth flash within a second would be complete.

    Causal, and a function of the pictures and the times alone. Not for several threads at once.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._light, self._red = _Changes(LIGHT), _Changes(RED)
        self._shown: Pixels | None = None

    def apply(self, pixels: Pixels, dt: float) -> Pixels:
        """The picture to show: `pixels` itself, the one shown before, or a new one between them.

        Args:
            pixels: uint8 [H,W,4] RGBA, contiguous; neither changed nor to be changed later.
            dt: seconds since the picture before, 0 or more.

        """
        self._now += dt
        if pixels is self._shown:
            return pixels
        dots = _dots(pixels)
        look = _look(dots)
        if self._shown is None or self._allowed(look):
            return self._show(pixels, look)
        return self._hold(self._shown, pixels, dots)

    def observe(self, pixels: Pixels, dt: float) -> None:
        """Count what was shown past the guard, such as a blackout by hand."""
        self._now += dt
        if pixels is not self._shown:
            self._show(pixels, _look(_dots(pixels)))

    def _allowed(self, look: _Look) -> bool:
        pairs = zip((self._light, self._red), look, strict=True)
        return all(changes.allowed(changes.turns(*side), self._now) for changes, side in pairs)

    def _show(self, pixels: Pixels, look: _Look) -> Pixels:
        for changes, side in zip((self._light, self._red), look, strict=True):
            changes.accept(*side, changes.turns(*side), self._now)
        self._shown = pixels
        return pixels

    def _hold(self, shown: Pixels, pixels: Pixels, dots: Pixels) -> Pixels:
        """As far from what is shown towards the next picture as no change comes about: found by halving."""
        before = scaler((shown.shape[1], shown.shape[0]), (pixels.shape[1], pixels.shape[0]))(shown)
        before_dots = _dots(before)
        step = self._farthest(before_dots[THIN], dots[THIN])
        look = _look(_between(before_dots, dots, step))
        while step and not self._allowed(look):
            step -= 1
            look = _look(_between(before_dots, dots, step))
        return self._show(_between(before, pixels, step) if step else before, look)

    def _farthest(self, before: Pixels, after: Pixels) -> int:
        step, width = 0, STEPS // 2
        while width:
            if self._allowed(_look(_between(before, after, step + width))):
                step += width
            width //= 2
        return step


def _between(before: Pixels, after: Pixels, step: int) -> Pixels:
    weight = step * ONE // STEPS
    return weighted([(before, ONE - weight), (after, weight)])
