"""The slow automatic gain: loud sources come down soon, soft ones come up slowly, silence stays silent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

TARGET_DB = -20.0
"""Loudness it goes for, dBFS."""
FLOOR_DB = -55.0
"""Softer than this is no sound but the noise of a room or an input: not lifted."""
SLOPE = 2.0
"""dB that may be added for each dB above the floor, so that nothing jumps where the floor ends."""
LIMIT_DB = 24.0
ATTACK_S, RELEASE_S = 0.3, 5.0


class AutoGain:
    """A gain that is fed with the loudness of the sound as it comes, before the gain itself."""

    def __init__(self) -> None:
        self.gain = 0.0
        """dB, as of the last step."""

    def step(self, db: float, dt: float) -> float:
        """`dt` seconds further.

        Args:
            db: loudness of this frame's sound before the gain, dBFS; NaN counts as silence.
            dt: seconds (nominal frame time).

        Returns:
            the gain, -24 to 24 dB.

        """
        wanted = _wanted(db, self.gain)
        seconds = ATTACK_S if db + self.gain > TARGET_DB else RELEASE_S
        self.gain += (wanted - self.gain) * (1.0 - math.exp(-dt / seconds))
        return self.gain

    def snapshot(self) -> dict[str, Any]:
        """All of the state as JSON values."""
        return {"gain": self.gain}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the one that gave `state`."""
        self.gain = float(state["gain"])


def _wanted(db: float, gain: float) -> float:
    """Where the gain goes: in silence back to 0 if it lifts, else it waits as it is for the loud source to return."""
    if not db > FLOOR_DB:
        return min(gain, 0.0)
    return min(max(TARGET_DB - db, -LIMIT_DB), LIMIT_DB, SLOPE * (db - FLOOR_DB))
