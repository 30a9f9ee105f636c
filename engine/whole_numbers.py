"""Whole numbers that users type: read within bounds, however long the text is."""

from __future__ import annotations


def whole_number(text: str, lowest: int, highest: int) -> int | None:
    """A whole number in the digits 0 to 9 from `lowest` to `highest` (both 0 or more); None for any other text.

    Python's `int` raises an error of its own at more than 4,300 digits, and takes digits of other scripts.
    """
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    number = int(digits) if len(digits) <= len(str(highest)) else highest + 1
    return number if lowest <= number <= highest else None
