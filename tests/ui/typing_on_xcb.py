"""Run by test_keyboards.py in a process of its own, on a real X server: a panel, and keys pressed by their codes.

Prints a JSON object: for each layout what its key S types, and the addresses that each pressed key changed.
"""

import json
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QApplication, QComboBox

from sonorama.ui.app import application
from sonorama.ui.link import Link
from sonorama.ui.widgets.control import Control
from sonorama.ui.window import LEAST, Window

KEYS = {"B": 56, "Z": 52, "R": 27, "T": 28, "1": 10, "Shift+3": 12}
SHIFT_CODE, S_CODE = 50, 39
PRESS, RELEASE = 2, 3


class Keyboard:
    """The X server's XTEST extension, spoken to directly: presses keys as a keyboard does."""

    def __init__(self, display: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(f"/tmp/.X11-unix/X{display.lstrip(':')}")  # noqa: S108
        self._socket.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, 0, 0))
        accepted, length = struct.unpack("<BxxxxxH", self._read(8))
        assert accepted == 1
        self._read(4 * length)
        self._socket.sendall(struct.pack("<BBHHxx", 98, 0, 4, 5) + b"XTEST\0\0\0")
        present, self._opcode = struct.unpack("<8xBB22x", self._read(32))
        assert present

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self._socket.recv(size - len(data))
            assert more
            data += more
        return data

    def type(self, *codes: int) -> None:
        """Press the keys in this order and release them."""
        for kind, code in [*((PRESS, code) for code in codes), *((RELEASE, code) for code in reversed(codes))]:
            self._socket.sendall(struct.pack("<BBHBBHIII", self._opcode, 2, 9, kind, code, 0, 0, 0, 0) + bytes(16))


class Texts(QObject):
    """What the keys type, seen before anything handles them."""

    def __init__(self) -> None:
        super().__init__()
        self.last = ""

    def eventFilter(self, a0: QObject | None, a1: QEvent | None) -> bool:  # noqa: N802
        """Note the text."""
        if isinstance(a1, QKeyEvent) and a1.type() == QEvent.Type.KeyPress and a1.nativeScanCode() == S_CODE:
            self.last = a1.text()
        return False


def until(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Run the event loop until it is."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.005)
    return true()


def main(layouts: list[str]) -> None:
    """Type on each layout; a list has the focus, which must not take letters for its own."""
    from .conftest import FakeShow

    os.environ["QT_QPA_PLATFORM"] = "xcb"
    app, show, display = application(), FakeShow(), os.environ["DISPLAY"]
    link = Link(show.reach)
    link.start()
    window = Window(link)
    window.resize(*LEAST)
    window.show()
    window.activateWindow()
    assert until(window.isActiveWindow)
    next(box for box in window.findChildren(QComboBox) if isinstance(box, Control) and box.isVisible()).setFocus()
    keyboard, texts, told = Keyboard(display), Texts(), {}
    app.installEventFilter(texts)
    for layout in layouts:
        old, texts.last = texts.last, ""
        subprocess.run(["setxkbmap", "-display", display, layout], check=True)
        for _ in range(50):  # the window learns of it a little later
            keyboard.type(S_CODE)
            if until(lambda old=old: texts.last not in ("", old), 0.2):
                break
        done: dict[str, list[str]] = {}
        for name, code in KEYS.items():
            show.got.clear()
            keyboard.type(*([SHIFT_CODE] if "Shift" in name else []), code)
            until(lambda: bool(show.got))
            until(lambda: False, 0.02)
            done[name] = [path for path, _ in show.got]
        told[layout] = [texts.last, done]
    print(json.dumps(told), flush=True)
    os._exit(0)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main(sys.argv[1:])
