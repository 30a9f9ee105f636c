"""Text for the panel: OSC addresses, captions, and values with units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sonorama.engine.control.addresses import ENGINE_WORLD, LOOK_TEXT
from sonorama.engine.control.parameters import Parameter, Value, show

OSC_ROOT = "/sonorama"


def osc_address(path: str) -> str:
    """The OSC address of a parameter, e.g. `/sonorama/sound/gain`."""
    return OSC_ROOT + path


def caption(path: str) -> str:
    """The last part of an address, with spaces: `amount`, `auto gain`."""
    return path.rpartition("/")[2].replace("_", " ")


def short_name(path: str) -> str:
    """A name that is unique among all parameters: `fine amount`, `sound gain`, `mod 3 depth`, `truncation`."""
    parts = [part.replace("_", " ") for part in path.strip("/").split("/")]
    if parts[0] == "moves":
        return " ".join(("mod", *parts[1:]))
    return " ".join(parts[-2:]) if parts[0] in ("sound", "motion") or len(parts) > 2 else parts[-1]


def short_value(param: Parameter, value: Value) -> str:
    """A value in three digits or so, with its unit: `0.60`, `2.5 s`, `-12 dB`."""
    if isinstance(value, bool) or not isinstance(value, float):
        return show(value)
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    unit = f" {param.unit}" if param.unit and param.unit != "sigma" else ""
    return f"{value:.{digits}f}{unit}"


def waiting(paths: Sequence[str], values: Mapping[str, Value]) -> str:
    """The parameters being loaded, as a line of text: `finding a picture for "a storm" ...`."""
    texts = {LOOK_TEXT: "finding a picture for \u201c{}\u201d", ENGINE_WORLD: "loading the world {}"}
    parts = [texts.get(path, f"loading {short_name(path)} {{}}").format(values.get(path, "")) for path in paths]
    return ", ".join(parts) + " \u2026"


def describe(param: Parameter, value: Value, effective: float | None, driver: str) -> str:
    """The status line's text for a control: address, value, allowed values, modulated value and source, description."""
    text = f"{osc_address(param.path)}   {show(value)}   ({param.allowed()})"
    if effective is not None:
        text += f"   {driver or 'modulated'} \u2192 {short_value(param, float(effective))}"
    return f"{text}   {param.doc}"
