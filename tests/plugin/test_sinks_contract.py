"""What every sink keeps, real or fake: the promises of FrameSink in engine/plugins/interfaces.py."""

import gc
import os
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import MethodType
from typing import Any

import pytest

from sonorama.engine.ipc.shared_paths import shared_folder
from sonorama.engine.plugins.interfaces import Available, FrameSink, Missing, Picture
from sonorama.engine.plugins.registry import OWN_PACKAGE, SINKS, find, package_of
from sonorama.engine.show.sink_runner import SinkRunner
from sonorama.plugin.sinks import child, window
from sonorama.plugin.sinks.null import NullSink

from .light_cases import ArtNetCase, SacnCase
from .native_cases import CameraCase, NdiCase, SpoutCase, SyphonCase
from .network_cases import GStreamerCase, StreamCase
from .sink_cases import (
    Case,
    ExampleCase,
    FakeCase,
    ImagesCase,
    MapCase,
    MatroskaCase,
    NullCase,
    RecordCase,
    Seen,
    TiffCase,
    WindowCase,
)
from .sinks import info, picture, until

CASES = [
    NullCase, MapCase, ImagesCase, TiffCase, RecordCase, MatroskaCase, WindowCase, FakeCase, ExampleCase, StreamCase,
    GStreamerCase, CameraCase, NdiCase, SpoutCase, SyphonCase, ArtNetCase,
    SacnCase,
]  # fmt: skip
each_sink = pytest.mark.parametrize("kind", CASES, ids=lambda case: case.__name__.removesuffix("Case").lower())


@pytest.fixture
def case(kind: type[Case], monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.setattr(child, "PAUSE_S", 0.0)
    room = Path(tempfile.mkdtemp(dir=shared_folder()))  # memory: hundreds of files are brought to the disk here
    made = kind(f"contract-{os.getpid()}-{time.monotonic_ns()}", room)
    yield made
    made.end()
    shutil.rmtree(room)


def send(case: Case, ticks: range, width: int = 64, height: int = 64) -> None:
    for tick in ticks:
        case.wait()
        case.sink.send(picture(tick, width, height))
        case.look()


def arrived(case: Case, wanted: Seen) -> None:
    """After closing: these came, in this order. (The example knows no widths.)"""
    seen = case.seen()
    if seen is not None:
        assert [(tick, width or wanted[i][1]) for i, (tick, width) in enumerate(seen)] == wanted


def test_every_sink_that_comes_with_sonorama_has_a_case() -> None:
    tested = {case.module.__name__ for case in CASES}
    assert {point.value.partition(":")[0] for point in find(SINKS) if package_of(point) == OWN_PACKAGE} <= tested


@each_sink
def test_it_is_a_sink_and_says_what_it_needs(case: Case) -> None:
    assert isinstance(case.sink, FrameSink)
    assert case.sink.policy in ("latest", "every")
    assert isinstance(case.sink.about, str)
    answer = case.module.probe()
    assert isinstance(answer, Available | Missing)


@each_sink
def test_pictures_arrive_in_order(case: Case) -> None:
    case.sink.open(info(case.name))
    assert len(case.sink.about.splitlines()) == 1
    send(case, range(15))
    case.sink.close()
    arrived(case, [(tick, 64) for tick in range(15)])


@each_sink
def test_another_size_and_rate(case: Case) -> None:
    case.sink.open(info(case.name))
    send(case, range(5))
    case.sink.open(info(case.name, 96, 48))
    send(case, range(5, 10), 96, 48)
    case.sink.open(info(case.name, 96, 48, Fraction(60)))
    send(case, range(20, 21), 96, 48)
    case.sink.close()
    arrived(case, [*((tick, 64) for tick in range(5)), *((tick, 96) for tick in range(5, 10)), (20, 96)])


@each_sink
def test_closing_twice_early_and_opening_again(case: Case) -> None:
    case.sink.close()
    case.sink.close()
    case.sink.open(info(case.name))
    send(case, range(3))
    case.sink.close()
    case.sink.close()
    case.sink.open(info(case.name))
    send(case, range(3, 6))
    case.sink.close()
    arrived(case, [(tick, 64) for tick in range(6)])


@each_sink
def test_a_client_leaves_and_returns(case: Case) -> None:
    case.sink.open(info(case.name))
    send(case, range(3))
    case.leave()
    send(case, range(3, 9))
    if isinstance(case.sink, window.WindowSink):
        assert case.sink.pid, "it is started again"
    case.come_back()
    send(case, range(9, 12))
    case.sink.close()
    seen = case.seen()
    if seen is not None:
        ticks = [tick for tick, _ in seen]
        assert (ticks[:3], ticks[-3:]) == ([0, 1, 2], [9, 10, 11])
        assert ticks == sorted(set(ticks))


class Gate:
    """Holds a sink's `send` up, or makes it fail; otherwise it is the sink's own."""

    def __init__(self, sink: FrameSink, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open, self.inside = threading.Event(), threading.Event()
        self.error: Exception | None = None
        own, gate = sink.send, self

        def held(_: Any, picture: Picture) -> None:
            gate.inside.set()
            assert gate.open.wait(30)
            if gate.error:
                raise gate.error
            own(picture)

        monkeypatch.setattr(sink, "send", MethodType(held, sink), raising=False)


@each_sink
def test_drop_policy(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonorama.engine.show.sink_runner.WAITING", 8)
    gate = Gate(case.sink, monkeypatch)
    runner = SinkRunner("one", lambda: case.sink, info(case.name))
    runner.start()
    runner.offer(picture(0))
    assert gate.inside.wait(30)
    for tick in range(1, 21):
        runner.offer(picture(tick))
    gate.open.set()
    wanted = 9 if case.sink.policy == "every" else 2
    until(lambda: runner.counts.sent == wanted)
    assert runner.close(30)
    counts = runner.counts
    assert counts.failed == 0
    if case.sink.policy == "every":
        assert (counts.dropped, counts.replaced) == (12, 0)
        assert runner.faults() == ["one is too slow: 12 pictures were dropped"]
        arrived(case, [(tick, 64) for tick in range(9)])
    else:
        assert (counts.dropped, counts.replaced) == (0, 19)
        assert runner.faults() == []


@each_sink
def test_one_that_throws_is_closed_and_the_others_go_on(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, other = Gate(case.sink, monkeypatch), NullSink()
    own, closed = case.sink.close, list[int]()
    monkeypatch.setattr(case.sink, "close", lambda: (closed.append(1), own()), raising=False)
    gate.open.set()
    runners = [SinkRunner("one", lambda: case.sink, info(case.name)), SinkRunner("other", lambda: other, info("x"))]
    for runner in runners:
        runner.start()

    def offer(tick: int) -> None:
        before = runners[0].counts
        for runner in runners:
            runner.offer(picture(tick))
        until(lambda: (runners[0].counts.sent, runners[0].counts.failed) != (before.sent, before.failed))

    offer(0)
    gate.error = RuntimeError("torn\ncable")
    for tick in range(1, 4):
        assert runners[0].alive
        offer(tick)
    until(lambda: not runners[0].alive)
    assert runners[0].faults() == ["one is switched off: RuntimeError: torn cable"]
    until(lambda: closed)
    for tick in range(4, 7):
        runners[0].offer(picture(tick))
        runners[1].offer(picture(tick))
        until(lambda tick=tick: other.last is not None and other.last.tick == tick)
    assert runners[1].alive and runners[1].faults() == []
    assert all(runner.close(30) for runner in runners)


def _open_files() -> int:
    """The least of some looks: a thread of the tests that watches a show opens files for a moment."""
    counts = list[int]()
    for _ in range(10):
        counts.append(len(list(Path("/proc/self/fd").iterdir())))
        time.sleep(0.002)
    return min(counts)


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _send_watched(sink: FrameSink, tick: int) -> "weakref.ref[Any]":
    one = picture(tick, 128, 128)
    sink.send(one)
    return weakref.ref(one.pixels)


@pytest.fixture
def only_new_garbage() -> None:
    """From now on the collector passes over what was made before: all that other tests have loaded takes it long."""
    gc.collect()
    gc.freeze()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="counts by /proc")
@each_sink
def test_600_pictures_leave_nothing_behind(case: Case, only_new_garbage: None) -> None:
    case.sink.open(info(case.name, 128, 128))
    arrays: list[weakref.ref[Any]] = []
    files = memory = threads = 0
    for tick in range(600):
        arrays.append(_send_watched(case.sink, tick))
        if tick == 150:  # encoders have their buffers by now
            gc.collect()
            files, memory, threads = _open_files(), _memory(), threading.active_count()
    gc.collect()
    assert sum(array() is not None for array in arrays) <= 2
    assert (_open_files(), threading.active_count()) == (files, threads)
    assert _memory() - memory < 16 << 20  # 450 pictures would be 29
    case.sink.close()
    gc.collect()
    assert sum(array() is not None for array in arrays) == 0
    assert _open_files() <= files
