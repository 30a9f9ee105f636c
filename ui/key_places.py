"""Keys by their place on the keyboard, named after a US keyboard, whatever they type on the user's layout."""

from __future__ import annotations

import sys

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeyEvent

_ROWS = {2: "1234567890", 16: "QWERTYUIOP", 30: "ASDFGHJKL", 44: "ZXCVBNM"}
_BY_SCAN_CODE = {first + index: name for first, row in _ROWS.items() for index, name in enumerate(row)}
"""Scan codes of set 1, which Windows reports and evdev uses; X11 and Wayland add 8."""
_BY_MAC_CODE = dict(enumerate("ASDFHGZXCV BQWERYT123465 97 80 OU IP LJ K    NM"))
"""Virtual key codes of macOS, which are places in spite of their name."""
_MODIFIERS = {
    Qt.KeyboardModifier.NoModifier: "",
    Qt.KeyboardModifier.ShiftModifier: "Shift+",
    Qt.KeyboardModifier.ControlModifier: "Ctrl+",
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier: "Ctrl+Shift+",
}


def place_of(event: QKeyEvent, platform: str = sys.platform) -> str:
    """The letter or digit that a US keyboard has on this key; empty for other keys and where it is not known."""
    if platform == "darwin":
        return _BY_MAC_CODE.get(event.nativeVirtualKey(), "").strip() if event.nativeVirtualKey() else ""
    offset = 0 if platform == "win32" else 8
    return _BY_SCAN_CODE.get(event.nativeScanCode() - offset, "")


def shortcut_at(event: QKeyEvent, platform: str = sys.platform) -> str:
    """The shortcut by place, such as `R`, `Shift+3` or `Ctrl+K`; empty for other keys and with other modifiers."""
    place, modifiers = place_of(event, platform), _MODIFIERS.get(event.modifiers())
    return f"{modifiers}{place}" if place and modifiers is not None else ""
