"""The sources of one universe, and the levels that they make together.

Of the sources that send, those of the highest priority play; where several have it, the highest level of each channel
counts (HTP, as Art-Net and E1.31 describe it).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ...dmx.levels import Levels

OLD = 20
"""A packet whose sequence number is up to this much behind was overtaken and is left out (E1.31, 6.7.2)."""
MOST = 16
"""Sources of one universe; further ones are left out, unless their priority is higher than that of another one."""


@dataclass(slots=True)
class _Source:
    newest: Levels
    at: float


class Sources:
    """Those of one universe.

    Args:
        silent_s: seconds without a packet after which a source is lost.

    Attributes:
        lost: name of the source that was lost last while no other was left; empty while one sends, or none ever did.

    """

    def __init__(self, silent_s: float) -> None:
        self._silent_s, self.lost = silent_s, ""
        self._sources: dict[object, _Source] = {}

    def hear(self, levels: Levels, now: float) -> None:
        """A packet came, at `now` (seconds, monotonic)."""
        known = self._sources.get(levels.source)
        if known is None:
            if levels.ended or not self._has_room(levels.priority):
                return
        elif not levels.ended and _is_old(levels.sequence, known.newest.sequence):
            return
        if levels.ended:
            self._drop([levels.source])
        else:
            self._sources[levels.source] = _Source(levels, now)
            self.lost = ""

    def _has_room(self, priority: int) -> bool:
        """Whether a source of that priority has a place; one of the lowest priority gives it up."""
        if len(self._sources) < MOST:
            return True
        lowest = min(self._sources, key=lambda key: self._sources[key].newest.priority)
        if self._sources[lowest].newest.priority >= priority:
            return False
        del self._sources[lowest]
        return True

    def expire(self, now: float) -> bool:
        """Drop the sources that have been silent for too long; whether there were any."""
        silent = [key for key, one in self._sources.items() if now - one.at > self._silent_s]
        self._drop(silent)
        return bool(silent)

    def _drop(self, keys: Iterable[object]) -> None:
        for key in keys:
            name = self._sources.pop(key).newest.name
            self.lost = "" if self._sources else name

    @property
    def playing(self) -> list[Levels]:
        """The newest packets of the sources that play."""
        newest = [one.newest for one in self._sources.values()]
        highest = max((one.priority for one in newest), default=0)
        return [one for one in newest if one.priority == highest]

    def merged(self) -> bytes:
        """Levels from channel 1 on, as many as are sent; none without a source."""
        playing = self.playing
        if len(playing) < 2:
            return playing[0].values if playing else b""
        levels = np.zeros((len(playing), max(len(one.values) for one in playing)), np.uint8)
        for row, one in zip(levels, playing, strict=True):
            row[: len(one.values)] = np.frombuffer(one.values, np.uint8)
        return levels.max(0).tobytes()


def _is_old(sequence: int | None, before: int | None) -> bool:
    if sequence is None or before is None:
        return False
    return -OLD < (sequence - before + 128) % 256 - 128 <= 0
