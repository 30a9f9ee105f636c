"""Preset and show files: written whole or not at all, ten older versions, and no file can do harm."""

import json
import random
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from sonorama.engine.control import presets
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.errors import InputError, OutputError, SonoramaError
from sonorama.ui.link import Link
from sonorama.ui.preset_bar import PresetBar

from .conftest import FakeShow

AMOUNT = "/motion/coarse/amount"
DEFAULTS = {path: param.default for path, param in SHOW.items()}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path))
    return tmp_path


def test_a_look_keeps_the_picture_and_a_show_keeps_all() -> None:
    look, show = presets.select(DEFAULTS, SHOW, "look"), presets.select(DEFAULTS, SHOW, "show")
    assert AMOUNT in look and "/sound/gain" not in look
    assert set(look) < set(show)
    assert {path for path in SHOW if path not in show} == {
        *presets.NEVER, *(path for path, param in SHOW.items() if param.event)
    }  # fmt: skip


def test_there_and_back(folder: Path) -> None:
    values = presets.select(DEFAULTS, SHOW, "show") | {AMOUNT: 0.3}
    path = presets.file_of("night", "show")
    presets.save(path, values)
    assert presets.load(path, SHOW) == (values, [])
    assert presets.names() == [("night", "show")]


def test_ten_older_versions_are_kept(folder: Path) -> None:
    path = presets.file_of("night", "look")
    for number in range(14):
        presets.save(path, {AMOUNT: number / 10})
    assert presets.load(path, SHOW)[0] == {AMOUNT: 1.3}
    kept = [presets.load(presets.older(path, number), SHOW)[0][AMOUNT] for number in range(1, 11)]
    assert kept == pytest.approx([1.2 - number / 10 for number in range(10)])
    assert len(list(presets.older(path, 1).parent.iterdir())) == 10


def test_what_cannot_be_written_leaves_what_was_there(folder: Path) -> None:
    path = presets.file_of("night", "look")
    presets.save(path, {AMOUNT: 0.5})
    (folder / ".older").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be saved"):
        presets.save(path, {AMOUNT: 0.9})
    assert presets.load(path, SHOW)[0] == {AMOUNT: 0.5}
    assert sorted(p.name for p in folder.iterdir()) == [".older", "night.look.json"]


@pytest.mark.parametrize("name", ["", "../../x", "a/b", "x" * 65, "nul\0"])
def test_names_stay_in_the_folder(name: str) -> None:
    with pytest.raises(SonoramaError):
        presets.file_of(name, "look")


def test_entries_that_are_none_are_left_out(folder: Path) -> None:
    path = folder / "x.look.json"
    said = {
        AMOUNT: 99,
        "/nothing": 1,
        "/motion/mode": "loud",
        "/out/panic": True,
        "/out/record": True,
        "/look/seed": [],
    }
    path.write_text(json.dumps(said))
    values, faults = presets.load(path, SHOW)
    assert values == {AMOUNT: 2.0}
    assert len(faults) == 5


def test_no_file_does_harm(folder: Path) -> None:
    good = json.dumps({AMOUNT: 0.5, "/look/seed": 7, "/look/text": "sea"}).encode()
    dice = random.Random(1)
    path = folder / "x.look.json"
    cases = [b"", b"[]", b"3", b"[" * 5000, b"\xff\xfe", b'{"/look/seed": 1e999, "/sound/gain": NaN}', b" " * (2 << 20)]
    for _ in range(500):
        bent = bytearray(good)
        for _ in range(dice.randint(1, 6)):
            bent[dice.randrange(len(bent))] = dice.randrange(256)
        cases.append(bytes(bent))
    refused = 0
    for case in cases:
        path.write_bytes(case)
        try:
            values, _ = presets.load(path, SHOW)
        except InputError:
            refused += 1
            continue
        assert all(SHOW[address].clip(value) == value for address, value in values.items())
    assert refused > 50


def test_the_bar_saves_and_loads(show: FakeShow, link: Link, qtbot: QtBot, folder: Path) -> None:
    faults: list[str] = []
    link.fault.connect(faults.append)
    bar = PresetBar(link)
    qtbot.addWidget(bar)
    link.post(AMOUNT, 0.4)
    bar.name.setEditText("dusk")
    bar.save_preset.click()
    bar.save_show.click()
    assert [bar.name.itemText(row) for row in range(bar.name.count())] == ["dusk", "dusk (show)"]
    link.post(AMOUNT, 1.4)
    bar.load.click()
    qtbot.waitUntil(lambda: show.values[AMOUNT] == 0.4)
    assert link.values[AMOUNT] == 0.4 and faults == []
    (folder / "dusk.look.json").write_text("{")
    bar.load.click()
    bar.name.setEditText("../etc")
    bar.save_preset.click()
    assert len(faults) == 2 and link.values[AMOUNT] == 0.4
