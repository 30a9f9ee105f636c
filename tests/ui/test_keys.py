"""The keyboard: shortcuts by character and by place, whatever has the focus, and none of them in a text field."""

import sys

import pytest
from PyQt6.QtCore import QEvent, Qt
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QApplication, QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from sonorama.ui.key_places import place_of
from sonorama.ui.widgets.control import Control
from sonorama.ui.widgets.controls import ChoiceControl, SwitchControl
from sonorama.ui.widgets.slider import FloatControl
from sonorama.ui.window import Window

from . import scene
from .conftest import FakeShow

KEYS = [
    (Qt.Key.Key_R, Qt.KeyboardModifier.NoModifier, ("/out/record", True)),
    (Qt.Key.Key_B, Qt.KeyboardModifier.NoModifier, ("/out/blackout", True)),
    (Qt.Key.Key_Z, Qt.KeyboardModifier.NoModifier, ("/out/freeze", True)),
    (Qt.Key.Key_T, Qt.KeyboardModifier.NoModifier, ("/sound/tap", True)),
    (Qt.Key.Key_3, Qt.KeyboardModifier.NoModifier, ("/scene/recall", 3)),
    (Qt.Key.Key_8, Qt.KeyboardModifier.ShiftModifier, ("/scene/store", 8)),
    (Qt.Key.Key_Escape, Qt.KeyboardModifier.ShiftModifier, ("/out/panic", True)),
]


@pytest.mark.parametrize(("key", "with_", "sent"), KEYS)
def test_keys_play(
    key: Qt.Key, with_: Qt.KeyboardModifier, sent: tuple[str, object], window: Window, show: FakeShow, qtbot: QtBot
) -> None:
    qtbot.keyClick(window, key, with_)
    qtbot.waitUntil(lambda: show.got == [sent])


NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)
PLACES = [  # scan codes of Linux
    (Qt.Key.Key_Ampersand, "&", NONE, 10, [("/scene/recall", 1)]),  # French
    (Qt.Key.Key_Underscore, "_", NONE, 17, [("/scene/recall", 8)]),
    (Qt.Key.Key_3, "3", SHIFT, 12, [("/scene/store", 3)]),
    (Qt.Key.Key_Ampersand, "&", CTRL, 10, []),
    (Qt.Key.Key_Ccedilla, "\u00e7", NONE, 18, []),
    (Qt.Key.Key_W, "w", NONE, 52, [("/out/freeze", True)]),
    (Qt.Key.Key_1, "1", NONE, 10, [("/scene/recall", 1)]),
    (Qt.Key.Key_Exclam, "!", SHIFT, 10, [("/scene/store", 1)]),
    (0x0392, "\u03b2", NONE, 56, [("/out/blackout", True)]),  # Greek
    (0x0415, "\u0415", SHIFT, 28, [("/sound/resync", True)]),  # Russian
    (Qt.Key.Key_X, "x", NONE, 56, [("/out/blackout", True)]),  # Dvorak: where B is, whatever X does
    (Qt.Key.Key_T, "t", NONE, 45, []),  # Dvorak: T on the key K is left to the shortcut by character
    (Qt.Key.Key_E, "e", NONE, 40, []),  # and this is no shortcut at all
]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere keys have other codes")
@pytest.mark.parametrize("focus", [Window, FloatControl, QComboBox])
def test_keys_play_by_their_place(focus: type[QWidget], window: Window, show: FakeShow, qtbot: QtBot) -> None:
    at = [window, *(w for w in window.findChildren(focus) if isinstance(w, Control) and w.isVisible())][-1]
    for key, text, with_, code, sent in PLACES:
        show.got.clear()
        for path in ("/out/freeze", "/out/blackout"):
            window.link.values[path] = False
        for again in (False, True):  # what a key is asked first, before any shortcut; held down it acts once
            QApplication.sendEvent(at, QKeyEvent(QEvent.Type.ShortcutOverride, key, with_, code, 0, 0, text, again))
        qtbot.wait(30)
        assert show.got == sent, text
        press = QKeyEvent(QEvent.Type.KeyPress, key, with_, code, 0, 0, text)
        if sent and isinstance(at, ChoiceControl):
            at.keyPressEvent(press)
            assert not press.isAccepted()  # it looks for no word that begins so


@pytest.mark.parametrize(
    ("platform", "scan", "virtual", "place"),
    [
        ("linux", 27, 0x70, "R"),
        ("linux", 17, 0, "8"),
        ("linux", 0, 0, ""),
        ("win32", 0x13, 0x52, "R"),
        ("win32", 0x30, 0x58, "B"),
        ("win32", 2, 0, "1"),
        ("darwin", 1, 0x0F, "R"),
        ("darwin", 1, 0x1C, "8"),
        ("darwin", 1, 0x06, "Z"),
        ("darwin", 1, 0x28, "K"),
        ("darwin", 1, 0x31, ""),
    ],
)
def test_places_of_keys_by_system(platform: str, scan: int, virtual: int, place: str) -> None:
    assert place_of(QKeyEvent(QEvent.Type.KeyPress, 0, NONE, scan, virtual, 0, ""), platform) == place


def test_places_of_digits_stay_out_of_text_fields(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    field = window.controls["/look/text"]
    none = Qt.KeyboardModifier.NoModifier
    for kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
        QApplication.sendEvent(field, QKeyEvent(kind, Qt.Key.Key_Ampersand, none, 10, 0, 0, "&"))
    qtbot.wait(30)
    assert isinstance(field, QLineEdit) and field.text() == "&"
    assert show.got == []


@pytest.mark.parametrize("focus", [FloatControl, SwitchControl, QComboBox])
def test_keys_play_whatever_has_the_focus(focus: type[QWidget], window: Window, show: FakeShow, qtbot: QtBot) -> None:
    widget = next(w for w in window.findChildren(focus) if isinstance(w, Control) and w.isVisible())
    widget.setFocus()
    qtbot.keyClick(widget, Qt.Key.Key_3)
    qtbot.keyClick(widget, Qt.Key.Key_Space)
    holds = [(f"/motion/{level}/hold", True) for level in ("coarse", "mid", "fine")]
    qtbot.waitUntil(lambda: show.got == [("/scene/recall", 3), *holds])
    qtbot.keyClick(widget, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: show.got[4:] == [(path, False) for path, _ in holds])


def test_letters_are_off_in_text_fields(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    field = window.controls["/look/text"]
    assert isinstance(field, QLineEdit)
    field.setFocus()
    qtbot.keyClicks(field, "rbz 13 Tt")
    qtbot.wait(30)
    assert field.text() == "rbz 13 Tt"
    assert show.got == []


@pytest.mark.parametrize("path", ["/look/text", "/look/seed"])
@pytest.mark.parametrize("end", [Qt.Key.Key_Return, Qt.Key.Key_Escape])
def test_the_keys_play_again_after_typing(path: str, end: Qt.Key, window: Window, show: FakeShow, qtbot: QtBot) -> None:
    field = window.controls[path]
    field.setFocus()
    qtbot.keyClicks(field, "7")
    assert show.got == []
    qtbot.keyClick(field, end)
    assert not field.hasFocus()
    qtbot.keyClick(window, Qt.Key.Key_B)
    qtbot.waitUntil(lambda: ("/out/blackout", True) in show.got)
    assert [sent for sent, _ in show.got] == [path] * (end == Qt.Key.Key_Return) + ["/out/blackout"]


def test_the_page_for_players_names_every_key(window: Window) -> None:
    page = (scene.DOCS / "live.md").read_text()
    table = page[page.index("| key |") : page.index("The panel has no powers")]
    told = {name.strip() for cell in table.split("|") for name in cell.split(",")}
    scenes = {f"{shift}{number}": f"{shift}1 to 8" for shift in ("", "Shift+") for number in range(1, 9)}
    assert {scenes.get(key.keys, key.keys) for key in window._keys()} <= told


def test_the_keys_are_told_until_a_control_is_pointed_at(window: Window) -> None:
    said = window.bottom.info.text
    assert all(key.keys in said for key in window._keys() if len(key.keys) == 1 and not key.keys.isdigit())
    window.bottom.point_at("/out/master")
    assert window.bottom.info.text.startswith("/sonorama/out/master")
