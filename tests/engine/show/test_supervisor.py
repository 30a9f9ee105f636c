"""What a dead renderer leaves to the next one."""

import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonorama.engine.control.events import BegunAfresh, ShowEvents
from sonorama.engine.control.parameters import Change
from sonorama.engine.faults import Faults
from sonorama.engine.ipc.channel import ChannelClosed
from sonorama.engine.ipc.messages import (
    Applied,
    Apply,
    Failed,
    Message,
    MotionLost,
    PrecisionChanged,
    Ready,
    Start,
    StateSaved,
)
from sonorama.engine.ipc.shared_paths import inner_name, shared_path, write_private
from sonorama.engine.show.supervisor import HOPELESS_STARTS, RendererSupervisor

IDLE = (sys.executable, "-c", "import sys; sys.stdin.read(); import time; time.sleep(60)")
AMOUNT = "/motion/coarse/amount"


class Line:
    """A renderer's end of the line, in this process."""

    largest = 0

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.says: deque[Message] = deque()
        self.open = True

    def send(self, message: Message) -> None:
        if not self.open:
            raise ChannelClosed("gone", "gone")
        self.got.append(message)

    def receive(self, timeout: float | None = 0.0) -> Message | None:
        if not self.open:
            raise ChannelClosed("gone", "gone")
        return self.says.popleft() if self.says else None

    def close(self) -> None:
        self.open = False

    def did(self, frame: int, seq: int, *changes: Change) -> None:
        self.says.append(Applied(frame, frame * 1470, list(changes), seq))

    @property
    def start(self) -> Start:
        """The first message that it got."""
        first = self.got[0]
        assert isinstance(first, Start)
        return first

    @property
    def asked(self) -> list[Change]:
        """What the second message asked for."""
        second = self.got[1]
        assert isinstance(second, Apply)
        return second.changes


def change(value: float) -> Change:
    return Change(AMOUNT, value, "test")


@pytest.fixture
def applied() -> list[tuple[int, float]]:
    return []


@pytest.fixture
def events() -> ShowEvents:
    return ShowEvents(Faults())


@pytest.fixture
def supervisor(applied: list[tuple[int, float]], events: ShowEvents) -> Iterator[RendererSupervisor]:
    def keep(message: Applied) -> None:
        applied.extend((message.frame, float(one.value)) for one in message.changes if one.path == AMOUNT)

    events.applied.subscribe(keep, "test")
    made = RendererSupervisor(f"keep-{os.getpid()}", {AMOUNT: 1.0}, lambda: (500, 700_000), events, Faults(), IDLE)
    yield made
    made.close()


def join(supervisor: RendererSupervisor, ready: bool = True) -> Line:
    line = Line()
    supervisor.join(line)  # pyright: ignore[reportArgumentType] (it is all of a Peer that is used)
    if ready:
        line.says.append(Ready(device="test"))
        supervisor.receive()
    return line


def test_the_first_one_begins_with_the_values(supervisor: RendererSupervisor) -> None:
    line = join(supervisor)
    assert line.start == Start(values={AMOUNT: 1.0}, state_file=str(supervisor.state_file))


def test_what_was_asked_for_before_it_came_is_sent(supervisor: RendererSupervisor) -> None:
    supervisor.ask([change(0.2)])
    line = join(supervisor)
    assert line.got[1] == Apply([change(0.2)], 1)


def test_the_next_one_is_told_what_was_done_and_asked_for_what_was_not(
    supervisor: RendererSupervisor, applied: list[tuple[int, float]]
) -> None:
    first = join(supervisor)
    for value in (0.1, 0.2, 0.3):
        supervisor.ask([change(value)])
    first.did(12, 2, change(0.2))
    supervisor.receive()
    second = join(supervisor)
    assert not first.open
    assert second.start.journal == [(12, [change(0.2)])]
    assert second.start.values == {AMOUNT: 1.0}  # the journal leads from there to here
    assert second.got[1:] == [Apply([change(0.3)], 4)]
    assert applied == [(12, 0.2)]


def test_a_kept_state_takes_the_place_of_the_journal_before_it(supervisor: RendererSupervisor) -> None:
    line = join(supervisor)
    for frame in (5, 9, 14):
        supervisor.ask([change(frame / 100)])
        line.did(frame, frame, change(frame / 100))
    line.says.append(StateSaved(9))
    supervisor.receive()
    start = join(supervisor).start
    assert start.state == str(supervisor.state_file)
    assert [frame for frame, _ in start.journal] == [14]


def test_after_three_deaths_in_a_row_it_begins_afresh_with_the_values_of_now(supervisor: RendererSupervisor) -> None:
    line = join(supervisor)
    supervisor.ask([change(0.25)])
    line.did(3, 1, change(0.25))
    line.says.append(StateSaved(3))
    supervisor.receive()
    for _ in range(3):
        supervisor._retry_at = 0.0
        supervisor.poll()
        assert supervisor._process is not None
        supervisor._process.kill()
        end = time.monotonic() + 20
        while supervisor._process is not None and time.monotonic() < end:
            supervisor.poll()
            time.sleep(0.005)
    start = join(supervisor).start
    assert start.fresh == (500, 700_000)
    assert (start.state, start.journal, start.values) == ("", [], {AMOUNT: 0.25})


def test_a_dead_one_is_replaced_and_counted(supervisor: RendererSupervisor) -> None:
    supervisor.poll()
    first = supervisor.pid
    assert first and supervisor.restarts == 0
    os.kill(first, 9)
    end = time.monotonic() + 20
    while supervisor.pid in (0, first) and time.monotonic() < end:
        supervisor.poll()
        time.sleep(0.005)
    assert supervisor.pid not in (0, first)
    assert supervisor.restarts == 1


def test_one_that_says_nothing_is_replaced(supervisor: RendererSupervisor) -> None:
    supervisor.poll()
    line = join(supervisor)
    line.says.append(Ready(device="test"))
    supervisor.receive()
    assert supervisor.playing
    first, supervisor._message_at = supervisor.pid, time.monotonic() - 3600
    supervisor.poll()
    assert supervisor.pid != first and not supervisor.playing


def test_what_it_could_not_begin_with_is_known(supervisor: RendererSupervisor) -> None:
    line = join(supervisor, ready=False)
    line.says.append(Failed("no such world", "choose another"))
    supervisor.receive()
    assert supervisor.failed == ("no such world", "choose another")


def test_nothing_is_left_of_a_renderer_that_was_killed(supervisor: RendererSupervisor) -> None:
    inner = shared_path(inner_name(f"keep-{os.getpid()}"))
    for left in (inner, supervisor.state_file):
        left.write_bytes(b"left")
    supervisor.close()
    assert not inner.exists() and not supervisor.state_file.exists()


def test_what_takes_seconds_is_asked_again_until_it_is_done(supervisor: RendererSupervisor) -> None:
    """Other changes that came later are done; the world was not there yet when it died."""
    first, world = join(supervisor), Change("/engine/world", "other", "test")
    supervisor.ask([world])
    supervisor.ask([change(0.5)])
    first.did(4, 2, change(0.5))
    supervisor.receive()
    second = join(supervisor)
    assert [(one.path, one.value) for one in second.asked] == [("/engine/world", "other")]
    second.did(9, 3, world)
    supervisor.receive()
    assert len(join(supervisor).got) == 1


def test_a_text_is_done_when_its_place_is_found(supervisor: RendererSupervisor) -> None:
    text, place = Change("/look/text", "rain", "test"), Change("/look/prompt", 7, "text")
    first = join(supervisor)
    supervisor.ask([text])
    first.did(4, 1, text)
    supervisor.receive()
    second = join(supervisor)
    assert [(one.path, one.value) for one in second.asked] == [("/look/text", "rain")]
    second.did(9, 2, text)
    second.did(11, 2, place)
    supervisor.receive()
    assert len(join(supervisor).got) == 1


def test_while_nobody_plays_the_last_of_everything_waits(supervisor: RendererSupervisor) -> None:
    line = join(supervisor, ready=False)
    for number in range(500):
        supervisor.ask([change(number / 500), Change("/sound/tap", True, "test")])
    assert len(line.got) == 1
    line.says.append(Ready())
    supervisor.receive()
    assert len(line.got) == 2
    assert line.asked[0] == change(499 / 500)
    assert len(line.asked) == 1 + 64


def test_what_it_did_shortly_before_its_death_is_heard(
    supervisor: RendererSupervisor, applied: list[tuple[int, float]]
) -> None:
    supervisor.poll()
    line = join(supervisor)
    supervisor.ask([change(0.5)])
    line.did(4, 1, change(0.5))
    os.kill(supervisor.pid, 9)
    end = time.monotonic() + 20
    while supervisor.peer is not None and time.monotonic() < end:
        supervisor.poll()
    assert applied == [(4, 0.5)]
    assert len(join(supervisor).got) == 1


def test_one_that_kept_a_state_before_each_death_never_begins_afresh(supervisor: RendererSupervisor) -> None:
    for number in range(6):
        supervisor._retry_at = 0.0
        supervisor.poll()
        line = join(supervisor)
        assert line.start.fresh is None
        line.says.append(StateSaved(number))
        os.kill(supervisor.pid, 9)
        end = time.monotonic() + 20
        while supervisor.pid and time.monotonic() < end:
            supervisor.poll()
            supervisor.receive()


def test_one_whose_motion_is_lost_begins_afresh_at_once(supervisor: RendererSupervisor, events: ShowEvents) -> None:
    line, told = join(supervisor), list[BegunAfresh]()
    events.begun_afresh.subscribe(told.append, "test")
    line.says.append(MotionLost())
    supervisor.receive()
    assert join(supervisor).start.fresh == (500, 700_000)
    assert told == [BegunAfresh(500, 700_000, {AMOUNT: 1.0})]


def test_a_supervisor_that_was_stopped_itself_blames_nobody(supervisor: RendererSupervisor) -> None:
    supervisor.poll()
    line = join(supervisor)
    first, away = supervisor.pid, time.monotonic() - 60
    supervisor._message_at = supervisor._polled_at = away
    supervisor.poll()
    assert supervisor.pid == first
    assert line.open


def test_the_next_one_paints_in_the_precision_of_the_one_before(
    supervisor: RendererSupervisor, events: ShowEvents
) -> None:
    told: list[PrecisionChanged] = []
    events.precision_changed.subscribe(told.append, "test")
    line = join(supervisor)
    assert line.start.precision == "exact"
    line.says.extend([PrecisionChanged(1, 1470, "exact"), PrecisionChanged(90, 132_300, "bf16")])
    supervisor.receive()
    assert told == [PrecisionChanged(1, 1470, "exact"), PrecisionChanged(90, 132_300, "bf16")]
    second = join(supervisor)
    assert second.start.precision == "bf16"
    second.says.append(MotionLost())  # it begins at rest: precision, too, may be what it died of
    supervisor.receive()
    assert join(supervisor).start.precision == "exact"


def test_a_fault_that_cannot_heal_is_said_and_not_tried_for_ever(
    events: ShowEvents, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults, began = Faults(), list[float]()
    supervisor = RendererSupervisor(f"stop-{os.getpid()}", {AMOUNT: 1.0}, lambda: (0, 0), events, faults, IDLE)
    monkeypatch.setattr(supervisor, "_start", began.append)  # no process: what counts is whether one is asked for

    def cannot() -> None:
        join(supervisor, ready=False).says.append(Failed("No room for graphs", "Make room."))
        supervisor.receive()
        supervisor._end("it ended with code 2")
        supervisor._retry_at = 0.0

    for number in range(1, HOPELESS_STARTS + 1):
        supervisor.poll()
        assert len(began) == number
        cannot()
    supervisor.poll()
    assert len(began) == HOPELESS_STARTS
    (line,) = faults.recent()
    assert "No room for graphs. Make room. It is not tried again until" in line
    supervisor.ask([change(0.5)])
    supervisor._retry_at = 0.0
    supervisor.poll()
    assert len(began) == HOPELESS_STARTS
    for helping in (Change("/engine/world", "shore", "panel"), Change(AMOUNT, 1.0, "panic")):
        before = len(began)
        supervisor.ask([helping])
        supervisor.poll()
        assert len(began) == before + 1
        for _ in range(HOPELESS_STARTS):
            cannot()
    supervisor.close()


def test_a_state_that_does_not_fit_costs_the_motion_only(supervisor: RendererSupervisor, tmp_path: Path) -> None:
    """Of a killed show that is resumed; the next renderer begins at rest."""
    write_private(tmp_path / "killed.state", b"of another version")
    supervisor.resume(tmp_path / "killed.state")
    line = join(supervisor, ready=False)
    assert line.start.state == str(supervisor.state_file)
    line.says.append(Failed("holds no saved state", "Start without it."))
    supervisor.receive()
    assert supervisor.failed is None
    supervisor._end("it ended with code 2")
    line = join(supervisor)
    assert (line.start.state, line.start.fresh) == ("", (500, 700_000))
    assert supervisor.playing
