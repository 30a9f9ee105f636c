"""One control, and the state of all of them.

Three numbers belong to a continuous control: the *target* (what hand, OSC, scene or take asked for last),
the *base* (the target as the glide lets it through) and the *effective* value = clip(base + modulation),
which the stepper sees.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .errors import ValueRefused

Value = float | int | bool | str
Kind = Literal["float", "int", "switch", "choice", "text"]


@dataclass(frozen=True, slots=True)
class Param:
    """The specification of one control. Its kind follows from the type of `default` and from `choices`.

    Attributes:
        path: address such as `/motion/coarse/amount`; with `/sonorama` in front it is the OSC address.
        default: value at the start. float, int, bool (a switch) or str (a choice, or free text).
        doc: one sentence on what a listener sees.
        low, high: natural range of float and int, both ends allowed.
        unit: of the natural range, such as `dB` or `s`; empty for plain numbers.
        curve: how 0..1 at `<path>/norm` maps to the range: `linear`, or `log` (equal ratios, needs low > 0).
        glide: half-life in seconds with which the base follows its target; 0 follows at once. Floats only.
        choices: allowed words of a choice.

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

    @property
    def kind(self) -> Kind:
        """What values the control takes."""
        match self.default:
            case bool():
                return "switch"
            case int():
                return "int"
            case float():
                return "float"
            case _:
                return "choice" if self.choices else "text"

    def clip(self, value: Value) -> Value:
        """Nearest allowed value of the control's own type.

        Raises:
            ValueRefused: a word where a number belongs or the other way round, NaN, or an unknown choice.

        """
        if self.kind in ("choice", "text"):
            return self._word(value)
        if isinstance(value, str) or math.isnan(value):
            raise ValueRefused(f"{self.path} takes a number, not {value!r}", f"Send {self.allowed()}.")
        if self.kind == "switch":
            return value != 0
        clipped = min(max(value, self.low), self.high)
        return round(clipped) if self.kind == "int" else float(clipped)

    def _word(self, value: Value) -> str:
        if isinstance(value, str) and (not self.choices or value in self.choices):
            return value
        raise ValueRefused(f"{self.path} does not take {value!r}", f"Send {self.allowed()}.")

    def from_norm(self, position: float) -> float:
        """Natural value of a float control at `position` 0..1 along its curve."""
        if self.curve == "log":
            value = self.low * (self.high / self.low) ** position
        else:
            value = self.low + (self.high - self.low) * position
        return min(max(value, self.low), self.high)  # rounding may step over an end

    def to_norm(self, value: float) -> float:
        """Position 0..1 of a natural value along the curve of a float control."""
        if self.curve == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def allowed(self) -> str:
        """What the control takes, in words, for messages and documentation."""
        match self.kind:
            case "switch":
                return "0 or 1"
            case "choice":
                return " or ".join(self.choices)
            case "text":
                return "any text"
            case kind:
                unit = f" {self.unit}" if self.unit else ""
                whole = "a whole number " if kind == "int" else ""
                return f"{whole}{show(self.low)} to {show(self.high)}{unit}"


def show(value: Value) -> str:
    """A value as a person writes it: `0.5`, `2147483647`, `on`, `rain`."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.6g}"
    return str(value)


@dataclass(frozen=True, slots=True)
class Change:
    """A value asked for at an address, and by whom (`command line`, `osc`, `panel`, ...)."""

    path: str
    value: Value
    source: str


class Params:
    """The state of every control of a table.

    `post` may be called from any thread; `modulate` and `step` belong to the frame loop. No locks: the inbox
    is a dict whose single operations are atomic and only `step` takes entries out. One entry an address.
    """

    def __init__(self, table: Mapping[str, Param], start: Mapping[str, Value] | None = None) -> None:
        """Controls stand at `start` (default: the table's defaults) at once, without a glide."""
        self._table = table
        self._target = {path: param.default for path, param in table.items()}
        for path, value in (start or {}).items():
            self._target[path] = table[path].clip(value)
        self._base = dict(self._target)
        self._modulation: dict[str, float] = {}
        self._inbox: dict[str, Value] = {}

    def post(self, change: Change) -> None:
        """Ask for a value; clipped, it holds from the next step on. The last one per address wins. O(1).

        Raises:
            ValueRefused: unknown address or wrong type; raised to the sender, never in the frame loop.

        """
        param = self._table.get(change.path)
        if param is None:
            raise ValueRefused(f"There is no control {change.path}", "See: sonorama parameters")
        self._inbox[change.path] = param.clip(change.value)

    def modulate(self, amounts: Mapping[str, float]) -> None:
        """Replace all modulation: natural-range amounts added to the base of float controls from now on.

        Raises:
            ValueRefused: an address that is unknown or not continuous.

        """
        for path in amounts:
            if path not in self._table or self._table[path].kind != "float":
                raise ValueRefused(f"{path} cannot be modulated", "Modulate a continuous control.")
        self._modulation = dict(amounts)

    def step(self, dt: float) -> dict[str, Value]:
        """Apply what was posted, glide by `dt` seconds (nominal frame time), return every effective value.

        base' = target + (base - target) 2^(-dt / glide), so n steps of dt / n end where one step of dt ends.
        """
        for path in list(self._inbox):
            self._target[path] = self._inbox.pop(path)
        for path, target in self._target.items():
            if self._base[path] != target:
                self._base[path] = self._glided(self._table[path], target, dt)
        return {path: self._effective(path) for path in self._table}

    def _glided(self, param: Param, target: Value, dt: float) -> Value:
        if param.kind != "float" or param.glide <= 0.0:
            return target
        left = (float(self._base[param.path]) - float(target)) * 2.0 ** (-dt / param.glide)
        # A millionth of the range is past seeing: stop there, so that a glide ends and equality means rest.
        return target if abs(left) < 1e-6 * (param.high - param.low) else float(target) + left

    def _effective(self, path: str) -> Value:
        amount = self._modulation.get(path, 0.0)
        base = self._base[path]
        return self._table[path].clip(float(base) + amount) if amount else base
