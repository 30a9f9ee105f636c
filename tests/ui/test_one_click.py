"""What a VJ wants while it plays is on the panel, or one click on a tab away."""

from collections.abc import Iterable

import pytest
from PyQt6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from sonorama.engine.control.sound_table import DRUMS
from sonorama.ui.cues_page import CuesPage
from sonorama.ui.widgets.meters import LevelMeters, Mel, Tempo
from sonorama.ui.window import USUAL, Window

WISHES = {
    "the tempo": [f"/sound/tempo/{name}" for name in ("x2", "half", "prior", "gate")],
    "drums": [f"/sound/{drum}/{name}" for drum in DRUMS for name in ("low", "high", "scale", "smooth", "gate")],
    "modulators": ["/moves/1/source", "/moves/1/target", "/moves/1/depth"],
    "a change by itself": ["/auto/on", "/auto/next", "/auto/bars", "/auto/drops", "/auto/drift"],
    "a blend surface": ["/blend/x", "/blend/y", "/blend/1/text", "/blend/1/hear", "/blend/1/scene"],
    "scenes with names and colours": ["/scene/1/name", "/scene/1/colour"],
    "a cue list": ["/cue/go", "/cue/back"],
    "effects": ["/picture/contrast", "/picture/hue", "/picture/kaleidoscope", "/picture/trail"],
    "strobe within the guard": ["/picture/strobe", "/out/flash_guard"],
    "16:9": ["/out/fit", "/out/width", "/out/height"],
}


def seen(widget: QWidget, window: Window) -> bool:
    """Whether all of it is in sight."""
    box = widget.rect()
    return widget.isVisible() and not box.isEmpty() and widget.visibleRegion().boundingRect() == box


def seen_on_one_tab(widgets: Iterable[QWidget], window: Window, qtbot: QtBot) -> bool:
    """Whether there is a tab on which all of them are in sight."""
    for tab in range(window.tabs.count()):
        window.tabs.setCurrentIndex(tab)
        qtbot.wait(20)
        if all(seen(widget, window) for widget in widgets):
            return True
    return False


@pytest.mark.parametrize("wish", WISHES)
def test_one_click_brings_it(wish: str, window: Window, qtbot: QtBot) -> None:
    window.resize(*USUAL)
    assert seen_on_one_tab([window.controls[path] for path in WISHES[wish]], window, qtbot)


def test_what_is_heard_of_the_music_needs_no_click(window: Window) -> None:
    """Bars for build-ups, lamps for drops and drums, the bands of the drums, and the bar of the phrase."""
    assert all(seen(window.findChildren(kind)[0], window) for kind in (LevelMeters, Mel, Tempo))


def test_scenes_have_thumbnails_without_a_click_and_the_cue_list_with_one(window: Window, qtbot: QtBot) -> None:
    assert all(seen(button, window) for button in window.scenes.buttons)
    assert seen_on_one_tab(window.findChildren(CuesPage), window, qtbot)
