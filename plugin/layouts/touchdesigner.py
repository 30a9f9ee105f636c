"""Files for TouchDesigner: a tab-separated table of all parameters for a Table DAT, and a Python script for a Text DAT
that makes a component with a custom parameter for each row, whose changes go to the show by an OSC Out DAT.

Written to the documentation of TouchDesigner's Page, Par, OSC Out DAT and Parameter Execute DAT classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sonorama.engine.control.parameters import Parameter, Value
from sonorama.engine.osc.routing import ROOT

from .selection import label

SEPARATOR = "|"
"""Between the choices of a row."""


class Row(NamedTuple):
    """A row of the table, all text; the names of its fields are the first row.

    Attributes:
        address: of OSC.
        name: of the custom parameter, by TouchDesigner's rule: a capital, then small letters and digits.
        kind: `float`, `int`, `switch`, `choice`, `text`, `trigger` or `slot`, as in `Parameter`.
        default: 0 or 1 for switches and triggers.
        low, high: of numbers; empty for the others.
        choices: separated by SEPARATOR; empty for the others.
        tooltip: what it does.

    """

    address: str
    name: str
    kind: str
    default: str
    low: str
    high: str
    choices: str
    tooltip: str


def rows(table: Mapping[str, Parameter]) -> list[Row]:
    """Every parameter of the table, in its order."""
    return [_row(param) for param in table.values()]


def _row(param: Parameter) -> Row:
    numeric = param.kind in ("float", "int", "slot")
    low, high = (_written(param.low), _written(param.high)) if numeric else ("", "")
    return Row(
        ROOT + param.path, _name(param.path), param.kind, _written(param.default), low, high,
        SEPARATOR.join(param.choices), " ".join(param.doc.split()),
    )  # fmt: skip


def _written(value: Value) -> str:
    """A value in full, without a point where it is whole; switches as 0 or 1."""
    if isinstance(value, str):
        return value
    return str(int(value)) if value == int(value) else repr(value)


def _name(path: str) -> str:
    """`/motion/coarse/amount` is `Motioncoarseamount`. A digit at the end would be that of a group of parameters."""
    name = "".join(letter for letter in path if letter.isalnum()).capitalize()
    return f"{name}value" if name[-1].isdigit() else name


def table_file(table: Mapping[str, Parameter]) -> bytes:
    """The table with its first row, as tab-separated text."""
    lines = ["\t".join(row) for row in (Row._fields, *rows(table))]
    return ("\n".join(lines) + "\n").encode()


def script_file(table: Mapping[str, Parameter], host: str, port: int) -> bytes:
    """The script, with the table in it, for a show at this host and port."""
    made = [(path.split("/")[1].capitalize(), label(param).strip() or path.strip("/"), *row)
            for (path, param), row in zip(table.items(), rows(table), strict=True)]  # fmt: skip
    listed = "".join(f"    {one!a},\n" for one in made)
    head = f"HOST, PORT = {host!a}, {port}\nSEPARATOR = {SEPARATOR!r}\nROWS = [\n{listed}]\n"
    return (_INTRODUCTION + head + _COLUMNS + _SCRIPT).encode()


_INTRODUCTION = '''"""sonorama in TouchDesigner: a component with a custom parameter for everything that a show has.

Put this into a Text DAT and choose Run Script. It makes a Base COMP beside the DAT; nothing is replaced. A parameter
that is changed there is sent to the show by OSC. Written by `sonorama layout`, to TouchDesigner's documentation; not
tried in TouchDesigner.
"""

'''
_COLUMNS = '"""Page, label, ' + ", ".join(Row._fields) + '."""\n'
_SCRIPT = '''
CALLBACKS = """def onValueChange(par, prev):
    address, kind = parent().fetch("addresses")[par.name]
    if kind == "choice":
        value = par.menuLabels[par.menuIndex]
    elif kind == "text":
        value = str(par.eval())
    elif kind == "float":
        value = float(par.eval())
    else:
        value = int(par.eval())
    if kind != "trigger":
        op("show").sendOSC(address, [value])


def onPulse(par):
    address, kind = parent().fetch("addresses")[par.name]
    op("show").sendOSC(address, [1])
"""
"""Text of the Parameter Execute DAT."""


def append(page, name, label, kind):
    """Make a parameter of that kind; returns it."""
    if kind == "float":
        return page.appendFloat(name, label=label)[0]
    if kind in ("int", "slot"):
        return page.appendInt(name, label=label)[0]
    if kind == "switch":
        return page.appendToggle(name, label=label)[0]
    if kind == "choice":
        return page.appendMenu(name, label=label)[0]
    if kind == "trigger":
        return page.appendPulse(name, label=label)[0]
    return page.appendStr(name, label=label)[0]


def limit(par, number, low, high):
    """Give a number its range, which is that of its slider, too."""
    par.min, par.max = number(low), number(high)
    par.normMin, par.normMax = par.min, par.max
    par.clampMin = par.clampMax = True


def fill(par, kind, default, low, high, choices):
    """Give a parameter its range or choices, and its first value."""
    if kind == "trigger":
        return
    if kind == "choice":
        par.menuNames = par.menuLabels = choices.split(SEPARATOR)
        value = default
    elif kind == "text":
        value = default
    elif kind == "switch":
        value = default == "1"
    else:
        number = float if kind == "float" else int
        limit(par, number, low, high)
        value = number(default)
    par.default = value
    par.val = value


def build(beside):
    """Make the component in a COMP."""
    made = beside.create(baseCOMP, "sonorama")
    show = made.create(oscoutDAT, "show")
    show.par.address = HOST
    show.par.port = PORT
    pages = {}
    for page, label, address, name, kind, default, low, high, choices, tooltip in ROWS:
        if page not in pages:
            pages[page] = made.appendCustomPage(page)
        par = append(pages[page], name, label, kind)
        fill(par, kind, default, low, high, choices)
        if hasattr(par, "help"):
            par.help = tooltip
    made.store("addresses", {row[3]: (row[2], row[4]) for row in ROWS})
    changes = made.create(parameterexecuteDAT, "changes")
    changes.text = CALLBACKS
    changes.par.op = made
    changes.par.pars = "*"
    changes.par.custom = True
    changes.par.builtin = False
    changes.par.valuechange = True
    changes.par.onpulse = True
    changes.par.active = True
    return made


build(me.parent())
'''
