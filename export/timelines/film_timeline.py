"""What a timeline beside a film says: the film and its sound as clips with their timecode, and markers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ..curves.markers import Marker


@dataclass(frozen=True)
class FilmTimeline:
    """One film on a timeline that begins at the film's own timecode.

    Attributes:
        film: its absolute path; of a picture sequence, its folder.
        fps: frames a second, exact.
        frames: its length.
        timecode: of its first frame, `HH:MM:SS:FF` or `HH:MM:SS;FF` for drop-frame; None at rates that have none.
        size: (width, height).
        sound: absolute path of the file whose sound is heard, the film itself unless that is silent; None without one.
        sound_in: frame of that file at which the part begins.
        rate, channels: of that sound; rate in Hz.
        markers: in order.
        pictures: suffix of the pictures of a sequence, such as `.png`; empty for a film.

    """

    film: Path
    fps: Fraction
    frames: int
    timecode: str | None
    size: tuple[int, int]
    sound: Path | None
    sound_in: int
    rate: int
    channels: int
    markers: Sequence[Marker]
    pictures: str = ""

    @property
    def start(self) -> int:
        """Frames that the timecode has counted before the first one."""
        return 0 if self.timecode is None else frame_number(self.timecode, self.fps)

    @property
    def drop(self) -> bool:
        """Whether the timecode is drop-frame."""
        return self.timecode is not None and ";" in self.timecode


def frame_number(timecode: str, fps: Fraction) -> int:
    """Frames from 00:00:00:00 to a timecode. Drop-frame (`;`) skips numbers: SMPTE ST 12-1, two of 30 a minute but in
    each tenth one.
    """
    hours, minutes, seconds, frames = (int(part) for part in timecode.replace(";", ":").split(":"))
    whole = round(fps)
    counted = ((hours * 60 + minutes) * 60 + seconds) * whole + frames
    if ";" not in timecode:
        return counted
    passed = hours * 60 + minutes
    return counted - whole // 15 * (passed - passed // 10)
