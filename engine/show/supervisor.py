"""Keeps a renderer alive: starts it, hands it what is asked for, remembers what it has not done yet, starts another.

Runs in the control loop's thread. A renderer that died leaves its last state (a file), the changes it reported as
applied since (the journal), and those it did not report (sent to the next one). With the sample ring that is all.
"""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ..control.change_queue import ChangeQueue
from ..control.live_table import SHOW
from ..control.parameters import Change, Value
from ..errors import SonoramaError
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
    Quit,
    Ready,
    RendererStatus,
    SoundMissed,
    Start,
    StateSaved,
)
from ..ipc.shared_paths import inner_name, shared_path
from ..log.children import child_environment, relay

log = logging.getLogger(__name__)
LOADING_S = 300.0
"""A renderer that has not begun to play by then is given up: a world's graphs may have to be made first."""
SILENT_S = 10.0
"""One that plays and says nothing for so long hangs."""
AWAY_S = 2.0
"""If the supervisor itself did not check for so long, it was suspended, and the time does not count."""
RETRIES_S = (0.0, 0.0, 1.0, 3.0, 10.0)
"""Pauses before the next one, by how many died in a row without having kept a state: those never caught up."""
HOPELESS = 3
"""So many of them, and the next one begins afresh instead of where the dead one stood."""
LOADED = {"/engine/world": "/engine/world", "/engine/device": "/engine/device", "/look/text": "/look/prompt"}
"""What takes a renderer seconds to do, and the change by which it says that it has."""

Did = Callable[[int, int, list[Change]], None]
Now = Callable[[], tuple[int, int]]


class RendererSupervisor:
    """The renderer of one show.

    Args:
        name: of the show.
        values: what holds at the start.
        now: (frame, sample) at which a renderer that begins afresh begins.
        did: told (frame, sample, changes) when the renderer has applied something.
        faults: where to say what is wrong.
        command: the renderer's command line, less the show's name.

    Attributes:
        restarts: how many were started after the first.
        failed: what one said that could not begin, before any played: (message, hint).

    """

    def __init__(
        self,
        name: str,
        values: Mapping[str, Value],
        now: Now,
        did: Did,
        faults: Faults,
        command: tuple[str, ...] = (sys.executable, "-m", "sonorama.engine.renderer.frame_loop"),
    ) -> None:
        self._name, self._now, self._did = name, now, did
        self._begun_with, self._values = dict(values), dict(values)
        self._faults, self._command = faults, (*command, name)
        self._process: subprocess.Popen[bytes] | None = None
        self._peer: Peer | None = None
        self._journal: deque[tuple[int, list[Change]]] = deque()
        self._undone: deque[tuple[int, list[Change]]] = deque()  # sent, not yet done
        self._waiting = ChangeQueue(SHOW)  # not sent, for no renderer plays
        self._loading: dict[str, Change] = {}  # done with, less what takes seconds
        self._seq = self._deaths = 0
        self._state = self._fresh = self._refused = False
        self._started_at = self._heard_at = self._ready_at = 0.0
        self._retry_at, self._looked_at = 0.0, time.monotonic()
        self.state_file: Path = shared_path(f"{name}.state")
        self.restarts = -1
        self.failed: tuple[str, str] | None = None
        self.ready: Ready | None = None
        self.on_restart: Callable[[int], None] = lambda restarts: None
        self.on_fresh: Callable[[int, int, Mapping[str, Value]], None] = lambda frame, sample, values: None
        self.on_ready: Callable[[Ready], None] = lambda ready: None
        self.on_deaf: Callable[[SoundMissed], None] = lambda missed: None
        self.on_status: Callable[[RendererStatus], None] = lambda status: None
        self.on_refused: Callable[[LoadRefused], None] = lambda refused: None
        self.on_meters: Callable[[list[float]], None] = lambda meters: None

    @property
    def pid(self) -> int:
        """Of the renderer; 0 without one."""
        return self._process.pid if self._process else 0

    @property
    def playing(self) -> bool:
        """Whether one is there and says that it plays."""
        return bool(self._peer and self._ready_at)

    @property
    def peer(self) -> Peer | None:
        """The line to it."""
        return self._peer

    @property
    def loading(self) -> list[str]:
        """Addresses whose new value takes seconds to load and does not act yet."""
        return list(self._loading)

    # --- life and death

    def look(self) -> None:
        """Start one where there is none; see whether the one there is still lives. Called often, after `receive`."""
        now = time.monotonic()
        if (away := now - self._looked_at) > AWAY_S:  # this process was stopped itself
            self._heard_at, self._started_at = self._heard_at + away, self._started_at + away
        self._looked_at = now
        if self._process is None:
            if now >= self._retry_at:
                self._start(now)
        elif (code := self._process.poll()) is not None:
            self._bury(f"it ended with code {code}")
        elif self._ready_at and now - self._heard_at > SILENT_S:
            self._bury("it said nothing any more")
        elif not self._ready_at and now - self._started_at > LOADING_S:
            self._bury("it did not begin to play")

    def _start(self, now: float) -> None:
        try:
            self._process = _begun(self._command)
        except OSError as error:
            self._faults.note("renderer", f"The renderer cannot be started: {error}")
            self._retry_at = now + RETRIES_S[-1]
            return
        self._started_at, self._ready_at, self._refused = now, 0.0, False
        self.restarts += 1
        if self.restarts:
            self.on_restart(self.restarts)

    def _bury(self, why: str) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        log.info("Renderer %d ended: %s", self.pid, why)
        self.receive()  # what it did shortly before
        self.hang_up()
        self._process, self._ready_at = None, 0.0
        self._deaths += 1
        self._fresh = self._fresh or self._deaths >= HOPELESS
        if not self._refused:
            self._faults.note("renderer", f"The renderer is started again: {why}. The last picture stays meanwhile")
        self._retry_at = time.monotonic() + RETRIES_S[min(self._deaths, len(RETRIES_S) - 1)]

    def hang_up(self) -> None:
        """Close the line; what was asked for and not done waits for the next one."""
        if self._peer is not None:
            self._peer.close()
            self._peer = None
        later = self._waiting.take()
        for changes in (self._loading.values(), *(batch for _, batch in self._undone), later):
            self._waiting.add(changes)
        self._undone.clear()
        self._loading.clear()

    def close(self) -> None:
        """End the renderer for good."""
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
        self.hang_up()
        for left in (self.state_file, shared_path(inner_name(self._name))):  # one that was killed leaves them
            with contextlib.suppress(OSError):
                left.unlink()

    # --- what goes there

    def join(self, peer: Peer) -> None:
        """A renderer has connected: tell it where to begin."""
        self.hang_up()
        self._peer, self._heard_at = peer, time.monotonic()
        peer.largest = TRUSTED
        fresh = self._begin_afresh() if self._fresh else None
        state = str(self.state_file) if self._state else ""
        self._send(Start(values=self._begun_with, state_file=str(self.state_file), state=state,
                         journal=list(self._journal), fresh=fresh))  # fmt: skip

    def _begin_afresh(self) -> tuple[int, int]:
        """Where, and from now on with everything that was asked for: the world it stood in may be what it died of."""
        self._values.update(self._waiting.settle(later=("/look/text",)))
        self._begun_with, self._state = dict(self._values), False
        self._journal.clear()
        frame, sample = self._now()
        self.on_fresh(frame, sample, self._begun_with)
        return frame, sample

    def ask(self, changes: Iterable[Change]) -> None:
        """Hand changes on; they are remembered until the renderer says it has applied them."""
        if not self.playing:  # it would not read them
            self._waiting.add(changes)
        elif batch := list(changes):
            self._seq += 1
            self._undone.append((self._seq, batch))
            self._send(Apply(batch, self._seq))

    def _send(self, message: Message) -> None:
        try:
            if self._peer is not None:
                self._peer.send(message)
        except SonoramaError:
            self.receive()  # what it said before
            self.hang_up()  # `look` sees what became of it

    # --- what comes from there

    def receive(self) -> None:
        """Take what it says."""
        try:
            while self._peer is not None and (message := self._peer.receive(0.0)) is not None:
                self._take(message)
        except ChannelClosed:
            self.hang_up()

    def _take(self, message: Message) -> None:
        self._heard_at = time.monotonic()
        match message:
            case Applied():
                self._applied(message.frame, message.sample, message.changes, message.seq)
            case Meters():
                self.on_meters(message.values)
            case RendererStatus():
                self.on_status(message)
            case LoadRefused():
                self._loading.pop(message.path, None)
                self.on_refused(message)
            case StateSaved():
                self._saved(message.frame)
            case Ready():
                self.ready, self._ready_at = message, time.monotonic()
                self._faults.clear("renderer")
                self.on_ready(message)
                self.ask(self._waiting.take())
            case MotionLost():  # the next one would come to the same from the saved state
                self._fresh = True
                self._faults.note("lost", "The latent became NaN; motion restarts from rest")
            case SoundMissed():
                self.on_deaf(message)
            case Failed():
                self._failed(message)
            case _:
                pass

    def _saved(self, frame: int) -> None:
        self._state, self._fresh, self._deaths = True, False, 0
        while self._journal and self._journal[0][0] <= frame:
            self._journal.popleft()

    def _failed(self, failed: Failed) -> None:
        self._refused = True
        if self.ready is None:
            self.failed = self.failed or (failed.message, failed.hint)
        self._faults.note("world", f"{failed.message}. {failed.hint}")

    def _applied(self, frame: int, sample: int, changes: list[Change], seq: int) -> None:
        while self._undone and self._undone[0][0] <= seq:
            _, batch = self._undone.popleft()
            self._loading.update({change.path: change for change in batch if change.path in LOADED})
        # A place that came with its words, as a scene brings it, was not looked for.
        found = [change for change in changes if change.source == "text" or change.value != -1]
        done = {change.path for change in changes if change.path != "/look/prompt" or change in found}
        self._loading = {path: change for path, change in self._loading.items() if LOADED[path] not in done}
        self._journal.append((frame, changes))
        self._values.update({change.path: change.value for change in changes if not SHOW[change.path].event})
        self._did(frame, sample, changes)


def _begun(command: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start a renderer in a process group of its own: Ctrl-C is for the show, which ends it; without a show it ends by
    itself. What it writes to its standard error goes to the log.
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
