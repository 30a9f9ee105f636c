"""What a parameter is: its address, type, range, unit and curve."""

import difflib
import math
from dataclasses import dataclass
from typing import Literal

from ..errors import ValueRefused
from ..ipc.messages import Change, Value
from .names import tidy_name

__all__ = ["Change", "Parameter", "Value", "show"]

MANY = 8
"""More choices than this are not listed in a message; the nearest one is named instead."""
ON = 0.5
"""Least number that switches on."""
Kind = Literal["float", "int", "switch", "choice", "text", "trigger", "slot"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """The specification of one parameter. Its kind follows from the type of `default` and from `choices`.

    Attributes:
        path: address such as `/motion/coarse/amount`; with `/sonorama` in front it is the OSC address.
        default: value at the start. float, int, bool (a switch) or str (a choice, or free text).
        doc: one sentence on what it does to the picture.
        low, high: range of float and int, both ends allowed.
        unit: of the range, such as `dB` or `s`; empty for plain numbers.
        curve: how 0..1 at `<path>/norm` maps to the range: `linear`, or `log` (equal ratios, needs low > 0).
        glide: half-life in seconds with which a float approaches its target; 0 jumps there.
        choices: allowed texts of a choice.
        event: acts at one frame and falls back to its default: a trigger (default False) or a slot (default 0; the
            number of a scene, for example).
        load: a new value loads something (a world, a device), which takes seconds while the outputs keep running.
        live: acts in a live show only.
        naming: a text that is a name for people (names.py).
        absent: value where a take, scene or preset of a version before the parameter is played; None: the default.

    """

    path: str
    default: Value
    doc: str
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    curve: Literal["linear", "log"] = "linear"
    glide: float = 0.0
    choices: tuple[str, ...] = ()
    event: bool = False
    load: bool = False
    live: bool = False
    naming: bool = False
    absent: Value | None = None

    @property
    def earlier(self) -> Value:
        """The value with which pictures are as they were before there was this parameter."""
        return self.default if self.absent is None else self.absent

    @property
    def kind(self) -> Kind:
        """What kind of values the parameter takes."""
        match self.default:
            case bool():
                return "trigger" if self.event else "switch"
            case int():
                return "slot" if self.event else "int"
            case float():
                return "float"
            case _:
                return "choice" if self.choices else "text"

    def clip(self, value: Value) -> Value:
        """Nearest allowed value of the parameter's own type. Switches are on from ON; choices may be in capitals.

        Raises:
            ValueRefused: text where a number is expected or the other way round, NaN, or an unknown choice.

        """
        if self.kind in ("choice", "text"):
            return self._word(value)
        if isinstance(value, str) or math.isnan(value):
            raise ValueRefused(f"{self.path} takes a number, not {value!r}", f"Send {self.allowed()}.")
        if self.kind in ("switch", "trigger"):
            return value >= ON
        clipped = min(max(value, self.low), self.high)
        return float(clipped) if self.kind == "float" else round(clipped)

    def _word(self, value: Value) -> str:
        try:
            str(value).encode()
        except UnicodeEncodeError:
            raise ValueRefused(f"{self.path} does not take half a character", "Send UTF-8.") from None
        if isinstance(value, str) and (not self.choices or value in self.choices):
            if self.naming:
                return tidy_name(value)
            return value if value.strip() else ""  # blanks name nothing
        for choice in self.choices:
            if choice.lower() == str(value).lower():
                return choice
        near = difflib.get_close_matches(str(value), self.choices, 1) if len(self.choices) > MANY else []
        hint = f"Did you mean {near[0]}?" if near else f"Send {self.allowed()}."
        raise ValueRefused(
            f"{self.path} does not take {str(value)[:60]!r}", hint if len(hint) < 200 else "See docs/osc.md."
        )

    def from_norm(self, position: float) -> float:
        """Natural value of a float parameter at `position` 0..1 along its curve."""
        if self.curve == "log":
            value = self.low * (self.high / self.low) ** position
        else:
            value = self.low + (self.high - self.low) * position
        return min(max(value, self.low), self.high)  # rounding may step over an end

    def to_norm(self, value: float) -> float:
        """Position 0..1 of a natural value along the curve of a float parameter."""
        if self.curve == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def allowed(self) -> str:
        """The allowed values in words, for messages and documentation."""
        match self.kind:
            case "switch":
                return "0 or 1"
            case "trigger":
                return "1 to act"
            case "choice":
                return " or ".join(self.choices)
            case "text":
                return "any text"
            case kind:
                unit = f" {self.unit}" if self.unit else ""
                whole = "a whole number " if kind in ("int", "slot") else ""
                return f"{whole}{show(self.low)} to {show(self.high)}{unit}"


def show(value: Value) -> str:
    """A value as a person writes it: `0.5`, `2147483647`, `on`, `rain`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.6g}"
    return str(value)
