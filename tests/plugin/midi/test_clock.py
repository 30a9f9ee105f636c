"""MIDI clock in and out, with ticks at times that a test chooses."""

import time

import mido
import numpy as np
import pytest

from sonorama.plugin.bridges.midi.clock_in import FEWEST, ClockIn
from sonorama.plugin.bridges.midi.clock_out import ClockOut
from sonorama.plugin.bridges.midi.clocks import Clocks
from sonorama.plugin.bridges.show_clock import ShowClock

from ...speed import slowness
from ..show import Show

JITTER_S = 0.0016
"""Standard deviation of a tick's arrival, as it was measured over JACK."""


def ticks(bpm: float, count: int, first: float = 0.0, jitter: float = JITTER_S) -> np.ndarray:
    dice = np.random.default_rng(1)
    return first + np.arange(count) * 60 / bpm / 24 + np.abs(dice.normal(0, jitter, count))


@pytest.mark.parametrize("bpm", [60.0, 119.7, 174.0])
def test_tempo_and_beat_of_uneven_ticks(bpm: float) -> None:
    clock = ClockIn()
    clock.start()
    found = []
    for second in ticks(bpm, 24 * 16):
        clock.hear(second)
        found.append(clock.beat(second))
    assert all(one is None for one in found[: FEWEST - 1]) and found[FEWEST - 1] is not None
    rest = np.array([one for one in found[96:] if one])
    assert abs(rest[:, 0] / bpm - 1).max() < 0.003
    beats = (ticks(bpm, 24 * 16, jitter=0)[96:] - rest[:, 1]) * rest[:, 0] / 60
    due = np.arange(96, 24 * 16) / 24
    assert abs(beats - due).max() * 60 / bpm < 0.003, "seconds from the true beat"


def test_another_tempo_is_followed_within_a_beat_or_two() -> None:
    clock = ClockIn()
    seconds = (*ticks(120, 200), *ticks(140, 60, 200 * 60 / 120 / 24))
    for second in seconds:
        clock.hear(second)
    beat = clock.beat(seconds[-1])
    assert beat is not None and beat[0] == pytest.approx(140, rel=0.01)


def test_stop_continue_and_song_position() -> None:
    clock = ClockIn()
    clock.start()
    for second in ticks(120, 48):
        clock.hear(second)
    clock.stop()
    clock.hear(1.0)
    assert clock.beat(1.0) is None
    clock.locate(16)  # the fifth beat
    clock.resume()
    for second in ticks(120, 48, 10.0):
        clock.hear(second)
    beat = clock.beat(11.0)
    assert beat is not None and (10.0 - beat[1]) * beat[0] / 60 == pytest.approx(4.0, abs=0.01)
    assert clock.beat(13.0) is None, "lost"


def send(clocks: Clocks, name: str, kind: str, second: float = 0.0) -> None:
    assert clocks.hear(name, mido.Message(kind), round(second * 1e9))


def test_the_show_is_told_tempo_and_origin_together_and_seldom() -> None:
    show = Show(second=-500.0)
    clocks = Clocks(show)
    send(clocks, "drum", "start")
    seconds = ticks(128, 24 * 64, 1000.0, jitter=0.0002)
    for second in seconds:
        send(clocks, "drum", "clock", second)
        clocks.watch(round(second * 1e9))
    assert [one.path for one in show.batches[0]] == ["/clock/bpm", "/clock/origin"]
    assert len(show.batches) < 16, "a steady clock of 64 beats is told a few times"
    assert show.values["/clock/bpm"] == pytest.approx(128, rel=1e-3)
    assert show.values["/clock/origin"] == pytest.approx(500.0, abs=0.01)
    clocks.watch(round((seconds[-1] + 5) * 1e9))
    assert show.values["/clock/bpm"] == 0.0


def test_a_jump_of_the_tempo_or_another_start_never_loses_the_clock() -> None:
    show = Show()
    clocks = Clocks(show)
    times = (*ticks(120, 100), *ticks(97, 100, 100 * 60 / 120 / 24))
    for number, second in enumerate(times):
        if number == 150:
            send(clocks, "drum", "start")
        send(clocks, "drum", "clock", second)
        clocks.watch(round(second * 1e9))
    assert all(one.value for one in show.posted if one.path == "/clock/bpm")
    assert show.values["/clock/bpm"] == pytest.approx(97, rel=0.01)
    assert show.values["/clock/origin"] == pytest.approx(times[150], abs=0.01)


def test_one_clock_counts_at_a_time() -> None:
    show = Show()
    clocks = Clocks(show)
    both = sorted([(at, "a") for at in ticks(120, 96)] + [(at, "b") for at in ticks(90, 96)])
    for second, name in both:
        send(clocks, name, "clock", second)
        clocks.watch(round(second * 1e9))
    assert show.values["/clock/bpm"] == pytest.approx(120, rel=0.01)
    assert not clocks.hear("a", mido.Message("note_on"), 0)


def test_a_clock_that_is_faster_than_the_shows_range_is_followed_by_every_fourth_beat() -> None:
    """999 BPM, as a clock of 96 ticks a beat looks at 250."""
    show = Show()
    clocks = Clocks(show)
    send(clocks, "drum", "start")
    for second in ticks(999, 24 * 64, 1000.0, jitter=0.0002):
        send(clocks, "drum", "clock", second)
        clocks.watch(round(second * 1e9))
    assert show.values["/clock/bpm"] == pytest.approx(999 / 4, rel=1e-3)
    assert show.values["/clock/origin"] == pytest.approx(1000.0, abs=0.01)


@pytest.mark.parametrize(("tempo", "told"), [(20.0, 20.0), (400.0, 400.0), (401.0, 200.5), (999.0, 249.75)])
def test_tempi_of_link_and_live_that_the_show_does_not_have(tempo: float, told: float) -> None:
    """Link's are 20 to 999: the beats are still those of the session."""
    show = Show()
    clock = ShowClock(show, "link")
    clock.begin(0)
    clock.tell(tempo, 7.0, 10.0)
    assert (show.values["/clock/bpm"], show.values["/clock/origin"]) == (told, 7.0)
    clock.tell(tempo, 7.0, 11.0)
    assert len(show.batches) == 1, "it is told once"


def test_a_tempo_near_the_limit_does_not_jump() -> None:
    show = Show()
    clock = ShowClock(show, "link")
    clock.begin(0)
    told: list[float] = []
    for tempo in (398.0, 402.0, 398.0, 385.0, 379.0, 398.0):
        clock.tell(tempo, 7.0, 100.0)
        told.append(float(show.values["/clock/bpm"]))
    assert told == [398.0, 201.0, 199.0, 192.5, 379.0, 398.0]


def test_the_beat_goes_out() -> None:
    """Ticks of 24 to a beat from its first one on, then a stop."""
    sent: list[str] = []
    out = ClockOut(lambda message: sent.append(str(message.dict()["type"])))
    out.on = True
    out.start()
    began = time.monotonic()
    out.follow(240.0, 0.5, began)
    while sent.count("clock") < 48 and time.monotonic() < began + 10 * slowness():
        out.follow(240.0, (0.5 + (time.monotonic() - began) * 4) % 1.0, time.monotonic())
        time.sleep(0.02)
    out.follow(0.0, 0.0, time.monotonic())
    while sent[-1] != "stop" and time.monotonic() < began + 10 * slowness():
        time.sleep(0.01)
    out.close()
    assert sent[0] == "start" and sent[-1] == "stop" and sent.count("start") == 1
    assert set(sent[1:-1]) == {"clock"} and len(sent) >= 50
