"""Digits by their place on the keyboard: on some, such as the French, a digit needs Shift, which stores a scene."""

from __future__ import annotations

import sys

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeyEvent

PLACES = range(10, 18)
"""What X11 and Wayland call the keys of 1 to 8 on any layout."""


def scene_key(event: QKeyEvent) -> tuple[int, bool] | None:
    """The scene, and whether Shift stores it, if the layout has digits only with Shift; plain digits are shortcuts."""
    shift = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
    if not shift and event.modifiers() != Qt.KeyboardModifier.NoModifier:
        return None
    if not sys.platform.startswith("linux") or event.nativeScanCode() not in PLACES:
        return None
    digit = Qt.Key.Key_0 <= event.key() <= Qt.Key.Key_9
    return (PLACES.index(event.nativeScanCode()) + 1, shift) if digit == shift else None
