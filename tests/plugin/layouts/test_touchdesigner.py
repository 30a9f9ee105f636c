"""The files for TouchDesigner: the table has every parameter, and the script's parameters reach the show."""

import ast
import csv
import itertools
from pathlib import Path
from typing import Any

import pytest

from sonorama.engine.cli.main import main
from sonorama.engine.control.accept import valid_change
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Parameter
from sonorama.engine.osc.counters import OscCounters
from sonorama.engine.osc.routing import Router

from .fake_touchdesigner import OscOutDat, Par, ParameterExecuteDat, run_script

COLUMNS = ["address", "name", "kind", "default", "low", "high", "choices", "tooltip"]
STYLES = {
    "float": "Float", "int": "Int", "slot": "Int", "switch": "Toggle", "choice": "Menu", "text": "Str",
    "trigger": "Pulse",
}  # fmt: skip
_LATER = itertools.count(step=100)  # no message counts as a button that is held
ROUTER = Router(
    SHOW, OscCounters(),
    lambda path, value, source: valid_change(SHOW, path, value, source, lambda: {"shore"}), lambda: next(_LATER),
)  # fmt: skip


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_table_has_every_parameter(tmp_path: Path) -> None:
    assert main(["layout", str(tmp_path / "a.tsv")]) == 0
    found = read(tmp_path / "a.tsv")
    assert all(list(row) == COLUMNS and None not in row.values() for row in found)
    assert [row["address"] for row in found] == ["/sonorama" + path for path in SHOW]
    assert len({row["name"] for row in found}) == len(found)
    for row, param in zip(found, SHOW.values(), strict=True):
        assert (row["kind"], row["tooltip"]) == (param.kind, param.doc)
        assert row["choices"].split("|") == list(param.choices or ("",))
        if param.kind in ("float", "int", "slot"):
            values = [float(row[column]) for column in ("default", "low", "high")]
            assert values == [param.default, param.low, param.high]
        elif param.kind in ("switch", "trigger"):
            assert row["default"] == str(int(bool(param.default)))
        else:
            assert row["default"] == param.default and row["low"] == row["high"] == ""


def written(tmp_path: Path, *options: str) -> str:
    assert main(["layout", str(tmp_path / "a.py"), *options]) == 0
    return (tmp_path / "a.py").read_text(encoding="utf-8")


def test_the_script_makes_one_parameter_for_each_row(tmp_path: Path) -> None:
    text = written(tmp_path, "--host", "10.0.0.7", "--port", "9200")
    assert text.isascii() and ast.get_docstring(ast.parse(text))
    around = run_script(text)
    made = around.children["sonorama"]
    show = made.children["show"]
    assert (
        isinstance(show, OscOutDat) and show.par.__dict__ | {"address": "10.0.0.7", "port": 9200} == show.par.__dict__
    )
    assert show.sent == []
    addresses = {address: name for name, (address, _) in made.fetch("addresses").items()}
    assert set(addresses) == {"/sonorama" + path for path in SHOW} and set(made.custom) == set(addresses.values())
    for path, param in SHOW.items():
        one = made.custom[addresses["/sonorama" + path]]
        assert (one.style, one.help, one.page) == (STYLES[param.kind], param.doc, path.split("/")[1].capitalize())
        assert param.kind == "trigger" or one.default == one.val == param.default
        if param.kind in ("float", "int", "slot"):
            assert (one.min, one.max, one.normMin, one.normMax) == (param.low, param.high, param.low, param.high)
            assert one.clampMin and one.clampMax


def other(param: Parameter) -> Any:
    """A value that is not the default."""
    match param.kind:
        case "float":
            return (param.low + param.high) / 2 if param.default == param.low else param.low
        case "int" | "slot":
            return int(param.high) if param.default == param.low else int(param.low)
        case "switch":
            return not param.default
        case "choice":
            return next(choice for choice in reversed(param.choices) if choice != param.default)
        case _:
            return {"/sound/input": "silence", "/sound/channels": "3,4", "/engine/world": "shore"}.get(
                param.path, "a b"
            )


def test_what_is_changed_there_changes_the_show(tmp_path: Path) -> None:
    made = run_script(written(tmp_path)).children["sonorama"]
    show, changes = made.children["show"], made.children["changes"]
    assert isinstance(show, OscOutDat) and isinstance(changes, ParameterExecuteDat)
    of: dict[str, Par] = {address: made.custom[name] for name, (address, _) in made.fetch("addresses").items()}
    for path, param in SHOW.items():
        one, value = of["/sonorama" + path], True if param.kind == "trigger" else other(param)
        if param.kind == "trigger":
            changes.pulse(one)
        else:
            changes.change(one, value)
        ((address, values),) = show.sent
        show.sent.clear()
        (accepted,) = ROUTER.changes(address, values, ("127.0.0.1", 1))
        assert (accepted.change.path, accepted.change.value) == (path, pytest.approx(value)), path
    changes.change(of["/sonorama/out/master"], 5.0)
    assert show.sent == [("/sonorama/out/master", [1.0])]  # clamped


def test_a_second_run_replaces_nothing(tmp_path: Path) -> None:
    text = written(tmp_path)
    around = run_script(text + "\nbuild(me.parent())\n")
    assert [name for name in around.children if name.startswith("sonorama")] == ["sonorama", "sonorama1"]


def test_a_file_that_is_there_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text("mine")
    assert main(["layout", str(tmp_path / "mine.py")]) == 2
    assert (tmp_path / "mine.py").read_text() == "mine"
    assert "Choose another FILE, or replace it with --overwrite." in capsys.readouterr().err
