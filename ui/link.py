"""The panel's connection to a show. Controls show the user's edits at once, and the show's values when they differ.

A lost connection is retried every half second. Nothing is queued meanwhile: an edit made without a show is reverted on
the screen, so that the panel never shows a value that is not in effect.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from weakref import WeakSet

from PyQt6 import sip
from PyQt6.QtCore import QObject, QSocketNotifier, QTimer, pyqtSignal

from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Parameter, Value
from sonorama.engine.errors import SonoramaError, ValueRefused
from sonorama.engine.ipc.channel import ChannelClosed, connect
from sonorama.engine.ipc.messages import Changed, Hello, Message, Set, Status, Values

from .formatting import class_path

RETRY_MS, SEND_MS, POLL_MS, SETTLE_MS, SILENT_S = 500, 8, 15, 400, 3.0


class Connection(Protocol):
    """A connection to a show, such as `engine.ipc.channel.Peer`. It is polled unless it has a method `fileno`."""

    def send(self, message: Message) -> None:
        """Send a message. Raises ChannelClosed if the show has gone."""
        ...

    def receive(self, timeout: float | None = 0.0) -> Message | None:
        """The next message, or None if there is none. Raises ChannelClosed if the show has gone."""
        ...


class Watcher(Protocol):
    """A widget that shows one parameter."""

    def show_value(self, value: Value) -> None:
        """Show the base value."""
        ...

    def show_effective(self, value: float | None, driver: str) -> None:
        """Show the modulated value and what modulates it; None if nothing does."""
        ...

    def show_loading(self, loading: bool) -> None:
        """Show whether the value is still being loaded."""
        ...


class _Teller:
    """A watcher that passes base values on."""

    def __init__(self, path: str, tell: Callable[[str, Value], None]) -> None:
        self._path, self._tell = path, tell

    def show_value(self, value: Value) -> None:
        """Pass it on."""
        self._tell(self._path, value)

    def show_effective(self, value: float | None, driver: str) -> None:
        """Nothing."""

    def show_loading(self, loading: bool) -> None:
        """Nothing."""


class Link(QObject):
    """The connection to a show, with the values and the status received from it.

    Signals:
        hello_received: a show has answered; the Hello message.
        status_received: ten times a second; the Status message.
        state: whether a show is connected, and one line about the connection, empty if all is well.
        fault: one line about an edit that was refused.
        classes_changed: `classes` changed.

    Attributes:
        classes: of the world that is played, in the order of the meaning mixer's slots. They outlast a lost connection.

    """

    hello_received = pyqtSignal(object)
    status_received = pyqtSignal(object)
    state = pyqtSignal(bool, str)
    fault = pyqtSignal(str)
    classes_changed = pyqtSignal()

    def __init__(
        self,
        open_connection: Callable[[], Connection],
        table: Mapping[str, Parameter] = SHOW,
        parent: QObject | None = None,
    ) -> None:
        """`open_connection` raises SonoramaError while no show is running."""
        super().__init__(parent)
        self._open_connection, self.table = open_connection, table
        self.values: dict[str, Value] = {path: param.default for path, param in table.items()}
        self.status = Status()
        self.classes: tuple[str, ...] = ()
        self.hello = Hello()
        self.connected = False
        self._reported: tuple[bool, str] | None = None
        self._connection: Connection | None = None
        self._notifier: QSocketNotifier | None = None
        self._watchers: dict[str, WeakSet[Any]] = {}
        self._tellers: list[_Teller] = []
        self._confirmed: dict[str, Value] = dict(self.values)
        self._edited_at: dict[str, float] = {}  # path -> time of the user's last edit
        self._pending: dict[str, Value] = {}
        self._last_message_at = 0.0
        self._timers = [
            self._timer(RETRY_MS, self._check_connection),
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
        """Start connecting, and reconnecting."""
        self._check_connection()
        self._timers[0].start()

    def close(self) -> None:
        """Disconnect and stop trying."""
        for timer in self._timers:
            timer.stop()
        self._disconnect()

    def watch(self, path: str, watcher: Watcher) -> None:
        """Update a widget with the values of a parameter from now on. It is held weakly."""
        self._watchers.setdefault(path, WeakSet()).add(watcher)
        watcher.show_value(self.values[path])

    def watch_many(self, paths: Iterable[str], tell: Callable[[str, Value], None]) -> None:
        """Call `tell` with the address and value of each of these parameters, now and whenever one changes, as long as
        this link lives.
        """
        for path in paths:
            teller = _Teller(path, tell)
            self._tellers.append(teller)
            self.watch(path, teller)

    def post(self, path: str, value: Value) -> None:
        """Send a value to the show. Without a show the control is reverted and `fault` emitted."""
        param = self.table[path]
        try:
            value = param.clip(value)
        except ValueRefused as error:
            self.fault.emit(error.message)
            self._show(path)
            return
        if not self.connected:
            self.fault.emit(f"No show: {class_path(path, self.classes)} is unchanged")
            self._show(path)
            return
        if param.event:
            self._flush()
            self._send([(path, value)])
            return
        self._edited_at[path] = time.monotonic()
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
        if self._connection is None:
            return
        try:
            self._connection.send(Set(changes))
        except SonoramaError:
            self._lost("The connection to the show was lost")

    # -- the connection -------------------------------------------------------------------------------------------

    def _check_connection(self) -> None:
        if self._connection is not None:
            if self.connected and time.monotonic() - self._last_message_at > SILENT_S:
                self._report(True, "The show has not answered for a while")
            return
        try:
            self._connection = self._open_connection()
        except SonoramaError as error:
            self._report(False, f"{error.message}. {error.hint}")
            return
        fileno = getattr(self._connection, "fileno", None)
        if fileno is not None:
            self._notifier = QSocketNotifier(fileno(), QSocketNotifier.Type.Read, self)
            self._notifier.activated.connect(self._receive)
        else:
            self._timers[1].start()
        self._receive()

    def _receive(self) -> None:
        try:
            while self._connection is not None and (message := self._connection.receive(0.0)) is not None:
                self._take(message)
        except ChannelClosed:
            self._lost("The connection to the show was lost; reconnecting")

    def _lost(self, why: str) -> None:
        self._disconnect()
        self._on_status(Status())
        self._report(False, why)

    def _disconnect(self) -> None:
        self._timers[1].stop()
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None
        close = getattr(self._connection, "close", None)
        self._connection, self.connected = None, False
        self._pending.clear()
        self._edited_at.clear()
        if close is not None:
            close()

    @property
    def problem(self) -> str:
        """One line about the connection; empty if all is well."""
        return self._reported[1] if self._reported else ""

    def _report(self, connected: bool, text: str) -> None:
        self.connected = connected
        if (connected, text) != self._reported:
            self._reported = (connected, text)
            self.state.emit(connected, text)

    # -- messages from the show ---------------------------------------------------------------------------------------

    def _take(self, message: Message) -> None:
        self._last_message_at = time.monotonic()
        match message:
            case Hello():
                self.hello = message
                self._report(True, "")
                self.hello_received.emit(message)
            case Values():
                for path, value in message.values.items():
                    self._on_value(path, value, "show")
                self._report(True, "")
            case Changed():
                for path, value, source in message.changes:
                    self._on_value(path, value, source)
            case Status():
                self._report(True, "")
                if message.classes != self.classes:
                    self.classes = message.classes
                    self.classes_changed.emit()
                self._on_status(message)
            case _:
                pass

    def _on_value(self, path: str, value: Value, source: str) -> None:
        param = self.table.get(path)
        if param is None or param.event:
            return  # a newer show may have parameters that this panel does not know
        try:
            clipped = param.clip(value)
        except (ValueRefused, OverflowError):
            return
        self._confirmed[path] = clipped
        if source == "panel" and path in self._edited_at:
            return  # the echo of an edit, which a newer edit may have replaced; see _settle
        self._edited_at.pop(path, None)
        if self.values[path] != clipped:
            self.values[path] = clipped
            self._show(path)

    def _settle(self) -> None:
        """Some time after the last edit, adopt the show's value where it differs."""
        late = time.monotonic() - SETTLE_MS / 2000
        for path in [path for path, when in self._edited_at.items() if when < late]:
            del self._edited_at[path]
            if self.values[path] != self._confirmed[path]:
                self.values[path] = self._confirmed[path]
                self._show(path)
        if self._edited_at:
            self._timers[3].start()

    def _on_status(self, status: Status) -> None:
        before, self.status = self.status, status
        for path in before.effective.keys() | status.effective.keys():
            for watcher in self._watching(path):
                watcher.show_effective(status.effective.get(path), status.drivers.get(path, ""))
        for path in set(before.loading) ^ set(status.loading):
            for watcher in self._watching(path):
                watcher.show_loading(path in status.loading)
        self.status_received.emit(status)

    def _watching(self, path: str) -> list[Watcher]:
        watching: list[Watcher] = [*self._watchers.get(path, ())]
        return [one for one in watching if not (isinstance(one, sip.simplewrapper) and sip.isdeleted(one))]


def link_to(name: str, parent: QObject | None = None) -> Link:
    """The link of a panel to the show `name`."""
    return Link(lambda: connect(name, role="panel"), parent=parent)
