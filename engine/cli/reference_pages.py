"""Reference pages generated from the parameter table."""

import json
from dataclasses import asdict

from ..control.addresses import modulator, modulator_slot
from ..control.live_table import FILM
from ..control.live_table import MODULATORS as LAST_SLOT
from ..control.parameters import Parameter, show

_INTRO = """# Parameters

All parameters of a film, generated from `engine/control/live_table.py` by `sonorama parameters --markdown`.

`sonorama render` takes them as `--set /motion/coarse/amount=0.5`; `/sonorama/motion/coarse/amount=0.5` means
the same, and continuous parameters also take a position from 0 to 1 along their curve:
`--set /motion/coarse/inertia/norm=0.5`. Switches take 0 or 1. The glide is the half-life with which a parameter
approaches a new value while playing; a film starts with its values in effect.

| address | takes | default | curve | glide | what it does |
|---|---|---|---|---|---|
"""


_MODULATORS = """
## Modulators

A film has the eight modulators of a show, `/moves/1/` to `/moves/8/`, and begins with those of a show: {used}.
The others are off; `--set /moves/1/source=off` switches one off. A target is an address above that takes decimals.

| address | takes | default | curve | glide | what it does |
|---|---|---|---|---|---|
"""


def as_markdown() -> str:
    """The page docs/parameters.md."""
    first = [param for path, param in FILM.items() if path.startswith(modulator_slot(LAST_SLOT))]
    rest = "".join(map(_row, first)).replace(f"/moves/{LAST_SLOT}/", "/moves/1..8/")
    rest = rest.replace(f"modulator {LAST_SLOT}", "the modulator")
    others = (param for path, param in FILM.items() if not path.startswith("/moves/"))
    return _INTRO + "".join(map(_row, others)) + _MODULATORS.format(used=_used()) + rest


def _used() -> str:
    """The modulators that are on, in words."""
    used = [n for n in range(1, LAST_SLOT + 1) if FILM[modulator(n, "source")].default != "off"]
    told = ([show(FILM[modulator(n, name)].default) for name in ("source", "target", "depth")] for n in used)
    return ", ".join(f"{source} moves `{target}` by {depth}" for source, target, depth in told)


def _row(param: Parameter) -> str:
    curve = param.curve if param.kind == "float" else ""
    glide = f"{show(param.glide)} s" if param.glide else ""
    default = show(param.default) or "(empty)"
    takes = "none or an address" if param.path.endswith("/target") else param.allowed()
    return f"| `{param.path}` | {takes} | {default} | {curve} | {glide} | {param.doc} |\n"


def as_json() -> str:
    """A JSON array with one object for each parameter."""
    rows = [{**asdict(param), "kind": param.kind} for param in FILM.values()]
    return json.dumps(rows, indent=2) + "\n"


def as_text() -> str:
    """Text in columns, for a terminal."""
    width = max(len(path) for path in FILM)
    return "".join(
        f"{param.path:{width}}  {show(param.default) or '(empty)':8}  {param.allowed()}\n{'':{width}}  {param.doc}\n"
        for param in FILM.values()
    )
