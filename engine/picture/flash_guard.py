"""Flash limiter for photosensitive viewers: at most three flashes in any second (WCAG 2.3.1, ITU-R BT.1702).

A general flash is a pair of opposing changes of relative luminance by at least 10 % of white, where the darker picture
is below 80 %; a red flash is such a pair of changes of saturated red. A flash counts if it covers a quarter of the
picture. The guard averages the picture over a grid of cells and counts changes in luminance and in red in two ways: in
every single cell, and of a large part of the picture at about the same time. A picture that would complete a fourth
flash is replaced by a blend of the previous picture and itself that is just below the threshold. All limits are
slightly stricter than the standards, so that measurements with other grids also pass.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..units import Array, Pixels
from .blend import ONE, weighted
from .scale import scaler

Mask = npt.NDArray[np.bool_]

CELLS = 32
"""Cells along each side of the grid, for any shape of picture."""
AREA = 0.22
"""Part of the picture in which flashes are not limited (standard: a quarter)."""
PERIOD = 1.05
"""Length in seconds of the window in which flashes are counted (standard: 1)."""
FLASHES = 3
"""Flashes allowed in the window."""
LIGHT, RED = 0.08, 0.05
"""Smallest change that counts, of luminance and of R - G - B (standards: 0.1 and 20/320)."""
SURELY = 1.5
"""Factor on the smallest change, above which any other measurement has counted the change too."""
BRIGHT = 0.8
"""Luminance above which changes do not count, unless the other picture is below it."""
SATURATED = 0.8
"""Share of red in R + G + B from which red is saturated."""
TOGETHER = 0.03
"""Seconds within which changes in different cells count as one change; with the duration of a frame, 1/24 s."""
DOTS = 8
"""Pixels sampled along each side of a cell."""
STEPS = 32
"""Number of blending weights between the previous picture and the one that is held back."""
THIN = slice(2, None, 4)
"""Subset of the sampled pixels used to search for the weight; the result is checked with all of them."""
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def _linear_table() -> Array:
    """float32 [256]: level of sRGB -> linear light 0..1 (IEC 61966-2-1)."""
    coded = np.arange(256) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear_table()


class _Turns(NamedTuple):
    """The effect of one picture: the cells in which an opposing change begins, and those in which one continues."""

    begun: dict[int, Mask]
    moving: dict[int, Mask]


class _Changes:
    """Counts opposing changes of one quantity, in every single cell and over a large part of the picture.

    A change counts from `least` on. Its time is the latest at which a measurement with a higher threshold or another
    grid may first detect it.
    """

    def __init__(self, least: float) -> None:
        cells = CELLS * CELLS
        self._least, self._surely = np.float32(least), np.float32(least * SURELY)
        # Range of each cell's last change: from low to high if it rose, from high to low if it fell.
        self._low, self._high = np.full(cells, np.inf, np.float32), np.full(cells, -np.inf, np.float32)
        self._low_counts, self._high_counts = np.zeros(cells, bool), np.zeros(cells, bool)
        self._way = np.zeros(cells, np.int8)
        self._times = np.full((2 * FLASHES + 2, cells), -np.inf)
        self._too_many = np.full(cells, -np.inf)
        self._moved = {1: np.full(cells, -np.inf), -1: np.full(cells, -np.inf)}
        self._whole = {1: [-np.inf] * (FLASHES + 1), -1: [-np.inf] * (FLASHES + 1)}

    def turns(self, values: Array, counts: Mask) -> _Turns:
        """The changes that `values` would make. A change counts if `counts` is true before or after it."""
        up = (self._way <= 0) & (values - self._low >= self._least) & (self._low_counts | counts)
        down = (self._way >= 0) & (self._high - values >= self._least) & (self._high_counts | counts)
        down &= ~up
        unsure = self._high - self._low < self._surely
        rising = up | unsure & (self._way == 1) & (values > self._high)
        falling = down | unsure & (self._way == -1) & (values < self._low)
        return _Turns({1: up, -1: down}, {1: rising, -1: falling})

    def allowed(self, turns: _Turns, now: float) -> bool:
        """Whether both counts stay within the limit if the picture is shown at `now`, in seconds."""
        over = self._over(turns, now)
        if over.any() and np.mean(over | (now - self._too_many < PERIOD)) > AREA:
            return False
        new = self._new_whole(turns, now)
        fourth = [times[-FLASHES if way in new else 0] for way, times in self._whole.items()]
        return not new or now - min(fourth) >= PERIOD

    def accept(self, values: Array, counts: Mask, turns: _Turns, now: float) -> None:
        """Record the picture as shown at `now`."""
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

    def _follow(self, values: Array, counts: Mask, turns: _Turns) -> None:
        up, down = turns.begun[1], turns.begun[-1]
        self._way[up], self._way[down] = 1, -1
        higher = up | (self._way >= 0) & (values > self._high)
        lower = down | (self._way <= 0) & (values < self._low)
        self._high[higher], self._high_counts[higher] = values[higher], counts[higher]
        self._low[lower], self._low_counts[lower] = values[lower], counts[lower]

    def _over(self, turns: _Turns, now: float) -> Mask:
        """Cells with one flash too many; a change that begins now is not yet in the recorded times."""
        begun, moving = (masks[1] | masks[-1] for masks in turns)
        return moving & (now - np.where(begun, self._times[1], self._times[0]) < PERIOD)

    def _share(self, way: int, turns: _Turns, now: float) -> float:
        return float(np.mean(turns.moving[way] | (now - self._moved[way] < TOGETHER)))

    def _new_whole(self, turns: _Turns, now: float) -> list[int]:
        """Directions (1, -1) in which a large part of the picture changes now: opposed to its last change, or both."""
        large = [way for way in (1, -1) if turns.moving[way].any() and self._share(way, turns, now) > AREA]
        return [way for way in large if -way in large or self._whole[-way][-1] >= self._whole[way][-1]]


class _CellValues(NamedTuple):
    """Values of one picture's cells: for luminance and red, the value and the cells where its changes count."""

    light: tuple[Array, Mask]
    red: tuple[Array, Mask]


def _cell_values(dots: Pixels) -> _CellValues:
    """Average the sampled pixels `dots`, as returned by `_dots`, over each cell."""
    red, green, blue = (_LINEAR.take(dots[..., colour]).sum(0) / np.float32(len(dots)) for colour in range(3))
    light, total = _LUMA @ (red, green, blue), red + green + blue
    saturated = (red >= SATURATED * total) & (total > 0)
    return _CellValues((light, light < BRIGHT), (np.maximum(red - green - blue, 0), saturated))


@lru_cache(maxsize=4)
def _dot_indices(height: int, width: int) -> npt.NDArray[np.intp]:
    """Flat indices of the evenly spaced sampled pixels: int [DOTS*DOTS, CELLS*CELLS]."""
    parts = (np.arange(CELLS * DOTS) * 2 + 1) / (2 * CELLS * DOTS)
    rows, columns = (parts * height).astype(np.intp), (parts * width).astype(np.intp)
    square = (rows[:, None] * width + columns).reshape(CELLS, DOTS, CELLS, DOTS)
    return square.transpose(1, 3, 0, 2).reshape(DOTS * DOTS, CELLS * CELLS).copy()


def _dots(pixels: Pixels) -> Pixels:
    """The sampled pixels: uint8 [DOTS*DOTS, CELLS*CELLS, 4], a copy."""
    dots = pixels.view(np.uint32).reshape(-1).take(_dot_indices(*pixels.shape[:2]))
    return dots.view(np.uint8).reshape(*dots.shape, 4)


class FlashGuard:
    """Limits a sequence of pictures to three flashes per second; others pass unchanged.

    Causal and deterministic: the result depends only on the pictures and their times. Not thread-safe.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._light, self._red = _Changes(LIGHT), _Changes(RED)
        self._shown: Pixels | None = None

    def apply(self, pixels: Pixels, dt: float) -> Pixels:
        """Return the picture to show: `pixels` itself, the one shown before, or a blend of the two.

        Args:
            pixels: uint8 [H,W,4] RGBA, contiguous; not modified, and must not be modified later.
            dt: seconds since the previous picture, >= 0.

        """
        self._now += dt
        if pixels is self._shown:
            return pixels
        dots = _dots(pixels)
        values = _cell_values(dots)
        if self._shown is None or self._allowed(values):
            return self._show(pixels, values)
        return self._hold(self._shown, pixels, dots)

    def observe(self, pixels: Pixels, dt: float) -> None:
        """Count a picture that is shown whatever the guard says, such as a blackout."""
        self._now += dt
        if pixels is not self._shown:
            self._show(pixels, _cell_values(_dots(pixels)))

    def _allowed(self, values: _CellValues) -> bool:
        pairs = zip((self._light, self._red), values, strict=True)
        return all(changes.allowed(changes.turns(*side), self._now) for changes, side in pairs)

    def _show(self, pixels: Pixels, values: _CellValues) -> Pixels:
        for changes, side in zip((self._light, self._red), values, strict=True):
            changes.accept(*side, changes.turns(*side), self._now)
        self._shown = pixels
        return pixels

    def _hold(self, shown: Pixels, pixels: Pixels, dots: Pixels) -> Pixels:
        """Blend as far from the shown picture towards the new one as is allowed, and show the result."""
        before = scaler((shown.shape[1], shown.shape[0]), (pixels.shape[1], pixels.shape[0]))(shown)
        before_dots = _dots(before)
        step = self._farthest(before_dots[THIN], dots[THIN])
        values = _cell_values(_between(before_dots, dots, step))
        while step and not self._allowed(values):
            step -= 1
            values = _cell_values(_between(before_dots, dots, step))
        return self._show(_between(before, pixels, step) if step else before, values)

    def _farthest(self, before: Pixels, after: Pixels) -> int:
        """The largest allowed weight 0..STEPS-1, by bisection."""
        step, width = 0, STEPS // 2
        while width:
            if self._allowed(_cell_values(_between(before, after, step + width))):
                step += width
            width //= 2
        return step


def _between(before: Pixels, after: Pixels, step: int) -> Pixels:
    weight = step * ONE // STEPS
    return weighted([(before, ONE - weight), (after, weight)])
