"""A check for `sonorama doctor`: whether the clock is fine enough to pace frames."""

from __future__ import annotations

import time

from sonorama.engine.plugins.interfaces import Finding


def clock() -> list[Finding]:
    """The resolution of the monotonic clock."""
    seconds = time.get_clock_info("monotonic").resolution
    return [Finding("clock", seconds <= 0.001, f"{seconds * 1e6:g} us", "Frames may come unevenly on this system.")]
