"""SMPTE timecode of the first frame."""

from __future__ import annotations

import re
from fractions import Fraction

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
