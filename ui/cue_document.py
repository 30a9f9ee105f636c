"""Edits the file of a cue list for the panel. Keys and entries that it does not know stay as they are.

Every edit reads the file anew, so what was written by hand meanwhile is not lost; the ten versions before are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sonorama.engine.control import presets
from sonorama.engine.control.cues import (
    AT,
    CUES,
    FILE,
    HIGHEST,
    MORPH,
    NAME,
    NUMBER,
    SCENE,
    SOUND,
    WAIT,
    CueList,
    clock_time,
    length,
    numbered,
    parse_cues,
)
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.names import tidy_name
from sonorama.engine.control.scenes import SLOTS
from sonorama.engine.errors import ValueRefused
from sonorama.engine.files.folders import is_there
from sonorama.engine.whole_numbers import whole_number

Facts = tuple[str, int, int]


class CueDocument:
    """The list in one file, which need not exist.

    Attributes:
        cues: as they were read last.

    """

    def __init__(self, path: Path) -> None:
        self.path, self.cues = path, CueList()
        self._seen: Facts | None = ("", 0, 0)

    def read_new(self) -> bool:
        """Read the file if it is another than before; whether it is. Raises InputError: it is no list."""
        try:
            facts = self.path.stat()
            now = (str(self.path), facts.st_mtime_ns, facts.st_size)
        except OSError:
            now = None
        if now == self._seen:
            return False
        self._seen = now
        self.cues = parse_cues(self._said(), SHOW)
        return True

    def _said(self) -> dict[str, Any]:
        said = presets.read(self.path, FILE) if is_there(self.path) else {}
        rows = said.get(CUES)
        kept = [dict(row) if isinstance(row, dict) else row for row in rows] if isinstance(rows, list) else []
        for row, (_, number) in zip(kept, numbered({CUES: kept}), strict=True):
            if isinstance(row, dict):
                row.setdefault(NUMBER, number)
        return {"loop": False, "random": False, **said, CUES: kept}

    def _write(self, said: Mapping[str, Any]) -> None:
        """Raises OutputError: it cannot be written."""
        presets.save(self.path, said)
        self._seen = ("", 0, 0)
        self.read_new()

    # -- edits; they raise SonoramaError where the file cannot be read or written, ValueRefused for a wrong value

    def switch(self, key: str, on: bool) -> None:
        """`loop` or `random`."""
        self._write(self._said() | {key: on})

    def add(self, after: int, cue: Mapping[str, Any]) -> int:
        """Add a cue behind the one of a number, 0: at the end. Returns its number; others make room where they must."""
        said = self._said()
        rows = {row[NUMBER]: row for row in said[CUES] if isinstance(row, dict)}
        number = (after or max(rows, default=0)) + 1
        free = next((one for one in range(number, HIGHEST + 1) if one not in rows), None)
        if free is None:
            raise ValueRefused("There is no room for another cue", f"Numbers end at {HIGHEST}.")
        for one in range(free - 1, number - 1, -1):
            rows[one][NUMBER] = one + 1
        said[CUES].append({NUMBER: number, **cue})
        self._write(_in_order(said))
        return number

    def delete(self, number: int) -> None:
        """Remove a cue."""
        said = self._said()
        said[CUES] = [row for row in said[CUES] if not (isinstance(row, dict) and row[NUMBER] == number)]
        self._write(said)

    def move(self, number: int, by: int) -> int:
        """Exchange a cue with the one before (-1) or behind it (1). Returns its number then."""
        numbers = self.cues.numbers()
        if number not in numbers or not 0 <= (place := numbers.index(number) + by) < len(numbers):
            return number
        other, said = numbers[place], self._said()
        for row in said[CUES]:
            if isinstance(row, dict) and row[NUMBER] in (number, other):
                row[NUMBER] = other if row[NUMBER] == number else number
        self._write(_in_order(said))
        return other

    def change(self, number: int, key: str, text: str) -> None:
        """Set one entry of a cue as it was typed; nothing typed removes it."""
        said, value = self._said(), _value(key, text.strip())
        for row in said[CUES]:
            if isinstance(row, dict) and row[NUMBER] == number:
                row.pop(key, None)
                if value not in ("", None):
                    row[key] = value
        self._write(said)


def _in_order(said: dict[str, Any]) -> dict[str, Any]:
    """By number, so that a person finds them; what is no cue comes last."""
    said[CUES].sort(key=lambda row: row[NUMBER] if isinstance(row, dict) and isinstance(row[NUMBER], int) else HIGHEST)
    return said


def _value(key: str, text: str) -> str | float | None:
    """Raises ValueRefused where the text is none of the key's values."""
    if not text:
        return None
    match key:
        case "name":
            return tidy_name(text)
        case "scene":
            number = whole_number(text, 0, SLOTS)
            if number is None:
                raise ValueRefused(f"{text[:30]!r} is no scene", f"Scenes are 1 to {SLOTS}.")
            return number or None
        case "at":
            clock_time(text)
            return text
        case _:
            seconds = length(text)
            return text if ":" in text else int(seconds) if seconds.is_integer() else seconds


COLUMNS = {
    NUMBER: "cue",
    NAME: "name",
    SCENE: "scene",
    "set": "sets",
    MORPH: "morph",
    WAIT: "wait",
    AT: "at",
    SOUND: "sound",
}
"""Keys of a cue and how the panel heads their columns."""
