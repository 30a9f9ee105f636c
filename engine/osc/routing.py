"""Turns OSC messages into changes of parameters. Values out of range are clamped, wrong types refused."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from ..control.accept import Accept, valid_change
from ..control.class_addresses import GROUP, parameter_of
from ..control.parameters import ON, Change, Parameter, Value
from ..errors import ValueRefused
from .counters import OscCounters, quoted
from .messages import Sender
from .patterns import SPECIAL, part_matches
from .suggest import Suggestions

ROOT, NORM = "/sonorama", "/norm"
REMEMBERED, PATTERNS = 4096, 256
"""Maximum numbers of numbers sent to triggers and of address patterns kept."""
HELD_S = 0.15
"""Seconds within which a repeated number is a button that is held, as channels of other programs send it."""
IMPULSES = (None, "bang")
"""Arguments that trigger without a release; `validation.unpack` turns an impulse into nil."""


_TAGS = {str: ",s", float: ",f", int: ",i", bytes: "a blob (,b)", type(None): "a message without a value"}
"""Types of arguments -> how a message about them begins."""


class Accepted(NamedTuple):
    """A change, and the value that the sender asked for, which differs if it was clamped."""

    change: Change
    asked: Any


class Router:
    """Finds parameters by OSC address or address pattern, and converts arguments to their values.

    Args:
        table: all parameters.
        counters: counts refused messages.
        accept: turns values into valid changes; the default uses the table, with no world installed.
        clock: monotonic time in seconds.

    """

    def __init__(
        self,
        table: Mapping[str, Parameter],
        counters: OscCounters,
        accept: Accept | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._table, self._counters, self._clock = table, counters, clock
        self._accept = accept or partial(valid_change, table)
        self._exact: dict[str, tuple[Parameter, bool]] = {}
        for path, param in table.items():
            self._exact[ROOT + path] = (param, False)
            if param.kind == "float":
                self._exact[ROOT + path + NORM] = (param, True)
        self._suggestions = Suggestions(self._exact, ROOT)
        self._tree: dict[str, Any] = {}
        for address in self._exact:
            node = self._tree
            for part in address.split("/"):
                node = node.setdefault(part, {})
        self._named: dict[str, list[tuple[Parameter, bool]]] = {}
        self._pressed: dict[tuple[str, Sender], tuple[float, float]] = {}
        self._lock = threading.Lock()

    def changes(self, address: str, arguments: Sequence[Any], sender: Sender) -> Iterator[Accepted]:
        """Yield the valid changes of a message. Never raises: refused ones are counted."""
        known = self._exact.get(address) or self._of_class(address)
        found = [known] if known else self.named(address)
        if not found:
            self._counters.count("unknown", partial(self._unknown, address), address)
        source = source_of(sender)
        for param, norm in found:
            try:
                value, asked = self._value(param, norm, arguments, sender)
                change = None if value is None else self._accept(param.path, value, source)
            except ValueRefused as refused:
                fault = f"OSC from {sender[0]}: {refused.message}. {refused.hint}"
                self._counters.count("wrong_type", fault, param.path)
                continue
            if change is not None and (change.value or not param.event):
                yield Accepted(change, asked)

    def _unknown(self, address: str) -> str:
        if not SPECIAL.isdisjoint(address):
            return f"OSC: no address matches the pattern {quoted(address)} (see docs/osc.md)"
        tidy = self._suggestions.tidy(address)
        meant = tidy if tidy != address and self._of_class(tidy) else self._suggestions.nearest(address)
        hint = f": did you mean {meant}?" if meant else " (see docs/osc.md)"
        if (there := self._suggestions.numbers(address)) and meant != tidy:
            hint = f": {there}"
        return f"OSC: unknown address {quoted(address)}{hint}"

    def _of_class(self, address: str) -> tuple[Parameter, bool] | None:
        """The mixer's parameter at an address that names a class, such as /sonorama/meaning/raining/mute."""
        path = address.removeprefix(ROOT).removesuffix(NORM)
        if not address.startswith(ROOT + GROUP) or (param := parameter_of(path, self._table)) is None:
            return None
        norm = address.endswith(NORM)
        return (replace(param, path=path), norm) if param.kind == "float" or not norm else None

    def named(self, pattern: str) -> list[tuple[Parameter, bool]]:
        """The parameters that an address pattern matches, each with True if it is their 0..1 address."""
        if SPECIAL.isdisjoint(pattern):
            return []
        found = self._named.get(pattern)
        if found is None:
            found = self._search(pattern)
            self._named = {} if len(self._named) >= PATTERNS else self._named
            self._named[pattern] = found
        return found

    def _search(self, pattern: str) -> list[tuple[Parameter, bool]]:
        nodes = [("", self._tree)]
        for part in pattern.split("/"):
            nodes = [
                (f"{at}/{name}" if at or part else name, below)
                for at, node in nodes
                for name, below in node.items()
                if part_matches(part, name)
            ]
        return [self._exact[address] for address, _ in nodes if address in self._exact]

    def _value(
        self, param: Parameter, norm: bool, arguments: Sequence[Any], sender: Sender
    ) -> tuple[Value | None, Any]:
        """The value to set, or None for no change, and the value asked for."""
        first = arguments[0] if arguments else None
        if param.kind == "trigger":
            return self._press(param, first, sender), first
        if param.kind == "text":
            return _text(param, first), first
        if param.kind == "choice":
            return _choice(param, first), first
        number = _number(param, first)
        if norm:
            value = param.from_norm(min(max(float(number), 0.0), 1.0))
            return value, value
        return number, number

    def _press(self, param: Parameter, first: Any, sender: Sender) -> Value | None:
        """True for an impulse, for a number that rises to ON, and for a repeat of it after HELD_S; None otherwise, also
        while a fader of the same sender goes on moving above ON, or a channel goes on sending 1.
        """
        if first in IMPULSES:
            return True
        number, key, now = float(_number(param, first)), (param.path, sender), self._clock()
        with self._lock:
            before, at = self._pressed.pop(key, (0.0, now))
            self._pressed[key] = number, now
            if len(self._pressed) > REMEMBERED:
                del self._pressed[next(iter(self._pressed))]
        return True if number >= ON and (before < ON or (number == before and now - at > HELD_S)) else None


def source_of(sender: Sender) -> str:
    """The source of changes by a sender: `osc:127.0.0.1:5000`, `osc:[::1]:5000`."""
    host = f"[{sender[0]}]" if ":" in sender[0] else sender[0]
    return f"osc:{host}:{sender[1]}"


def _text(param: Parameter, first: Any) -> str:
    if not isinstance(first, str):
        raise _wrong(param, first)
    return first


def _choice(param: Parameter, first: Any) -> Value:
    if isinstance(first, str):
        return first.removeprefix(ROOT) if first.startswith(f"{ROOT}/") else first
    return param.choices[round(min(max(_number(param, first), 0), len(param.choices) - 1))]


def _number(param: Parameter, first: Any) -> int | float:
    if isinstance(first, int | float) and math.isfinite(first):
        return int(first) if isinstance(first, bool) else first
    raise _wrong(param, first)


def _wrong(param: Parameter, first: Any) -> ValueRefused:
    seen = quoted(first) if isinstance(first, str) else f"{first}" if isinstance(first, int | float) else ""
    tag = _TAGS.get(type(first), "")
    return ValueRefused(f"{param.path} does not take {' '.join(filter(None, (tag, seen)))}", f"Send {param.allowed()}.")
