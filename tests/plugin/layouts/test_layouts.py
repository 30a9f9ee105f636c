"""Generated controllers, read back by the formats' rules: with py2tosc, py2max and its reference of Max's objects, and
by what Companion's importer takes.
"""

import itertools
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import py2tosc
import pytest
from py2max import Patcher
from py2max.lint import lint

from sonorama.engine.cli.main import main
from sonorama.engine.control.accept import valid_change
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.osc.counters import OscCounters
from sonorama.engine.osc.routing import Router
from sonorama.plugin.layouts.selection import GROUPS, label, selected, title

_LATER = itertools.count(step=100)  # no message counts as a button that is held
ROUTER = Router(
    SHOW, OscCounters(), lambda path, value, source: valid_change(SHOW, path, value, source), lambda: next(_LATER)
)


def written(folder: Path, name: str, *options: str) -> bytes:
    assert main(["layout", str(folder / name), *options]) == 0
    return (folder / name).read_bytes()


def changed(address: str, *arguments: Any) -> tuple[str, Any]:
    """What a message does in a show."""
    (accepted,) = ROUTER.changes(address, list(arguments), ("127.0.0.1", 1))
    return accepted.change.path, accepted.change.value


def messages(control: py2tosc.Control) -> Iterator[tuple[py2tosc.Control, Any]]:
    for child in control.children:
        yield from ((child, message) for message in child.messages)
        yield from messages(child)


def number(message: Any, x: float) -> float | int:
    """What TouchOSC sends where its control stands at x."""
    (argument,) = message.arguments
    if str(argument.type) == "CONSTANT":
        return int(argument.value)
    value = argument.scale_min + x * (argument.scale_max - argument.scale_min)
    return round(value) if str(argument.conversion) == "INTEGER" else value


def test_a_touchosc_layout(tmp_path: Path) -> None:
    document = py2tosc.loads(written(tmp_path, "a.tosc"))
    assert [str(issue) for issue in document.validate()] == []
    (pager,) = document.root.children
    assert [page.get("name") for page in pager.children] == ["play", *selected(SHOW)]
    played: dict[str, list[Any]] = {}
    for control, message in messages(document.root):
        (path,) = message.path
        if not message.send:
            assert path.value == "/sonorama/heard/1/label"
        elif control.get("name") == "connect":
            assert path.value in ("/sonorama/subscribe", "/sonorama/dump") and not message.arguments
        else:
            values = [changed(path.value, number(message, x)) for x in (0.0, 1.0)]
            played.setdefault(values[0][0], []).append([value for _, value in values])
    assert set(played) == {one.path for params in selected(SHOW).values() for one in params} | {
        "/scene/recall", "/blend/x", "/blend/y",
    }  # fmt: skip
    assert sorted(played["/scene/recall"]) == [[n, n] for n in range(1, 9)]
    assert played["/picture/hue"] == [[-180.0, 180.0]] and played["/picture/kaleidoscope"] == [[0, 16]]
    assert played["/motion/mode"] == [["anchored", "literal"]] and played["/out/freeze"][0] == [False, True]
    assert played["/blend/y"] == [[1.0, 0.0], [0.0, 1.0]], "the pad has its beginning below, the fader and show above"


def test_controls_lie_within_their_page_and_not_over_each_other(tmp_path: Path) -> None:
    document = py2tosc.loads(written(tmp_path, "a.tosc"))
    (pager,) = document.root.children
    for page in pager.children:
        _, _, wide, high = page.frame
        frames = [one.frame for one in page.children if str(one.control_type) != "LABEL"]
        for at, (x, y, w, h) in enumerate(frames):
            assert min(x, y) >= 0 and min(w, h) >= 20 and x + w <= wide and y + h <= high, page.get("name")
            for a, b, c, d in frames[:at]:
                assert x >= a + c or a >= x + w or y >= b + d or b >= y + h, (page.get("name"), frames[at])


def chunks(data: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    while data:
        name, size = data[:4], struct.unpack("<I", data[4:8])[0]
        assert len(data) >= 8 + size
        found[name], data = data[8 : 8 + size], data[8 + size :]
    return found


def test_a_max_for_live_device(tmp_path: Path) -> None:
    found = chunks(written(tmp_path, "a.amxd", "--host", "10.0.0.7", "--port", "9200"))
    assert list(found) == [b"ampf", b"meta", b"ptch"]
    assert found[b"ampf"] == b"aaaa" and found[b"meta"] == bytes(4) and found[b"ptch"].endswith(b"}\n\0")
    patcher = json.loads(found[b"ptch"][:-1])["patcher"]
    assert [str(finding) for finding in lint(Patcher.from_dict(patcher))] == [], "by the reference of Max's objects"
    boxes = {box["box"]["id"]: box["box"] for box in patcher["boxes"]}
    cords = [tuple(line["patchline"][end] for end in ("source", "destination")) for line in patcher["lines"]]
    texts = {name: box.get("text", "") for name, box in boxes.items()}
    (sender,) = [name for name, text in texts.items() if text == "udpsend 10.0.0.7 9200"]
    played: dict[str, tuple[Any, Any]] = {}
    for (source, _), (message, _) in cords:
        if "parameter_enable" not in boxes[source]:
            continue
        assert ([message, 0], [sender, 0]) in cords
        known = boxes[source]["saved_attribute_attributes"]["valueof"]
        ends = (known.get("parameter_mmin", 0), known["parameter_mmax"])
        if boxes[message]["maxclass"] == "message":
            address, one = texts[message].split()
            played[changed(address, int(one))[0]] = (False, True)
            continue
        address = texts[message].removeprefix("prepend ")
        (path, low), (_, high) = (changed(address, end) for end in ends)
        played[path] = (low, high)
        first = changed(address, known["parameter_initial"][0])[1]
        assert first == pytest.approx(SHOW[path].default), "it begins with the default"
    wanted = [one for params in selected(SHOW).values() for one in params if one.kind in ("switch", "trigger")]
    assert {one.path for one in wanted} < set(played) and "/motion/coarse/inertia" in played
    for path, ends in played.items():
        if SHOW[path].kind in ("float", "int"):
            assert ends == pytest.approx((SHOW[path].low, SHOW[path].high))
    names = [box["saved_attribute_attributes"]["valueof"]["parameter_longname"] for box in boxes.values()
             if "parameter_enable" in box]  # fmt: skip
    assert len(set(names)) == len(names), "Live tells parameters apart by their long names"
    shown = [box["presentation_rect"] for box in boxes.values() if box.get("presentation")]
    assert all(x + w <= patcher["devicewidth"] and y + h <= 169 for x, y, w, h in shown)


def test_a_companion_page(tmp_path: Path) -> None:
    page = json.loads(written(tmp_path, "a.companionconfig", "--host", "10.0.0.7"))
    assert (page["version"], page["type"]) == (4, "page")
    ((connection, about),) = page["instances"].items()
    assert about["instance_type"] == "generic-osc" and about["config"]["host"] == "10.0.0.7"
    assert about["config"]["targetPort"] == about["config"]["port"] == "9123"
    controls = page["page"]["controls"]
    assert [[int(row), *map(int, columns)] for row, columns in controls.items()] == [[n, *range(8)] for n in range(4)]
    pressed: list[list[tuple[str, Any]]] = []
    identities: list[str] = []
    for button in (button for columns in controls.values() for button in columns.values()):
        assert button["type"] == "button" and button["style"]["text"]
        steps = [step["action_sets"]["down"] for step in button["steps"].values()]
        assert all(one["instance"] == connection and one["action"] == "send_int" for step in steps for one in step)
        identities += [one["id"] for step in steps for one in step]
        pressed.append([changed(one["options"]["path"], one["options"]["int"]) for step in steps for one in step])
    assert pressed[:8] == [[("/scene/recall", n)] for n in range(1, 9)] and len(set(identities)) == len(identities)
    assert pressed[8] == [("/out/blackout", True), ("/out/blackout", False)]
    assert pressed[10] == [("/out/panic", True)]


def test_names_say_what_they_are() -> None:
    named = [(title(one), label(one)) for params in selected(SHOW).values() for one in params]
    assert len({name for name, _ in named}) == len(named), "no two of one name"
    assert {one.split()[0] for one, _ in named} & {"cue", "auto", "moves", "blend"} and set(selected(SHOW)) <= set(
        GROUPS
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["a.txt"], "a.txt is for no known program"),
        (["-"], "- stands for standard output"),
        (["a.amxd", "--port", "70000"], "--port 70000 is no port"),
        (["a.amxd", "--port", "9" * 5000], f"{'9' * 40}... (5000 characters) is no port"),
        (["a.amxd", "--host", ""], "--host  is no address"),
        (["a.tosc", "--host", "two words"], "--host two words is no address"),
        (["there.tosc"], "there.tosc is there already\nChoose another FILE, or replace it with --overwrite."),
    ],
)
def test_what_cannot_be_written(
    arguments: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.tosc").write_text("mine")
    assert main(["layout", *arguments]) == 2
    assert re.search(re.escape(line), capsys.readouterr().err)
    assert [path.name for path in tmp_path.iterdir()] == ["there.tosc"]
    assert (tmp_path / "there.tosc").read_text() == "mine"


def test_a_layout_is_written_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "there.companionconfig"
    out.write_text("old")
    assert main(["layout", str(out), "--overwrite", "--host", "fd12::5"]) == 0
    assert "sends to [fd12::5]:9123" in capsys.readouterr().out
    assert json.loads(out.read_text())
