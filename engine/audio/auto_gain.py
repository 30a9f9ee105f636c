"""Slow automatic gain control: fast attack for loud sound, slow release for soft sound, no gain for silence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

TARGET_DB = -20.0
"""Target loudness in dBFS."""
FLOOR_DB = -55.0
"""Loudness in dBFS below which sound counts as background noise and is not amplified."""
SLOPE = 2.0
"""Maximum gain in dB for each dB above the floor, so that the gain is continuous at the floor."""
LIMIT_DB = 24.0
"""Maximum gain in either direction, in dB."""
ATTACK_S, RELEASE_S = 0.3, 5.0
"""Time constants in seconds: while the sound is above the target, and below it."""


class AutoGain:
    """Gain control driven by the loudness of the sound before the gain is applied."""

    def __init__(self) -> None:
        self.gain = 0.0
        """Gain in dB after the last step."""

    def step(self, db: float, dt: float) -> float:
        """Advance by one frame.

        Args:
            db: loudness of the frame's sound before the gain, in dBFS; NaN counts as silence.
            dt: nominal duration of the frame in seconds.

        Returns:
            The gain in dB, -24..24.

        """
        wanted = _wanted(db, self.gain)
        seconds = ATTACK_S if db + self.gain > TARGET_DB else RELEASE_S
        self.gain += (wanted - self.gain) * (1.0 - math.exp(-dt / seconds))
        return self.gain

    def snapshot(self) -> dict[str, Any]:
        """The complete state as JSON values."""
        return {"gain": self.gain}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a state returned by `snapshot`."""
        self.gain = float(state["gain"])


def _wanted(db: float, gain: float) -> float:
    """The target gain in dB. In silence, a positive gain returns to 0 and a negative one stays unchanged."""
    if not db > FLOOR_DB:
        return min(gain, 0.0)
    return min(max(TARGET_DB - db, -LIMIT_DB), LIMIT_DB, SLOPE * (db - FLOOR_DB))
