"""Output controls applied to every picture: freeze, grey slate, flip, brightness, flash guard and blackout.

They run in the show's process, so they also work while the renderer is restarting. Every output tick gives a complete
picture: the newest one, a frozen one, or a dark grey slate; black only during a blackout.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..control.addresses import OUT_BLACKOUT, OUT_FLASH_GUARD, OUT_FLIP, OUT_FREEZE, OUT_MASTER, OUT_SLATE
from ..control.parameters import Value
from ..units import Pixels
from .blend import HALF, ONE, plain, weighted
from .flash_guard import FlashGuard
from .scale import scaler

SLATE = 40
"""Grey level 0..255 of the slate, shown before the first picture and optionally when new pictures stop arriving."""
FADE_S = 2.0
"""Seconds of the fade to the slate."""
BACK_S = 0.25
"""Seconds of the fade from the slate."""


def lifted(values: Mapping[str, Value], lift: float) -> Mapping[str, Value]:
    """The values with the master brightness multiplied by the modulation factor `lift`, limited to 1."""
    return values if lift == 1.0 else {**values, OUT_MASTER: min(1.0, float(values[OUT_MASTER]) * lift)}


class OutputControls:
    """Applies the output controls to one show's pictures. Not thread-safe.

    Args:
        width, height: size in pixels of the slate before the first picture. From then on the output has the size of
            the newest picture.

    """

    def __init__(self, width: int, height: int) -> None:
        self._newest = self._shown = plain(width, height, SLATE)
        self._black = plain(width, height, 0)
        self._came_s: float | None = None
        self._last_s: float | None = None
        self._slate = 0.0
        self._adjusted: tuple[tuple[int, int, str], Pixels, Pixels] | None = None
        self._guard: FlashGuard | None = None

    def apply(self, pixels: Pixels | None, values: Mapping[str, Value], now_s: float, dt: float) -> Pixels:
        """Return the picture to output at this tick.

        Args:
            pixels: the new picture, uint8 [H,W,4] RGBA with alpha 255, which must not be modified from now on; None if
                there is none.
            values: effective value of every `/out/*` parameter.
            now_s: monotonic time in seconds.
            dt: nominal duration of a tick in seconds.

        Returns:
            uint8 [H,W,4], contiguous; it may be `pixels` itself or one returned before, so it must not be modified.

        """
        frozen = bool(values[OUT_FREEZE])
        self._take(pixels, now_s, frozen)
        if not frozen:
            self._fade(float(values[OUT_SLATE]), now_s, dt)
        # For the guard, the smaller of nominal and measured time counts, because late ticks may follow in a burst.
        passed = dt if self._last_s is None else max(0.0, min(dt, now_s - self._last_s))
        self._last_s = now_s
        self._guard = (self._guard or FlashGuard()) if values[OUT_FLASH_GUARD] else None
        if values[OUT_BLACKOUT]:
            return self._black_picture(passed)
        adjusted = self._adjust(float(values[OUT_MASTER]), str(values[OUT_FLIP]))
        return self._guard.apply(adjusted, passed) if self._guard else adjusted

    def _take(self, pixels: Pixels | None, now_s: float, frozen: bool) -> None:
        """Store the new picture and choose the one to show; a freeze before the first picture freezes that one."""
        first = self._came_s is None
        if pixels is not None:
            self._newest, self._came_s = np.ascontiguousarray(pixels), now_s
        if not frozen or first:
            self._shown = self._newest
        elif self._shown.shape != self._newest.shape:
            sizes = [(picture.shape[1], picture.shape[0]) for picture in (self._shown, self._newest)]
            self._shown = scaler(*sizes)(self._shown)

    def _fade(self, after: float, now_s: float, dt: float) -> None:
        """Advance the slate's opacity 0..1 by one tick: up after `after` seconds without a new picture (0 = never)."""
        stale = after > 0 and self._came_s is not None and now_s - self._came_s > after
        self._slate = min(1.0, self._slate + dt / FADE_S) if stale else max(0.0, self._slate - dt / BACK_S)

    def _black_picture(self, passed: float) -> Pixels:
        if self._black.shape != self._shown.shape:
            self._black = plain(self._shown.shape[1], self._shown.shape[0], 0)
        if self._guard:
            self._guard.observe(self._black, passed)
        return self._black

    def _adjust(self, master: float, flip: str) -> Pixels:
        """Apply flip, slate and brightness; returns the same object while nothing changes."""
        gain = round(ONE * master * (1 - self._slate))
        grey = round(ONE * master * self._slate * SLATE)
        key = gain, grey, flip
        if self._adjusted is not None and self._adjusted[0] == key and self._adjusted[1] is self._shown:
            return self._adjusted[2]
        out = self._shown if flip == "none" else _flipped(self._shown, flip)
        if key[:2] != (ONE, 0):
            out = weighted([(out, gain)], grey + HALF)
        self._adjusted = key, self._shown, out
        return out


def _flipped(pixels: Pixels, flip: str) -> Pixels:
    words = pixels.view(np.uint32)  # copying whole pixels is ten times as fast as bytes
    rows = slice(None, None, -1) if flip in ("vertical", "both") else slice(None)
    columns = slice(None, None, -1) if flip in ("horizontal", "both") else slice(None)
    return np.ascontiguousarray(words[rows, columns]).view(np.uint8)
