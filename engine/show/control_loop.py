"""The control loop: the thread through which all changes pass, and which informs panels, renderer and subscribers.

Panels and the renderer are connections to the channel's server; everything else subscribes to the show's events.
"""

from __future__ import annotations

import selectors
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from ..control.addresses import AUTO_NEXT, CUE_GOTO, OUT_PANIC, SCENE_RECALL
from ..control.change_queue import ChangeQueue
from ..control.events import ShowEvents
from ..control.live_table import SHOW
from ..control.parameters import Change
from ..control.pending_load import FOUND
from ..errors import SonoramaError, ValueRefused, one_line_error
from ..faults import Faults
from ..ipc.channel import ChannelClosed, Peer, Server
from ..ipc.messages import Applied, Changed, Hello, LoadRefused, Message, RendererStatus, Set, Status, Values
from .control_state import ControlState
from .inbox import ChangeInbox
from .renderer import Renderer

STATUS_S = 0.1
POLL_S, TURN_S = 0.02, 0.0003
"""Longest wait, and shortest time between two iterations, in seconds."""
PATIENCE_S = 0.05
"""A panel that takes longer than this to accept a message is disconnected; it connects again by itself."""
MOST_PANELS = 16
LAST_COUNTS = (SCENE_RECALL, CUE_GOTO, AUTO_NEXT, OUT_PANIC)
"""Events that set some hundred parameters each: of several that wait, the last one does what all of them would do."""
MESSAGES = 64
"""Taken from one panel at a time, so that a panel that floods the show does not hold up the others."""


class Reporter(Protocol):
    """Describes the show to panels."""

    def hello(self) -> Hello:
        """The first message to a panel."""
        ...

    def status(self) -> Status:
        """The state of the show now."""
        ...


class ControlLoop:
    """The control loop of one show.

    Args:
        server: where panels and the renderer connect.
        inbox: where changes are posted.
        control_state: the values of all parameters.
        renderer: gets every change; started before the loop and closed after it.
        report: describes the show to panels.
        events: of the show.
        faults: where to report what goes wrong.

    """

    def __init__(
        self,
        server: Server,
        inbox: ChangeInbox,
        control_state: ControlState,
        renderer: Renderer,
        report: Reporter,
        events: ShowEvents,
        faults: Faults,
    ) -> None:
        self._server, self._inbox, self._control_state = server, inbox, control_state
        self._renderer, self._report, self._events, self._faults = renderer, report, events, faults
        self._panels: list[Peer] = []
        self._closing = False
        self._connections: list[Peer] | None = None
        self._selector = selectors.DefaultSelector()
        self._turned_at = self._status_at = 0.0
        self._thread = threading.Thread(target=self._run, name="control-loop", daemon=True)
        events.changed.subscribe(self._tell_changed, "control loop")
        events.status.subscribe(self._tell, "control loop")
        events.applied.subscribe(self._applied, "control loop")
        events.load_refused.subscribe(self._load_refused, "control loop")
        events.renderer_status.subscribe(self._moved, "control loop")

    def start(self) -> None:
        """Start the renderer and the loop.

        Raises:
            SonoramaError: the renderer cannot be started.

        """
        self._renderer.start()
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def panels(self) -> int:
        """How many are connected."""
        return len(self._panels)

    def close(self) -> None:
        """End the loop, then the renderer; panels are disconnected."""
        self._closing = True
        self._inbox.wake()
        if self._thread.is_alive():
            self._thread.join(8.0)
        self._renderer.close()
        for panel in self._panels:
            panel.close()
        self._server.close()
        self._selector.close()
        self._inbox.close()

    # --- the thread

    def _run(self) -> None:
        while not self._closing:
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001 (whatever goes wrong in one turn, the next one must come)
                self._faults.note("loop", f"A control message failed and was skipped: {one_line_error(error)}", error)

    def _turn(self) -> None:
        self._wait()
        self._renderer.poll()
        self._accept_connections()
        self._receive_from_panels()
        self._apply()
        if time.monotonic() >= self._status_at:
            self._status_at = time.monotonic() + STATUS_S
            self._events.status.publish(self._report.status())

    def _wait(self) -> None:
        """Until a message or change arrives, at most POLL_S; those that arrive within TURN_S are taken together."""
        if (pause := self._turned_at + TURN_S - time.monotonic()) > 0:
            time.sleep(pause)
        connections = [one for one in (*self._panels, self._renderer.peer) if one is not None and one.open]
        if connections != self._connections:
            self._selector.close()
            self._connections, self._selector = connections, selectors.DefaultSelector()
            for one in (self._inbox, *connections):
                self._selector.register(one, selectors.EVENT_READ)
        self._selector.select(POLL_S)
        self._turned_at = time.monotonic()
        self._inbox.reset()

    def _accept_connections(self) -> None:
        for role, peer in self._server.accept():
            if role == "renderer":
                self._renderer.join(peer)
            elif role == "panel" and len(self._panels) < MOST_PANELS:
                peer.patience(PATIENCE_S)
                self._panels.append(peer)
                self._send(peer, self._report.hello())
                self._send(peer, Values(self._control_state.values))
            else:
                peer.close()

    def _receive_from_panels(self) -> None:
        for panel in list(self._panels):
            try:
                for _ in range(MESSAGES):
                    if (message := panel.receive(0.0)) is None:
                        break
                    for path, value in message.changes if isinstance(message, Set) else ():
                        self._post(path, value)
            except ChannelClosed:
                self._panels = [one for one in self._panels if one is not panel]

    def _post(self, path: str, value: object) -> None:
        try:
            self._inbox.post(self._control_state.accept(path, value, "panel"))
        except ValueRefused as error:
            self._faults.note("refused", f"{error.message}. {error.hint}")

    def _apply(self) -> None:
        """Everything that was posted since the last turn: of each parameter the last value, of events all but those
        of LAST_COUNTS.
        """
        queue, posted = ChangeQueue(SHOW, events=None), self._inbox.take()
        last = {one.path: at for at, one in enumerate(posted) if one.path in LAST_COUNTS and one.value}
        for at, change in enumerate(posted):
            if last.get(change.path, at) == at:
                queue.add(self._control_state.take(change))
        if changes := queue.take():
            self._renderer.ask(changes)
            self._events.changed.publish(changes)

    # --- events

    def _tell_changed(self, changes: Sequence[Change]) -> None:
        news = [(one.path, one.value, one.source.split(":")[0]) for one in changes if not SHOW[one.path].event]
        if news:
            self._tell(Changed(news))

    def _applied(self, message: Applied) -> None:
        """What the renderer found by itself, such as the latent of a text, holds from now on."""
        found = [one for one in message.changes if one.source == FOUND]
        for change in found:
            self._control_state.take(change)
        if found:
            self._events.changed.publish(found)

    def _load_refused(self, refused: LoadRefused) -> None:
        if self._control_state.values[refused.path] != refused.value:
            self._inbox.post(Change(refused.path, refused.value, "renderer"))

    def _moved(self, status: RendererStatus) -> None:
        self._control_state.moved = status.effective
        if status.classes and status.classes != self._control_state.classes:
            for change in self._control_state.play_classes(status.classes):
                self._inbox.post(change)

    def _tell(self, message: Message) -> None:
        for panel in self._panels:
            self._send(panel, message)

    def _send(self, panel: Peer, message: Message) -> None:
        try:
            panel.send(message)
        except SonoramaError:
            panel.close()
            self._panels = [one for one in self._panels if one is not panel]
