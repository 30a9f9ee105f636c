"""The last hand on a picture before it leaves: freeze, slate, flip, brightness, flash guard, blackout.

It lives in the show, so all of it works while no renderer does. Every tick gives a whole picture: the newest one, a
kept one, or a dark grey slate, never black unless black was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..control.parameters import Value
from ..plugins.interfaces import Pixels
from .blend import HALF, ONE, plain, weighted
from .flash_guard import FlashGuard
from .scale import scaler

MASTER = "/out/master"
SLATE = 40
"""Level of the grey that is shown before the first picture and, if wanted, when nothing new comes."""
FADE_S = 2.0
"""How long the slate takes to arrive."""
BACK_S = 0.25
"""How long it takes to leave."""


def lifted(values: Mapping[str, Value], lift: float) -> Mapping[str, Value]:
    """The values with the master as a move wants it: times a factor, 1 at most."""
    return values if lift == 1.0 else {**values, MASTER: min(1.0, float(values[MASTER]) * lift)}


class OutputControls:
    """One show's pictures on their way out. Not for several threads at once.

    Args:
        width, height: of the slate until the first picture comes, px. From then on what leaves has the shape of the
            newest picture that came.

    """

    def __init__(self, width: int, height: int) -> None:
        self._newest = self._shown = plain(width, height, SLATE)
        self._black = plain(width, height, 0)
        self._came_s: float | None = None
        self._last_s: float | None = None
        self._slate = 0.0
        self._dressed: tuple[tuple[int, int, str], Pixels, Pixels] | None = None
        self._guard: FlashGuard | None = None

    def apply(self, pixels: Pixels | None, values: Mapping[str, Value], now_s: float, dt: float) -> Pixels:
        """The picture that leaves at this tick.

        Args:
            pixels: the newest picture, uint8 [H,W,4] RGBA with alpha 255, not to be changed from now on; None when
                nothing new came.
            values: effective value of every `/out/*` path.
            now_s: monotonic seconds.
            dt: nominal seconds of one tick.

        Returns:
            uint8 [H,W,4], contiguous; it may be `pixels` itself or one given out before. Nobody may write to it.

        """
        frozen = bool(values["/out/freeze"])
        self._take(pixels, now_s, frozen)
        if not frozen:
            self._fade(float(values["/out/slate"]), now_s, dt)
        # Time counts for the guard only as far as it passed on both clocks: late ticks may come in a rush.
        passed = dt if self._last_s is None else max(0.0, min(dt, now_s - self._last_s))
        self._last_s = now_s
        self._guard = (self._guard or FlashGuard()) if values["/out/flash_guard"] else None
        if values["/out/blackout"]:
            return self._blacked(passed)
        dressed = self._dress(float(values["/out/master"]), str(values["/out/flip"]))
        return self._guard.apply(dressed, passed) if self._guard else dressed

    def _take(self, pixels: Pixels | None, now_s: float, frozen: bool) -> None:
        """Keep what came and decide what is shown; frozen before the first picture means frozen on the first."""
        first = self._came_s is None
        if pixels is not None:
            self._newest, self._came_s = np.ascontiguousarray(pixels), now_s
        if not frozen or first:
            self._shown = self._newest
        elif self._shown.shape != self._newest.shape:
            sizes = [(picture.shape[1], picture.shape[0]) for picture in (self._shown, self._newest)]
            self._shown = scaler(*sizes)(self._shown)

    def _fade(self, after: float, now_s: float, dt: float) -> None:
        """Move the slate's part 0..1 by one tick; it comes when nothing new came for `after` seconds, 0 never."""
        stale = after > 0 and self._came_s is not None and now_s - self._came_s > after
        self._slate = min(1.0, self._slate + dt / FADE_S) if stale else max(0.0, self._slate - dt / BACK_S)

    def _blacked(self, passed: float) -> Pixels:
        if self._black.shape != self._shown.shape:
            self._black = plain(self._shown.shape[1], self._shown.shape[0], 0)
        if self._guard:
            self._guard.observe(self._black, passed)
        return self._black

    def _dress(self, master: float, flip: str) -> Pixels:
        """Flip, slate and brightness in one go; the same object again while nothing changes."""
        gain = round(ONE * master * (1 - self._slate))
        grey = round(ONE * master * self._slate * SLATE)
        key = gain, grey, flip
        if self._dressed is not None and self._dressed[0] == key and self._dressed[1] is self._shown:
            return self._dressed[2]
        out = self._shown if flip == "none" else _flipped(self._shown, flip)
        if key[:2] != (ONE, 0):
            out = weighted([(out, gain)], grey + HALF)
        self._dressed = key, self._shown, out
        return out


def _flipped(pixels: Pixels, flip: str) -> Pixels:
    words = pixels.view(np.uint32)  # whole pixels: the copy is ten times as fast as byte by byte
    rows = slice(None, None, -1) if flip in ("vertical", "both") else slice(None)
    columns = slice(None, None, -1) if flip in ("horizontal", "both") else slice(None)
    return np.ascontiguousarray(words[rows, columns]).view(np.uint8)
