"""Assignments as text, such as `/motion/coarse/amount=0.5`. Values out of range are refused, not clipped."""

import difflib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from ..errors import ValueRefused
from .class_addresses import parts, to_slot
from .parameters import Change, Parameter, Value, show
from .render_table import TABLE

MOST_NAMED = 16
"""Choices that an error message lists."""
_SWITCH = {"0": False, "1": True, "false": False, "true": True, "off": False, "on": True}


def parse(
    assignment: str,
    source: str = "command line",
    table: Mapping[str, Parameter] = TABLE,
    classes: Callable[[], Sequence[str]] = tuple[str],
) -> Change:
    """Read `/address=value`, `/sonorama/address=value` or `/address/norm=0..1` as a change.

    classes: gives those of the world, for addresses of the meaning mixer that name one.

    Raises:
        ValueRefused: no such address, a wrong type, or a value out of range; names the nearest right one.

    """
    address, equals, text = assignment.partition("=")
    if not equals:
        raise ValueRefused(f"{assignment!r} sets nothing", "Write /address=value, such as /motion/fine/amount=0.5")
    address = address.strip()
    plain = address.removesuffix("/norm")
    if parts(slot := plain.removeprefix("/sonorama")) is not None:
        plain = to_slot(slot, () if slot in table else classes())
        address = plain + ("/norm" if address.endswith("/norm") else "")
    param = _find(address, plain, table)
    value = _position(param, text) if plain != address else _natural(param, text)
    return Change(param.path, value, source)


def start_values(changes: Iterable[Change], table: Mapping[str, Parameter] = TABLE) -> dict[str, Value]:
    """The value of every parameter of a table: its default, or the last one that was assigned."""
    values: dict[str, Value] = {path: param.default for path, param in table.items()}
    values.update((change.path, change.value) for change in changes)
    return values


def _find(address: str, plain: str, table: Mapping[str, Parameter]) -> Parameter:
    path = plain.removeprefix("/sonorama")
    if path in table:
        return table[path]
    from .live_table import SHOW  # imported late: films without a wrong address do not need it

    if path in SHOW:
        hint = "Set it with `sonorama live`, or leave it out; parameters of films: sonorama parameters"
        raise ValueRefused(f"{path} is a parameter of shows: a film has none", hint)
    nearest = difflib.get_close_matches("/" + path.lstrip("/").lower(), table, n=1, cutoff=0.0)[0]
    raise ValueRefused(
        f"There is no parameter {address!r}", f"Did you mean {nearest}? All of them: sonorama parameters"
    )


def _natural(param: Parameter, text: str) -> Value:
    match param.kind:
        case "text":
            return _text(param, text)
        case "choice":
            return _choice(param, text.strip())
        case "switch":
            return _switch(param, text.strip())
        case _:
            return _number(param, text.strip())


def _text(param: Parameter, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes of the command line that are no UTF-8
        raise ValueRefused(f"{param.path} takes text, not {text!r}", "Write it as UTF-8.") from None
    return str(param.clip(text))


def _choice(param: Parameter, text: str) -> str:
    if text in param.choices:
        return text
    nearest = difflib.get_close_matches(text, param.choices, n=1, cutoff=0.0)[0]
    few = len(param.choices) <= MOST_NAMED
    hint = f"Use {param.allowed()}; the nearest is {nearest}." if few else f"Did you mean {nearest}?"
    raise ValueRefused(f"{param.path} does not take {text!r}", hint)


def _switch(param: Parameter, text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueRefused(f"{param.path} is a switch and does not take {text!r}", "Use 0 or 1 (off, on).")
    return _SWITCH[text.lower()]


def _number(param: Parameter, text: str) -> Value:
    number = _finite(param.path, text, param.allowed())
    nearest = param.clip(number)
    if number != nearest:
        raise ValueRefused(
            f"{param.path}={text} is not allowed", f"Use {param.allowed()}; the nearest is {show(nearest)}."
        )
    return nearest


def _position(param: Parameter, text: str) -> float:
    if param.kind != "float":
        raise ValueRefused(f"{param.path} has no /norm", f"Set {param.path} itself: {param.allowed()}.")
    position = _finite(f"{param.path}/norm", text, "0 to 1")
    if not 0.0 <= position <= 1.0:
        nearest = show(min(max(position, 0.0), 1.0))
        raise ValueRefused(f"{param.path}/norm={text} is not allowed", f"Use 0 to 1; the nearest is {nearest}.")
    return param.from_norm(position)


def _finite(name: str, text: str, allowed: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise ValueRefused(f"{name} takes a number, not {text!r}", f"Use {allowed}.")
    return number
