"""The control loop: panels are told, what they ask for holds, and nothing they send can stop it."""

import json
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from sonorama.engine.control.parameters import Change
from sonorama.engine.control.scenes import SceneBank
from sonorama.engine.faults import Faults
from sonorama.engine.ipc.channel import Peer, Server, connect_to
from sonorama.engine.ipc.messages import Changed, Hello, Message, Set, Status, Values
from sonorama.engine.show.control_loop import ControlLoop
from sonorama.engine.show.control_state import ControlState

AMOUNT = "/motion/coarse/amount"


class Desked:
    """A control loop without a renderer, and what it did."""

    def __init__(self, folder: Path, start: bool = True) -> None:
        self.faults, self.acted, self.told = Faults(), list[Change](), list[list[Change]]()
        self.server = Server()
        self.control_state = ControlState({}, SceneBank(folder / "scenes.json"), self.faults.note, lambda _, job: job())
        self.control_loop = ControlLoop(
            self.server, self.control_state, None, lambda: Hello(name="x"), self.acted.append, self.told.append,
            lambda: Status(fps=30.0), self.faults,
        )  # fmt: skip
        if start:
            self.control_loop.start()

    def panel(self) -> Peer:
        return connect_to(self.server.port, self.server.token, "panel")


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desked]:
    made = Desked(tmp_path)
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


def test_a_panel_is_told_everything_at_first(at: Desked) -> None:
    panel = at.panel()
    assert hear(panel, Hello) == Hello(name="x")
    assert hear(panel, Values).values == at.control_state.values
    assert hear(panel, Status) == Status(fps=30.0)
    panel.close()


def test_what_a_panel_asks_for_holds_and_all_are_told(at: Desked) -> None:
    one, two = at.panel(), at.panel()
    for panel in (one, two):
        hear(panel, Values)
    one.send(Set([(AMOUNT, 0.25), ("/look/seed", 7.0)]))
    for panel in (one, two):
        assert hear(panel, Changed).changes == [(AMOUNT, 0.25, "panel"), ("/look/seed", 7, "panel")]
    assert at.control_state.values[AMOUNT] == 0.25
    assert [change.path for change in at.acted] == [AMOUNT, "/look/seed"]
    one.close()
    two.close()


def test_of_one_control_the_last_counts_and_events_all(at: Desked) -> None:
    at.control_loop.close()
    control_loop = ControlLoop(
        Server(), at.control_state, None, Hello, at.acted.append, at.told.append, Status, at.faults
    )
    for value in range(100):
        control_loop.post(Change(AMOUNT, value / 100, "osc"))
    for _ in range(3):
        control_loop.post(Change("/sound/resync", True, "osc"))
    control_loop.start()
    until(lambda: len(at.acted) >= 4)
    assert [(one.path, one.value) for one in at.acted] == [(AMOUNT, 0.99)] + 3 * [("/sound/resync", True)]
    control_loop.close()


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
def test_odd_messages_stop_nothing(at: Desked, message: dict[str, Any]) -> None:
    panel = at.panel()
    hear(panel, Values)
    panel._socket.sendall(json.dumps({"type": "set"} | message).encode() + b"\n")
    panel.send(Set([("/look/drift", 0.5)]))
    hear(panel, Changed, lambda m: ("/look/drift", 0.5, "panel") in m.changes)
    assert 0 <= float(at.control_state.values[AMOUNT]) <= 2
    assert at.control_loop.alive
    panel.close()


def test_a_panel_opens_no_path(at: Desked, tiny_world: str) -> None:
    panel, world = at.panel(), at.control_state.values["/engine/world"]
    hear(panel, Values)
    panel.send(Set([("/engine/world", tiny_world), ("/look/drift", 0.5)]))
    hear(panel, Changed, lambda m: ("/look/drift", 0.5, "panel") in m.changes)
    assert at.control_state.values["/engine/world"] == world
    assert any("/engine/world does not take" in line for line in at.faults.recent())
    assert not any(one.path == "/engine/world" for one in at.acted)
    panel.close()


def test_an_event_of_nothing_is_none(at: Desked) -> None:
    at.control_loop.post(Change("/out/panic", False, "osc"))
    at.control_loop.post(Change("/scene/recall", 0, "osc"))
    at.control_loop.post(Change(AMOUNT, 0.5, "osc"))
    until(lambda: bool(at.acted))
    assert [one.path for one in at.acted] == [AMOUNT]


def test_a_turn_that_fails_is_told_and_the_next_one_comes(at: Desked) -> None:
    def broken(change: Change) -> None:
        if change.value == 0.125:
            raise RuntimeError("a fault of the program")
        at.acted.append(change)

    at.control_loop._act = broken
    at.control_loop.post(Change(AMOUNT, 0.125, "osc"))
    until(lambda: any("a fault of the program" in line for line in at.faults.recent()))
    at.control_loop.post(Change(AMOUNT, 0.5, "osc"))
    until(lambda: bool(at.acted))


def test_a_panel_that_does_not_read_is_left(at: Desked) -> None:
    stuck, panel = at.panel(), at.panel()
    hear(panel, Values)
    at.control_loop._status = lambda: Status(source="x" * 900_000)
    until(lambda: at.control_loop.panels == 0)  # neither reads: both are left
    at.control_loop._status = lambda: Status(fps=1.0)
    fresh = at.panel()
    hear(fresh, Status, lambda m: m.fps == 1.0)
    for one in (stuck, panel, fresh):
        one.close()


def test_whatever_is_posted_while_the_bell_is_read_rings_again(tmp_path: Path) -> None:
    at = Desked(tmp_path, start=False)
    control_loop = at.control_loop
    control_loop.post(Change(AMOUNT, 0.1, "test"))
    bell = control_loop._bell

    class Bell:
        fileno = staticmethod(bell.fileno)

        def recv(self, size: int) -> bytes:
            control_loop.post(Change(AMOUNT, 0.2, "test"))  # just before the bell is emptied
            return bell.recv(size)

    control_loop._bell = Bell()  # pyright: ignore[reportAttributeAccessIssue]
    control_loop._turn()
    assert at.control_state.values[AMOUNT] == 0.2
    control_loop._bell = bell
    control_loop.post(Change(AMOUNT, 0.3, "test"))
    assert select.select([bell], [], [], 0.0)[0] == [bell]
    control_loop.close()
