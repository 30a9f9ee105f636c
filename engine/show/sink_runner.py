"""A thread for each sink, so that no sink can hold up the show or another sink.

The output loop calls `offer` once a tick. That never waits: pictures are handed over by reference through a deque,
without a lock. A slow sink gets the newest picture when it is done with the one before (policy `latest`), or every
picture from a queue of limited length (`every`). A sink that fails three times in a row is switched off.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from ..errors import one_line_error
from ..plugins.interfaces import FrameSink, Picture, SinkEnded, StreamInfo

log = logging.getLogger(__name__)
FAILURES = 3
"""Exceptions in a row after which a sink is switched off."""
WAITING, LEAST_WAITING, WAITING_BYTES = 128, 8, 256 << 20
"""Queue length of policy `every`: as many pictures as fit into the bytes, but at most and at least this many."""
STUCK_S = 2.0
"""A call to a sink that takes longer than this many seconds is reported as a fault."""
_FAULT_S = 5.0


@dataclass(frozen=True, slots=True)
class SinkCounts:
    """How many pictures were sent, replaced or lost so far.

    Attributes:
        offered: by the output loop.
        sent: taken by the sink without an exception.
        replaced: by a newer one before the sink took them (policy `latest`).
        dropped: because too many were waiting (policy `every`).
        failed: the sink raised an exception.

    """

    offered: int
    sent: int
    replaced: int
    dropped: int
    failed: int


@dataclass(frozen=True, slots=True)
class _Offer:
    picture: Picture
    info: StreamInfo


class SinkRunner:
    """One sink and its thread. `offer`, `set_rate`, `faults` and `counts` never wait.

    Args:
        label: name of the sink in fault lines, such as "record show.mp4".
        factory: makes the sink; called once, here. Its exceptions are passed on.
        info: name of the show and of its sample ring, rate and size to begin with.

    """

    def __init__(self, label: str, factory: Callable[[], FrameSink], info: StreamInfo) -> None:
        self.label = label
        self._sink = factory()
        self._every = self._sink.policy == "every"
        self._info = info  # of the next picture offered
        self._opened: StreamInfo | None = None
        self._waiting: deque[_Offer] = deque(maxlen=None if self._every else 1)
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._closing = self._off = False
        self._offered = self._taken = self._sent = self._dropped = self._failed = self._failures = 0
        self._dropped_at, self._reason = -_FAULT_S, ""
        self._calling_since: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"sink-{label}", daemon=True)

    # --- the show's side

    def start(self) -> None:
        """Start the thread. The sink is opened when the first picture comes."""
        self._thread.start()

    def offer(self, picture: Picture) -> None:
        """Hand over one picture; a few microseconds, whatever the sink does.

        It is not copied: its pixels must be read-only and never change again, so give every new picture an array of
        its own (a repeated one may be the same array once more). An array that is writable is copied first.
        """
        if self._off or self._closing:
            return
        pixels = picture.pixels
        if pixels.flags.writeable:
            pixels = pixels.copy()
            pixels.setflags(write=False)
            picture = replace(picture, pixels=pixels)
        height, width = pixels.shape[:2]
        if (width, height) != (self._info.width, self._info.height):
            self._info = replace(self._info, width=width, height=height)
        if self._every and len(self._waiting) >= _most_waiting(pixels.nbytes):
            self._dropped_at = time.monotonic()
            self._dropped += 1
        else:
            self._waiting.append(_Offer(picture, self._info))
        self._offered += 1
        if self._bell.empty():  # one is enough, and they must not pile up while a sink hangs
            self._bell.put(None)

    def set_rate(self, fps: Fraction) -> None:
        """Offer pictures at this rate from now on; the sink is opened again with it."""
        if fps != self._info.fps:
            self._info = replace(self._info, fps=fps)

    @property
    def alive(self) -> bool:
        """Whether it still takes pictures."""
        return self._thread.is_alive() and not self._off

    @property
    def about(self) -> str:
        """Where the sink sends the pictures, in its own words."""
        return str(self._sink.about)

    @property
    def counts(self) -> SinkCounts:
        """How many pictures were sent, replaced or lost so far."""
        replaced = 0 if self._every else max(0, self._offered - self._taken - len(self._waiting))
        return SinkCounts(self._offered, self._sent, replaced, self._dropped, self._failed)

    def faults(self) -> list[str]:
        """One line for each thing that is wrong now; empty when all is well."""
        lines, now = [], time.monotonic()
        if self._off:
            lines.append(f"{self.label} is switched off: {self._reason}")
        elif self._reason:
            lines.append(f"{self.label} fails: {self._reason}")
        since = self._calling_since
        if since is not None and now - since > STUCK_S:
            lines.append(f"{self.label} does not answer, for {now - since:.0f} s")
        if now - self._dropped_at < _FAULT_S:
            what = "picture was" if self._dropped == 1 else "pictures were"
            lines.append(f"{self.label} is too slow: {self._dropped} {what} dropped")
        return lines

    def stop(self) -> None:
        """Ask it to end, without waiting for it; with policy `every` it still gets the pictures that wait."""
        self._closing = True
        self._bell.put(None)

    def close(self, timeout: float = 10.0) -> bool:
        """End it; may be called twice, and without `start`.

        Returns:
            False when the sink was still busy after `timeout` seconds; its thread then ends with the process.

        """
        self.stop()
        if self._thread.ident is None:
            return True
        self._thread.join(max(0.0, timeout))
        return not self._thread.is_alive()

    # --- the sink's side, all in its own thread

    def _run(self) -> None:
        while not self._off:
            offer = self._take()
            if offer is None:
                break
            self._give(offer)
            del offer  # do not keep its pixels until the next one comes
        self._waiting.clear()
        self._calling_since = time.monotonic()
        try:
            self._sink.close()
        except (Exception, SystemExit) as error:  # (a plug-in may raise anything, the show must go on)
            log.exception("The sink %s did not end properly", self.label)
            self._reason = self._reason or one_line_error(error)
        self._calling_since = None

    def _take(self) -> _Offer | None:
        """The next picture, None at the end."""
        while self._every or not self._closing:
            closing = self._closing  # read before the queue: nothing is offered after it
            with contextlib.suppress(IndexError):
                offer = self._waiting.popleft()
                self._taken += 1
                return offer
            if closing:
                return None
            self._bell.get()
        return None

    def _give(self, offer: _Offer) -> None:
        self._calling_since = time.monotonic()
        try:
            if offer.info != self._opened:
                self._open(offer.info)
            self._sink.send(offer.picture)
        except SinkEnded as error:  # closed by hand, or for good
            self._fail(error)
        except (Exception, SystemExit) as error:  # (a plug-in may raise anything, the show must go on)
            log.exception("The sink %s failed", self.label)
            self._fail(error)
        else:
            self._sent += 1
            self._failures, self._reason = 0, ""
        self._calling_since = None

    def _open(self, info: StreamInfo) -> None:
        self._opened = None
        try:
            self._sink.open(info)
        except BaseException:
            try:
                self._sink.close()
            except Exception:
                log.exception("The sink %s did not end properly", self.label)
            raise
        self._opened = info

    def _fail(self, error: BaseException) -> None:
        self._failed += 1
        self._failures += 1
        self._reason = one_line_error(error)
        self._off = self._failures >= FAILURES or isinstance(error, SinkEnded)


def close_all(runners: Iterable[SinkRunner], timeout: float = 10.0) -> list[SinkRunner]:
    """End several sinks at once, within `timeout` seconds in all; returns those that are still busy."""
    runners, end = list(runners), time.monotonic() + timeout
    for runner in runners:
        runner.stop()
    return [runner for runner in runners if not runner.close(end - time.monotonic())]


def _most_waiting(picture_bytes: int) -> int:
    return min(WAITING, max(LEAST_WAITING, WAITING_BYTES // max(1, picture_bytes)))
