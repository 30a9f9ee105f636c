"""A show follows a clock from outside, and its take plays the same pictures again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sonorama.engine.pipeline.loaded_world import LoadedWorld
from sonorama.engine.take.reader import read_take

from .replaying import check_pictures
from .stage import LiveShow, Watcher, counting_sound

Start = Callable[..., LiveShow]


def test_pictures_that_follow_a_clock_are_those_of_the_take(
    start: Start, tmp_path: Path, tiny_world: str, instrument: LoadedWorld
) -> None:
    """The bridges of MIDI, Link and Live set the same two parameters; here another program does."""
    sound, folder = counting_sound(tmp_path / "count.wav", 30), tmp_path / "a.take"
    values = {
        "/sound/tempo": "clock", "/moves/1/source": "beat", "/moves/1/target": "/look/truncation", "/moves/1/depth": 1,
        "/out/flash_guard": 0,
    }  # fmt: skip
    sets = [word for path, value in values.items() for word in ("--set", f"{path}={value}")]
    show = start("--source", f"file:{sound}", "--take", str(folder), *sets)
    show.playing()
    with Watcher(show.name) as watcher:
        for bpm, origin in ((125.0, 0.25), (131.5, 0.125)):
            show.set("/clock/origin", origin)
            show.set("/clock/bpm", bpm)
            show.holds("/clock/bpm", bpm)
            count = len(watcher.seen)
            show.wait(lambda count=count: sum(not one.repeated for one in watcher.seen[count:]) > 40, "it stands still")
        watcher.check_gaps()
    assert show.stop() == 143
    take = read_take(folder)
    told = [one.value for changes in take.changes.values() for one in changes if one.path == "/clock/bpm"]
    assert told == [125.0, 131.5]
    check_pictures(watcher.seen, take, {tiny_world: instrument})
    for changes in take.changes.values():
        changes[:] = [one for one in changes if not one.path.startswith("/clock/")]
    with pytest.raises(AssertionError, match="pictures are not those"):  # the clock was seen
        check_pictures(watcher.seen, take, {tiny_world: instrument})
