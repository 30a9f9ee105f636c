"""The thread of a Link bridge: reads the session's tempo and beat, and sets the show's external clock by them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from typing import Any

import aalink as compiled_module

from sonorama.engine.control.parameters import Value
from sonorama.engine.errors import one_line_error
from sonorama.engine.faults import Faults
from sonorama.engine.plugins.interfaces import BridgePort

from ..show_clock import ShowClock
from .presence import Presence

aalink: Any = compiled_module  # a compiled module without types
SOURCE = "link"
POLL_S = 0.02
ALONE_S = 3.0
"""Seconds without others until that is said, and until the session is left: peers are found within about one."""
YOUNGER_S = 1.0
"""Seconds by which our session is to be younger than that of others, since the older one counts."""
_NETWORKS_S = 2.0
_CLOSE_BEATS = 0.001
_BUSY_NS = 300_000
"""A reading of the beat that takes longer was interrupted: it is not known when it was."""


class Follower:
    """Follows the session from `start` to `close`. It counts while there are other programs in it, and while it plays:
    once anybody has used Link's start/stop, as that says.

    Args:
        port: the show.
        quantum: beats of a bar.

    """

    def __init__(self, port: BridgePort, quantum: int) -> None:
        self._clock, self._quantum = ShowClock(port, SOURCE, _CLOSE_BEATS), quantum
        self._faults, self._closing = Faults(), threading.Event()
        self._peers, self._playing, self._started, self._following = 0, False, False, False
        self._presence: Presence | None = None
        self._seen = self._looked = 0.0
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    @property
    def facts(self) -> Mapping[str, Value]:
        """See LinkBridge.facts."""
        return {"link_peers": self._peers, "link_playing": self._playing}

    def faults(self) -> list[str]:
        """See LinkBridge.faults."""
        alone = not self._peers and time.monotonic() - self._seen > ALONE_S
        return [*(["No other program is in the Ableton Link session"] if alone else []), *self._faults.recent()]

    def start(self) -> None:
        """Begin. Raises SonoramaError where Link's port cannot be opened."""
        self._presence = Presence()
        self._seen = time.monotonic()
        self._thread.start()

    def close(self) -> None:
        """End; may be called twice."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(3.0)
        if self._presence is not None:
            self._presence.close()
            self._presence = None

    def _run(self) -> None:
        asyncio.run(self._follow())

    async def _follow(self) -> None:
        link = aalink.Link(120.0, asyncio.get_running_loop())
        link.quantum, link.start_stop_sync_enabled = float(self._quantum), True
        while not self._closing.is_set():
            try:
                self._look(link)
                self._join_or_leave(link, time.monotonic())
            except Exception as error:  # noqa: BLE001 (whatever goes wrong at one look, the next one must come)
                self._faults.note("link", f"Ableton Link: {one_line_error(error)}", error)
            await asyncio.sleep(POLL_S)
        link.enabled = False

    def _join_or_leave(self, link: Any, now: float) -> None:
        """Join others a while after they were heard; alone, wait for others outside the session."""
        if link.enabled:
            if now - self._seen > ALONE_S:
                link.enabled = False
            return
        if self._presence is None:
            self._presence = Presence()
        if now > self._looked + _NETWORKS_S:
            self._looked = now
            self._presence.look_for_networks()
        if self._presence.heard_for(now) >= YOUNGER_S:
            self._presence.close()
            self._presence, self._seen, link.enabled = None, now, True

    def _look(self, link: Any) -> None:
        self._peers = link.num_peers
        self._started = self._peers > 0 and (self._started or link.playing)
        self._playing = self._peers > 0 and (link.playing or not self._started)
        if self._peers:
            self._seen = time.monotonic()
        if not self._playing:
            self._following = False
            self._clock.end()
            return
        before = time.monotonic_ns()
        beat, bpm = link.beat, link.tempo
        after = time.monotonic_ns()
        if after - before > _BUSY_NS:
            return
        at_ns = (before + after) // 2
        (self._clock.compare if self._following else self._clock.begin)(at_ns)
        self._following = True
        self._clock.tell(bpm, at_ns / 1e9 - beat * 60 / bpm, at_ns / 1e9)
