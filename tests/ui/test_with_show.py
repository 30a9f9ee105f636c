"""The panel at a real show in a process of its own: what it asks for arrives, what the show says is seen."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QImage
from PyQt6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from sonorama.engine.control import presets
from sonorama.engine.control.addresses import SOUND_CHANNELS, SOUND_INPUT
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Parameter, Value
from sonorama.engine.control.pending_load import CODES, LOADS, RESULTS
from sonorama.engine.osc.counters import OscCounters
from sonorama.engine.osc.routing import Router
from sonorama.engine.picture.test_pattern import CORNERS
from sonorama.ui.link import Link, link_to
from sonorama.ui.widgets.control import Control
from sonorama.ui.window import Window

from ..live.stage import PATIENCE_S, LiveShow
from ..worlds import CLASSES

MS = round(PATIENCE_S * 1000)
AMOUNT = "/motion/coarse/amount"
HOLDS = [f"/motion/{level}/hold" for level in ("coarse", "mid", "fine")]
ALONE = {*LOADS, *CODES, *RESULTS, *RESULTS.values(), SOUND_INPUT, SOUND_CHANNELS}
"""One of these changes another, takes seconds, names a file that must be here, or is no plain text."""
PLAIN = [path for path, param in SHOW.items() if not param.event and path not in ALONE]


def other(param: Parameter, now: Value) -> Value:
    """A value it does not stand at."""
    match param.kind:
        case "float":
            at = param.to_norm(float(now))
            return param.from_norm(at + 0.25 if at < 0.5 else at - 0.25)
        case "int":
            return param.clip(int(now) + 64)
        case "switch":
            return not now
        case "choice":
            return next(word for word in param.choices if word != now)
        case _:
            return "1 0"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, tiny_world: str) -> Iterator[LiveShow]:
    folder = tmp_path_factory.mktemp("show")
    more = ("--device", "cpu", "--source", "tone:120", "--size", "96x54", "--record", str(folder / "x.mkv"))
    with LiveShow(
        folder, tiny_world, *more, "--take", str(folder / "x.take"), "--record", str(folder / "x.mkv")
    ) as made:
        made.session()
        yield made


def open_panel(name: str, qtbot: QtBot) -> Window:
    window = Window(link_to(name))
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    window.link.start()
    qtbot.waitUntil(lambda: window.link.connected, timeout=MS)
    return window


@pytest.fixture
def window(live: LiveShow, qtbot: QtBot, qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("SONORAMA_LOOKS", str(live.stats.parent / "looks"))
    made = open_panel(live.name, qtbot)
    qtbot.waitUntil(lambda: bool(made.link.status.scores), timeout=MS)  # it plays
    yield made
    made.close()


@pytest.fixture
def second(live: LiveShow, window: Window, qtbot: QtBot) -> Iterator[Link]:
    """What another panel is told."""
    made = link_to(live.name)
    made.start()
    qtbot.waitUntil(lambda: made.connected and made.values == window.link.values, timeout=MS)
    yield made
    made.close()


def differing(link: Link, wanted: dict[str, Value]) -> dict[str, Any]:
    return {path: link.values[path] for path, value in wanted.items() if link.values[path] != pytest.approx(value)}


def applied(live: LiveShow) -> set[tuple[str, str]]:
    """(address, whose) of every change that the renderer applied so far, as the take has it."""
    lines = (live.stats.parent / "x.take" / "events.jsonl").read_text().splitlines(keepends=True)
    rows = [json.loads(line) for line in lines if line.endswith("\n")]
    return {(one[0], one[2]) for row in rows for one in row.get("set", ())}


def test_every_entry_reaches_the_show_and_comes_back(
    live: LiveShow, window: Window, second: Link, qtbot: QtBot
) -> None:
    before = {path: window.link.values[path] for path in PLAIN}
    wanted = {path: other(SHOW[path], value) for path, value in before.items()}
    for path, value in wanted.items():
        control = window.controls[path]
        assert isinstance(control, Control)
        control.ask(value)
    qtbot.waitUntil(lambda: not differing(second, wanted), timeout=MS)
    qtbot.waitUntil(lambda: {(path, "panel") for path in PLAIN} <= applied(live), timeout=MS)
    for path, value in before.items():  # and everything the panel can do, OSC can
        live.set(path, value)
    qtbot.waitUntil(lambda: not differing(second, before) and not differing(window.link, before), timeout=MS)


def test_every_event_reaches_the_show(live: LiveShow, window: Window, second: Link, qtbot: QtBot) -> None:
    window.link.post(AMOUNT, 0.75)
    window.link.post("/scene/store", 5)
    qtbot.waitUntil(lambda: second.status.scenes[4], timeout=MS)
    window.link.post("/out/panic", True)
    qtbot.waitUntil(lambda: second.values[AMOUNT] == SHOW[AMOUNT].default, timeout=MS)
    window.link.post("/scene/recall", 5)
    qtbot.waitUntil(lambda: second.values[AMOUNT] == 0.75 == window.link.values[AMOUNT], timeout=MS)
    for path in ("/sound/tap", "/sound/resync"):
        window.link.post(path, True)
        qtbot.waitUntil(lambda path=path: (path, "panel") in applied(live), timeout=MS)
    assert second.values["/sound/tempo"] == "tapped"


def test_a_world_that_is_none_is_refused_and_the_panel_says_so(window: Window, second: Link, qtbot: QtBot) -> None:
    was = window.link.values["/engine/world"]
    window.link.post("/engine/world", "nowhere")
    qtbot.waitUntil(lambda: any("nowhere" in fault for fault in window.link.status.faults), timeout=MS)
    assert "\u26a0" in window.bottom.faults.text and window.bottom.faults.isVisible()
    qtbot.waitUntil(lambda: second.values["/engine/world"] == was == window.link.values["/engine/world"], timeout=MS)


def test_a_text_is_typed_and_sent(window: Window, second: Link, qtbot: QtBot) -> None:
    """The tiny world has no text encoder, and says so."""
    field = window.controls["/look/text"]
    field.setFocus()
    qtbot.keyClicks(field, "rain at night")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: second.values["/look/text"] == "rain at night", timeout=MS)
    qtbot.waitUntil(lambda: any("has no text encoder" in fault for fault in window.link.status.faults), timeout=MS)
    window.setFocus()


KEYS = [
    (Qt.Key.Key_Space, HOLDS),
    (Qt.Key.Key_R, ["/out/record"]),
    (Qt.Key.Key_Z, ["/out/freeze"]),
    (Qt.Key.Key_B, ["/out/blackout"]),
]


@pytest.mark.parametrize(("key", "paths"), KEYS)
def test_keys_switch_and_switch_back(key: Qt.Key, paths: list[str], window: Window, second: Link, qtbot: QtBot) -> None:
    before = [second.values[path] for path in paths]
    qtbot.keyClick(window, key)
    qtbot.waitUntil(lambda: [second.values[path] for path in paths] == [not was for was in before], timeout=MS)
    qtbot.keyClick(window, key)
    qtbot.waitUntil(lambda: [second.values[path] for path in paths] == before, timeout=MS)


def test_digits_go_to_scenes_and_shift_stores(window: Window, second: Link, qtbot: QtBot) -> None:
    for digit, value in ((1, 0.1), (8, 0.8)):
        window.link.post(AMOUNT, value)
        qtbot.keyClick(window, Qt.Key(Qt.Key.Key_0 + digit), Qt.KeyboardModifier.ShiftModifier)
        qtbot.waitUntil(lambda digit=digit: second.status.scenes[digit - 1], timeout=MS)
        qtbot.waitUntil(lambda digit=digit: window.scenes.buttons[digit - 1].stored, timeout=MS)
    for digit, value in ((1, 0.1), (8, 0.8)):
        qtbot.keyClick(window, Qt.Key(Qt.Key.Key_0 + digit))
        qtbot.waitUntil(lambda value=value: window.link.values[AMOUNT] == value == second.values[AMOUNT], timeout=MS)
    qtbot.keyClick(window, Qt.Key.Key_Escape, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: second.values[AMOUNT] == SHOW[AMOUNT].default, timeout=MS)


def test_what_the_show_hears_is_seen(window: Window, qtbot: QtBot) -> None:
    """The tone ticks at 120 a minute; the first moves make that seen on the strips."""
    status = window.link.status
    assert len(status.scores) >= 3 and sum(score for _, score in status.scores) == pytest.approx(1.0, abs=0.05)
    assert any(band > 0.05 for band in status.mel) and status.level > 0
    moved: set[float] = set()
    fine = window.controls["/motion/fine/amount"]
    assert isinstance(fine, Control)

    def moving() -> bool:
        if fine.effective is not None:
            moved.add(fine.effective)
        return len(moved) > 3 and fine.driver == "onset"

    qtbot.waitUntil(moving, timeout=MS)
    qtbot.waitUntil(lambda: window.top.fps.text.split("/")[0] != "0.0", timeout=MS)
    assert window.top.live.text() == "LIVE" and window.top.delay.text.endswith(" ms")
    assert window.top.osc.text.split()[0].isdigit() and window.top.source.text == "test tone 120"


def test_the_mixer_plays_the_classes_of_the_world(live: LiveShow, window: Window, second: Link, qtbot: QtBot) -> None:
    assert window.link.classes == CLASSES
    used = [row for row in window.mixer.rows if not row.isHidden()]
    assert [row.score.name for row in used] == [*CLASSES]
    qtbot.waitUntil(lambda: all(row.score.number for row in used), timeout=MS)
    fire = window.controls["/meaning/3/mute"]
    assert fire.accessibleName() == "fire mute"
    qtbot.mouseClick(fire, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: second.values["/meaning/3/mute"] is True and used[2].score.silent, timeout=MS)
    assert isinstance(fire, Control)
    live.set(fire.address.removeprefix("/sonorama"), 0)  # the address that it copies
    qtbot.waitUntil(lambda: window.link.values["/meaning/3/mute"] is False, timeout=MS)


def test_looks_and_shows_there_and_back(live: LiveShow, window: Window, second: Link, qtbot: QtBot) -> None:
    bar, gain = window.preset_bar, "/sound/gain"
    window.link.post(AMOUNT, 0.25)
    window.link.post(gain, 6.0)
    qtbot.waitUntil(lambda: (second.values[AMOUNT], second.values[gain]) == (0.25, 6.0), timeout=MS)
    bar.name.setEditText("dusk")
    bar.save_preset.click()
    bar.save_show.click()
    assert presets.names() == [("dusk", "look"), ("dusk", "show")]
    live.set(AMOUNT, 1.5)
    live.set(gain, -6.0)
    qtbot.waitUntil(lambda: (window.link.values[AMOUNT], window.link.values[gain]) == (1.5, -6.0), timeout=MS)
    bar.name.setEditText("dusk")
    bar.load.click()
    qtbot.waitUntil(lambda: second.values[AMOUNT] == 0.25, timeout=MS)
    assert second.values[gain] == -6.0  # not part of a look
    bar.name.setEditText("dusk (show)")
    bar.load.click()
    qtbot.waitUntil(lambda: second.values[gain] == 6.0, timeout=MS)


def test_whatever_the_panel_asks_for_has_an_osc_address(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = Router(SHOW, OscCounters())._exact
    asked: list[str] = []
    monkeypatch.setattr(window.link, "post", lambda path, value: asked.append(path))
    for key in window._keys():
        if key.keys not in ("F", "M", "Ctrl+K"):  # these act on the panel alone
            key.act()
    asked += [widget.param.path for widget in window.findChildren(QWidget) if isinstance(widget, Control)]
    assert len(asked) > len(SHOW)
    assert {f"/sonorama{path}" for path in asked} <= set(addresses)


@pytest.fixture
def card(tmp_path: Path, tiny_world: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveShow]:
    monkeypatch.setenv("SONORAMA_LOOKS", str(tmp_path / "looks"))
    with LiveShow(tmp_path, tiny_world, "--source", "test-card", "--size", "640x360") as made:
        yield made


def picture(window: Window) -> QImage:
    """What the preview shows of the picture, without the black around it."""
    shown = window.preview.grab().toImage()  # paints, which says where the picture is
    return shown.copy(window.preview._box)


def corners(window: Window) -> list[QColor]:
    """Its colours: above left and right, below left and right."""
    seen = picture(window)
    right, low = seen.width() - 5, seen.height() - 5
    return [seen.pixelColor(*at) for at in ((4, 4), (right, 4), (4, low), (right, low))] if right > 0 < low else []


def test_the_preview_is_upright_has_its_colours_and_its_shape(card: LiveShow, qtbot: QtBot) -> None:
    card.session()
    window, wanted = open_panel(card.name, qtbot), [QColor(*colour) for colour in CORNERS]
    qtbot.waitUntil(lambda: corners(window) == wanted, timeout=MS)
    seen = picture(window)
    assert seen.width() / seen.height() == pytest.approx(16 / 9, rel=0.01)
    card.set("/out/flip", "vertical")
    qtbot.waitUntil(lambda: corners(window) == wanted[2:] + wanted[:2], timeout=MS)
    window.close()


def test_it_comes_back_to_a_show_that_was_started_again(
    card: LiveShow, tmp_path: Path, tiny_world: str, qtbot: QtBot
) -> None:
    card.session()
    window = open_panel(card.name, qtbot)
    qtbot.waitUntil(lambda: window.preview.slot is not None and window.preview.slot.frame > 3, timeout=MS)
    os.kill(card.process.pid, signal.SIGKILL)
    card.process.wait()
    qtbot.waitUntil(lambda: window.top.live.text() == "NO SHOW" and not window.body.isEnabled(), timeout=MS)
    assert window.preview.image is not None  # the last picture stays
    again = ("--source", "test-card", "--size", "320x320", "--set", f"{AMOUNT}=0.25")
    with LiveShow(tmp_path, tiny_world, *again, name=card.name):
        qtbot.waitUntil(lambda: window.top.live.text() == "LIVE" and window.link.values[AMOUNT] == 0.25, timeout=MS)
        qtbot.waitUntil(lambda: (window.preview.image or QImage()).width() == 320, timeout=MS)
        qtbot.waitUntil(lambda: window.preview.note == "", timeout=MS)
    window.close()
