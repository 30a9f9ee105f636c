"""A show follows a clock from outside, and its take plays the same pictures again."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.take.reader import read_take

from ..plugin.midi.jack import Controller, Jack
from .replaying import check_pictures
from .stage import LiveShow, Watcher, counting_sound

Start = Callable[..., LiveShow]
TICK_S = 60 / (24 * 125)
"""Of a MIDI clock at 125 beats a minute."""


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A program that sends a MIDI clock over JACK; calling it ends it as its stop button does."""
    jack = Jack(tmp_path, monkeypatch)
    ending, player = threading.Event(), Controller("drums")

    def play() -> None:
        due = time.monotonic()
        player.send("start")
        while not ending.is_set():
            player.send("clock")
            due += TICK_S
            time.sleep(max(0.0, due - time.monotonic()))
        player.send("stop")

    thread = threading.Thread(target=play, daemon=True)
    thread.start()
    yield ending.set
    ending.set()
    thread.join()
    player.unplug()
    jack.close()


def test_pictures_that_follow_a_midi_clock_are_those_of_the_take(
    start: Start, clock: Callable[[], None], tmp_path: Path, tiny_world: str, instrument: LoadedWorld
) -> None:
    sound, folder = counting_sound(tmp_path / "count.wav", 30), tmp_path / "a.take"
    values = {
        "/sound/tempo": "clock", "/moves/1/source": "beat", "/moves/1/target": "/look/truncation", "/moves/1/depth": 1,
        "/out/flash_guard": 0,
    }  # fmt: skip
    sets = [word for path, value in values.items() for word in ("--set", f"{path}={value}")]
    show = start("--source", f"file:{sound}", "--take", str(folder), "--bridge", "midi:api=jack", *sets)
    show.playing()
    show.wait(lambda: float(show.values()["/clock/bpm"]) > 0, "the clock is not followed")
    with Watcher(show.name) as watcher:
        show.wait(lambda: sum(not one.repeated for one in watcher.seen) > 90, "no pictures come")
        clock()
        show.wait(lambda: show.values()["/clock/bpm"] == 0.0, "the clock does not end")
        watcher.check_gaps()
    assert show.stop() == 143
    take = read_take(folder)
    told = [one for changes in take.changes.values() for one in changes if one.path == "/clock/bpm"]
    assert any(110 < float(one.value) < 140 for one in told)
    check_pictures(watcher.seen, take, {tiny_world: instrument})
