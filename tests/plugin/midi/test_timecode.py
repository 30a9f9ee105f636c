"""MIDI timecode: its messages as the standard has them, at times that a test chooses."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import mido
import pytest

from sonorama.engine.control.timecode import Timecode
from sonorama.plugin.bridges.midi.timecode_in import QuarterFrames, TimecodeIn
from sonorama.plugin.bridges.show_timecode import LOST_S, ShowTimecode

from ..show import Show

RUNNING, ORIGIN = "/timecode/running", "/timecode/origin"
CODES = {(24, False): 0, (25, False): 1, (30, True): 2, (30, False): 3}


def quarter_frames(label: Timecode) -> Iterator[Any]:
    """The eight messages of two frames."""
    hours = label.hours | CODES[label.fps, label.drop] << 5
    for place, value in enumerate((label.frames, label.seconds, label.minutes, hours)):
        for part, four in enumerate((value & 15, value >> 4)):
            yield mido.Message("quarter_frame", frame_type=2 * place + part, frame_value=four)


def after(label: Timecode, frames: int) -> Timecode:
    """Some frames later, without drop-frame."""
    count = ((label.hours * 60 + label.minutes) * 60 + label.seconds) * label.fps + label.frames + frames
    seconds, frame = divmod(count, label.fps)
    return Timecode(seconds // 3600, seconds // 60 % 60, seconds % 60, frame, label.fps, label.drop)


class Stage:
    """A show that follows MIDI timecode; `run` plays frames from a label on, at a moment in seconds."""

    def __init__(self) -> None:
        self.show = Show(second=10.0)
        self.show.set("/timecode/source", "midi")
        self.timecode = TimecodeIn(ShowTimecode(self.show, "midi"))

    def run(self, label: Timecode, at: float, frames: int, speed: float = 1.0, name: str = "daw") -> float:
        for number in range(0, frames, 2):
            for message in quarter_frames(after(label, number)):
                assert self.timecode.hear(name, message, round(at * 1e9))
                self.timecode.watch(round(at * 1e9))
                at += 0.25 / label.fps / speed
        return at

    @property
    def line(self) -> tuple[object, float]:
        return self.show.values[RUNNING], float(self.show.values[ORIGIN])


@pytest.mark.parametrize(
    "label", [Timecode(1, 2, 3, 4, fps) for fps in (24, 25, 30)] + [Timecode(23, 59, 58, 29, 30, True)]
)
def test_a_label_comes_out_as_it_went_in(label: Timecode) -> None:
    pieces = QuarterFrames()
    found = [pieces.hear(one.frame_type, one.frame_value) for one in quarter_frames(label)]
    assert found == [None] * 7 + [label]


def test_only_whole_labels_that_run_forward_count() -> None:
    pieces = QuarterFrames()
    messages = list(quarter_frames(Timecode(1, 2, 3, 4, 25)))
    backward = [pieces.hear(one.frame_type, one.frame_value) for one in reversed(messages)]
    torn = [pieces.hear(one.frame_type, one.frame_value) for one in (*messages[:3], *messages[4:])]
    impossible = [pieces.hear(one.frame_type, one.frame_value) for one in quarter_frames(Timecode(1, 2, 63, 4, 25))]
    assert backward + torn + impossible == [None] * 23


def test_it_runs_stops_and_goes_on_elsewhere() -> None:
    stage = Stage()
    at = stage.run(Timecode(0, 1, 0, 0, 25), 100.0, 50)
    assert stage.line == (True, pytest.approx(110 - 60, abs=2e-3))
    assert stage.timecode.said == "00:01:01:23 at 25"
    assert len(stage.show.batches) == 2, "it is told once"
    stage.timecode.watch(round((at + LOST_S + 0.1) * 1e9))
    assert stage.line[0] is False
    stage.run(Timecode(0, 30, 0, 0, 25), 200.0, 20)
    assert stage.line == (True, pytest.approx(210 - 1800, abs=2e-3))
    stage.run(Timecode(0, 0, 5, 0, 25), 200.8, 20)  # the end of a loop
    assert stage.line == (True, pytest.approx(210.8 - 5, abs=2e-3))


def test_winding_is_no_time() -> None:
    stage = Stage()
    stage.run(Timecode(0, 1, 0, 0, 25), 100.0, 50, speed=8)
    assert stage.line[0] is False
    at = stage.run(Timecode(0, 5, 0, 0, 25), 120.0, 50, speed=1.02)
    assert stage.line == (True, pytest.approx(130 + (at - 120) - 302, abs=0.03))


def test_a_full_frame_says_where_it_stands() -> None:
    stage = Stage()
    stage.run(Timecode(0, 1, 0, 0, 25), 100.0, 50)
    full = mido.Message("sysex", data=(0x7F, 0x7F, 1, 1, 1 << 5 | 9, 8, 7, 6))
    assert stage.timecode.hear("daw", full, 103_000_000_000)
    assert stage.line[0] is False and stage.timecode.said == "09:08:07:06 at 25"
    assert stage.timecode.hear("daw", mido.Message("sysex", data=(1, 2, 3)), 0)
    assert not stage.timecode.hear("daw", mido.Message("clock"), 0)


def test_one_port_counts_and_only_where_it_is_chosen() -> None:
    stage = Stage()
    for number in range(0, 20, 2):
        at = 100 + number / 25
        stage.run(after(Timecode(0, 1, 0, 0, 25), number), at, 2)
        stage.run(after(Timecode(0, 9, 0, 0, 25), number), at + 0.001, 2, name="other")
    assert stage.line == (True, pytest.approx(50, abs=5e-3))
    stage.show.set("/timecode/source", "ltc")
    stage.timecode.watch(round(101e9))
    assert stage.line[0] is False
    count = len(stage.show.posted)
    stage.run(Timecode(0, 2, 0, 0, 25), 102.0, 50)
    assert len(stage.show.posted) == count


@pytest.mark.parametrize("fps", [24, 25, 30])
@pytest.mark.parametrize("speed", [0.5, 0.6, 0.75, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 4.0])
def test_no_speed_makes_it_begin_and_end_again_and_again(speed: float, fps: int) -> None:
    """At its normal speed it runs; far from it, never; between, it may begin once, until the speed is known."""
    stage = Stage()
    stage.run(Timecode(0, 1, 0, 0, fps), 100.0, 200, speed=speed)
    said = [bool(one.value) for one in stage.show.posted if one.path == RUNNING]
    turns = [now for before, now in pairwise([False, *said]) if before != now]
    expected = [[True]] if 0.9 <= speed <= 1.1 else [[]] if not 0.7 < speed < 1.4 else [[], [True, False]]
    assert turns in expected


def test_a_tape_that_is_rewound_while_it_plays_stands_still() -> None:
    """Quarter frames that run backward, then forward again from there."""
    stage = Stage()
    at = stage.run(Timecode(0, 1, 0, 0, 25), 100.0, 50)
    for number in range(48, 0, -2):
        for message in reversed(list(quarter_frames(after(Timecode(0, 1, 0, 0, 25), number)))):
            stage.timecode.hear("daw", message, round(at * 1e9))
            stage.timecode.watch(round(at * 1e9))
            at += 0.25 / 25
    assert stage.line[0] is False and stage.timecode.said == "00:01:01:23 at 25"
    stage.run(Timecode(0, 1, 0, 0, 25), at, 20)
    assert stage.line == (True, pytest.approx(at + 10 - 60, abs=2e-3))
