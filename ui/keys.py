"""The keyboard. Single letters and digits do nothing while a text field has the focus: it takes them first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PyQt6.QtWidgets import QWidget

from .digit_keys import scene_key
from .link import Link
from .scenes import RECALL, STORE


@dataclass(frozen=True)
class Key:
    """A key and what it does."""

    keys: str
    does: str
    act: Callable[[], None]


def hold_all(link: Link) -> None:
    """Hold every level, or release them if all are held."""
    holds = [path for path in link.table if path.startswith("/motion/") and path.endswith("/hold")]
    hold = not all(link.values[path] for path in holds)
    for path in holds:
        link.post(path, hold)


def toggle(link: Link, path: str) -> None:
    """The other state of a switch."""
    link.post(path, not link.values[path])


def show_keys(link: Link) -> list[Key]:
    """Keys that play the show; all of them post to addresses."""
    scenes = range(1, int(link.table[RECALL].high) + 1)
    return [
        Key("Space", "hold all levels, or release them", lambda: hold_all(link)),
        *(Key(str(n), f"scene {n}", lambda n=n: link.post(RECALL, n)) for n in scenes),
        *(Key(f"Shift+{n}", f"store scene {n}", lambda n=n: link.post(STORE, n)) for n in scenes),
        Key("R", "record", lambda: toggle(link, "/out/record")),
        Key("B", "blackout", lambda: toggle(link, "/out/blackout")),
        Key("Z", "freeze", lambda: toggle(link, "/out/freeze")),
        Key("T", "tap the tempo", lambda: link.post("/sound/tap", True)),
        Key("Shift+T", "the beat is now", lambda: link.post("/sound/resync", True)),
        Key("Shift+Esc", "panic", lambda: link.post("/out/panic", True)),
    ]


def take_digit(event: QKeyEvent, link: Link) -> bool:
    """Go to the scene, or store it, whose digit the key has only with Shift; before any shortcut sees the digit."""
    if event.type() != QEvent.Type.ShortcutOverride or (asked := scene_key(event)) is None:
        return False
    if not event.isAutoRepeat():
        number, store = asked
        link.post(STORE if store else RECALL, number)
    event.accept()
    return True


def install(window: QWidget, keys: list[Key]) -> list[QShortcut]:
    """Make the keys work anywhere in the program."""
    made = []
    for key in keys:
        shortcut = QShortcut(QKeySequence(key.keys), window)
        shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(key.act)
        made.append(shortcut)
    return made
