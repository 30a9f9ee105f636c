"""Meters of the analysed sound show what the show says, and what can be set about it."""

import itertools

import pytest
from pytestqt.qtbot import QtBot

from sonorama.engine.control.sound_table import DRUMS
from sonorama.engine.model.mel import BANDS, filter_bank, mel_position
from sonorama.ui import theme
from sonorama.ui.widgets.meters import LevelMeters, Mel, Tempo
from sonorama.ui.window import Window

from .conftest import FakeShow


def count(meter: LevelMeters, ink: str, column: int, columns: int) -> int:
    """Pixels of a colour in one of the columns of equal width."""
    picture = meter.grab().toImage()
    width = picture.width() / columns
    across = range(round(column * width), round((column + 1) * width))
    return sum(picture.pixelColor(x, y).name() == ink for x in across for y in range(picture.height() - 16))


@pytest.fixture
def levels(window: Window) -> LevelMeters:
    return window.findChildren(LevelMeters)[0]


@pytest.mark.parametrize(("name", "column", "ink"), [("build", 8, theme.ACCENT), ("drop", 9, theme.MODULATION)])
def test_builds_and_drops_are_seen(
    name: str, column: int, ink: str, levels: LevelMeters, show: FakeShow, qtbot: QtBot
) -> None:
    assert count(levels, ink, column, 11) == 0
    show.tell(**{name: 1.0})
    qtbot.waitUntil(lambda: getattr(levels.status, name) == 1.0)
    assert count(levels, ink, column, 11) > 100


def test_the_gate_of_a_drum_is_a_ring_in_its_lamp(levels: LevelMeters, show: FakeShow, qtbot: QtBot) -> None:
    before = levels.grab().toImage()
    show.change("/sound/kick/gate", 0.9)
    qtbot.waitUntil(lambda: levels._gates["kick"] == 0.9)
    after, width = levels.grab().toImage(), before.width() / 11
    places = itertools.product(range(before.width()), range(before.height()))
    changed = {int(x / width) for x, y in places if before.pixel(x, y) != after.pixel(x, y)}
    assert changed == {5}


def test_the_bands_of_the_drums_are_drawn_on_the_spectrum(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    mel = window.findChildren(Mel)[0]
    kick, snare, hat = (mel.bands()[drum] for drum in DRUMS)
    assert kick.top() > snare.bottom() > snare.top() > hat.bottom()
    assert all(
        mel.grab().toImage().pixelColor(box.center().toPoint()).name() == theme.MODULATION for box in (snare, hat)
    )
    show.change("/sound/hat/low", 2000.0)
    qtbot.waitUntil(lambda: mel.bands()["hat"].height() > 1.5 * hat.height())


def test_where_a_frequency_lies_is_where_its_band_is() -> None:
    bank = filter_bank()
    for hz in (100.0, 440.0, 1000.0, 5000.0, 15_000.0):
        band = int(bank[round(hz / 22_050 * (len(bank) - 1))].argmax())
        assert mel_position(hz) == pytest.approx((band + 1) / (BANDS + 1), abs=1.5 / BANDS)
    assert (mel_position(0.0), mel_position(22_050.0)) == (0.0, 1.0)


def test_the_bar_of_the_phrase_is_told_where_there_is_a_beat(window: Window, show: FakeShow, qtbot: QtBot) -> None:
    tempo, said = window.findChildren(Tempo)[0], []

    def told(**status: float) -> str:
        show.tell(**status)
        qtbot.waitUntil(lambda: not show.outbox)
        return tempo.told()

    said = told(bpm=174.0, confidence=0.8, bar=3.0, phrase=6.5 / 16)
    assert said == "174.0 BPM, 80% sure, bar 7 of 16"
    assert tempo.fontMetrics().horizontalAdvance(said + "  -60 dBFS") <= tempo.width()
    assert told(bpm=0.0, bar=0.0, phrase=0.0) == "no beat"
