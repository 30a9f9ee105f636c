"""SMPTE timecode: its place in seconds, and what the cue list makes of it.

A bridge that hears timecode says at which second of the show's sound it was or would be 00:00:00:00
(`/timecode/origin`), and whether it runs; the cue list follows that line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .addresses import TIMECODE_OFFSET, TIMECODE_ORIGIN, TIMECODE_RUNNING, TIMECODE_SOURCE
from .parameters import Value

_DROPPED = 2
"""Numbers that drop-frame timecode skips in each minute but every tenth (SMPTE ST 12-1)."""


class Timecode(NamedTuple):
    """A label of a frame. fps: 24, 25 or 30 as it is counted; drop: 29.97 frames a second, with numbers skipped."""

    hours: int
    minutes: int
    seconds: int
    frames: int
    fps: int
    drop: bool = False

    def __str__(self) -> str:
        """`01:00:10:12`, with `;` before the frames of drop-frame timecode."""
        mark = ";" if self.drop else ":"
        return f"{self.hours:02}:{self.minutes:02}:{self.seconds:02}{mark}{self.frames:02}"

    @property
    def valid(self) -> bool:
        """Whether there is such a time."""
        return self.hours < 24 and self.minutes < 60 and self.seconds < 60 and self.frames < self.fps

    @property
    def second(self) -> float:
        """Seconds from 00:00:00:00 to the beginning of the frame."""
        minutes = self.hours * 60 + self.minutes
        if not self.drop:
            return minutes * 60 + self.seconds + self.frames / self.fps
        count = (minutes * 60 + self.seconds) * self.fps + self.frames - _DROPPED * (minutes - minutes // 10)
        return count * 1001 / (1000 * self.fps)


def follows_timecode(values: Mapping[str, Value]) -> bool:
    """Whether the cue list follows timecode instead of the sound file."""
    return values[TIMECODE_SOURCE] != "off"


def shown_timecode(values: Mapping[str, Value], second: float) -> str:
    """The chosen timecode at a second of the show's sound, for people: `ltc 01:00:10.4`, or that it stands still."""
    source = values[TIMECODE_SOURCE]
    if source == "off":
        return ""
    if not values[TIMECODE_RUNNING]:
        return f"{source}: no timecode runs"
    tenths = max(0, int(10 * (second - float(values[TIMECODE_ORIGIN]))))
    minutes = tenths // 600
    return f"{source} {minutes // 60:02}:{minutes % 60:02}:{tenths // 10 % 60:02}.{tenths % 10}"


def timecode_position(values: Mapping[str, Value], second: float) -> float | None:
    """The cue list's time by the timecode at a second of the show's sound; None while it does not run."""
    if not values[TIMECODE_RUNNING]:
        return None
    position = second - float(values[TIMECODE_ORIGIN]) - float(values[TIMECODE_OFFSET])
    return position if position >= 0 else None
