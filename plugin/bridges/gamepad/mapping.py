"""Which control of a gamepad plays which parameter, and what it makes of the parameter's value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import resources
from typing import Literal

import msgspec

from sonorama.engine.control.parameters import Parameter, Value
from sonorama.engine.errors import SonoramaError

from ..map_file import read_map
from ..positions import PRESSED, position_of, value_at

FORMAT = "sonorama-gamepad"
_ROOT = "/sonorama"


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a map.

    Attributes:
        control: SDL's name of an axis, trigger or button.
        address: of the parameter.
        mode: `position`: the parameter is where the control is; `rate`: it moves as long as the control is held.
        speed: of `rate`: ranges a second at the control's end; below 0 turns it round.
        low, high: of `position`: positions in the parameter's range, 0 to 1, of the control's ends.
        press: a switch changes at each press (`toggle`), or is on while the control is held (`follow`).
        value: set by a press, in place of all that.

    """

    control: str
    address: str
    mode: Literal["position", "rate"] = "position"
    speed: float = 0.5
    low: float = 0.0
    high: float = 1.0
    press: Literal["toggle", "follow"] = "toggle"
    value: bool | int | float | str | None = None


class _Page(msgspec.Struct):
    format: str
    controls: list[Line]


def read_lines(path: str) -> list[Line]:
    """The lines of a file, or those that come with sonorama, if the path is empty.

    Raises:
        InputError: the file cannot be read, or holds no map.

    """
    return read_map(path, resources.files(__package__ or "") / "map.json", _Page, FORMAT, "map of a gamepad").controls


class Mapped:
    """A line in use, with where its control stands.

    Args:
        line: of the map.
        table: parameters by address.
        known: names of controls.

    Raises:
        SonoramaError: there is no such control or parameter, or the two do not go together.

    """

    def __init__(self, line: Line, table: Mapping[str, Parameter], known: Collection[str]) -> None:
        param = table.get(line.address.removeprefix(_ROOT))
        if line.control not in known:
            message = f"The map of the gamepad: there is no control {line.control[:40]}"
            raise SonoramaError(message, f"Use {', '.join(known)}.")
        if param is None:
            raise SonoramaError(f"The map of the gamepad: there is no parameter {line.address[:80]}", "See docs/osc.md")
        if line.value is not None:
            param.clip(line.value)
        elif param.kind in ("slot", "text"):
            raise SonoramaError(f"The map of the gamepad: {param.path} needs a value", 'Say it as "value".')
        elif line.mode == "rate" and param.kind not in ("float", "int"):
            raise SonoramaError(f"The map of the gamepad: {param.path} has no rate", 'Leave "mode" out.')
        self.line, self.param = line, param
        self._from_stick = line.control.endswith(("x", "y")) and len(line.control) > 1
        self._held = 0.0  # where the control is
        self._at: float | None = None  # position of a parameter that moves, in full precision

    @property
    def moving(self) -> bool:
        """Whether `advance` has something to do."""
        return self.line.mode == "rate" and self._held != 0

    def moved(self, position: float, current: Value) -> Value | None:
        """What the parameter becomes when its control moves.

        Args:
            position: as Moved.position.
            current: the parameter's value.

        Returns:
            None if it stays.

        """
        before, self._held = self._held, position
        kind = self.param.kind
        if self.line.value is not None or kind in ("switch", "trigger", "choice"):
            return self._press(abs(before) >= PRESSED, abs(position) >= PRESSED, current)
        if self.line.mode == "rate":
            return None
        position = (position + 1) / 2 if self._from_stick else position
        return value_at(self.param, self.line.low + (self.line.high - self.line.low) * position)

    def _press(self, before: bool, now: bool, current: Value) -> Value | None:
        risen, param = now and not before, self.param
        if self.line.value is not None:
            return param.clip(self.line.value) if risen else None
        if param.kind == "choice":
            return param.choices[(param.choices.index(str(current)) + 1) % len(param.choices)] if risen else None
        if param.kind == "switch" and self.line.press == "follow":
            return now if now != before else None
        return (True if param.kind == "trigger" else not current) if risen else None

    def advance(self, seconds: float, current: Value) -> Value:
        """What a parameter that moves becomes after that time."""
        if self._at is None:
            self._at = position_of(self.param, current)
        self._at = min(max(self._at + self._held * self.line.speed * seconds, 0.0), 1.0)
        return value_at(self.param, self._at)

    def changed(self) -> None:
        """Somebody else has set the parameter: it moves on from there."""
        self._at = None
