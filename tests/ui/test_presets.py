"""Preset and show files: written whole or not at all, ten older versions, and no file can do harm."""

import json
import random
import unicodedata
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
        *presets.NEVER, *presets.LABELS, *(path for path, param in SHOW.items() if param.event)
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


@pytest.mark.parametrize("name", ["night one", "  Noche  de São João ", "夜", "night.one-2_b", "10 %, slow & blue!"])
def test_names_are_for_people(name: str, show: FakeShow, link: Link, qtbot: QtBot, folder: Path) -> None:
    faults: list[str] = []
    link.fault.connect(faults.append)
    bar = PresetBar(link)
    qtbot.addWidget(bar)
    link.post(AMOUNT, 0.4)
    bar.name.setEditText(name)
    bar.save_preset.click()
    plain = " ".join(name.split())
    assert [path.name for path in folder.iterdir()] == [f"{plain}.look.json"] and presets.names() == [(plain, "look")]
    link.post(AMOUNT, 1.4)
    bar.name.setEditText(unicodedata.normalize("NFD", plain))  # as some keyboards and file systems write it
    bar.load.click()
    assert link.values[AMOUNT] == 0.4 and faults == []


@pytest.mark.parametrize(
    "name", ["", "  ", "../../x", "a/b", "a\\b", ".a", "x" * 65, "夜" * 64 + "x", "nul\0", "a\u202eb"]
)
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
    bar.name.setEditText("dawn")
    bar.load.click()
    assert faults[2:] == ["There is no preset or show called dawn. Choose a name from the list."]


@pytest.fixture
def bar(show: FakeShow, link: Link, qtbot: QtBot) -> PresetBar:
    made = PresetBar(link)
    qtbot.addWidget(made)
    made.name.setEditText("dusk")
    play(show, link, qtbot, ("rain", "wind", "fire_crackling"))
    return made


def play(show: FakeShow, link: Link, qtbot: QtBot, classes: tuple[str, ...]) -> None:
    """Another world is played."""
    show.classes = classes
    show.tell()
    qtbot.waitUntil(lambda: link.classes == classes)


def kept(folder: Path, kind: str = "look") -> dict[str, object]:
    said = json.loads((folder / f"dusk.{kind}.json").read_text())
    return {path: value for path, value in said.items() if path.startswith("/meaning/")}


def mixer(link: Link) -> dict[str, object]:
    """What is not at its default."""
    return {path: value for path, value in link.values.items() if "/meaning/" in path and value != SHOW[path].default}


def test_the_mixer_is_kept_by_class(bar: PresetBar, show: FakeShow, link: Link, qtbot: QtBot, folder: Path) -> None:
    faults: list[str] = []
    link.fault.connect(faults.append)
    for path, value in (("1/amount", 0.4), ("2/mute", True), ("3/floor", 0.7), ("5/amount", 0.1)):
        link.post(f"/meaning/{path}", value)
    bar.save_preset.click()
    assert len(kept(folder)) == 12 and kept(folder)["/meaning/fire_crackling/floor"] == 0.7
    play(show, link, qtbot, ("fire_crackling", "bells", "rain"))
    for path, value in (("1/amount", 1.9), ("2/solo", True), ("3/floor", 0.9)):
        link.post(f"/meaning/{path}", value)
    bar.load.click()
    assert mixer(link) == {"/meaning/1/floor": 0.7, "/meaning/3/amount": 0.4}
    assert faults == ["Not in this world, left out of the mixer: wind"]
    qtbot.waitUntil(lambda: show.values["/meaning/1/floor"] == 0.7)


def test_classes_that_lose_nothing_are_not_named(bar: PresetBar, show: FakeShow, link: Link, qtbot: QtBot) -> None:
    faults: list[str] = []
    link.fault.connect(faults.append)
    bar.save_preset.click()
    play(show, link, qtbot, ("bells",))
    bar.load.click()
    assert faults == []


def test_a_preset_without_the_mixer_leaves_it(bar: PresetBar, link: Link, folder: Path) -> None:
    (folder / "dusk.look.json").write_text(json.dumps({AMOUNT: 0.5}))
    link.post("/meaning/2/floor", 0.3)
    bar.load.click()
    assert mixer(link) == {"/meaning/2/floor": 0.3} and link.values[AMOUNT] == 0.5


def test_a_show_file_that_loads_a_world_sets_the_classes_of_that_world(
    bar: PresetBar, show: FakeShow, link: Link, qtbot: QtBot
) -> None:
    faults: list[str] = []
    link.fault.connect(faults.append)
    link.post("/meaning/3/floor", 0.7)
    link.post("/engine/world", "here")
    bar.save_show.click()
    link.post("/engine/world", "there")
    play(show, link, qtbot, ("bells", "rain"))
    bar.name.setEditText("dusk (show)")
    bar.load.click()
    assert link.values["/engine/world"] == "here" and mixer(link) == {}
    play(show, link, qtbot, ("fire_crackling", "bells"))
    assert mixer(link) == {"/meaning/1/floor": 0.7} and faults == []
    link.post("/meaning/1/floor", 0.0)
    play(show, link, qtbot, ("rain", "fire_crackling"))
    assert mixer(link) == {}  # it was set once


def test_a_world_that_is_not_loaded_sets_nothing_later(
    bar: PresetBar, show: FakeShow, link: Link, qtbot: QtBot
) -> None:
    link.post("/meaning/3/floor", 0.7)
    bar.save_show.click()
    link.post("/engine/world", "there")
    play(show, link, qtbot, ("bells",))
    bar.name.setEditText("dusk (show)")
    bar.load.click()
    qtbot.waitUntil(lambda: link.values["/engine/world"] == show.values["/engine/world"] != "there")
    show.change("/engine/world", "there")  # the show refuses
    qtbot.waitUntil(lambda: link.values["/engine/world"] == "there")
    play(show, link, qtbot, ("fire_crackling",))
    assert mixer(link) == {}
