"""Whatever a sink does, the show's loop goes on, and what became of the pictures is told."""

import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Literal

import numpy as np
import pytest

from sonorama.engine.errors import SonoramaError
from sonorama.engine.plugins.interfaces import Picture, SinkEnded, StreamInfo
from sonorama.engine.show.sink_runner import SinkRunner, close_all

INFO = StreamInfo("test", 8, 6, Fraction(30))
Policy = Literal["latest", "every"]


def picture(tick: int, width: int = 8, height: int = 6) -> Picture:
    pixels = np.full((height, width, 4), tick % 256, np.uint8)
    pixels.setflags(write=False)
    return Picture(pixels, tick, tick, tick * 1470, tick * 33_333_333, False)


class Scripted:
    """A sink that does what a test says; it waits in `send` while its gate is shut."""

    def __init__(self, policy: Policy = "latest") -> None:
        self.policy: Policy = policy
        self.about = "nowhere"
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()
        self.refuse_open: Exception | None = None
        self.refuse_close: Exception | None = None
        self.refuse: list[BaseException | None] = []
        self.calls: list[str] = []
        self.got: list[Picture] = []
        self.threads: set[int] = set()

    def open(self, info: StreamInfo) -> None:
        self._note(f"open {info.width}x{info.height} {info.fps}")
        if self.refuse_open:
            raise self.refuse_open

    def send(self, picture: Picture) -> None:
        self._note("send")
        self.waiting.set()
        assert self.gate.wait(30)
        error = self.refuse.pop(0) if self.refuse else None
        if error:
            raise error
        self.got.append(picture)

    def close(self) -> None:
        self._note("close")
        if self.refuse_close:
            raise self.refuse_close

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self.threads.add(threading.get_ident())

    @property
    def ticks(self) -> list[int]:
        return [picture.tick for picture in self.got]


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


Run = Callable[[Scripted], SinkRunner]


@pytest.fixture
def run() -> Iterator[Run]:
    made: list[tuple[SinkRunner, Scripted]] = []

    def start(sink: Scripted) -> SinkRunner:
        runner = SinkRunner("sink X", lambda: sink, INFO)
        made.append((runner, sink))
        runner.start()
        return runner

    yield start
    for runner, sink in made:
        sink.gate.set()
        assert runner.close(20)


def test_pictures_arrive_in_order_from_one_other_thread(run: Run) -> None:
    sink = Scripted("every")
    runner = run(sink)
    for tick in range(50):
        runner.offer(picture(tick))
    assert runner.close(20)
    assert sink.ticks == list(range(50))
    assert sink.calls == ["open 8x6 30", *["send"] * 50, "close"]
    assert len(sink.threads) == 1 and threading.get_ident() not in sink.threads
    counts = runner.counts
    assert (counts.offered, counts.sent, counts.replaced, counts.dropped, counts.failed) == (50, 50, 0, 0, 0)
    assert runner.faults() == []
    assert not runner.alive


def test_the_newest_wins(run: Run) -> None:
    sink = Scripted("latest")
    sink.gate.clear()
    runner = run(sink)
    runner.offer(picture(0))
    assert sink.waiting.wait(20)
    for tick in range(1, 40):
        runner.offer(picture(tick))
    assert runner.counts.replaced == 38
    sink.gate.set()
    until(lambda: len(sink.got) == 2)
    assert sink.ticks == [0, 39]
    until(lambda: runner.counts.sent == 2)
    assert (runner.counts.offered, runner.counts.replaced) == (40, 38)
    assert runner.faults() == []


def test_what_does_not_fit_is_dropped_and_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonorama.engine.show.sink_runner.WAITING", 10)
    sink = Scripted("every")
    sink.gate.clear()
    runner = run(sink)
    runner.offer(picture(0))
    assert sink.waiting.wait(20)
    for tick in range(1, 15):
        runner.offer(picture(tick))
    assert runner.counts.dropped == 4
    assert runner.faults()[0] == "sink X is too slow: 4 pictures were dropped"
    sink.gate.set()
    assert runner.close(20)
    assert sink.ticks == list(range(11))
    assert runner.counts.offered == runner.counts.sent + runner.counts.dropped == 15


def test_large_pictures_wait_in_fewer_places(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonorama.engine.show.sink_runner.WAITING_BYTES", 20 * picture(0).pixels.nbytes)
    sink = Scripted("every")
    sink.gate.clear()
    runner = run(sink)
    runner.offer(picture(0))
    assert sink.waiting.wait(20)
    for tick in range(1, 40):
        runner.offer(picture(tick))
    assert runner.counts.dropped == 39 - 20


def test_offering_to_a_stuck_sink_keeps_nothing(run: Run) -> None:
    sink = Scripted("latest")
    sink.gate.clear()
    runner = run(sink)
    runner.offer(picture(0))
    assert sink.waiting.wait(20)
    for tick in range(10_000):
        runner.offer(picture(tick))
    assert runner._bell.qsize() <= 1
    assert len(runner._waiting) == 1


def test_a_stuck_sink_is_said_and_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonorama.engine.show.sink_runner.STUCK_S", 0.01)
    stuck, fine = Scripted(), Scripted()
    stuck.gate.clear()
    runners = [SinkRunner(name, lambda sink=sink: sink, INFO) for name, sink in (("stuck", stuck), ("fine", fine))]
    for runner in runners:
        runner.start()
        runner.offer(picture(0))
    assert stuck.waiting.wait(20)
    until(lambda: any("stuck does not answer" in line for line in runners[0].faults()))
    assert not runners[0].close(0.01)
    assert close_all(runners, 0.5) == [runners[0]]
    assert fine.calls[-1] == "close"
    stuck.gate.set()
    assert runners[0].close(20)
    assert stuck.calls[-1] == "close"


def test_another_size_or_rate_is_told_in_step_with_the_pictures(run: Run) -> None:
    sink = Scripted("every")
    runner = run(sink)
    runner.offer(picture(0))
    runner.offer(picture(1, 16, 4))
    runner.set_rate(Fraction(60))
    runner.set_rate(Fraction(60))
    runner.offer(picture(2, 16, 4))
    runner.offer(picture(3, 16, 4))
    assert runner.close(20)
    assert sink.calls == [
        "open 8x6 30", "send", "open 16x4 30", "send", "open 16x4 60", "send", "send", "close",
    ]  # fmt: skip


def test_three_exceptions_in_a_row_switch_it_off(run: Run) -> None:
    sink = Scripted("every")
    unplugged = SonoramaError("The cable is out", "Plug it in.")
    sink.refuse.extend([ValueError("one\ntwo"), ValueError("x"), None, unplugged, unplugged, unplugged])
    runner = run(sink)
    for tick in range(3):
        runner.offer(picture(tick))
    until(lambda: runner.counts.failed == 2 and len(sink.got) == 1)
    assert runner.alive
    for tick in range(3, 5):
        runner.offer(picture(tick))
    until(lambda: runner.counts.failed == 4)
    assert runner.faults() == ["sink X fails: The cable is out"]
    runner.offer(picture(5))
    until(lambda: not runner.alive)
    assert runner.faults() == ["sink X is switched off: The cable is out"]
    until(lambda: sink.calls[-1] == "close")
    offered = runner.counts.offered
    runner.offer(picture(6))
    assert runner.counts.offered == offered
    assert sink.calls.count("send") == 6


def test_a_failure_that_passes_leaves_no_fault(run: Run) -> None:
    sink = Scripted("every")
    sink.refuse.extend([KeyError("x"), None])
    runner = run(sink)
    runner.offer(picture(0))
    until(lambda: runner.faults() == ["sink X fails: KeyError: 'x'"])
    runner.offer(picture(1))
    until(lambda: runner.faults() == [])
    assert sink.calls == ["open 8x6 30", "send", "send"]


@pytest.mark.parametrize("error", [SinkEnded("The disk is full", "Make room."), SystemExit(3)])
def test_one_that_is_at_its_end_is_not_asked_again(run: Run, error: BaseException) -> None:
    sink = Scripted("every")
    sink.refuse.extend([error] * 3)
    runner = run(sink)
    for tick in range(3):
        runner.offer(picture(tick))
    until(lambda: not runner.alive)
    assert sink.calls.count("send") == (1 if isinstance(error, SinkEnded) else 3)


def test_one_that_cannot_be_opened_is_switched_off(run: Run) -> None:
    sink = Scripted("every")
    sink.refuse_open = SonoramaError("There is no such display", "There are: 0")
    runner = run(sink)
    for tick in range(3):
        runner.offer(picture(tick))
    until(lambda: not runner.alive)
    assert sink.calls[:6] == ["open 8x6 30", "close"] * 3
    assert runner.faults() == ["sink X is switched off: There is no such display"]


def test_what_goes_wrong_at_the_end_is_said_too(run: Run) -> None:
    sink = Scripted("every")
    sink.refuse_close = OSError("no space for the index")
    runner = run(sink)
    runner.offer(picture(0))
    assert runner.about == "nowhere"
    assert runner.close(20)
    assert runner.faults() == ["sink X fails: OSError: no space for the index"]


def test_a_writable_array_is_copied_a_read_only_one_is_not(run: Run) -> None:
    sink = Scripted("every")
    runner = run(sink)
    shared = picture(1)
    mine = np.zeros((6, 8, 4), np.uint8)
    runner.offer(shared)
    runner.offer(Picture(mine, 2, 2, 0, 0, False))
    mine[:] = 255
    assert runner.close(20)
    assert sink.got[0] is shared
    assert not sink.got[1].pixels.any()
    assert not sink.got[1].pixels.flags.writeable


def test_closing_early_twice_and_never_started() -> None:
    sink = Scripted()
    runner = SinkRunner("sink X", lambda: sink, INFO)
    assert runner.close() and runner.close()
    assert sink.calls == []
    runner = SinkRunner("sink X", lambda: sink, INFO)
    runner.start()
    assert runner.close(20) and runner.close(20)
    assert sink.calls == ["close"]
    runner.offer(picture(0))
    assert runner.counts.offered == 0
