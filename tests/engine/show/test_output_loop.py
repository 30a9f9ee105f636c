"""Outputs tick for ever: new pictures once, the last one again, controls at once."""

import os
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Literal

import numpy as np
import pytest

from sonorama.engine.control.parameters import Change
from sonorama.engine.errors import SonoramaError
from sonorama.engine.faults import Faults
from sonorama.engine.ipc.frame_map import FrameMap, FrameMapTaken, FrameMapWriter
from sonorama.engine.plugins.interfaces import Picture, StreamInfo
from sonorama.engine.show.output_loop import OutputLoop
from sonorama.engine.show.sink_runner import SinkRunner

SIZE = 32


def picture(level: int, size: int = SIZE) -> np.ndarray:
    made = np.full((size, size, 4), level, np.uint8)
    made[..., 3] = 255
    return made


class Keeps:
    """A sink that keeps what it was given."""

    policy: Literal["latest", "every"] = "every"
    about = ""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []

    def open(self, info: StreamInfo) -> None:
        self.info = info

    def send(self, picture: Picture) -> None:
        self.pictures.append(picture)

    def close(self) -> None:
        pass


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


@pytest.fixture
def name() -> str:
    return f"tick-{os.getpid()}-{time.monotonic_ns()}"


@pytest.fixture
def output_loop(name: str) -> Iterator[OutputLoop]:
    made = OutputLoop(f"{name}.inner", StreamInfo(name, SIZE, SIZE, Fraction(60)), lambda _: 0, lambda: True, Faults())
    yield made
    made.close()


def keep(output_loop: OutputLoop) -> Keeps:
    sink = Keeps()
    output_loop.add(SinkRunner("keeps", lambda: sink, output_loop.info))
    return sink


def test_it_ticks_before_there_is_any_renderer(output_loop: OutputLoop, name: str) -> None:
    sink = keep(output_loop)
    output_loop.start()
    until(lambda: len(sink.pictures) > 5)
    assert all(one.repeated for one in sink.pictures)
    assert [one.tick for one in sink.pictures[:5]] == [0, 1, 2, 3, 4]
    assert 0 < sink.pictures[0].pixels[0, 0, 0] < 128  # a dark grey, not black
    with FrameMap(name) as seen:
        until(lambda: seen.count > 10)


def test_every_new_picture_leaves_once_and_the_last_again(output_loop: OutputLoop, name: str) -> None:
    sink = keep(output_loop)
    output_loop.start()
    with FrameMapWriter(f"{name}.inner", SIZE, SIZE) as inner:
        for frame in range(20):
            inner.publish(picture(frame), 0, frame, sample=frame * 10)
            until(lambda frame=frame: any(one.frame == frame and not one.repeated for one in sink.pictures))
        until(lambda: sink.pictures[-1].repeated)
    new = [one for one in sink.pictures if not one.repeated]
    assert [(one.frame, one.sample) for one in new] == [(frame, frame * 10) for frame in range(20)]
    assert all(one.pixels[0, 0, 0] == one.frame for one in sink.pictures if one.frame)
    assert not any(one.pixels.flags.writeable for one in sink.pictures)
    assert output_loop.tally.late > 0


def test_a_picture_that_falls_behind_the_sound_is_a_fault_while_a_renderer_plays(name: str) -> None:
    """The newest picture is of sample 0; the sound goes on without it."""
    age_s, plays = 0.5, True
    loop = OutputLoop(
        f"{name}.inner",
        StreamInfo(name, SIZE, SIZE, Fraction(60)),
        lambda sample: time.monotonic_ns() - round(age_s * 1e9),
        lambda: plays,
        Faults(),
    )
    try:
        age_s = 60.0
        assert loop.faults() == []  # no picture has come yet
        age_s = 0.5
        loop.start()
        with FrameMapWriter(f"{name}.inner", SIZE, SIZE) as inner:
            inner.publish(picture(9), 0, 1)
            until(lambda: loop.tally.frame == 1)
            assert loop.faults() == []
            age_s = 12.0
            assert loop.faults() == ["The picture is 12 s behind the sound: lower /engine/fps, or close programs"]
            plays = False
            assert loop.faults() == []  # that none plays is said elsewhere
    finally:
        loop.close()


def test_another_renderer_and_another_size_go_on(output_loop: OutputLoop, name: str) -> None:
    sink = keep(output_loop)
    output_loop.start()
    for round_, size in enumerate((SIZE, SIZE, 48)):
        with FrameMapWriter(f"{name}.inner", size, size) as inner:
            level = 10 * (round_ + 1)

            def leaves(level: int = level, size: int = size, inner: FrameMapWriter = inner) -> bool:
                inner.publish(picture(level, size), 0, level)
                return sink.pictures[-1].pixels[0, 0, 0] == level and len(sink.pictures[-1].pixels) == size

            until(lambda: bool(sink.pictures))
            until(leaves)
    with FrameMap(name) as seen:
        assert seen.size == (48, 48)


def test_blackout_freeze_and_master_need_no_renderer(output_loop: OutputLoop, name: str) -> None:
    sink = keep(output_loop)
    output_loop.start()
    with FrameMapWriter(f"{name}.inner", SIZE, SIZE) as inner:
        inner.publish(picture(200), 0, 1)
        until(lambda: bool(sink.pictures) and sink.pictures[-1].pixels[0, 0, 0] == 200)
    output_loop.post(Change("/out/blackout", True, "test"))
    until(lambda: not sink.pictures[-1].pixels[..., :3].any())
    output_loop.post(Change("/out/blackout", False, "test"))
    until(lambda: sink.pictures[-1].pixels[0, 0, 0] == 200)
    output_loop.post(Change("/out/master", 0.5, "test"))
    until(lambda: sink.pictures[-1].pixels[0, 0, 0] == 100)


def test_the_rate_changes_while_it_plays(output_loop: OutputLoop) -> None:
    sink = keep(output_loop)
    output_loop.start()
    until(lambda: len(sink.pictures) > 3)
    output_loop.set_rate(29.97)
    until(lambda: sink.info.fps == Fraction(30000, 1001))


def test_two_of_one_name_are_refused(output_loop: OutputLoop, name: str) -> None:
    with pytest.raises(FrameMapTaken):
        OutputLoop("x", StreamInfo(name, SIZE, SIZE, Fraction(60)), lambda _: 0, lambda: True, Faults())


def test_without_room_for_another_size_pictures_leave_in_the_one_before(
    output_loop: OutputLoop, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise SonoramaError("No room for a frame map", "Make some.")

    sink = keep(output_loop)
    output_loop.start()
    with FrameMapWriter(f"{name}.inner", SIZE, SIZE) as inner, FrameMap(name) as seen:
        inner.publish(picture(200), 0, 1)
        until(lambda: any(not one.repeated for one in sink.pictures))
        monkeypatch.setattr(output_loop._out, "resize", full)
        inner.resize(2 * SIZE, SIZE)
        inner.publish(np.full((SIZE, 2 * SIZE, 4), 90, np.uint8), 0, 2)
        until(lambda: (slot := seen.newest()) is not None and slot.frame == 2)
        assert seen.size == (SIZE, SIZE)
        assert "No room for a frame map" in output_loop._faults.recent()
