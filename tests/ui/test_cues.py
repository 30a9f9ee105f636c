"""The tab CUES: what it shows, what it sends, and what it writes into the file of the list."""

import json
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from sonorama.engine.errors import SonoramaError
from sonorama.ui.cue_document import CueDocument
from sonorama.ui.window import Window

from .conftest import FakeShow

LIST = {
    "loop": True, "author": "me",
    "cues": [
        {"number": 1, "name": "Doors", "scene": 3, "wait": "10:00", "light": "blue"},
        "a note", {"number": 2, "set": {"/look/seed": 7}, "at": "21:30"}, {"number": 7, "scene": 99},
    ],
}  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "looks" / "test.cues.json"
    made.parent.mkdir(exist_ok=True)
    made.write_text(json.dumps(LIST))
    return made


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def rows(path: Path) -> list[Any]:
    return [row["number"] if isinstance(row, dict) else row for row in read(path)["cues"]]


def seen(window: Window) -> list[list[str]]:
    table = window.cues.table
    items = [[table.item(row, column) for column in range(table.columnCount())] for row in range(table.rowCount())]
    return [[item.text() for item in row if item is not None] for row in items]


def shown(window: Window, show: FakeShow, path: Path, qtbot: QtBot) -> None:
    show.tell(cues={"file": str(path), "now": "1 Doors", "next": "2", "left": 75.0, "running": True}, scene=5)
    window.reveal("/cue/go")
    qtbot.waitUntil(lambda: len(seen(window)) == 3)


def press(window: Window, text: str, qtbot: QtBot) -> None:
    button = next(one for one in window.cues.findChildren(QPushButton) if one.text() == text)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_list_is_shown_and_played(window: Window, show: FakeShow, path: Path, qtbot: QtBot) -> None:
    shown(window, show, path, qtbot)
    assert seen(window) == [
        ["1", "Doors", "3", "", "", "10:00", "", ""], ["2", "", "", "1", "", "", "21:30:00", ""],
        ["7", "", "", "", "", "", "", ""],
    ]  # fmt: skip
    qtbot.waitUntil(lambda: window.cues.where.text() == "next: 2 in 1:15")
    assert window.cues.loop.isChecked() and not window.cues.random.isChecked()
    for text in ("GO", "BACK", "STOP"):
        press(window, text, qtbot)
    window.cues.table.cellDoubleClicked.emit(2, 0)
    qtbot.keyClick(window, Qt.Key.Key_G)
    qtbot.keyClick(window, Qt.Key.Key_G, Qt.KeyboardModifier.ShiftModifier)
    sent = [("/cue/go", True), ("/cue/back", True), ("/cue/stop", True), ("/cue/goto", 7)]
    qtbot.waitUntil(lambda: show.got == [*sent, *sent[:2]])


def test_it_is_changed(window: Window, show: FakeShow, path: Path, qtbot: QtBot) -> None:
    shown(window, show, path, qtbot)
    show.change("/scene/5/name", "Storm")
    qtbot.waitUntil(lambda: window.link.values["/scene/5/name"] == "Storm")
    window.cues.table.select(1)
    press(window, "add", qtbot)
    assert rows(path) == [1, 2, 3, 7, "a note"]
    assert read(path)["cues"][1] == {"number": 2, "name": "Storm", "scene": 5}
    press(window, "down", qtbot)
    assert (read(path)["cues"][2]["name"], window.cues.table.currentRow()) == ("Storm", 2)
    press(window, "delete", qtbot)
    assert rows(path) == [1, 2, 7, "a note"]
    window.cues.table.select(7)
    press(window, "add values", qtbot)
    assert read(path)["cues"][3]["set"]["/look/seed"] == 1 and read(path)["cues"][3]["number"] == 8
    press(window, "loop", qtbot)
    press(window, "random", qtbot)
    said = read(path)
    assert (said["loop"], said["random"], said["author"]) == (False, True, "me")
    assert said["cues"][0] == LIST["cues"][0] and said["cues"][2] == LIST["cues"][3]
    assert (path.parent / ".older" / f"{path.name}.1").exists()


def test_typing_into_a_cell(window: Window, show: FakeShow, path: Path, qtbot: QtBot) -> None:
    shown(window, show, path, qtbot)
    table = window.cues.table
    faults: list[str] = []
    window.link.fault.connect(faults.append)

    def type_in(row: int, column: int, text: str) -> None:
        table.setCurrentCell(row, column)
        table.edit(table.currentIndex())
        field = QApplication.focusWidget()
        assert isinstance(field, QLineEdit)
        field.selectAll()
        qtbot.keyClicks(field, text)
        qtbot.keyClick(field, Qt.Key.Key_Return)

    type_in(0, 1, "Night  one")
    qtbot.waitUntil(lambda: read(path)["cues"][0]["name"] == "Night one")
    type_in(1, 5, "12.5")
    qtbot.waitUntil(lambda: read(path)["cues"][2].get("wait") == 12.5)
    type_in(1, 6, " ")
    qtbot.waitUntil(lambda: "at" not in read(path)["cues"][2])
    type_in(0, 2, "9")
    qtbot.waitUntil(lambda: faults == ["'9' is no scene. Scenes are 1 to 8."])
    assert read(path)["cues"][0]["scene"] == 3 and seen(window)[0][2] == "3"
    assert show.got == [], "what is typed is no shortcut"


def test_by_hand_and_by_the_panel(window: Window, show: FakeShow, path: Path, qtbot: QtBot) -> None:
    shown(window, show, path, qtbot)
    path.write_text(json.dumps({"cues": [{"scene": 1}]}))
    press(window, "add", qtbot)
    assert rows(path) == [1, 2]
    path.write_text("{")
    faults: list[str] = []
    window.link.fault.connect(faults.append)
    press(window, "add", qtbot)
    assert "not a valid" in faults[0] and path.read_text() == "{"


def test_numbers_end(tmp_path: Path) -> None:
    document = CueDocument(tmp_path / "x.json")
    assert document.add(0, {"scene": 1}) == 1 and document.add(0, {}) == 2
    document.path.write_text(json.dumps({"cues": [{"number": 9999}]}))
    with pytest.raises(SonoramaError, match="no room"):
        document.add(0, {})
    assert document.move(5, 1) == 5
