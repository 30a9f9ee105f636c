"""The parameters of a show as the tree of an OSCQuery server (the proposal of Vidvox, 2018)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from sonorama.engine.control.addresses import OUT_BLACKOUT, OUT_FREEZE, OUT_PANIC
from sonorama.engine.control.parameters import Change, Parameter, Value
from sonorama.engine.osc.routing import ROOT
from sonorama.engine.plugins.interfaces import BridgePort

NOTHING, READ, WRITE, BOTH = 0, 1, 2, 3
ATTRIBUTES = (
    "FULL_PATH", "CONTENTS", "TYPE", "ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT", "CLIPMODE", "CRITICAL", "CURVE",
)  # fmt: skip
"""What a node may have, and be asked for. CURVE is our own: `log` where equal steps of a fader are equal ratios."""
OPTIONAL = ("ACCESS", "VALUE", "RANGE", "DESCRIPTION", "UNIT", "CLIPMODE", "CRITICAL", "LISTEN")
"""The proposal's optional parts that are here, for HOST_INFO."""
CRITICAL = (OUT_BLACKOUT, OUT_FREEZE, OUT_PANIC)
_UNITS = {
    "s": "time.second",
    "ms": "time.ms",
    "Hz": "time.hz",
    "BPM": "time.bpm",
    "dB": "gain.db",
    "deg": "angle.degree",
}
_TYPES = {"float": "f", "int": "i", "slot": "i", "switch": "T", "choice": "s", "text": "s", "trigger": "I"}


def type_tag(value: Value) -> str:
    """The OSC type of a value that is only read."""
    return {bool: "T", int: "i", float: "f"}.get(type(value), "s")


def described(param: Parameter) -> dict[str, Any]:
    """All of a parameter's attributes but its path, contents and value."""
    node: dict[str, Any] = {"TYPE": _TYPES[param.kind], "ACCESS": WRITE if param.event else BOTH}
    node["DESCRIPTION"] = param.doc
    match param.kind:
        case "float" | "int" | "slot":
            node |= {"RANGE": [{"MIN": param.low, "MAX": param.high}], "CLIPMODE": ["both"]}
        case "choice":
            node["RANGE"] = [{"VALS": list(param.choices)}]
    if param.unit in _UNITS:
        node["UNIT"] = [_UNITS[param.unit]]
    if param.curve == "log":
        node["CURVE"] = ["log"]
    if param.path in CRITICAL:
        node["CRITICAL"] = True
    return node


class Nodes:
    """The tree, with the values that hold now. Any thread.

    Args:
        port: the show.

    """

    def __init__(self, port: BridgePort) -> None:
        self._table, self._lock = port.table, threading.Lock()
        self._values: dict[str, Value] = dict(port.values)
        self._measured: dict[str, Value] = {}

    def changed(self, changes: Iterable[Change]) -> dict[str, Value]:
        """Keep new values; those of parameters with a value, by path."""
        news = {one.path: one.value for one in changes if one.path in self._table and not self._table[one.path].event}
        with self._lock:
            self._values |= news
        return news

    def measured(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Keep meters; those that differ from before and are not a parameter's address, by path."""
        with self._lock:
            news = {
                path: value
                for path, value in values.items()
                if path not in self._table and self._measured.get(path) != value
            }
            self._measured |= news
        return news

    def has(self, path: str) -> bool:
        """Whether there is a parameter or meter at a path without the root."""
        with self._lock:
            return path in self._table or path in self._measured

    def value(self, path: str) -> Value | None:
        """The value at a path without the root, such as /look/drift; None of a trigger, and where there is nothing."""
        with self._lock:
            if path in self._table:
                param = self._table[path]
                return self._values[path] if not param.event else param.default if param.kind == "slot" else None
            return self._measured.get(path)

    def find(self, address: str) -> dict[str, Any] | None:
        """The node at an address as OSC has it, with all that is below it; None if there is none."""
        address = "/" + address.strip("/")
        with self._lock:
            known = [ROOT + path for path in (*self._table, *self._measured)]
        below = [one for one in known if one == address or one.startswith(f"{address.rstrip('/')}/")]
        return self._node(address, below) if below else None

    def _node(self, address: str, below: list[str]) -> dict[str, Any]:
        node: dict[str, Any] = {"FULL_PATH": address, "ACCESS": NOTHING}
        path = address.removeprefix(ROOT)
        start = 1 if address == "/" else len(address) + 1
        parts: dict[str, list[str]] = {}
        for one in below:
            if one != address:
                parts.setdefault(one[start:].split("/")[0], []).append(one)
        if address in below:
            node |= self._own(path)
        if parts:
            contents = {part: self._node(f"{address.rstrip('/')}/{part}", ones) for part, ones in parts.items()}
            node["CONTENTS"] = contents
        return node

    def _own(self, path: str) -> dict[str, Any]:
        value = self.value(path)
        if path in self._table:
            return {**described(self._table[path]), "VALUE": [value]}
        return {"TYPE": type_tag("" if value is None else value), "ACCESS": READ, "VALUE": [value]}
