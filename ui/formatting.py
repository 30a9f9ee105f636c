"""Text for the panel: OSC addresses, captions, and values with units.

Functions that take `classes`, those of the world that is played, name the meaning mixer's parameters by class.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sonorama.engine.control.addresses import ENGINE_WORLD, LOOK_PHOTO
from sonorama.engine.control.class_addresses import by_class, parts, to_slot
from sonorama.engine.control.parameters import Parameter, Value, show
from sonorama.engine.control.pending_load import PROMPTS, SOUNDS

OSC_ROOT = "/sonorama"
OF_SYNC = ("/clock/", "/timecode/", "/ableton/")
"""Groups of the tab SYNC, whose parameters have the same last names."""
MANY_CHOICES = 30
LONGEST_NAME = 60
"""Characters of a text or name that is being loaded."""
_PLAIN_CLASS = re.compile(r"/meaning/[A-Za-z0-9_.+-]+/[a-z]+")


def slot_of(path: str) -> int:
    """The slot of the meaning mixer that a parameter belongs to, from 1; 0 for any other parameter."""
    found = parts(path)
    return int(found[0]) if found and found[0].isdecimal() else 0


def class_path(path: str, classes: Sequence[str]) -> str:
    """`/meaning/raining/floor` for `/meaning/7/floor`; the path as it is if the world has no class for it."""
    return next(iter(by_class({path: 0.0}, classes)), path)


def osc_address(path: str, classes: Sequence[str] = ()) -> str:
    """The OSC address of a parameter, e.g. `/sonorama/sound/gain`; by class if its name can be part of an address."""
    named = class_path(path, classes)
    sendable = _PLAIN_CLASS.fullmatch(named) and to_slot(named, classes) == path
    return OSC_ROOT + (named if sendable else path)


def caption(path: str) -> str:
    """The last part of an address, with spaces: `amount`, `auto gain`; the last two where needed: `kick low`,
    `fine code`, `clock origin`, `axis 3`.
    """
    of_drum = path.startswith("/sound/") and not path.endswith(("/x2", "/half"))
    of_level = path.startswith("/look/") and path.count("/") > 2 and not path.endswith("/mix")  # mixes are in strips
    first = 1 if path.startswith((*OF_SYNC, "/axis/")) else 2 if of_drum or of_level else -1
    return " ".join(path.split("/")[first:]).replace("_", " ")


def class_name(class_id: str) -> str:
    """A class or another sound as people read it: `fire crackling`."""
    return class_id.replace("_", " ")


def short_name(path: str, classes: Sequence[str] = ()) -> str:
    """A name that is unique among all parameters: `fine amount`, `mod 3 depth`, `window 2 x`, `truncation`."""
    if found := parts(class_path(path, classes)):
        owner, name = found
        return f"class {owner} {name}" if owner.isdecimal() else f"{class_name(owner)} {name}"
    words = [class_name(part) for part in path.strip("/").split("/")]
    if words[0] == "moves":
        return " ".join(("mod", *words[1:]))
    if words[0] == "cue" or (words[0] in ("scene", "window") and len(words) > 2):
        return " ".join(words)
    return " ".join(words[-2:]) if words[0] in ("sound", "motion", "auto", "axis") or len(words) > 2 else words[-1]


def doc(param: Parameter, classes: Sequence[str] = ()) -> str:
    """The parameter's description."""
    slot = slot_of(param.path)
    if 0 < slot <= len(classes):
        return param.doc.replace(f"class {slot} of the world", class_name(classes[slot - 1]))
    return param.doc


def short_value(param: Parameter, value: Value) -> str:
    """A value in three digits or so, with its unit: `0.60`, `2.5 s`, `-12 dB`."""
    if isinstance(value, bool) or not isinstance(value, float):
        return show(value)
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    unit = f" {param.unit}" if param.unit and param.unit != "sigma" else ""
    return f"{value:.{digits}f}{unit}"


def allowed(param: Parameter) -> str:
    """The allowed values in words; of a long list, how many there are."""
    many = len(param.choices) > MANY_CHOICES
    return f"one of {len(param.choices)}: see the list" if many else param.allowed()


def waiting(paths: Sequence[str], values: Mapping[str, Value]) -> str:
    """The parameters being loaded, as a line of text: `finding a picture for "a storm" ...`; empty where all of them
    were cleared meanwhile.
    """
    texts = dict.fromkeys(PROMPTS, "finding a picture for \u201c{}\u201d")
    texts |= dict.fromkeys(SOUNDS, "finding a picture for the sound {}") | {
        LOOK_PHOTO: "inverting the photo {}",
        ENGINE_WORLD: "loading the world {}",
    }
    named = {path: _cut(str(values.get(path, ""))) for path in paths}
    parts = [texts.get(path, f"loading {short_name(path)} {{}}").format(name) for path, name in named.items() if name]
    return ", ".join(parts) + " \u2026" if parts else ""


def _cut(text: str) -> str:
    """The beginning of a text of many words, up to a word's end where there is one."""
    text = " ".join(text.split())
    if len(text) <= LONGEST_NAME:
        return text
    return f"{text[: LONGEST_NAME + 1].rsplit(' ', 1)[0][:LONGEST_NAME]}\u2026"


def describe(param: Parameter, value: Value, effective: float | None, driver: str, classes: Sequence[str] = ()) -> str:
    """The status line's text for a control: address, value, allowed values, modulated value and source, description."""
    text = f"{osc_address(param.path, classes)}   {show(value)}   ({allowed(param)})"
    if effective is not None:
        text += f"   {driver or 'modulated'} \u2192 {short_value(param, float(effective))}"
    return f"{text}   {doc(param, classes)}"
