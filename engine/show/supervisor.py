"""Keeps a renderer process alive: starts it, sends it changes, and starts another when it ends.

Runs in the control loop's thread. A renderer that died leaves its last state (a file), the changes it reported as
applied since (the journal), and those it did not report, which are sent to the next one. Together with the sample ring
that is all the next one needs to continue with the same bits.
"""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from ..control.addresses import ENGINE_PRECISION
from ..control.change_queue import ChangeQueue
from ..control.events import BegunAfresh, Restarted, ShowEvents
from ..control.live_table import SHOW
from ..control.parameters import Change, Value
from ..control.pending_load import CODES, LOADS, RESULTS, PendingLoads
from ..errors import SonoramaError, one_line_error
from ..faults import Faults
from ..ipc.channel import TRUSTED, ChannelClosed, Peer
from ..ipc.messages import (
    Applied,
    Apply,
    Failed,
    LoadRefused,
    Message,
    Meters,
    MotionLost,
    PrecisionChanged,
    Quit,
    Ready,
    RendererStatus,
    SoundHeld,
    SoundMissed,
    Start,
    StateSaved,
)
from ..ipc.shared_paths import inner_name, read_private, shared_path, write_private
from ..log.children import child_environment, relay
from ..units import EXACT

log = logging.getLogger(__name__)
LOADING_S = 300.0
"""A renderer that does not play after this many seconds is ended; a world's graphs may have to be made first."""
SILENT_S = 10.0
"""A renderer that plays and sends nothing for this many seconds hangs, and is ended."""
AWAY_S = 2.0
"""If `poll` itself was not called for this many seconds, the show was suspended, and the time does not count."""
RETRIES_S = (0.0, 0.0, 1.0, 3.0, 10.0)
"""Seconds before the next start, by how many renderers in a row died before they saved a state."""
HOPELESS = 3
"""After this many of them the next one starts at rest instead of from the saved state."""
HOPELESS_STARTS = 5
"""After so many renderers in a row that said why they cannot begin, no other is started until something is changed that
may help.
"""
REMINDER_S = 5.0
"""Seconds between two reports that none is started."""
HELD = 600
"""Late answers of the sound networks that the next renderer is told: a minute's, which is more than it plays again."""

HELPING, PANIC = (*LOADS, ENGINE_PRECISION), "panic"
"""Parameters with whose new values a renderer may begin that could not before; and the source of changes by panic."""

Now = Callable[[], tuple[int, int]]


class RendererSupervisor:
    """The renderer process of one show; a Renderer.

    Args:
        name: of the show.
        values: of all parameters at the start.
        now: gives (frame, sample) at which a renderer without a state starts.
        events: of the show; told what the renderer reports.
        faults: where to report what goes wrong.
        command: the renderer's command line, without the show's name.

    Attributes:
        state_file: where the renderer saves its state.
        failed: (message, hint) of the first renderer that could not start, if none has played yet.

    """

    def __init__(
        self,
        name: str,
        values: Mapping[str, Value],
        now: Now,
        events: ShowEvents,
        faults: Faults,
        command: tuple[str, ...] = (sys.executable, "-m", "sonorama.engine.renderer.frame_loop"),
    ) -> None:
        self._name, self._now, self._events = name, now, events
        self._start_values, self._values = dict(values), dict(values)
        self._faults, self._command = faults, (*command, name)
        self._process: subprocess.Popen[bytes] | None = None
        self._peer: Peer | None = None
        self._journal: deque[tuple[int, list[Change]]] = deque()
        self._unconfirmed: deque[tuple[int, list[Change]]] = deque()  # sent, not reported as taken
        self._waiting = ChangeQueue(SHOW)  # not sent, because no renderer plays
        self._held: deque[tuple[int, int]] = deque(maxlen=HELD)  # as in SoundHeld
        self._precision = EXACT  # of the newest pictures
        self._loading = PendingLoads()  # taken by the renderer, but not loaded yet
        self._seq = self._deaths = self._starts = 0
        self._state = self._fresh = self._refused = self._played = self._resumed = False
        self._started_at = self._message_at = self._ready_at = 0.0
        self._retry_at, self._polled_at = 0.0, time.monotonic()
        self._failures, self._why = 0, ""  # in a row, and what the last one said
        self.state_file: Path = shared_path(f"{name}.state")
        self.failed: tuple[str, str] | None = None

    @property
    def pid(self) -> int:
        """Of the renderer; 0 without one."""
        return self._process.pid if self._process else 0

    @property
    def restarts(self) -> int:
        """How many were started after the first."""
        return max(0, self._starts - 1)

    @property
    def playing(self) -> bool:
        """Whether one is connected and has reported that it plays."""
        return bool(self._peer and self._ready_at)

    @property
    def peer(self) -> Peer | None:
        """The connection to it."""
        return self._peer

    @property
    def loading(self) -> Sequence[str]:
        """Addresses whose new value is still being loaded."""
        return self._loading.paths

    # --- the process

    def start(self) -> None:
        """Start the process."""
        self._start(time.monotonic())

    def resume(self, state: Path) -> None:
        """Before `start`: the first renderer goes on from a state that a renderer of an earlier show saved.

        Raises:
            OSError, SonoramaError: the file cannot be copied.

        """
        write_private(self.state_file, read_private(state))
        self._state = self._resumed = True

    def poll(self) -> None:
        """Take what the renderer reports; start one if there is none, and end one that hangs."""
        self.receive()
        now = time.monotonic()
        if (away := now - self._polled_at) > AWAY_S:  # the show itself was suspended
            self._message_at, self._started_at = self._message_at + away, self._started_at + away
        self._polled_at = now
        if self._process is None:
            self._start_again(now)
        elif (code := self._process.poll()) is not None:
            self._end(f"it ended with code {code}")
        elif self._ready_at and now - self._message_at > SILENT_S:
            self._end("it stopped responding")
        elif not self._ready_at and now - self._started_at > LOADING_S:
            self._end("it did not begin to play")

    def _start_again(self, now: float) -> None:
        if now < self._retry_at:
            return
        if self._failures < HOPELESS_STARTS:
            self._start(now)
        else:
            self._retry_at = now + REMINDER_S
            hint = "It is not tried again until a world or device is loaded, or PANIC pressed"
            self._faults.note("world", f"{self._why} {hint}")

    def _start(self, now: float) -> None:
        try:
            self._process = _start_process(self._command)
        except OSError as error:
            self._faults.note("renderer", f"The renderer cannot be started: {one_line_error(error)}")
            self._retry_at = now + RETRIES_S[-1]
            return
        self._started_at, self._ready_at, self._refused = now, 0.0, False
        self._starts += 1
        if self.restarts:
            self._events.restarted.publish(Restarted(self.restarts))

    def _end(self, why: str) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        log.info("Renderer %d ended: %s", self.pid, why)
        self.receive()  # what it reported shortly before
        self.disconnect()
        self._process, self._ready_at = None, 0.0
        self._deaths += 1
        self._fresh = self._fresh or self._deaths >= HOPELESS
        if not self._refused:
            self._faults.note("renderer", f"The renderer is restarting: {why}. The last picture stays until it plays")
        self._retry_at = time.monotonic() + RETRIES_S[min(self._deaths, len(RETRIES_S) - 1)]

    def disconnect(self) -> None:
        """Close the connection; changes that were not applied wait for the next renderer."""
        if self._peer is not None:
            self._peer.close()
            self._peer = None
        later = self._waiting.take()
        for changes in (self._loading.take(), *(batch for _, batch in self._unconfirmed), later):
            self._waiting.add(changes)
        self._unconfirmed.clear()

    def close(self) -> None:
        """End the renderer for good; may be called twice."""
        if self._peer is not None:
            with contextlib.suppress(ChannelClosed):
                self._peer.send(Quit())
        if self._process is not None:
            try:
                self._process.wait(3.0 if self._ready_at else 0.1)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        self.disconnect()
        for left in (self.state_file, shared_path(inner_name(self._name))):  # a renderer that was killed leaves them
            with contextlib.suppress(OSError):
                left.unlink()

    # --- to the renderer

    def join(self, peer: Peer) -> None:
        """A renderer has connected: send it where to begin."""
        self.disconnect()
        self._peer, self._message_at = peer, time.monotonic()
        peer.largest = TRUSTED
        fresh = self._begin_afresh() if self._fresh else None
        state = str(self.state_file) if self._state else ""
        self._send(Start(values=self._start_values, state_file=str(self.state_file), state=state,
                         journal=list(self._journal), fresh=fresh, held=list(self._held),
                         precision=self._precision))  # fmt: skip

    def _begin_afresh(self) -> tuple[int, int]:
        """Forget state, journal and precision; returns where to begin. The values of now count, since the saved ones,
        such as a world, may be what the renderer died of.
        """
        self._precision = EXACT
        self._values.update(self._waiting.settle(later=(*RESULTS, *CODES)))
        self._start_values, self._state = dict(self._values), False
        self._journal.clear()
        frame, sample = self._now()
        self._events.begun_afresh.publish(BegunAfresh(frame, sample, self._start_values))
        return frame, sample

    def ask(self, changes: Iterable[Change]) -> None:
        """Send changes; they are kept until the renderer reports that it has applied them."""
        if not self.playing:  # it would not read them
            batch = list(changes)
            helps = any(change.path in HELPING or change.source == PANIC for change in batch)
            if helps and self._failures >= HOPELESS_STARTS:
                self._failures, self._retry_at = 0, 0.0
            self._waiting.add(batch)
        elif batch := list(changes):
            self._seq += 1
            self._unconfirmed.append((self._seq, batch))
            self._send(Apply(batch, self._seq))

    def _send(self, message: Message) -> None:
        try:
            if self._peer is not None:
                self._peer.send(message)
        except SonoramaError:
            self.receive()  # what it reported before
            self.disconnect()  # `poll` sees whether the process ended

    # --- from the renderer

    def receive(self) -> None:
        """Take all messages that have arrived."""
        try:
            while self._peer is not None and (message := self._peer.receive(0.0)) is not None:
                self._handle(message)
        except ChannelClosed:
            self.disconnect()

    def _handle(self, message: Message) -> None:
        self._message_at = time.monotonic()
        match message:
            case Applied():
                self._applied(message)
            case Meters():
                self._events.meters.publish(message)
            case RendererStatus():
                self._events.renderer_status.publish(message)
            case LoadRefused():
                self._loading.refuse(message.path)
                self._events.load_refused.publish(message)
            case StateSaved():
                self._saved(message.frame)
            case Ready():
                self._ready(message)
            case MotionLost():  # the saved state would lead to the same
                self._fresh = True
                self._faults.note("lost", "The latent became NaN; motion restarts from rest")
            case SoundMissed():
                self._events.sound_missed.publish(message)
            case SoundHeld():
                self._held.extend(message.points)
                self._events.sound_held.publish(message)
            case PrecisionChanged():
                self._precision = message.precision
                self._events.precision_changed.publish(message)
            case Failed():
                self._failed(message)
            case _:
                pass

    def _ready(self, ready: Ready) -> None:
        self._played, self._ready_at, self._failures = True, time.monotonic(), 0
        self._faults.clear("renderer")
        self._events.ready.publish(ready)
        self.ask(self._waiting.take())

    def _saved(self, frame: int) -> None:
        self._state, self._fresh, self._deaths = True, False, 0
        while self._journal and self._journal[0][0] <= frame:
            self._journal.popleft()

    def _failed(self, failed: Failed) -> None:
        if self._resumed and not self._played and not self._fresh:
            self._fresh = True  # without that state it may begin
            log.warning("The motion does not go on, it begins at rest: %s", failed.message)
            return
        self._refused, self._failures, self._why = True, self._failures + 1, f"{failed.message}. {failed.hint}"
        if not self._played:
            self.failed = self.failed or (failed.message, failed.hint)
        self._faults.note("world", self._why)

    def _applied(self, message: Applied) -> None:
        while self._unconfirmed and self._unconfirmed[0][0] <= message.seq:
            _, batch = self._unconfirmed.popleft()
            self._loading.add(batch)
        changes = message.changes
        self._loading.complete(changes)
        self._journal.append((message.frame, changes))
        self._values.update({change.path: change.value for change in changes if not SHOW[change.path].event})
        self._events.applied.publish(message)


def _start_process(command: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start a renderer in a process group of its own, so that Ctrl-C reaches the show only, which then ends it.
    Its standard error goes to the log.
    """
    pipe, environment = subprocess.PIPE, child_environment()
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=pipe, env=environment, creationflags=flags)
    else:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=pipe, env=environment, process_group=0)
    assert process.stderr is not None  # noqa: S101 (it was asked for)
    log.info("Renderer %d begins", process.pid)
    relay(process.stderr, "renderer")
    return process
