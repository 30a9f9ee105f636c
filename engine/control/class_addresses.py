"""Addresses of the meaning mixer by class: /meaning/fire_crackling/amount stands for the slot of that class.

What outlives a world (scenes, presets) is kept by class, since the same class may have another slot in another world.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from ..errors import ValueRefused
from ..whole_numbers import whole_number
from .parameters import Parameter, Value
from .render_table import MEANING_SLOTS

GROUP = "/meaning/"
NAMES = ("amount", "floor", "mute", "solo")
NO_TARGET = "none"
NEAR = 3
"""Classes that are suggested at most instead of an unknown one."""


def parts(path: str) -> tuple[str, str] | None:
    """The slot or class of an address of the mixer, and the parameter's name; None for any other address."""
    owner, slash, name = path.removeprefix(GROUP).rpartition("/")
    return (owner, name) if path.startswith(GROUP) and slash and owner and name in NAMES else None


def parameter_of(path: str, table: Mapping[str, Parameter]) -> Parameter | None:
    """The parameter of an address; of a class's address that of slot 1, which differs in nothing but its address."""
    found = parts(path)
    return table.get(path) or (table.get(f"{GROUP}1/{found[1]}") if found else None)


def to_slot(path: str, classes: Sequence[str]) -> str:
    """The address of the slot for that of a class; any other address as it is.

    Raises:
        ValueRefused: the world has no such class, or no slot for it.

    """
    found = parts(path)
    if found is None or found[0].isdecimal():
        return path
    slots = classes[:MEANING_SLOTS]
    if found[0] not in slots:
        raise ValueRefused(f"This world has no class {found[0][:60]!r}", _hint(found[0], found[1], slots))
    return f"{GROUP}{slots.index(found[0]) + 1}/{found[1]}"


def _hint(owner: str, name: str, classes: Sequence[str]) -> str:
    """What to send instead of an unknown class: those that were probably meant, else all."""
    wanted = owner.lower()
    near = [one for one in classes if one.lower() == wanted]
    near = near or [one for one in classes if len(wanted) > 1 and wanted in one.lower()]
    near = near or difflib.get_close_matches(wanted, classes, NEAR)
    if near:
        return f"Did you mean {' or '.join(f'{GROUP}{one}/{name}' for one in near[:NEAR])}?"
    return f"Its classes are {', '.join(classes)}." if classes else "It names no classes."


def is_target(path: str) -> bool:
    """Whether a parameter's value is an address: the target of a modulator."""
    return path.startswith("/moves/") and path.endswith("/target")


def by_class(values: Mapping[str, Value], classes: Sequence[str]) -> dict[str, Value]:
    """Values with the mixer's addresses by class; those of slots without a class are left out.

    Targets of modulators, which are addresses too, name classes as well.
    """
    kept: dict[str, Value] = {}
    for path, value in values.items():
        named = _to_class(path, classes)
        meant = _to_class(str(value), classes) if is_target(path) else value
        if named is not None and meant is not None:
            kept[named] = meant
    return kept


def _to_class(path: str, classes: Sequence[str]) -> str | None:
    """The address of a class for that of its slot; any other as it is; None for a slot without a class."""
    found = parts(path)
    if found is None or not found[0].isdecimal():
        return path
    slot = whole_number(found[0], 1, len(classes))
    return None if slot is None else f"{GROUP}{classes[slot - 1]}/{found[1]}"


def by_slot(values: Mapping[str, Value], classes: Sequence[str]) -> tuple[dict[str, Value], list[str]]:
    """Values with the mixer's addresses by slot, and the classes that this world has not; theirs are left out.

    A modulator whose target is of such a class has none.
    """
    kept: dict[str, Value] = {}
    unknown: list[str] = []
    for path, value in values.items():
        try:
            kept[to_slot(path, classes)] = to_slot(str(value), classes) if is_target(path) else value
        except ValueRefused:
            if is_target(path):
                kept[path] = NO_TARGET
            unknown.append((str(value) if is_target(path) else path).removeprefix(GROUP).rpartition("/")[0])
    return kept, [*dict.fromkeys(unknown)]


def mixer(values: Mapping[str, Value], classes: Sequence[str]) -> dict[str, Value]:
    """The mixer's values alone, and the modulators that have targets in it, by class."""
    own = {path: value for path, value in values.items() if path.startswith(GROUP)}
    targets = {path: value for path, value in values.items() if is_target(path) and str(value).startswith(GROUP)}
    return by_class(own | targets, classes)


def moved(
    values: Mapping[str, Value], kept: Mapping[str, Value], classes: Sequence[str], table: Mapping[str, Parameter]
) -> dict[str, Value]:
    """The values that must change for the mixer to hold `kept`, which is by class, in a world of these classes.

    Classes that `kept` does not know get the defaults; a modulator follows its target's class.
    """
    found, _ = by_slot(kept, classes)
    slots = [path for path in table if path.startswith(GROUP)]
    targets = [path for path in values if is_target(path) and str(values[path]).startswith(GROUP)]
    wanted = {path: found.get(path, table[path].default) for path in slots}
    wanted |= {path: found.get(path, NO_TARGET) for path in targets}
    return {path: value for path, value in wanted.items() if value != values[path]}
