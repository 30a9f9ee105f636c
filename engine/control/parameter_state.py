"""The values of all parameters as frames go by: targets, glides, morphs, events and modulation.

Three numbers belong to a float: the *target* (the value asked for last), the *base* (the target as its glide or morph
lets it through) and the *effective* value = clip(base + modulation), which the pipeline uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ValueRefused
from .change_queue import ChangeQueue
from .parameters import Change, Parameter, Value


class ParameterState:
    """The state of every parameter of a table. `post` may be called from any thread; the rest belongs to one."""

    def __init__(self, table: Mapping[str, Parameter], start: Mapping[str, Value] | None = None) -> None:
        """Parameters begin at `start` (else at the table's defaults), without a glide."""
        self._table = table
        self._target = {path: param.default for path, param in table.items()}
        for path, value in (start or {}).items():
            if not table[path].event:
                self._target[path] = table[path].clip(value)
        self._base = dict(self._target)
        self._moving = set[str]()  # those whose base may differ from their target
        self._left: dict[str, float] = {}  # seconds left of a morph
        self._modulation: dict[str, float] = {}
        self._queue = ChangeQueue(table)
        self._fired: dict[str, Value] = {}
        self.applied: list[Change] = []
        """The changes that the last step applied."""

    def post(self, change: Change) -> None:
        """Ask for a value, by a valid change; it holds from the next step on. O(1).

        Of one parameter the last change wins; events queue. Raises KeyError for an address that is not in the table.
        """
        self._queue.add((change,))

    def modulate(self, shifts: Mapping[str, float]) -> None:
        """Replace all modulation. Shifts are added to the position (0..1 along the curve) of a float's base.

        Raises:
            ValueRefused: an address that is unknown or not continuous.

        """
        for path in shifts:
            if path not in self._table or self._table[path].kind != "float":
                raise ValueRefused(f"{path} cannot be modulated", "Modulate a continuous parameter.")
        self._modulation = dict(shifts)

    @property
    def targets(self) -> Mapping[str, Value]:
        """The value asked for last at every address."""
        return self._target

    def base(self, path: str) -> Value:
        """A parameter's value without modulation."""
        return self._base[path]

    def take(self) -> list[Change]:
        """Apply what was posted: values become targets, one event of each address fires. Also kept in `applied`."""
        self.applied, self._fired = self._queue.take_frame(), {}
        for change in self.applied:
            if self._table[change.path].event:
                self._fired[change.path] = change.value
                continue
            self._target[change.path] = change.value
            self._moving.add(change.path)
            self._left.pop(change.path, None)
            if change.over > 0 and self._table[change.path].kind == "float":
                self._left[change.path] = change.over
        return self.applied

    def move(self, dt: float) -> None:
        """Let every base approach its target for `dt` seconds (nominal frame time).

        base' = target + (base - target) 2^(-dt / glide), so n steps of dt / n end where one step of dt ends.
        """
        for path in tuple(self._moving):
            target = self._target[path]
            if self._base[path] == target:
                self._moving.remove(path)
            else:
                self._base[path] = self._moved(self._table[path], target, dt)

    def effective(self) -> dict[str, Value]:
        """Every effective value; an event that fired in this step has its value, any other its default."""
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
        # A millionth of the range cannot be seen: stop there, so that a glide ends and equality means rest.
        return target if abs(rest) < 1e-6 * (param.high - param.low) else float(target) + rest

    def _shifted(self, path: str, shift: float) -> float:
        param = self._table[path]
        return param.from_norm(min(1.0, max(0.0, param.to_norm(float(self._base[path])) + shift)))

    def snapshot(self) -> dict[str, Any]:
        """All of the state as JSON values. Events that wait belong to it; values not yet applied do not."""
        events = [[change.path, change.value, change.source] for change in self._queue.events]
        state: dict[str, Any] = {"target": dict(self._target), "base": dict(self._base), "left": dict(self._left)}
        return state | {"events": events, "modulation": dict(self._modulation)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of the same table. Addresses that the snapshot does not know keep their values."""
        for kept, name in ((self._target, "target"), (self._base, "base")):
            kept.update({path: self._table[path].clip(v) for path, v in state[name].items() if path in self._table})
        self._moving = {path for path, target in self._target.items() if self._base[path] != target}
        self._left = {path: float(v) for path, v in state["left"].items() if path in self._table}
        self._queue = ChangeQueue(self._table)
        self._queue.add(Change(*event) for event in state["events"] if event[0] in self._table)
        self._modulation = {path: float(v) for path, v in state["modulation"].items() if path in self._table}
