"""`/moves/<number>/source swell`: rises slowly while there is sound, and slowly falls in silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sonorama.engine.plugins.interfaces import ModulatorInput

SECONDS = 8.0


class Swell:
    """From 0 to 1 in 8 s of sound."""

    def __init__(self, number: int) -> None:
        self._height = 0.0

    def step(self, now: ModulatorInput) -> float:
        """A straight line up or down, by the nominal time of the frame: the same in every run."""
        slope = 1.0 if now.features.level > 0.1 else -1.0
        self._height = min(max(self._height + slope * now.dt / SECONDS, 0.0), 1.0)
        return self._height

    def snapshot(self) -> Mapping[str, Any]:
        """The height."""
        return {"height": self._height}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from that height."""
        self._height = float(state["height"])
