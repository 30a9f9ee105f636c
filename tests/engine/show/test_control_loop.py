"""The control loop: panels are told, what they ask for holds, and nothing they send can stop it."""

import json
import select
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from sonorama.engine.control.events import ShowEvents
from sonorama.engine.control.parameters import Change
from sonorama.engine.control.scenes import SceneBank
from sonorama.engine.faults import Faults
from sonorama.engine.ipc.channel import Peer, Server, connect_to
from sonorama.engine.ipc.messages import (
    Applied,
    Changed,
    Hello,
    LoadRefused,
    Message,
    RendererStatus,
    Set,
    Status,
    Values,
)
from sonorama.engine.show.control_loop import ControlLoop
from sonorama.engine.show.control_state import ControlState
from sonorama.engine.show.inbox import ChangeInbox

AMOUNT = "/motion/coarse/amount"


class SilentRenderer:
    """A renderer that keeps what it is asked for and reports nothing."""

    pid, restarts, playing, loading, failed, peer = 0, 0, False, (), None, None

    def __init__(self) -> None:
        self.asked: list[Change] = []
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def join(self, peer: Peer) -> None:
        self.calls.append("join")
        peer.close()

    def poll(self) -> None:
        pass

    def ask(self, changes: Iterable[Change]) -> None:
        self.asked += changes

    def close(self) -> None:
        self.calls.append("close")


class Report:
    """A report that says the same every time."""

    now = Status(fps=30.0)

    def hello(self) -> Hello:
        return Hello(name="x")

    def status(self) -> Status:
        return self.now


class Looped:
    """A control loop without a renderer process, and what it did."""

    def __init__(self, folder: Path, start: bool = True) -> None:
        self.faults, self.changed = Faults(), list[Change]()
        self.events, self.renderer, self.report = ShowEvents(self.faults), SilentRenderer(), Report()
        self.events.changed.subscribe(self.changed.extend, "test")
        self.server, self.inbox = Server(), ChangeInbox()
        self.control_state = ControlState({}, SceneBank(folder / "scenes.json"), self.faults.note, lambda _, job: job())
        self.control_loop = ControlLoop(
            self.server, self.inbox, self.control_state, self.renderer, self.report, self.events, self.faults
        )
        if start:
            self.control_loop.start()

    def panel(self) -> Peer:
        return connect_to(self.server.port, self.server.token, "panel")


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Looped]:
    made = Looped(tmp_path)
    yield made
    made.control_loop.close()


M = TypeVar("M", bound=Message)


def hear(panel: Peer, kind: type[M], wanted: Callable[[M], bool] = lambda _: True, seconds: float = 20.0) -> M:
    """The first message of a type, and with what is wanted, that a panel is told."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        message = panel.receive(0.1)
        if isinstance(message, kind) and wanted(message):
            return message
    raise AssertionError("it was never said")


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


def test_a_panel_is_told_everything_at_first(at: Looped) -> None:
    panel = at.panel()
    assert hear(panel, Hello) == Hello(name="x")
    assert hear(panel, Values).values == at.control_state.values
    assert hear(panel, Status) == Status(fps=30.0)
    panel.close()


def test_what_a_panel_asks_for_holds_and_all_are_told(at: Looped) -> None:
    one, two = at.panel(), at.panel()
    for panel in (one, two):
        hear(panel, Values)
    one.send(Set([(AMOUNT, 0.25), ("/look/seed", 7.0)]))
    for panel in (one, two):
        assert hear(panel, Changed).changes == [(AMOUNT, 0.25, "panel"), ("/look/seed", 7, "panel")]
    assert at.control_state.values[AMOUNT] == 0.25
    assert [change.path for change in at.changed] == [AMOUNT, "/look/seed"]
    one.close()
    two.close()


def test_of_one_control_the_last_counts_and_events_all(tmp_path: Path) -> None:
    at = Looped(tmp_path, start=False)
    for value in range(100):
        at.inbox.post(Change(AMOUNT, value / 100, "osc"))
    for _ in range(3):
        at.inbox.post(Change("/sound/resync", True, "osc"))
    at.control_loop.start()
    until(lambda: len(at.changed) >= 4)
    assert [(one.path, one.value) for one in at.changed] == [(AMOUNT, 0.99)] + 3 * [("/sound/resync", True)]
    assert at.renderer.asked == at.changed
    at.control_loop.close()
    assert at.renderer.calls == ["start", "close"]


def test_of_scenes_that_wait_the_last_one_is_recalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a controller sends its scene again and again: nobody waits until each of them was recalled."""
    at = Looped(tmp_path, start=False)
    for slot, amount in ((1, 0.25), (2, 0.75)):
        at.control_state.take(Change(AMOUNT, amount, "test"))
        at.control_state.take(Change("/scene/store", slot, "test"))
    for slot in (1, 2) * 500:
        at.inbox.post(Change("/scene/recall", slot, "osc"))
        at.inbox.post(Change("/scene/recall", 0, "osc"))  # its button is let go
    taken: list[Change] = []
    take = at.control_state.take

    def noted(change: Change) -> list[Change]:
        taken.append(change)
        return take(change)

    monkeypatch.setattr(at.control_state, "take", noted)
    at.control_loop._apply()
    assert [one.value for one in taken if one.value] == [2]
    assert at.control_state.values[AMOUNT] == 0.75 and at.control_state.scene == 2
    at.control_loop.close()


@pytest.mark.parametrize(
    "message",
    [
        {"changes": [["/nothing", 1]]}, {"changes": [[AMOUNT, "loud"]]}, {"changes": [[AMOUNT, None]]},
        {"changes": [[AMOUNT, [1]]]}, {"changes": [[AMOUNT]]}, {"changes": [[1, 2]]}, {"changes": 5}, {"changes": None},
        {"what": 1}, {}, {"changes": [["/motion/mode", "x"]]}, {"changes": [["/scene/recall", 99999]]},
        {"changes": [["/scene/store", -3]]}, {"changes": [["/look/seed", 10**30]]}, {"changes": [[AMOUNT, 10**400]]},
        {"type": "status"}, {"type": "quit"}, {"type": "applied"}, {"type": None},
    ],
)  # fmt: skip
def test_odd_messages_stop_nothing(at: Looped, message: dict[str, Any]) -> None:
    panel = at.panel()
    hear(panel, Values)
    panel._socket.sendall(json.dumps({"type": "set"} | message).encode() + b"\n")
    panel.send(Set([("/look/drift", 0.5)]))
    hear(panel, Changed, lambda m: ("/look/drift", 0.5, "panel") in m.changes)
    assert 0 <= float(at.control_state.values[AMOUNT]) <= 2
    assert at.control_loop.alive
    panel.close()


def test_a_panel_opens_no_path(at: Looped, tiny_world: str) -> None:
    panel, world = at.panel(), at.control_state.values["/engine/world"]
    hear(panel, Values)
    panel.send(Set([("/engine/world", tiny_world), ("/look/drift", 0.5)]))
    hear(panel, Changed, lambda m: ("/look/drift", 0.5, "panel") in m.changes)
    assert at.control_state.values["/engine/world"] == world
    assert any("/engine/world does not take" in line for line in at.faults.recent())
    assert not any(one.path == "/engine/world" for one in at.changed)
    panel.close()


def test_an_event_of_nothing_is_none(at: Looped) -> None:
    at.inbox.post(Change("/out/panic", False, "osc"))
    at.inbox.post(Change("/scene/recall", 0, "osc"))
    at.inbox.post(Change(AMOUNT, 0.5, "osc"))
    until(lambda: bool(at.changed))
    assert [one.path for one in at.changed] == [AMOUNT]


def test_a_turn_that_fails_is_told_and_the_next_one_comes(at: Looped) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(at.renderer, "poll", lambda: 1 / 0)
        until(lambda: any("A control message failed" in line for line in at.faults.recent()))
    at.inbox.post(Change(AMOUNT, 0.5, "osc"))
    until(lambda: bool(at.changed))


def test_a_subscriber_that_fails_is_told_and_the_others_react(at: Looped) -> None:
    at.events.changed.subscribe(lambda _: 1 / 0, "broken part")
    after: list[Change] = []
    at.events.changed.subscribe(after.extend, "test")
    at.inbox.post(Change(AMOUNT, 0.125, "osc"))
    until(lambda: bool(after))
    assert "The broken part failed: ZeroDivisionError: division by zero" in at.faults.recent()
    assert at.control_state.values[AMOUNT] == 0.125


def test_what_the_renderer_found_holds_and_what_it_refused_is_set_back(at: Looped) -> None:
    at.inbox.post(Change("/look/text", "rain", "osc"))
    until(lambda: at.control_state.values["/look/text"] == "rain")
    at.events.applied.publish(Applied(3, 4410, [Change("/look/prompt", 9, "text"), Change(AMOUNT, 0.5, "osc")], 1))
    assert at.control_state.values["/look/prompt"] == 9
    assert at.control_state.values[AMOUNT] == 1.0
    at.events.load_refused.publish(LoadRefused("/look/text", "wind"))
    until(lambda: at.control_state.values["/look/text"] == "wind")


def test_what_is_modulated_is_known_to_scenes(at: Looped) -> None:
    at.events.renderer_status.publish(RendererStatus(effective={"/scene/morph": 3.0}))
    assert at.control_state.moved == {"/scene/morph": 3.0}


def test_a_panel_that_does_not_read_is_left(at: Looped) -> None:
    stuck, panel = at.panel(), at.panel()
    hear(panel, Values)
    at.report.now = Status(source="x" * 900_000)
    until(lambda: at.control_loop.panels == 0)  # neither reads: both are left
    at.report.now = Status(fps=1.0)
    fresh = at.panel()
    hear(fresh, Status, lambda m: m.fps == 1.0)
    for one in (stuck, panel, fresh):
        one.close()


def test_whatever_is_posted_while_the_bell_is_read_rings_again(tmp_path: Path) -> None:
    at = Looped(tmp_path, start=False)
    inbox, bell = at.inbox, at.inbox._bell
    inbox.post(Change(AMOUNT, 0.1, "test"))

    class Bell:
        fileno = staticmethod(bell.fileno)

        def recv(self, size: int) -> bytes:
            inbox.post(Change(AMOUNT, 0.2, "test"))  # just before the bell is emptied
            return bell.recv(size)

    inbox._bell = Bell()  # pyright: ignore[reportAttributeAccessIssue]
    at.control_loop._turn()
    assert at.control_state.values[AMOUNT] == 0.2
    inbox._bell = bell
    inbox.post(Change(AMOUNT, 0.3, "test"))
    assert select.select([inbox], [], [], 0.0)[0] == [inbox]
    at.control_loop.close()
