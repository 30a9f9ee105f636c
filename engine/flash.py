"""The guard for photosensitive eyes: at most three flashes in any one second (WCAG 2.3.1, ITU-R BT.1702).

A general flash is a pair of opposing changes of relative luminance by 10 % of white or more, the darker side below
80 %; a red flash is the same of saturated red. It counts where it covers a quarter of the picture. The guard looks at
the mean light of a grid of cells and counts changes of two kinds, each for luminance and for red: those of every cell
alone, and those that a part of the picture makes at about the same time. A picture with which a fourth flash would
be complete is not let through as it is: the picture before moves towards it only as far as no such change comes about.
All limits are a little stricter than the rules, so that others who measure with other grids agree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .blend import ONE, weighted
from .ports import Pixels
from .scale import scaler

Cells = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

CELLS = 32
"""Cells along each side, whatever the picture's shape."""
AREA = 0.2
"""Part of the picture that may flash as it likes (rule: a quarter)."""
PERIOD = 1.05
"""Seconds in which the flashes are counted (rule: 1)."""
ALLOWED = 7
"""Opposing changes in them: three pairs and one that opens the next."""
LIGHT, RED = 0.08, 0.05
"""Least change that counts, of luminance and of R - G - B (rules: 0.1 and 20/320)."""
BRIGHT = 0.8
"""Luminance from which on changes among bright pictures do not count."""
SATURATED = 0.8
"""Part of red in R + G + B from which on it is saturated."""
TOGETHER = 0.03
"""Seconds within which changes of different cells are one change of the picture: with the frame itself, 1/24 s."""
_DOTS = 4
"""Pixels looked at along each side of a cell."""
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def _linear_table() -> npt.NDArray[np.float32]:
    """float32 [256]: level of sRGB -> linear light 0..1 (IEC 61966-2-1)."""
    coded = np.arange(256) / 255
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear_table()


class _Changes:
    """Opposing changes of one quantity: of every cell alone, and of a large part of the picture together."""

    def __init__(self, least: float) -> None:
        cells = CELLS * CELLS
        self._least = np.float32(least)
        self._low, self._high = np.full(cells, np.inf, np.float32), np.full(cells, -np.inf, np.float32)
        self._low_counts, self._high_counts = np.zeros(cells, bool), np.zeros(cells, bool)
        self._way = np.zeros(cells, np.int8)
        self._times = np.full((ALLOWED, cells), -np.inf)
        self._too_many = np.full(cells, -np.inf)
        self._fresh = {1: np.full(cells, -np.inf), -1: np.full(cells, -np.inf)}
        self._whole_times, self._whole_way = [-np.inf] * ALLOWED, 0

    def turns(self, values: Cells, counts: Mask) -> dict[int, Mask]:
        """Which cells complete a change up (1) and down (-1) with these values. counts: sides that make it matter."""
        up = (self._way <= 0) & (values - self._low >= self._least) & (self._low_counts | counts)
        down = (self._way >= 0) & (self._high - values >= self._least) & (self._high_counts | counts)
        return {1: up, -1: down & ~up}

    def allowed(self, turns: dict[int, Mask], now: float) -> bool:
        """Whether these changes leave both counts within the limit."""
        over = self._over(turns, now)
        if over.any() and np.mean(over | (now - self._too_many < PERIOD)) > AREA:
            return False
        whole = self._whole(turns, now)
        return not whole or now - self._whole_times[len(whole) - 1] >= PERIOD

    def accept(self, values: Cells, counts: Mask, turns: dict[int, Mask], now: float) -> None:
        """Take them as what was shown."""
        self._too_many[self._over(turns, now)] = now
        for way in self._whole(turns, now):
            self._whole_times, self._whole_way = [*self._whole_times[1:], now], way
        for way, turned in turns.items():
            self._fresh[way][turned] = now
            if self._share(way, turns, now) > AREA:
                self._fresh[way][:] = -np.inf
            self._way[turned] = way
        turned = turns[1] | turns[-1]
        self._times[:-1, turned] = self._times[1:, turned]
        self._times[-1, turned] = now
        higher, lower = turned | (values > self._high), turned | (values < self._low)
        self._high[higher], self._high_counts[higher] = values[higher], counts[higher]
        self._low[lower], self._low_counts[lower] = values[lower], counts[lower]

    def _over(self, turns: dict[int, Mask], now: float) -> Mask:
        return (turns[1] | turns[-1]) & (now - self._times[0] < PERIOD)

    def _share(self, way: int, turns: dict[int, Mask], now: float) -> float:
        return float(np.mean(turns[way] | (now - self._fresh[way] < TOGETHER)))

    def _whole(self, turns: dict[int, Mask], now: float) -> list[int]:
        """The changes of the picture as a whole that come about: none, one, or both ways at once."""
        ways = (-self._whole_way or 1, self._whole_way or -1)
        large = [way for way in ways if turns[way].any() and self._share(way, turns, now) > AREA]
        return [] if large == [self._whole_way] else large


class _Look(NamedTuple):
    """What the cells of one picture hold. Each: the quantity, and where its changes count."""

    light: tuple[Cells, Mask]
    red: tuple[Cells, Mask]


def _look(dots: Pixels) -> _Look:
    """dots: uint8 [CELLS*_DOTS, CELLS*_DOTS, 4]."""
    linear = _LINEAR[dots[..., :3]].reshape(CELLS, _DOTS, CELLS * _DOTS, 3).sum(1)
    means = linear.reshape(CELLS * CELLS, _DOTS, 3).sum(1) / np.float32(_DOTS * _DOTS)
    red, green, blue = means.T
    light = means @ _LUMA
    total = red + green + blue
    saturated = (red >= SATURATED * total) & (total > 0)
    return _Look((light, light < BRIGHT), (np.maximum(red - green - blue, 0), saturated))


def _dots(pixels: Pixels) -> Pixels:
    """The pixels that are looked at, evenly spread: uint8 [CELLS*_DOTS, CELLS*_DOTS, 4], a copy."""
    places = (np.arange(CELLS * _DOTS) * 2 + 1) / (2 * CELLS * _DOTS)
    rows, columns = ((places * size).astype(np.intp) for size in pixels.shape[:2])
    words = pixels.view(np.uint32)[..., 0]
    return words[rows[:, None], columns][..., None].view(np.uint8)


class FlashGuard:
    """Lets pictures through as they are until a fourth flash within a second would be complete.

    Causal, and a function of the pictures and the times alone. Not for several threads at once.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._light, self._red = _Changes(LIGHT), _Changes(RED)
        self._shown: Pixels | None = None
        self._shown_dots: Pixels | None = None

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
        if self._shown is None or self._shown_dots is None:
            return self._show(pixels, dots)
        if self._allowed(dots):
            return self._show(pixels, dots)
        return self._held(pixels, dots)

    def observe(self, pixels: Pixels, dt: float) -> None:
        """Count what was shown past the guard, such as a blackout by hand."""
        self._now += dt
        if pixels is not self._shown:
            self._show(pixels, _dots(pixels))

    def _allowed(self, dots: Pixels) -> bool:
        pairs = zip((self._light, self._red), _look(dots), strict=True)
        return all(changes.allowed(changes.turns(*side), self._now) for changes, side in pairs)

    def _show(self, pixels: Pixels, dots: Pixels) -> Pixels:
        for changes, side in zip((self._light, self._red), _look(dots), strict=True):
            changes.accept(*side, changes.turns(*side), self._now)
        self._shown, self._shown_dots = pixels, dots
        return pixels

    def _held(self, pixels: Pixels, dots: Pixels) -> Pixels:
        """As far from the picture before towards this one as no change comes about: found by halving."""
        before = self._before(pixels)
        before_dots = _dots(before)
        weight, too_much = 0, ONE
        while too_much - weight > 1:
            middle = (weight + too_much) // 2
            if self._allowed(_between(before_dots, dots, middle)):
                weight = middle
            else:
                too_much = middle
        shown = _between(before, pixels, weight) if weight else before
        return self._show(shown, _dots(shown))

    def _before(self, pixels: Pixels) -> Pixels:
        """What was shown last, in the shape of `pixels`."""
        shown = pixels if self._shown is None else self._shown
        return scaler((shown.shape[1], shown.shape[0]), (pixels.shape[1], pixels.shape[0]))(shown)


def _between(before: Pixels, after: Pixels, weight: int) -> Pixels:
    return weighted([(before, ONE - weight), (after, weight)])
