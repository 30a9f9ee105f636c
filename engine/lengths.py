"""Lengths of time that users type: `90`, `1:30` or `0:01:30.5`."""

from __future__ import annotations

import math
import re

_PARTS = re.compile(r"(?:(?:([0-9]{1,3}):)?([0-9]{1,3}):)?([0-9]{1,6}(?:\.[0-9]{1,9})?)", re.ASCII)
WRITTEN = "seconds, or 1:30 or 0:01:30.5"


def seconds_of(text: str) -> float:
    """A length in seconds; NaN where the text is none."""
    match = _PARTS.fullmatch(text.strip())
    if match is not None:
        return int(match[1] or 0) * 3600 + int(match[2] or 0) * 60 + float(match[3])
    try:
        return float(text)
    except ValueError:
        return math.nan
