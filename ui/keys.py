"""Keyboard shortcuts, by character and by the place of the key, so that they work on any layout.

While a text field has the focus, letters and digits go to the field instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PyQt6.QtWidgets import QWidget

from sonorama.engine.control.addresses import (
    AUTO_ON,
    CUE_BACK,
    CUE_GO,
    EDIT_REDO,
    EDIT_UNDO,
    OUT_BLACKOUT,
    OUT_FREEZE,
    OUT_PANIC,
    OUT_RECORD,
    SCENE_RECALL,
    SCENE_STORE,
    SOUND_RESYNC,
    SOUND_TAP,
    SOUND_TEMPO_HALF,
    SOUND_TEMPO_X2,
)

from .key_places import shortcut_at
from .link import Link

FIRST = ("B", "Z", "R", "T")
"""Shortcuts that their places keep, whatever shortcut the layout has there: in a show there is no time to look."""


@dataclass(frozen=True)
class Key:
    """A shortcut: its key sequence, a description for the command palette, and its action."""

    keys: str
    does: str
    act: Callable[[], None]


def hold_all(link: Link) -> None:
    """Hold the motion of all levels, or release it if all are held."""
    holds = [path for path in link.table if path.startswith("/motion/") and path.endswith("/hold")]
    hold = not all(link.values[path] for path in holds)
    for path in holds:
        link.post(path, hold)


def toggle(link: Link, path: str) -> None:
    """Flip a switch parameter."""
    link.post(path, not link.values[path])


def show_keys(link: Link) -> list[Key]:
    """The shortcuts that control the show; each posts to a parameter."""
    scenes = range(1, int(link.table[SCENE_RECALL].high) + 1)
    return [
        Key("Space", "hold the motion of all levels, or release it", lambda: hold_all(link)),
        *(Key(str(n), f"scene {n}", lambda n=n: link.post(SCENE_RECALL, n)) for n in scenes),
        *(Key(f"Shift+{n}", f"store scene {n}", lambda n=n: link.post(SCENE_STORE, n)) for n in scenes),
        Key("R", "start or stop recording", lambda: toggle(link, OUT_RECORD)),
        Key("B", "blackout", lambda: toggle(link, OUT_BLACKOUT)),
        Key("Z", "freeze", lambda: toggle(link, OUT_FREEZE)),
        Key("T", "tap tempo", lambda: link.post(SOUND_TAP, True)),
        Key("Shift+T", "set the beat to now", lambda: link.post(SOUND_RESYNC, True)),
        Key("X", "double the tempo", lambda: link.post(SOUND_TEMPO_X2, True)),
        Key("A", "change by itself", lambda: toggle(link, AUTO_ON)),
        Key("Shift+X", "halve the tempo", lambda: link.post(SOUND_TEMPO_HALF, True)),
        Key("G", "play the next cue", lambda: link.post(CUE_GO, True)),
        Key("Shift+G", "play the cue before", lambda: link.post(CUE_BACK, True)),
        Key("Ctrl+Z", "undo the last change", lambda: link.post(EDIT_UNDO, True)),
        Key("Ctrl+Shift+Z", "redo what was undone", lambda: link.post(EDIT_REDO, True)),
        Key("Shift+Esc", "panic", lambda: link.post(OUT_PANIC, True)),
    ]


def take_by_place(event: QKeyEvent, keys: Mapping[str, Key]) -> bool:
    """Handle a shortcut by the place of its key, before the shortcuts by character see it; True if it was one.

    A letter that is a shortcut itself is left to that one, but not on the places of FIRST. Digits go by their place
    first, too: on layouts such as French they need Shift, with which a shortcut stores a scene. A focused text field
    takes its keys before this is asked.
    """
    if event.type() != QEvent.Type.ShortcutOverride or (key := keys.get(shortcut_at(event))) is None:
        return False
    typed = QKeySequence(event.keyCombination()).toString(QKeySequence.SequenceFormat.PortableText)
    by_place = key.keys[-1].isdigit() or (key.keys in FIRST and typed not in FIRST)
    if typed in keys and not by_place:
        return False
    if not event.isAutoRepeat():
        key.act()
    event.accept()
    return True


def install(window: QWidget, keys: list[Key]) -> list[QShortcut]:
    """Create the shortcuts, active in every window of the application."""
    made = []
    for key in keys:
        shortcut = QShortcut(QKeySequence(key.keys), window)
        shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(key.act)
        made.append(shortcut)
    return made
