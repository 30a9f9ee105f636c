"""The whole panel against a show: nothing unreachable, nothing cut off, the keyboard, and its pictures."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QColor, QFontMetrics, QGuiApplication
from PyQt6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.ipc.frame_map import FrameMapWriter
from sonorama.engine.ipc.messages import Values
from sonorama.engine.model.world_file import find_world, read_card
from sonorama.engine.units import DEFAULT_WORLD
from sonorama.ui import theme
from sonorama.ui.formatting import OF_SYNC, caption
from sonorama.ui.link import Link
from sonorama.ui.played_world import LicenceLine
from sonorama.ui.topbar import RECORD_DELAY
from sonorama.ui.widgets.control import Control
from sonorama.ui.widgets.controls import IntControl
from sonorama.ui.window import SMALLEST, Window, opening

from . import scene
from .conftest import FakeShow

BUILD = Path(__file__).parents[2] / "build" / "ui"
SIZES = ((1280, 800), SMALLEST)
SHOTS = (*SIZES, (768, 432), (410, 256), (2560, 1440))


def test_every_address_is_in_the_panel(window: Window) -> None:
    assert set(window.controls) == set(SHOW)


def test_every_control_has_an_address(window: Window) -> None:
    for control in window.findChildren(QWidget):
        if isinstance(control, Control):
            assert control.param.path in SHOW


def test_reveal_brings_every_control_to_the_front(window: Window) -> None:
    for path in SHOW:
        window.tabs.setCurrentIndex((window.tabs.currentIndex() + 1) % window.tabs.count())
        window.reveal(path)
        assert window.controls[path].isVisible(), path
        focus = window.focusWidget()
        assert focus is not None, path
        assert focus is window.controls[path] or window.controls[path].isAncestorOf(focus), path


def in_sight(widget: QWidget) -> bool:
    """Whether any of it is seen: it may be scrolled away."""
    return widget.isVisible() and not widget.visibleRegion().isEmpty()


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off_or_covered(size: tuple[int, int], window: Window, qtbot: QtBot) -> None:
    hint = window.minimumSizeHint()
    assert hint.width() <= size[0] and hint.height() <= size[1]
    window.resize(*size)
    for tab in range(window.tabs.count()):
        window.tabs.setCurrentIndex(tab)
        qtbot.wait(20)
        visible = [w for w in window.findChildren(QWidget) if isinstance(w, Control) and in_sight(w)]
        boxes = [widget.rect().translated(widget.mapTo(window, widget.rect().topLeft())) for widget in visible]
        assert all(window.rect().contains(box) for box in boxes)
        for (one, box), (other, its) in itertools.combinations(zip(visible, boxes, strict=True), 2):
            assert not box.intersects(its), (one.accessibleName(), other.accessibleName())
        for button in window.findChildren(QPushButton):
            if button.isVisible():
                bold = button.font()
                bold.setBold(True)  # as it is while it is pressed
                room = button.width() - (2 if button.property("shape") == "tiny" else 8)
                assert QFontMetrics(bold).horizontalAdvance(button.text()) <= room, button.text()


@pytest.mark.parametrize("size", SIZES)
def test_no_digit_of_a_number_is_cut_off(size: tuple[int, int], window: Window, show: FakeShow, qtbot: QtBot) -> None:
    window.resize(*size)
    numbers = [w for w in window.controls.values() if isinstance(w, IntControl)]
    for one in numbers:
        show.change(one.param.path, one.maximum())
    qtbot.waitUntil(lambda: all(w.value() == w.maximum() for w in numbers))
    for tab in range(window.tabs.count()):
        window.tabs.setCurrentIndex(tab)
        qtbot.wait(20)
        for one in numbers:
            edit = one.lineEdit()
            if one.isVisible() and edit is not None:
                assert one.fontMetrics().horizontalAdvance(edit.text()) <= edit.width() - 4, edit.text()
                assert str(one.maximum()) in edit.text()
    seed = window.controls["/look/seed"]
    assert isinstance(seed, IntControl)
    show.change("/look/seed", 7)
    qtbot.waitUntil(lambda: seed.text() == "seed  7")


def rooms() -> Iterator[QRect]:
    """What displays have for windows, from small ones that are scaled to 4K; one of them beside another."""
    yield QRect(-1920, 27, 1920, 1053)
    for width, height in ((1024, 640), (1280, 800), (1920, 1080), (3840, 2160)):
        yield from (QRect(0, 0, round(width / scale), round(height / scale)) for scale in (1.0, 1.5, 2.5))


def test_it_fits_the_display_and_the_keys_for_safety_stay(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    show.tell(faults=["no microphone"], recording=True)
    told, top = window.bottom.faults, window.top
    qtbot.waitUntil(lambda: told.text != "")
    for room in rooms():
        at = opening(room)
        assert room.contains(at)
        window.resize(at.size())
        qtbot.wait(20)
        assert window.size() == at.size()
        for widget in (top.live, *top.buttons.values(), told):
            box = widget.rect().translated(widget.mapTo(window, widget.rect().topLeft()))
            assert widget.isVisible() and window.rect().contains(box) and in_sight(widget), room
        assert told.width() >= told.fontMetrics().horizontalAdvance("\u26a0 no microphone")
        parts = (top.live, *top.buttons.values(), *top._spared)
        boxes = [widget.geometry() for widget in parts if widget.isVisible()]
        assert not any(one.intersects(other) for one, other in itertools.combinations(boxes, 2)), room
        assert all(top.rect().contains(box) for box in boxes), room
        for path in ("/moves/8/fall", "/scene/morph", "/look/seed_b", "/sound/gain"):  # what is out of sight is brought
            window.reveal(path)
            assert in_sight(window.controls[path]), (path, room)


def test_screenshots(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    """Written for people to look at; here: the picture, the accent and the modulation are in them."""
    show.values.update(scene.values())
    show.outbox.append(Values(show.values))
    BUILD.mkdir(parents=True, exist_ok=True)
    with FrameMapWriter("test", 256, 256) as frames:
        for size in SHOTS:
            window.resize(*size)
            frames.publish(scene.pictures()[2], 0, size[0])
            show.outbox += [scene.status(tick) for tick in range(130 if size in SIZES else 5)]
            qtbot.waitUntil(lambda: not show.outbox and window.preview.slot is not None)
            window.bottom.point_at("/motion/fine/amount")
            qtbot.waitUntil(lambda: window.preview.note == "")
            shot = window.grab().toImage()
            assert shot.save(str(BUILD / f"panel-{size[0]}x{size[1]}.png"))
            colours = {shot.pixelColor(x, y).name() for x in range(0, size[0], 2) for y in range(0, size[1], 2)}
            assert {theme.WINDOW, theme.CARD, theme.ACCENT, theme.LIVE, theme.RECORD} <= colours
            if size in SIZES:  # in smaller ones something is out of sight
                middle = window.preview.mapTo(window, window.preview.rect().center())
                assert shot.pixelColor(middle).name() != "#000000" and theme.MODULATION in colours


def test_the_palette_finds_and_goes(window: Window, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    assert window.palette_list.isVisible()
    assert set(window.palette_list.shown()) >= set(SHOW)
    for words in ("moves 5 rate", "/moves/5/rate"):
        window.palette_list.field.clear()
        qtbot.keyClicks(window.palette_list.field, words)
        assert window.palette_list.shown() == ["/moves/5/rate"]
    qtbot.keyClick(window.palette_list.field, Qt.Key.Key_Return)
    assert not window.palette_list.isVisible()
    assert window.focusWidget() is window.controls["/moves/5/rate"]


def test_scenes_show_what_is_stored_and_shift_stores(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    show.tell(scenes=[False, True] + [False] * 6)
    button = window.scenes.slots.buttons[1]
    qtbot.waitUntil(lambda: window.scenes.buttons[1].stored)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier)
    assert show.got == [("/scene/recall", 2), ("/scene/store", 2)]


def test_faults_are_a_line(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    show.tell(faults=["no room on the disk", "no microphone"])
    qtbot.waitUntil(lambda: "2 faults: no room on the disk" in window.bottom.faults.text)
    assert window.bottom.faults.toolTip() == "no room on the disk\nno microphone"
    show.tell(faults=["OSC: unknown address '/no/<b>x</b>'"])
    qtbot.waitUntil(lambda: "<b>" in window.bottom.faults.text)
    assert "&lt;b&gt;x" in window.bottom.faults.toolTip()
    show.tell(faults=[])
    qtbot.waitUntil(lambda: window.bottom.faults.text == "")


def test_tabs_have_names_of_their_own(window: Window) -> None:
    titles = [window.tabs.tabText(tab) for tab in range(window.tabs.count())]
    assert len({title.rstrip("S") for title in titles}) == len(titles)


def test_captions_name_the_level_or_the_group(window: Window) -> None:
    sync = [caption(path) for path in SHOW if path.startswith(OF_SYNC)]
    assert "clock origin" in sync and len({*sync}) == len(sync)
    for level in ("coarse", "mid", "fine"):
        assert window.controls[f"/look/{level}/seed"].text().startswith(f"{level} seed")  # pyright: ignore[reportAttributeAccessIssue]
        assert window.controls[f"/look/{level}/code"].placeholderText() == f"{level} code"  # pyright: ignore[reportAttributeAccessIssue]


def test_what_takes_seconds_is_said(window: Window, show: FakeShow, link: Link, qtbot: QtBot) -> None:
    field, line = window.controls["/look/text"], window.bottom.info
    still = field.grab().toImage()
    link.post("/look/text", "a storm")
    qtbot.waitUntil(lambda: field.grab().toImage() != still)
    asked = field.grab().toImage()
    show.tell(loading=["/look/text"])
    qtbot.waitUntil(lambda: line.text.startswith("finding a picture for \u201ca storm\u201d"))
    assert field.grab().toImage() != asked
    show.tell(loading=["/engine/world", "/engine/device"])
    qtbot.waitUntil(lambda: line.text.startswith(f"loading the world {DEFAULT_WORLD}, loading device auto"))
    assert field.grab().toImage() == asked
    show.tell(loading=[])
    qtbot.waitUntil(lambda: "loading" not in line.text)
    show.tell(loading=["/look/text"])
    link.post("/look/text", "a storm over the sea " * 50)
    cut = "a storm over the sea a storm over the sea a storm over the\u2026"
    qtbot.waitUntil(lambda: line.text == f"finding a picture for \u201c{cut}\u201d \u2026")
    link.post("/look/text", "")
    show.tell(loading=["/look/text"])
    qtbot.waitUntil(lambda: "finding" not in line.text)


def test_a_show_that_is_away_is_said_and_nothing_can_be_played(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    show.there = False
    qtbot.waitUntil(lambda: window.top.live.text() == "NO SHOW")
    assert not window.body.isEnabled()
    qtbot.waitUntil(lambda: "sonorama live" in window.preview.note, timeout=2000)
    show.there = True
    qtbot.waitUntil(lambda: window.top.live.text() == "LIVE" and window.body.isEnabled(), timeout=3000)


@pytest.fixture
def frames(window: Window) -> Iterator[FrameMapWriter]:
    with FrameMapWriter("test", 8, 8) as made:
        yield made


def test_the_preview_follows_restarts_and_sizes(
    window: Window, show: FakeShow, frames: FrameMapWriter, qtbot: QtBot
) -> None:
    grey = scene.np.full((8, 8, 4), 255, scene.np.uint8)
    assert "No frames yet" in window.preview.note or window.preview.note == ""
    frames.publish(grey, 0, 1)
    show.tell(renderer_pid=1)
    qtbot.waitUntil(lambda: window.preview.slot is not None and window.preview.note == "", timeout=3000)
    shot = window.grab().toImage()
    centre = window.preview.mapTo(window, window.preview.rect().center())
    assert shot.pixelColor(centre) == QColor("#ffffff")
    show.tell(renderer_pid=0, restarts=1)
    qtbot.waitUntil(lambda: "restarting" in window.preview.note)
    show.tell(renderer_pid=2, frame=90, fps=30.0)
    qtbot.waitUntil(lambda: window.preview.note == "")
    show.tell(renderer_pid=2, frame=90, fps=0.0)  # the next one is there, but does not paint yet
    qtbot.waitUntil(lambda: "restarting" in window.preview.note)
    frames.resize(16, 4)
    frames.publish(scene.np.zeros((4, 16, 4), scene.np.uint8), 0, 2)
    qtbot.waitUntil(lambda: window.preview.image is not None and window.preview.image.width() == 16, timeout=3000)
    frames.close()
    show.tell(renderer_pid=1)
    qtbot.waitUntil(lambda: "last one" in window.preview.note, timeout=3000)


def test_f_opens_and_closes_the_full_screen(window: Window, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F)
    full = window._full
    assert full is not None and full.isVisible() and full.isFullScreen()
    qtbot.keyClick(full, Qt.Key.Key_Escape)
    assert not full.isVisible()


def test_master_and_the_big_buttons_are_always_there(window: Window) -> None:
    for path in ("/out/master", "/out/record", "/out/freeze", "/out/blackout", "/out/panic"):
        for tab in range(window.tabs.count()):
            window.tabs.setCurrentIndex(tab)
            assert window.controls[path].isVisible()
    assert all(window.controls[f"/sound/{name}"].isVisible() for name in ("tap", "resync"))


def test_m_copies_addresses_instead_of_playing(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_M)
    assert "Click a control" in window.bottom.info.text
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    for path in ("/out/blackout", "/motion/fine/amount"):
        control = window.controls[path]
        qtbot.mousePress(control, Qt.MouseButton.LeftButton)
        qtbot.mouseRelease(control, Qt.MouseButton.LeftButton)
        assert clipboard.text() == f"/sonorama{path}"
        assert clipboard.text() in window.bottom.info.text
    qtbot.mouseClick(window.scenes.slots.buttons[3], Qt.MouseButton.LeftButton)
    assert clipboard.text() == "/sonorama/scene/recall"
    assert show.got == []
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.copy_mode.on and "Click" not in window.bottom.info.text
    qtbot.mouseClick(window.controls["/out/blackout"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: show.got == [("/out/blackout", True)])


def test_l_maps_midi_controls_by_clicks(window: Window, show: FakeShow, link: Link, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_L)
    assert window.map_mode.on and window._map.isChecked()
    qtbot.mouseClick(window.controls["/out/blackout"], Qt.MouseButton.LeftButton)
    assert "--bridge midi" in window.bottom.info.text and show.got == []
    show.tell(bridges={"midi_ports": "nano"})
    qtbot.waitUntil(lambda: "midi_ports" in link.status.bridges)
    qtbot.mouseClick(window.controls["/out/blackout"], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(window.controls["/look/drift"], Qt.MouseButton.LeftButton)
    assert "MIDI learn" in window.bottom.info.text and "/sonorama/look/drift" in window.bottom.info.text
    qtbot.mouseClick(window.scenes.slots.buttons[2], Qt.MouseButton.LeftButton)
    learned = [("/midi/learn", value) for value in ("/out/blackout", "/look/drift", "/scene/recall 3")]
    qtbot.waitUntil(lambda: show.got[-1:] == learned[-1:])
    assert [one for one in show.got if one in learned] == learned[-len(show.got) :] and len(show.got) <= 3
    qtbot.keyClick(window, Qt.Key.Key_M)
    assert window.copy_mode.on and not window.map_mode.on and not window._map.isChecked()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.copy_mode.on


@pytest.mark.parametrize("world", ["meridian", "shore", "of-another-computer"])
def test_the_licence_of_the_world_is_said(world: str, window: Window, show: FakeShow, qtbot: QtBot) -> None:
    show.change("/engine/world", world)
    show.tell()
    qtbot.waitUntil(lambda: window.top.world.toolTip().startswith(world))
    (line,) = window.findChildren(LicenceLine)
    if world == "of-another-computer":
        assert (line.text(), window.top.world.toolTip()) == ("", world)
        return
    licence = read_card(find_world(world)).licence
    assert line.text() == f"Licence of the world: {licence}" and licence in window.top.world.toolTip()
    window.reveal("/engine/fps")
    assert in_sight(line)


def test_packets_that_come_are_seen(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    show.tell(osc_port=9123, osc_received=5)
    qtbot.waitUntil(lambda: window.top.osc.text == "9123 \u2022")
    show.tell(osc_port=9123, osc_received=5)
    qtbot.waitUntil(lambda: window.top.osc.text == "9123")


def test_a_recording_that_is_not_written_is_said(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    button = window.top.buttons["/out/record"]
    show.change("/out/record", True)
    for _ in range(RECORD_DELAY + 1):
        show.tell(recording=False)
    qtbot.waitUntil(lambda: button.text() == "NO FILE" and button.isChecked())
    show.tell(recording=True)
    qtbot.waitUntil(lambda: button.text() == "REC")


def test_the_top_bar_names_a_precision_that_is_not_exact(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    fps = window.top.fps
    tip = "Pictures are painted in precision "
    for precision in ("exact", "bf16", "bf16, early exit, half rate", "exact"):
        name = "frames/s" if precision == "exact" else f"frames/s, {precision}"
        show.tell(fps=30.0, target_fps=30.0, precision=precision)
        qtbot.waitUntil(lambda one=precision: fps.toolTip() == tip + one)
        assert fps.name == fps.accessibleName() == name
