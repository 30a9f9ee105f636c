"""A show that was killed goes on: values, scenes, world, seed and motion."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from sonorama.engine.files.folders import shows_folder
from sonorama.engine.ipc.frame_map import FrameMap
from sonorama.engine.take.reader import read_take

from .stage import LiveShow

Start = Callable[..., LiveShow]


def test_after_kill_9_it_goes_on(start: Start, tmp_path: Path) -> None:
    first = start("--source", "tone:120", "--seed", "7", "--sink", "null")
    first.playing()
    first.set("/look/truncation", 0.375)
    first.set("/scene/store", 4)
    first.set("/meaning/1/amount", 1.25)
    first.set("/look/seed", 4711)
    first.holds("/look/seed", 4711)
    record = shows_folder() / f"{first.name}.json"  # written about once a second
    first.wait(lambda: record.is_file() and b"4711" in record.read_bytes(), "the seed is not kept")
    frame = first.row["frame"]
    first.wait(lambda: first.row["frame"] > frame + 45, "it stands still")
    last = first.row["frame"]
    for pid in (first.process.pid, *first.children()):  # the renderer too, as when a machine runs out of memory
        os.kill(pid, signal.SIGKILL)
    first.process.wait()
    other = start("--source", "silence", name=first.name)
    other.wait(lambda: f"sonorama live --resume --name {first.name}" in other.output, "nothing is offered")
    other.stop()
    again = start("--resume", "--take", str(tmp_path / "t.take"), name=first.name)
    again.playing()
    values = again.values()
    assert values["/look/seed"] == 4711
    assert values["/look/truncation"] == 0.375
    assert values["/meaning/1/amount"] == 1.25
    assert "sound from test tone 120" in again.output
    assert f"Going on with the show {first.name} that was killed" in again.output
    again.set("/look/truncation", 1.0)
    again.set("/scene/recall", 4)
    again.holds("/look/truncation", 0.375)
    with FrameMap(again.name) as seen:
        slot = seen.newest()
        assert slot is not None
        assert slot.frame > last - 60, "the motion begins anew"
    assert "begins at rest" not in again.output
    assert again.stop() == 143
    assert "Traceback" not in again.output
    take = read_take(tmp_path / "t.take")
    assert take.whole
    assert abs(take.start.frame - last) < 60
    nothing = start("--resume", name=first.name)
    assert nothing.process.wait() == 2
    assert "There is no killed show called" in nothing.output
