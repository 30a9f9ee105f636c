"""Validation: makes valid changes of values that panels and bridges send. All other code trusts valid changes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping

from ..errors import ValueRefused
from .addresses import SOUND_CHANNELS, SOUND_INPUT
from .parameters import Change, Parameter, Value

LONGEST_TEXT = 1000
"""Characters of a text; the rest of a longer one is cut off."""
Accept = Callable[[str, object, str], Change]
"""(address, value, source) -> valid change; ValueRefused where there is none."""


def valid_change(
    table: Mapping[str, Parameter],
    path: str,
    value: object,
    source: str,
    names: Callable[[], Collection[str]] = tuple[str],
) -> Change:
    """A valid change of a value that somebody sent.

    Args:
        table: the parameters.
        path: address; need not exist.
        value: anything. A number out of range becomes the nearest allowed one.
        source: who sent it.
        names: gives what a parameter that loads by name may be set to: the installed worlds. Never paths: whoever
            sends messages must not be able to make the show open any file.

    Raises:
        ValueRefused: unknown address, wrong type, a number that is not finite, a text that is not UTF-8, an unknown
            choice or name.

    """
    param = table.get(path)
    if param is None:
        raise ValueRefused(f"There is no parameter {path[:80]}", "See docs/osc.md")
    if isinstance(value, str):
        return Change(param.path, _text(param, value, names), source)
    if not isinstance(value, int | float):
        raise ValueRefused(f"{path} does not take {type(value).__name__}", f"Send {param.allowed()}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueRefused(f"{path} does not take {value}", f"Send {param.allowed()}.")
    try:
        return Change(param.path, param.clip(value), source)
    except OverflowError:
        raise ValueRefused(f"{path} does not take a number of so many digits", f"Send {param.allowed()}.") from None


def plain_names(names: Iterable[str]) -> set[str]:
    """Those of the names that cannot be read as a path."""
    return {name for name in names if name and not name.startswith(".") and not set("/\\:\0") & set(name)}


_FORMS = {
    SOUND_INPUT: (re.compile(r"|silence|(device|loopback)([:#].*)?"), "device, device:NAME, loopback:NAME or silence"),
    SOUND_CHANNELS: (re.compile(r"|[0-9]{1,3}(,[0-9]{1,3})*"), "numbers from 1 such as 3,4"),
}
"""Texts that messages may send, and how to say so. An input is never a file."""


def _text(param: Parameter, text: str, names: Callable[[], Collection[str]]) -> Value:
    text = text[:LONGEST_TEXT]
    form, meant = _FORMS.get(param.path, (None, ""))
    if form is not None and not form.fullmatch(text):
        raise ValueRefused(f"{param.path} does not take {text[:60]!r}", f"Send {meant}, or nothing.")
    if param.load and param.kind == "text" and text not in (allowed := names()):
        known = ", ".join(sorted(allowed)) or "none"
        raise ValueRefused(f"{param.path} does not take {text[:60]!r}", f"Send the name of an installed one: {known}.")
    return param.clip(text)
