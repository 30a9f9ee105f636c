"""How the panel writes addresses and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sonorama.engine.control.parameters import Parameter, Value, show

OSC_ROOT = "/sonorama"


def osc_address(path: str) -> str:
    """The public address of a control."""
    return OSC_ROOT + path


def caption(path: str) -> str:
    """The last word of an address: `amount`, `auto gain`."""
    return path.rpartition("/")[2].replace("_", " ")


def short_name(path: str) -> str:
    """A control among others: `fine amount`, `sound gain`, `truncation`."""
    parts = [part.replace("_", " ") for part in path.strip("/").split("/")]
    return " ".join(parts[-2:]) if parts[0] in ("sound", "motion", "moves") or len(parts) > 2 else parts[-1]


def short_value(param: Parameter, value: Value) -> str:
    """A value in few characters, with its unit: `0.60`, `2.5 s`, `-12 dB`."""
    if isinstance(value, bool) or not isinstance(value, float):
        return show(value)
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    unit = f" {param.unit}" if param.unit and param.unit != "sigma" else ""
    return f"{value:.{digits}f}{unit}"


def waiting(paths: Sequence[str], values: Mapping[str, Value]) -> str:
    """What takes seconds, in words: `looking for a place for "a storm"`."""
    said = {"/look/text": "looking for a place for \u201c{}\u201d", "/engine/world": "loading the world {}"}
    whole = [said.get(path, f"loading {short_name(path)} {{}}").format(values.get(path, "")) for path in paths]
    return ", ".join(whole) + " \u2026"


def describe(param: Parameter, value: Value, effective: float | None, driver: str) -> str:
    """The line at the bottom for the control under the hand."""
    text = f"{osc_address(param.path)}   {show(value)}   ({param.allowed()})"
    if effective is not None:
        text += f"   {driver or 'moved'} \u2192 {short_value(param, float(effective))}"
    return f"{text}   {param.doc}"
