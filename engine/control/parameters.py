"""One control, and the state of all of them.

Three numbers belong to a continuous control: the *target* (what hand, OSC, scene or take asked for last),
the *base* (the target as the glide or morph lets it through) and the *effective* value = clip(base + modulation),
which the stepper sees.
"""

import difflib
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ..errors import ValueRefused

MANY = 8
"""Choices of which no message lists all."""
Value = float | int | bool | str
Kind = Literal["float", "int", "switch", "choice", "text", "trigger", "slot"]


@dataclass(frozen=True, slots=True)
class Parameter:
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
        event: holds for one frame only and falls back to its default: a trigger (default False) or a slot (default 0,
            the number of what is asked for).
        load: a new value loads something (a world, a device), so it takes seconds while the outputs go on.
        live: acts in a live show only.

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

    @property
    def kind(self) -> Kind:
        """What values the control takes."""
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
        """Nearest allowed value of the control's own type.

        Raises:
            ValueRefused: a word where a number belongs or the other way round, NaN, or an unknown choice.

        """
        if self.kind in ("choice", "text"):
            return self._word(value)
        if isinstance(value, str) or math.isnan(value):
            raise ValueRefused(f"{self.path} takes a number, not {value!r}", f"Send {self.allowed()}.")
        if self.kind in ("switch", "trigger"):
            return value != 0
        clipped = min(max(value, self.low), self.high)
        return float(clipped) if self.kind == "float" else round(clipped)

    def _word(self, value: Value) -> str:
        if isinstance(value, str) and (not self.choices or value in self.choices):
            return value
        near = difflib.get_close_matches(str(value), self.choices, 1) if len(self.choices) > MANY else []
        hint = f"Did you mean {near[0]}?" if near else f"Send {self.allowed()}."
        raise ValueRefused(f"{self.path} does not take {value!r}", hint if len(hint) < 200 else "See docs/osc.md.")

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


@dataclass(frozen=True, slots=True)
class Change:
    """A value asked for at an address, by whom (`command line`, `osc`, `panel`, ...), and over how many seconds a
    continuous control moves there in a straight line (0: as its glide says).
    """

    path: str
    value: Value
    source: str
    over: float = 0.0


class ParameterState:
    """The state of every control of a table.

    `post` may be called from any thread; everything else belongs to the frame loop. No locks: the inbox is a dict
    whose single operations are atomic and only `step` takes entries out. One entry an address; events queue.
    """

    QUEUE = 64
    """Events an address keeps waiting; more are dropped."""

    def __init__(self, table: Mapping[str, Parameter], start: Mapping[str, Value] | None = None) -> None:
        """Controls stand at `start` (default: the table's defaults) at once, without a glide."""
        self._table = table
        self._target = {path: param.default for path, param in table.items()}
        for path, value in (start or {}).items():
            if not table[path].event:
                self._target[path] = table[path].clip(value)
        self._base = dict(self._target)
        self._left: dict[str, float] = {}
        self._modulation: dict[str, float] = {}
        self._inbox: dict[str, Change] = {}
        self._events: deque[Change] = deque()
        self._fired: dict[str, Value] = {}
        self.applied: list[Change] = []
        """What the last step took from the inbox."""

    def post(self, change: Change) -> None:
        """Ask for a value; clipped, it holds from the next step on. The last one per address wins, events queue. O(1).

        Raises:
            ValueRefused: unknown address or wrong type; raised to the sender, never in the frame loop.

        """
        param = self._table.get(change.path)
        if param is None:
            raise ValueRefused(f"There is no control {change.path}", "See: sonorama parameters")
        clipped = replace(change, value=param.clip(change.value))
        if not param.event:
            self._inbox[change.path] = clipped
        elif clipped.value and len(self._events) < self.QUEUE:
            self._events.append(clipped)

    def modulate(self, shifts: Mapping[str, float]) -> None:
        """Replace all modulation: shifts of position (1 is a control's whole range, along its curve) added to the base
        of float controls from now on.

        Raises:
            ValueRefused: an address that is unknown or not continuous.

        """
        for path in shifts:
            if path not in self._table or self._table[path].kind != "float":
                raise ValueRefused(f"{path} cannot be modulated", "Modulate a continuous control.")
        self._modulation = dict(shifts)

    @property
    def targets(self) -> Mapping[str, Value]:
        """What was asked for last at every address."""
        return self._target

    def base(self, path: str) -> Value:
        """Where a control stands without modulation."""
        return self._base[path]

    def take(self) -> list[Change]:
        """Apply what was posted: from here on it is the target. Also kept in `applied`."""
        self.applied = [self._inbox.pop(path) for path in list(self._inbox)]
        for change in self.applied:
            self._target[change.path] = change.value
            self._left.pop(change.path, None)
            if change.over > 0 and self._table[change.path].kind == "float":
                self._left[change.path] = change.over
        waiting, self._fired = self._events, {}
        self._events = deque()
        for event in waiting:  # one a step and address; the others wait their turn
            if event.path in self._fired:
                self._events.append(event)
            else:
                self._fired[event.path] = event.value
                self.applied.append(event)
        return self.applied

    def move(self, dt: float) -> None:
        """Let every base go on by `dt` seconds (nominal frame time) towards its target.

        base' = target + (base - target) 2^(-dt / glide), so n steps of dt / n end where one step of dt ends.
        """
        for path, target in self._target.items():
            if self._base[path] != target:
                self._base[path] = self._moved(self._table[path], target, dt)

    def effective(self) -> dict[str, Value]:
        """Every effective value; an event that fired in this step shows its value, else its default."""
        values = {**self._base, **self._fired}
        for path, shift in self._modulation.items():
            if shift:
                values[path] = self._shifted(path, shift)
        return values

    def step(self, dt: float) -> dict[str, Value]:
        """`take`, `move` and `effective` in one."""
        self.take()
        self.move(dt)
        return self.effective()

    def _moved(self, param: Parameter, target: Value, dt: float) -> Value:
        left = self._left.get(param.path, 0.0)
        if left > dt:
            self._left[param.path] = left - dt
            base = float(self._base[param.path])
            return base + (float(target) - base) * dt / left
        if self._left.pop(param.path, None) is not None or param.kind != "float" or param.glide <= 0.0:
            return target
        rest = (float(self._base[param.path]) - float(target)) * 2.0 ** (-dt / param.glide)
        # A millionth of the range is past seeing: stop there, so that a glide ends and equality means rest.
        return target if abs(rest) < 1e-6 * (param.high - param.low) else float(target) + rest

    def _shifted(self, path: str, shift: float) -> float:
        param = self._table[path]
        return param.from_norm(min(1.0, max(0.0, param.to_norm(float(self._base[path])) + shift)))

    def snapshot(self) -> dict[str, Any]:
        """All of the state as JSON values; events that wait their turn belong to it, the inbox does not."""
        events = [[change.path, change.value, change.source] for change in self._events]
        state: dict[str, Any] = {"target": dict(self._target), "base": dict(self._base), "left": dict(self._left)}
        return state | {"events": events, "modulation": dict(self._modulation)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a snapshot of the same table; addresses it does not know keep their values."""
        for kept, name in ((self._target, "target"), (self._base, "base")):
            kept.update({path: self._table[path].clip(v) for path, v in state[name].items() if path in self._table})
        self._left = {path: float(v) for path, v in state["left"].items() if path in self._table}
        self._events = deque(Change(*event) for event in state["events"] if event[0] in self._table)
        self._modulation = {path: float(v) for path, v in state["modulation"].items() if path in self._table}
