"""`/out/record` is 1 while a file is written, and goes back to 0 when none is, in plain words."""

import shutil
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from sonorama.engine.control.addresses import OUT_RECORD
from sonorama.engine.control.events import ShowEvents
from sonorama.engine.control.parameters import Change
from sonorama.engine.errors import one_line_error
from sonorama.engine.faults import Faults
from sonorama.engine.ipc.messages import Status
from sonorama.engine.plugins.interfaces import Picture, StreamInfo
from sonorama.engine.show import recorder
from sonorama.engine.show.output_loop import OutputLoop
from sonorama.engine.show.recorder import Recorder
from sonorama.engine.show.sink_runner import SinkRunner


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


class Outputs:
    """The side of an output loop that a recorder uses."""

    def __init__(self) -> None:
        self.info = StreamInfo("test", 64, 48, Fraction(30))
        self.runners: list[SinkRunner] = []

    def add(self, runner: SinkRunner) -> None:
        runner.start()
        self.runners.append(runner)

    def drop(self, runner: SinkRunner) -> None:
        self.runners.remove(runner)
        runner.close()

    def offer(self, tick: int) -> None:
        pixels = np.zeros((48, 64, 4), np.uint8)
        pixels.setflags(write=False)
        for runner in self.runners:
            runner.offer(Picture(pixels, tick, tick, tick * 1470, tick * 33_333_333, False))


class Stage:
    """A recorder whose changes take effect as in a show."""

    def __init__(self, where: Path | None) -> None:
        self.outputs, self.faults, self.value = Outputs(), Faults(), False
        self.events = ShowEvents(self.faults)
        self.asked: list[Change] = []
        loop = cast(OutputLoop, self.outputs)
        self.recorder = Recorder(where, "test", loop, self.asked.append, self.events, self.faults)

    def switch(self, on: bool) -> None:
        self.asked.append(Change(OUT_RECORD, on, "test"))
        self.turn()

    def turn(self) -> None:
        while self.asked:
            change = self.asked.pop(0)
            self.value = bool(change.value)
            self.events.changed.publish([change])
        self.events.status.publish(Status())


def test_a_folder_that_cannot_be_made_switches_it_off_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(recorder, "videos_folder", lambda: tmp_path / "file" / "videos")
    stage = Stage(None)
    stage.switch(True)
    assert (stage.value, stage.recorder.on) == (False, False)
    (line,) = stage.faults.recent()
    assert line == (
        f"Nothing is recorded: {tmp_path}/file/videos cannot be made: Not a directory. "
        "Start the show with --record and a file elsewhere, or make room."
    )


def test_a_recording_that_ends_by_itself_is_off_and_says_why_until_it_is_switched(tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    stage = Stage(folder / "a.mp4")
    stage.switch(True)
    assert (stage.value, stage.recorder.on) == (True, True)
    shutil.rmtree(folder)
    for tick in range(3):
        stage.outputs.offer(tick)
    (runner,) = stage.outputs.runners
    until(lambda: not runner.alive)
    stage.turn()
    stage.turn()
    assert (stage.value, stage.recorder.on) == (False, False)
    assert "is switched off" in runner.faults()[0] and "[Errno" not in runner.faults()[0]
    assert stage.outputs.runners == [runner]
    stage.switch(False)
    assert stage.outputs.runners == []
    folder.mkdir()
    stage.switch(True)
    stage.turn()
    assert (stage.value, stage.recorder.on) == (True, True)
    stage.recorder.close()


def test_errors_of_files_are_told_in_the_words_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:
        (tmp_path / "a" / "b").mkdir()
    assert one_line_error(caught.value) == f"{tmp_path}/a/b: No such file or directory"
    assert one_line_error(OSError(30, "Read-only file system")) == "Read-only file system"
    assert one_line_error(OSError("no bus")) == "OSError: no bus"
