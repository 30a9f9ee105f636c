"""The cue list of a show: a readable JSON file, which people and the panel write, and what is read of it.

    {"loop": false, "random": false, "cues": [
      {"number": 1, "name": "Doors", "scene": 3, "morph": 8, "wait": 600},
      {"number": 2, "name": "First song", "set": {"/look/seed": 7}, "at": "21:30:00"},
      {"number": 3, "name": "Drop", "scene": 5, "sound": "3:20.5"}]}

docs/live.md describes the keys. Cues are played in the order of their numbers.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ValueRefused
from ..files.folders import is_there
from ..lengths import WRITTEN, seconds_of
from . import presets
from .class_addresses import parameter_of
from .names import tidy_name
from .parameters import Parameter, Value
from .scenes import SLOTS

HIGHEST = 9999
"""Largest number of a cue."""
LONGEST_S = 7 * 86_400.0
"""Longest wait in seconds."""
CUES, NUMBER, NAME, SCENE, SET, MORPH, WAIT, AT, SOUND = (
    "cues", "number", "name", "scene", "set", "morph", "wait", "at", "sound",
)  # fmt: skip
"""Keys of the file."""
LOOP, RANDOM = "loop", "random"
"""Keys of the list."""
FILE = "cue list"
"""How errors call the file."""
_CLOCK = re.compile(r"([0-9]{1,2}):([0-5][0-9])(?::([0-5][0-9]))?")


@dataclass(frozen=True)
class Cue:
    """One cue.

    Attributes:
        number: 1 to 9999.
        name: may be empty.
        scene: that it recalls, 1 to 8; 0: none.
        values: that it sets, by address, after the scene.
        morph: seconds, which /scene/morph has from then on; None: as it is.
        wait: seconds until the next cue follows; None: it waits for GO.
        at: second of the day at which it is played; None: no time.
        sound: second of the sound file at which it is played; None: none.

    """

    number: int
    name: str = ""
    scene: int = 0
    values: Mapping[str, Value] = field(default_factory=dict)
    morph: float | None = None
    wait: float | None = None
    at: int | None = None
    sound: float | None = None

    @property
    def label(self) -> str:
        """Number and name."""
        return f"{self.number} {self.name}".strip()


@dataclass(frozen=True)
class CueList:
    """The cues in the order of their numbers.

    Attributes:
        loop: whether the first follows the last.
        random: whether the order is random.
        faults: one line for everything that is left out.

    """

    cues: tuple[Cue, ...] = ()
    loop: bool = False
    random: bool = False
    faults: tuple[str, ...] = ()

    def numbers(self) -> list[int]:
        """Of all cues, ascending."""
        return [cue.number for cue in self.cues]

    def find(self, number: int) -> Cue | None:
        """The cue of that number."""
        return next((cue for cue in self.cues if cue.number == number), None)


def cue_file(name: str) -> Path:
    """The file of the cues of a show of that name; need not exist. Raises SonoramaError: it can be no file's name."""
    return presets.file_of(name, "cues")


def read_cues(path: Path, table: Mapping[str, Parameter]) -> CueList:
    """The cues in a file; none where there is no file.

    Raises:
        InputError: the file cannot be read or holds no JSON object.

    """
    return parse_cues(presets.read(path, FILE), table, path.name) if is_there(path) else CueList()


def parse_cues(said: Mapping[str, Any], table: Mapping[str, Parameter], source: str = "cues") -> CueList:
    """The valid cues of a file's content; what is not valid is a fault, and nothing else suffers.

    source: how faults name the file.
    """
    faults: list[str] = []
    cues: dict[int, Cue] = {}
    for row, number in numbered(said):
        if not isinstance(row, dict) or number in cues or not 1 <= number <= HIGHEST:
            faults.append(f"{source}: a cue is left out: {str(row)[:60]}. Numbers are 1 to {HIGHEST}, each once")
            continue
        cue, wrong = _cue(number, row, table)
        cues[number] = cue
        faults += [f"{source}: cue {number}: {line}" for line in wrong]
    for key in (LOOP, RANDOM):
        if not isinstance(said.get(key, False), bool):
            faults.append(f"{source}: {key}: {str(said[key])[:30]!r} is neither true nor false")
    ordered = tuple(cues[number] for number in sorted(cues))
    return CueList(ordered, said.get(LOOP) is True, said.get(RANDOM) is True, tuple(faults))


def numbered(said: Mapping[str, Any]) -> Iterator[tuple[Any, int]]:
    """Each entry of the list in a file, with its number: one without follows the one before."""
    rows, last = said.get(CUES), 0
    for row in rows if isinstance(rows, list) else ():
        number = row.get(NUMBER, last + 1) if isinstance(row, dict) else 0
        last = number if isinstance(number, int) and not isinstance(number, bool) else 0
        yield row, last


def _cue(number: int, row: Mapping[str, Any], table: Mapping[str, Parameter]) -> tuple[Cue, list[str]]:
    wrong: list[str] = []
    made: dict[str, Any] = {}
    for key, read in _READ.items():
        if row.get(key) not in (None, ""):
            try:
                made[key] = read(row[key])
            except ValueRefused as error:
                wrong.append(f"{error.message}. {error.hint}")
    values, lines = _values(row.get(SET) or {}, table)
    return Cue(number, values=values, **made), wrong + lines + _misspelt(row)


def _misspelt(row: Mapping[str, Any]) -> list[str]:
    """Keys that are nearly one of a cue. Others may be anybody's notes, and stay in the file."""
    keys = (NUMBER, SET, *_READ)
    near = {key: difflib.get_close_matches(key.lower(), keys, 1, 0.6) for key in row if key not in keys}
    return [f"{key[:30]!r} is not known. Did you mean {found[0]}?" for key, found in near.items() if found]


def _values(said: object, table: Mapping[str, Parameter]) -> tuple[dict[str, Value], list[str]]:
    """Those that a cue can set. They are clipped when it is played."""
    if not isinstance(said, dict):
        return {}, [f'{SET!r} is no object of addresses. Write {{"/look/seed": 7}}']
    values: dict[str, Value] = {}
    wrong: list[str] = []
    for address, value in said.items():
        param = parameter_of(address, table)
        if param is None or param.event or not isinstance(value, bool | int | float | str):
            wrong.append(f"{address[:60]!r} is left out: no parameter that can be set")
        else:
            values[address] = value
    return values, wrong


def clock_time(said: object) -> int:
    """`21:30` or `21:30:05` as the second of a day. Raises ValueRefused."""
    match = _CLOCK.fullmatch(said.strip()) if isinstance(said, str) else None
    if match is None or int(match[1]) > 23:
        raise ValueRefused(f"{str(said)[:30]!r} is no time of the day", "Write 21:30 or 21:30:05.")
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)


def length(said: object) -> float:
    """`90`, `1:30` or `0:01:30.5` in seconds, at most a week. Raises ValueRefused."""
    seconds = math.nan
    if isinstance(said, str):
        seconds = seconds_of(said)
    elif isinstance(said, int | float) and not isinstance(said, bool):
        seconds = float(said)
    if not 0 <= seconds <= LONGEST_S:
        raise ValueRefused(f"{str(said)[:30]!r} is no length of time", f"Write {WRITTEN}.")
    return seconds


def _morph(said: object) -> float:
    return min(length(said), _LONGEST_MORPH_S)


def _name(said: object) -> str:
    return tidy_name(str(said))


def _scene(said: object) -> int:
    if isinstance(said, bool) or not isinstance(said, int) or not 0 <= said <= SLOTS:
        raise ValueRefused(f"{str(said)[:30]!r} is no scene", f"Scenes are 1 to {SLOTS}.")
    return said


_LONGEST_MORPH_S = 60.0
_READ = {NAME: _name, SCENE: _scene, MORPH: _morph, WAIT: length, AT: clock_time, SOUND: length}


def show_length(seconds: float | None) -> str:
    """As a person writes it: `90`, `1:30`; empty for None."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:g}"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    tail = f"{rest:06.3f}".rstrip("0").rstrip(".") if rest % 1 else f"{int(rest):02}"
    return f"{hours}:{minutes:02}:{tail}" if hours else f"{minutes}:{tail}"


def show_clock(second: int | None) -> str:
    """`21:30:05`; empty for None."""
    return "" if second is None else f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
