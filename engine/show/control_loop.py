"""The control loop: the thread through which all changes pass, and which informs panels, renderer, OSC and takes.

`post` may be called from any thread; all else runs in the control loop. Panels and the renderer are lines of the
channel's server; OSC and takes are told through the callbacks given at the start.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

from ..control.change_queue import ChangeQueue
from ..control.live_table import SHOW
from ..control.parameters import Change
from ..errors import SonoramaError, ValueRefused, one_line_error
from ..faults import Faults
from ..ipc.channel import ChannelClosed, Peer, Server
from ..ipc.messages import Changed, Hello, Message, Set, Status, Values
from .control_state import ControlState
from .supervisor import RendererSupervisor

STATUS_S = 0.1
LOOK_S, TURN_S = 0.02, 0.0003
"""Longest wait, and shortest time between two iterations, in seconds."""
PATIENCE_S = 0.05
"""A panel that does not take what it is told for so long is left; it comes back by itself."""
MOST_PANELS = 16
MESSAGES = 64
"""Of one panel in one turn; one that sends more is heard as fast as the others allow."""


class ControlLoop:
    """The control loop of one show.

    Args:
        server: where panels and the renderer connect.
        board: the control state, with all values.
        supervisor: of the renderer; None if nothing is rendered (test pattern).
        hello: what a panel is told first.
        act: called with every change that now holds or fires, in order.
        told: called with each batch of changes, after panels were told.
        status: what panels are told ten times a second.
        faults: where to say what is wrong.

    """

    def __init__(
        self,
        server: Server,
        control_state: ControlState,
        supervisor: RendererSupervisor | None,
        hello: Callable[[], Hello],
        act: Callable[[Change], None],
        told: Callable[[list[Change]], None],
        status: Callable[[], Status],
        faults: Faults,
    ) -> None:
        self._server, self._control_state, self._supervisor, self._hello = server, control_state, supervisor, hello
        self._act, self._told, self._status, self._faults = act, told, status, faults
        self._inbox: deque[Change] = deque()
        self._panels: list[Peer] = []
        self._closing = False
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)
        self._ringer.setblocking(False)
        self._rung = False
        self._lines: list[Peer] | None = None
        self._waiting = selectors.DefaultSelector()
        self._turned_at = self._status_at = 0.0
        self._thread = threading.Thread(target=self._run, name="control-loop", daemon=True)

    def start(self) -> None:
        """Begin; the renderer is started by it."""
        self._thread.start()

    def post(self, change: Change) -> None:
        """Ask for a value, by a valid change. Any thread; never waits."""
        self._inbox.append(change)
        self._ring()

    def _ring(self) -> None:
        if not self._rung:
            self._rung = True
            with contextlib.suppress(OSError):
                self._ringer.send(b"x")

    @property
    def alive(self) -> bool:
        """Whether it works; it always does."""
        return self._thread.is_alive()

    @property
    def panels(self) -> int:
        """How many are connected."""
        return len(self._panels)

    def close(self) -> None:
        """End it and the renderer; panels see the show go."""
        self._closing = True
        self._ring()
        if self._thread.is_alive():
            self._thread.join(8.0)
        for panel in self._panels:
            panel.close()
        self._server.close()
        self._waiting.close()
        self._bell.close()
        self._ringer.close()

    # --- the thread

    def _run(self) -> None:
        while not self._closing:
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001 (whatever goes wrong in one turn, the next one must come)
                self._faults.note("loop", f"A control message failed and was skipped: {one_line_error(error)}", error)
        if self._supervisor is not None:
            self._supervisor.close()

    def _turn(self) -> None:
        self._wait()
        if self._supervisor is not None:
            self._supervisor.receive()
            self._supervisor.look()
        self._welcome()
        self._hear_panels()
        self._take()
        if time.monotonic() >= self._status_at:
            self._status_at = time.monotonic() + STATUS_S
            self._tell(self._status())

    def _wait(self) -> None:
        """Until something comes, at most LOOK_S; what comes in a rush is taken together."""
        if (pause := self._turned_at + TURN_S - time.monotonic()) > 0:
            time.sleep(pause)
        lines = [*self._panels, self._supervisor.peer if self._supervisor else None]
        if (there := [one for one in lines if one is not None and one.open]) != self._lines:
            self._waiting.close()
            self._lines, self._waiting = there, selectors.DefaultSelector()
            for one in (self._bell, *there):
                self._waiting.register(one, selectors.EVENT_READ)
        self._waiting.select(LOOK_S)
        self._turned_at = time.monotonic()
        with contextlib.suppress(OSError):
            self._bell.recv(4096)
        self._rung = False  # after that: whoever rings from here on is heard, whoever did not has posted before `_take`

    def _welcome(self) -> None:
        for role, peer in self._server.accept():
            if role == "renderer" and self._supervisor is not None:
                self._supervisor.join(peer)
            elif role == "panel" and len(self._panels) < MOST_PANELS:
                peer.patience(PATIENCE_S)
                self._panels.append(peer)
                self._send(peer, self._hello())
                self._send(peer, Values(self._control_state.values))
            else:
                peer.close()

    def _hear_panels(self) -> None:
        for panel in list(self._panels):
            try:
                for _ in range(MESSAGES):
                    if (message := panel.receive(0.0)) is None:
                        break
                    for path, value in message.changes if isinstance(message, Set) else ():
                        self._accept(path, value)
            except ChannelClosed:
                self._panels = [one for one in self._panels if one is not panel]

    def _accept(self, path: str, value: object) -> None:
        try:
            self._inbox.append(self._control_state.accept(path, value, "panel"))
        except ValueRefused as error:
            self._faults.note("refused", f"{error.message}. {error.hint}")

    def _take(self) -> None:
        """Everything that was asked for since the last turn; of one parameter the last change, events all."""
        queue = ChangeQueue(SHOW, events=None)
        for _ in range(len(self._inbox)):
            queue.add(self._control_state.take(self._inbox.popleft()))
        if changes := queue.take():
            if self._supervisor is not None:
                self._supervisor.ask(changes)
            self.hold(changes)

    def hold(self, changes: list[Change]) -> None:
        """Changes that hold now: act on them and tell everybody."""
        for change in changes:
            self._act(change)
        news = [(one.path, one.value, one.source.split(":")[0]) for one in changes if not SHOW[one.path].event]
        if news:
            self._tell(Changed(news))
        self._told(changes)

    def applied(self, changes: list[Change]) -> None:
        """The renderer applied these: what it found by itself, such as the place of a text, holds from now on."""
        found = [one for one in changes if one.source == "text"]
        for change in found:
            self._control_state.take(change)
        if found:
            self.hold(found)

    def _tell(self, message: Message) -> None:
        for panel in self._panels:
            self._send(panel, message)

    def _send(self, panel: Peer, message: Message) -> None:
        try:
            panel.send(message)
        except SonoramaError:
            panel.close()
            self._panels = [one for one in self._panels if one is not panel]
