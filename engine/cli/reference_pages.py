"""Reference pages generated from the parameter table."""

import json
from dataclasses import asdict

from ..control.parameters import Parameter, show
from ..control.render_table import TABLE

_INTRO = """# Parameters

All parameters of a film, generated from `engine/control/render_table.py` by `sonorama parameters --markdown`.

`sonorama render` takes them as `--set /motion/coarse/amount=0.5`; `/sonorama/motion/coarse/amount=0.5` means
the same, and continuous parameters also take a position from 0 to 1 along their curve:
`--set /motion/coarse/inertia/norm=0.5`. Switches take 0 or 1. The glide is the half-life with which a parameter
approaches a new value while playing; a film starts with its values in effect.

| address | takes | default | curve | glide | what it does |
|---|---|---|---|---|---|
"""


def as_markdown() -> str:
    """The page docs/parameters.md."""
    return _INTRO + "".join(_row(param) for param in TABLE.values())


def _row(param: Parameter) -> str:
    curve = param.curve if param.kind == "float" else ""
    glide = f"{show(param.glide)} s" if param.glide else ""
    default = show(param.default) or "(empty)"
    return f"| `{param.path}` | {param.allowed()} | {default} | {curve} | {glide} | {param.doc} |\n"


def as_json() -> str:
    """A JSON array with one object for each parameter."""
    rows = [{**asdict(param), "kind": param.kind} for param in TABLE.values()]
    return json.dumps(rows, indent=2) + "\n"


def as_text() -> str:
    """Text in columns, for a terminal."""
    width = max(len(path) for path in TABLE)
    return "".join(
        f"{param.path:{width}}  {show(param.default) or '(empty)':8}  {param.allowed()}\n{'':{width}}  {param.doc}\n"
        for param in TABLE.values()
    )
