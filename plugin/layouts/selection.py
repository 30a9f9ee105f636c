"""Which parameters a generated controller has, in what groups, and what it calls them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sonorama.engine.control.parameters import Parameter

GROUPS = ("look", "motion", "blend", "picture", "moves", "scene", "sound", "auto", "cue", "edit", "out")
"""First parts of addresses. What only the screens and devices of this machine concern is left out."""
_CLEAR = ("look", "motion", "picture", "sound", "out")
"""Groups whose parameters need not be said to be of them."""
MOST_STEPS = 128
"""A whole number of more steps, such as a seed, is nothing for a fader."""
MOST_CHOICES = 16
_NUMBERED = re.compile(r"/\d+(/|$)")
_ALSO = re.compile(r"/moves/\d+/depth")


def selected(table: Mapping[str, Parameter]) -> dict[str, list[Parameter]]:
    """The parameters of each group that can be a fader, a button or a row of buttons; a group without any is left out.

    Of modulators there is the depth; points of the blend surface, scenes and classes have no controls of their own.
    """
    groups: dict[str, list[Parameter]] = {name: [] for name in GROUPS}
    for path, param in table.items():
        group = path.split("/")[1]
        numbered = _NUMBERED.search(path) and not _ALSO.fullmatch(path)
        if group in groups and not numbered and _fits(param):
            groups[group].append(param)
    return {name: params for name, params in groups.items() if params}


def _fits(param: Parameter) -> bool:
    match param.kind:
        case "float" | "switch" | "trigger":
            return True
        case "int":
            return param.high - param.low <= MOST_STEPS
        case "choice":
            return len(param.choices) <= MOST_CHOICES
        case _:
            return False


def label(param: Parameter) -> str:
    """The address without its group, in words: `/motion/coarse/amount` is `coarse amount`."""
    return " ".join(param.path.split("/")[2:]).replace("_", " ")


def title(param: Parameter) -> str:
    """A name that says what it is outside its group, too: `/cue/go` is `cue go`, `/motion/fine/mute` is `fine mute`."""
    group = param.path.split("/")[1]
    return label(param) if group in _CLEAR else f"{group} {label(param)}"
