"""The external clock of a show, which several bridges may want to set."""

import pytest

from sonorama.engine.control.parameters import Change
from sonorama.plugin.bridges.show_clock import ShowClock

from .show import Show

BPM, ORIGIN = "/clock/bpm", "/clock/origin"


def test_the_clock_that_plays_first_counts() -> None:
    show = Show()
    first, second = ShowClock(show, "link"), ShowClock(show, "ableton")
    for clock in (first, second):
        clock.begin(0)
    first.tell(120.0, 0.0, 1.0)
    second.tell(90.0, 0.0, 1.0)
    second.end()
    assert show.values[BPM] == 120.0
    first.end()
    assert show.values[BPM] == 0.0
    second.tell(90.0, 0.5, 2.0)
    assert (show.values[BPM], show.values[ORIGIN]) == (90.0, 0.5)
    first.tell(120.0, 0.0, 2.0)
    assert show.values[BPM] == 90.0


def test_a_clock_set_by_hand_is_left_alone() -> None:
    show = Show()
    clock = ShowClock(show, "link")
    clock.begin(0)
    show.set(BPM, 100.0)
    clock.tell(120.0, 0.0, 1.0)
    assert show.values[BPM] == 100.0


def test_small_differences_are_not_told_and_a_sound_that_begins_anew_is() -> None:
    show = Show()
    clock = ShowClock(show, "link", close_beats=0.001)
    clock.begin(0)
    clock.tell(120.0, 0.0, 1.0)
    clock.tell(120.0, 0.0004, 1.1)
    assert len(show.batches) == 1
    clock.tell(120.0, 0.0006, 1.2)
    assert len(show.batches) == 2 and show.batches[-1] == (Change(BPM, 120.0, "link"), Change(ORIGIN, 0.0006, "link"))
    show._second = 30.0
    clock.compare(2_000_000_000)
    clock.tell(120.0, 0.0006, 2.0)
    assert show.values[ORIGIN] == pytest.approx(30.0006)
