"""The scenes' buttons: picture, name and colour, and the menu that sets them."""

from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from pytestqt.qtbot import QtBot

from sonorama.engine.control.scenes import thumbnail_file
from sonorama.engine.show.thumbnails import jpeg
from sonorama.ui.theme import SCENES
from sonorama.ui.thumbnails import read_picture
from sonorama.ui.window import Window

from .conftest import FakeShow


def test_a_button_shows_name_and_colour(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    button = window.scenes.buttons[1]
    show.change("/scene/2/name", "Storm")
    show.change("/scene/2/colour", "violet")
    qtbot.waitUntil(lambda: button.colour == "violet")
    assert button.accessibleName() == "scene 2 Storm" and "Storm" in button.toolTip()
    image = button.grab().toImage()
    assert image.pixelColor(2, image.height() - 3) == QColor(SCENES["violet"])


def test_names_are_no_html(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    button = window.scenes.buttons[1]
    show.change("/scene/2/name", "<img src=x> <b>&")
    qtbot.waitUntil(lambda: button.name.startswith("<img"))
    assert "<img" not in button.toolTip() and "&lt;img" in button.toolTip()


@pytest.mark.parametrize("words", [("Colour", "red"), ("Store",), ("Recall",)])
def test_the_menu_acts(words: tuple[str, ...], window: Window, show: FakeShow, qtbot: QtBot) -> None:
    menu = window.scenes.buttons[2].menu_of_scene()
    for word in words[:-1]:
        menu = next(one for one in menu.actions() if one.text() == word).menu() or menu
    next(one for one in menu.actions() if one.text() == words[-1]).trigger()
    sent = {"red": ("/scene/3/colour", "red"), "Store": ("/scene/store", 3), "Recall": ("/scene/recall", 3)}
    qtbot.waitUntil(lambda: show.got == [sent[words[-1]]])


def test_the_menu_leads_to_the_name(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    menu = window.scenes.buttons[2].menu_of_scene()
    next(one for one in menu.actions() if one.text().startswith("Name")).trigger()
    field = window.focusWidget()
    assert field is window.controls["/scene/3/name"]
    qtbot.keyClicks(field, "Finale")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: show.got == [("/scene/3/name", "Finale")])


def test_thumbnails_come_change_and_go(window: Window, qtbot: QtBot) -> None:
    button, file = window.scenes.buttons[4], thumbnail_file("test", 5)
    file.parent.mkdir(parents=True)
    for level in (40, 220):
        file.write_bytes(jpeg(np.full((720, 1280, 4), level, np.uint8)))
        qtbot.waitUntil(lambda level=level: abs(button.grab().toImage().pixelColor(25, 25).red() - level) < 6)
    file.write_bytes(b"no picture")
    qtbot.waitUntil(lambda: button.picture is None)
    file.write_bytes(jpeg(np.full((720, 1280, 4), 99, np.uint8)))
    qtbot.waitUntil(lambda: button.picture is not None)
    file.unlink()
    qtbot.waitUntil(lambda: button.picture is None)


def test_no_file_does_harm(qtbot: QtBot, tmp_path: Path) -> None:
    good = jpeg(np.full((72, 128, 4), 99, np.uint8))
    file = tmp_path / "1.jpg"
    for data in (b"", good[:40], good + bytes(1 << 19), jpeg(np.full((72, 128, 4), 9, np.uint8))[::-1]):
        file.write_bytes(data)
        assert read_picture(file) is None
    assert read_picture(tmp_path) is None
