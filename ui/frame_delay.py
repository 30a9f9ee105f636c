"""Holds pictures back for up to a second, for displays and projectors that have to wait for the sound."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from sonorama.engine.ipc.frame_map import FrameSlot

MOST_BYTES = 512 << 20
"""Of held pictures. Larger ones are held at a lower rate instead of taking more memory."""


class FrameDelay:
    """Pictures in the order in which they came."""

    def __init__(self) -> None:
        self._held: deque[tuple[float, FrameSlot]] = deque()

    def put(self, slot: FrameSlot, now_s: float, delay_s: float) -> None:
        """Hold a copy of a picture that came at `now_s`."""
        most = max(2, MOST_BYTES // slot.pixels.nbytes)
        if self._held and now_s - self._held[-1][0] < delay_s / most:
            return
        self._held.append((now_s, replace(slot, pixels=np.array(slot.pixels))))

    def take(self, now_s: float, delay_s: float) -> FrameSlot | None:
        """The newest picture that came `delay_s` ago or earlier; it and those before it are held no longer."""
        newest: FrameSlot | None = None
        while self._held and self._held[0][0] <= now_s - delay_s:
            newest = self._held.popleft()[1]
        return newest
