"""SMPTE timecode of the first frame."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from ..engine.audio.source_timecode import SourceTimecode
from ..engine.errors import OutputError

_DROP = (Fraction(30000, 1001), Fraction(60000, 1001))
_COUNTED = (24, 25, 30, 48, 50, 60)


def timecode(text: str | None, fps: Fraction) -> str | None:
    """The timecode that the first frame carries: `text` checked, or zero; None at a rate that has none.

    Zero is "00:00:00;00" (drop-frame) at 29.97 and 59.94 frames a second, else "00:00:00:00".

    Raises:
        OutputError: not a timecode, past what the rate counts, drop-frame where there is none.

    """
    whole = round(fps)
    counted = whole in _COUNTED and fps in (whole, Fraction(whole * 1000, 1001))
    if text is None:
        zero = "00:00:00;00" if fps in _DROP else "00:00:00:00"
        return zero if counted else None
    if not counted:
        raise OutputError(f"There is no timecode at {fps} frames a second", "Leave the timecode out.")
    match = re.fullmatch(r"(\d\d):(\d\d):(\d\d)([:;])(\d\d)", text)
    if match is None:
        raise OutputError(f"{text} is not a timecode", "Write it like 01:00:00:00 (or 01:00:00;00 for drop-frame).")
    hours, minutes, seconds, frames = (int(match[i]) for i in (1, 2, 3, 5))
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= whole:
        raise OutputError(f"{text} is past what a timecode counts at {whole}", f"Frames go to {whole - 1:02}.")
    if match[4] == ";":
        _check_drop(text, fps, minutes, seconds, frames)
    return text


def _check_drop(text: str, fps: Fraction, minutes: int, seconds: int, frames: int) -> None:
    if fps not in _DROP:
        raise OutputError(f"{text} is drop-frame, {fps} frames a second is not", f"Write {text.replace(';', ':')}.")
    if minutes % 10 and seconds == 0 and frames < round(fps) // 15:
        raise OutputError(f"{text} is a number that drop-frame skips", f"Write {text[:-2]}{round(fps) // 15:02}.")


def timecode_of_frame(first: str, fps: Fraction, index: int) -> tuple[int, int, int, int]:
    """(hours, minutes, seconds, frames) of a frame of the film; past 24 hours they begin again.

    Args:
        first: timecode of frame 0, checked; ";" for drop-frame.
        fps: frames a second.
        index: of the frame, from 0.

    """
    whole = round(fps)
    dropped = whole // 15 if ";" in first else 0  # numbers skipped each minute but every tenth (SMPTE ST 12-1)
    hours, minutes, seconds, frames = (int(first[at : at + 2]) for at in (0, 3, 6, 9))
    total = hours * 60 + minutes
    count = (total * 60 + seconds) * whole + frames - dropped * (total - total // 10) + index
    ten = 600 * whole - 9 * dropped
    tens, rest = divmod(count % (144 * ten), ten)
    if rest >= 60 * whole:
        rest += dropped * (1 + (rest - 60 * whole) // (60 * whole - dropped))
    count = tens * 600 * whole + rest
    return count // (3600 * whole), count // (60 * whole) % 60, count // whole % 60, count % whole


def carried(source: SourceTimecode | None, fps: Fraction, start: float) -> str | None:
    """The timecode that a film takes over from its sound's file; None if there is none, or none at this rate.

    At another rate hours, minutes and seconds stay, and the frame is the one at the same part of the second.

    Args:
        source: of the file's second 0.
        fps: of the film.
        start: where the film begins, in seconds of the file.

    """
    zero = timecode(None, fps)
    if source is None or zero is None:
        return None
    hours, minutes, seconds, part = source.label
    whole, drop = round(fps), fps in _DROP and (source.drop or source.fps not in _DROP)
    frames = min(whole - 1, math.floor(part * whole))
    if drop and minutes % 10 and seconds == 0:
        frames = max(frames, whole // 15)
    count = ((hours * 60 + minutes) * 60 + seconds) * whole + frames
    if drop:
        count -= whole // 15 * (60 * hours + minutes - (60 * hours + minutes) // 10)
    return _label(count + math.floor(Fraction(start) * fps), whole, drop=drop)


def _label(count: int, whole: int, *, drop: bool) -> str:
    """The timecode of a frame, counted from midnight."""
    skipped = whole // 15 if drop else 0
    per_minute, per_ten = 60 * whole - skipped, 600 * whole - 9 * skipped
    count %= 144 * per_ten
    tens, rest = divmod(count, per_ten)
    count += skipped * (9 * tens + max(0, (rest - skipped) // per_minute if rest >= skipped else 0))
    seconds, frames = divmod(count, whole)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{';' if drop else ':'}{frames:02}"
