"""Scene keys by physical position, for layouts such as French where digits need Shift (which also stores scenes)."""

from __future__ import annotations

import sys

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeyEvent

SCAN_CODES = range(10, 18)
"""X11 and Wayland scan codes of the keys 1 to 8, the same on any layout."""


def scene_key(event: QKeyEvent) -> tuple[int, bool] | None:
    """Scene number 1..8 and whether it is to be stored, for a key that gives a digit only with Shift; else None.

    On layouts where digits need no Shift, the ordinary shortcuts handle them.
    """
    shift = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
    if not shift and event.modifiers() != Qt.KeyboardModifier.NoModifier:
        return None
    if not sys.platform.startswith("linux") or event.nativeScanCode() not in SCAN_CODES:
        return None
    digit = Qt.Key.Key_0 <= event.key() <= Qt.Key.Key_9
    return (SCAN_CODES.index(event.nativeScanCode()) + 1, shift) if digit == shift else None
