"""The panel's line to the show. Values are shown at once where the hand is, and corrected by what the show says.

A show that goes away is looked for every half second, for ever. Nothing is queued meanwhile: what is done while no show
listens is undone on the screen, so that the panel never shows what is not so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from weakref import WeakSet

from PyQt6 import sip
from PyQt6.QtCore import QObject, QSocketNotifier, QTimer, pyqtSignal

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Parameter, Value
from sonorama.engine.errors import SonoramaError, ValueRefused
from sonorama.engine.ipc.channel import ChannelClosed, connect
from sonorama.engine.ipc.messages import Changed, Hello, Message, Set, Status, Values

RETRY_MS, SEND_MS, POLL_MS, SETTLE_MS, SILENT_S = 500, 8, 15, 400, 3.0


class Wire(Protocol):
    """The panel's end of a connection, such as `engine.channel.Peer`. One with `fileno` is not polled."""

    def send(self, message: Message) -> None:
        """Send one message; ChannelClosed when the other side is gone."""
        ...

    def receive(self, timeout: float | None = 0.0) -> Message | None:
        """The next message, None when there is none; ChannelClosed when the other side is gone."""
        ...


class Watcher(Protocol):
    """What shows one control's value."""

    def show_value(self, value: Value) -> None:
        """The value asked for last."""
        ...

    def show_effective(self, value: float | None, driver: str) -> None:
        """What the picture gets while something moves the control, and what does; None when nothing does."""
        ...

    def show_loading(self, loading: bool) -> None:
        """Whether the value asked for last is still being loaded."""
        ...


class Link(QObject):
    """The show as the panel sees it.

    Signals:
        arrived: a show answered; its hello.
        told: ten times a second; a Status.
        state: whether a show is there, and one line about it.
        fault: one line about something that the show did not take.

    """

    arrived = pyqtSignal(object)
    told = pyqtSignal(object)
    state = pyqtSignal(bool, str)
    fault = pyqtSignal(str)

    def __init__(
        self, reach: Callable[[], Wire], table: Mapping[str, Parameter] = SHOW, parent: QObject | None = None
    ) -> None:
        """`reach` connects, or raises SonoramaError while no show is there."""
        super().__init__(parent)
        self._reach, self.table = reach, table
        self.values: dict[str, Value] = {path: param.default for path, param in table.items()}
        self.status = Status()
        self.hello = Hello()
        self.connected = False
        self._said: tuple[bool, str] | None = None
        self._wire: Wire | None = None
        self._notifier: QSocketNotifier | None = None
        self._watchers: dict[str, WeakSet[Any]] = {}
        self._show_says: dict[str, Value] = dict(self.values)
        self._mine: dict[str, float] = {}  # path -> when the hand moved it
        self._pending: dict[str, Value] = {}
        self._heard_at = 0.0
        self._timers = [
            self._timer(RETRY_MS, self._keep),
            self._timer(POLL_MS, self._receive),
            self._timer(SEND_MS, self._flush, single=True),
            self._timer(SETTLE_MS, self._settle, single=True),
        ]

    def _timer(self, ms: int, what: Callable[[], None], single: bool = False) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(ms)
        timer.setSingleShot(single)
        timer.timeout.connect(what)
        return timer

    def start(self) -> None:
        """Look for the show from now on."""
        self._keep()
        self._timers[0].start()

    def close(self) -> None:
        """Hang up and stop looking."""
        for timer in self._timers:
            timer.stop()
        self._drop()

    def watch(self, path: str, watcher: Watcher) -> None:
        """Show the value at `path` there from now on; weakly held."""
        self._watchers.setdefault(path, WeakSet()).add(watcher)
        watcher.show_value(self.values[path])

    def post(self, path: str, value: Value) -> None:
        """Ask the show for a value. Without a show nothing changes, and says so."""
        param = self.table[path]
        try:
            value = param.clip(value)
        except ValueRefused as error:
            self.fault.emit(error.message)
            self._show(path)
            return
        if not self.connected:
            self.fault.emit(f"No show: {path} stays as it is")
            self._show(path)
            return
        if param.event:
            self._flush()
            self._send([(path, value)])
            return
        self._mine[path] = time.monotonic()
        self.values[path] = self._pending[path] = value
        self._show(path)
        if not self._timers[2].isActive():
            self._timers[2].start()

    def _show(self, path: str) -> None:
        for watcher in self._watching(path):
            watcher.show_value(self.values[path])

    def _flush(self) -> None:
        if self._pending:
            pending, self._pending = self._pending, {}
            self._send([(path, value) for path, value in pending.items()])
            self._timers[3].start()

    def _send(self, changes: list[tuple[str, Value]]) -> None:
        if self._wire is None:
            return
        try:
            self._wire.send(Set(changes))
        except SonoramaError:
            self._lost("The show went away")

    # -- the connection -------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        if self._wire is not None:
            if self.connected and time.monotonic() - self._heard_at > SILENT_S:
                self._say(True, "The show has not answered for a while")
            return
        try:
            self._wire = self._reach()
        except SonoramaError as error:
            self._say(False, f"{error.message}. {error.hint}")
            return
        fileno = getattr(self._wire, "fileno", None)
        if fileno is not None:
            self._notifier = QSocketNotifier(fileno(), QSocketNotifier.Type.Read, self)
            self._notifier.activated.connect(self._receive)
        else:
            self._timers[1].start()
        self._receive()

    def _receive(self) -> None:
        try:
            while self._wire is not None and (message := self._wire.receive(0.0)) is not None:
                self._take(message)
        except ChannelClosed:
            self._lost("The show went away; looking for it")

    def _lost(self, why: str) -> None:
        self._drop()
        self._hear_status(Status())
        self._say(False, why)

    def _drop(self) -> None:
        self._timers[1].stop()
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None
        close = getattr(self._wire, "close", None)
        self._wire, self.connected = None, False
        self._pending.clear()
        self._mine.clear()
        if close is not None:
            close()

    @property
    def says(self) -> str:
        """One line about the connection; empty while all is well."""
        return self._said[1] if self._said else ""

    def _say(self, connected: bool, text: str) -> None:
        self.connected = connected
        if (connected, text) != self._said:
            self._said = (connected, text)
            self.state.emit(connected, text)

    # -- what the show says ---------------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        self._heard_at = time.monotonic()
        match message:
            case Hello():
                self.hello = message
                self._say(True, "")
                self.arrived.emit(message)
            case Values():
                for path, value in message.values.items():
                    self._hear(path, value, "show")
                self._say(True, "")
            case Changed():
                for path, value, source in message.changes:
                    self._hear(path, value, source)
            case Status():
                self._say(True, "")
                self._hear_status(message)
            case _:
                pass

    def _hear(self, path: str, value: Value, source: str) -> None:
        param = self.table.get(path)
        if param is None or param.event:
            return  # a newer show may have parameters that this panel does not know
        try:
            clipped = param.clip(value)
        except (ValueRefused, OverflowError):
            return
        self._show_says[path] = clipped
        if source == "panel" and path in self._mine:
            return  # the echo of a hand that may have moved on; see _settle
        self._mine.pop(path, None)
        if self.values[path] != clipped:
            self.values[path] = clipped
            self._show(path)

    def _settle(self) -> None:
        """Once the hand rests: what the show says is what holds."""
        late = time.monotonic() - SETTLE_MS / 2000
        for path in [path for path, when in self._mine.items() if when < late]:
            del self._mine[path]
            if self.values[path] != self._show_says[path]:
                self.values[path] = self._show_says[path]
                self._show(path)
        if self._mine:
            self._timers[3].start()

    def _hear_status(self, status: Status) -> None:
        before, self.status = self.status, status
        for path in before.effective.keys() | status.effective.keys():
            for watcher in self._watching(path):
                watcher.show_effective(status.effective.get(path), status.drivers.get(path, ""))
        for path in set(before.loading) ^ set(status.loading):
            for watcher in self._watching(path):
                watcher.show_loading(path in status.loading)
        self.told.emit(status)

    def _watching(self, path: str) -> list[Watcher]:
        return [watcher for watcher in self._watchers.get(path, ()) if not sip.isdeleted(watcher)]


def link_to(name: str, parent: QObject | None = None) -> Link:
    """A link to the show `name`."""
    return Link(lambda: connect(name, role="panel"), parent=parent)
