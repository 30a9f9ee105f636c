"""Live capture: writes a source's sound to the sample ring in real time, and silence while the source gives none.

Blocks arrive in a small ring (ring_memory.py) at the source's own rate and channels. A source that captures in another
process writes that ring there; for any other one `write` does, in the source's thread. The pump thread is the ring's
only reader: it converts, writes the show's sample ring and keeps it to the clock. The restart thread starts the source,
and retries every second after it has failed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from ..errors import SonoramaError, TimedOut, one_line_error
from ..plugins.interfaces import SoundSource
from ..units import SAMPLE_RATE, Samples
from .block_reader import BlockReader, TakeBlock
from .ring_memory import RingMemory, possible_format
from .sample_ring import SampleRingWriter
from .source_thread import start_source, stop_source

log = logging.getLogger(__name__)
SILENT_S = 0.25
"""After so long without a block the pump writes silence; later where the blocks themselves are longer."""
GONE_S = 2.5
"""After so long without a block the source is started anew, whatever it says about itself."""
OPENING_S = 1.0
"""After so long it is said that a source chosen while the show plays gives no sound yet."""
RETRY_S = 1.0
JUMP_S = 0.1
"""A difference from the clock beyond this is closed at once, by silence or by a cut; a smaller one slowly."""
BLOCKS_S = 2.0
"""Seconds of sound that may wait for the pump; what it missed beyond that becomes silence."""
_TICK_S = 0.02
_STRETCH = 1000  # of so many samples at most one is added or taken away to keep to the clock
_SLACK = 220  # samples off the clock that are left alone: 5 ms
_FAULT_S, _MOVED_S = 5.0, 30.0
_CANCELLED_S = 1.0
"""For how long channels of loud sound must cancel out before it is said."""


@runtime_checkable
class SharedSource(Protocol):
    """A SoundSource that fills a ring itself, from another process, instead of calling `write`.

    Attributes:
        ring: at the source's rate and channels; None while it is not started.

    """

    ring: RingMemory | None

    def wait(self, timeout_s: float) -> None:
        """Return when a block may have come, at the latest after `timeout_s`."""
        ...


class Capture:
    """Keeps the ring of a show full from a source that may come and go.

    Args:
        source: how the user knows it, for fault lines.
        factory: makes the source; called for every start.
        writer: the ring; this writes it from its own thread and does not close it.

    Attributes:
        source: how the user knows it.
        name: of the device that plays now or played last, as the device says; empty if it has none.

    """

    def __init__(self, source: str, factory: Callable[[], SoundSource], writer: SampleRingWriter) -> None:
        self.source = source
        self._factory = factory
        self._writer = writer
        self._closing = threading.Event()
        self._reader: BlockReader | None = None  # of the source that plays now
        self._clock = Clock(writer)
        self._heard_at = time.monotonic() - SILENT_S
        self._patience = SILENT_S
        self._reason, self._ever, self._timed_out = "", False, False
        self._broken_at = 0.0
        self._began, self._opening_s = time.monotonic(), GONE_S
        self.name = ""
        self._playing: SoundSource | None = None
        self._moved = (float("-inf"), "")
        self._switched = threading.Event()
        self._taken: dict[int, TakeBlock] = {}
        self._threads = [
            threading.Thread(target=run, name=f"sound-{run.__name__}", daemon=True) for run in (self._pump, self._keep)
        ]

    def start(self) -> None:
        """Begin; returns at once, faults are told by `faults`."""
        self._began = time.monotonic()
        self._clock.begin()
        for thread in self._threads:
            thread.start()

    def switch(self, source: str, factory: Callable[[], SoundSource]) -> None:
        """Play another source from now on; until it gives sound there is silence. Any thread.

        Args:
            source: how the user knows it.
            factory: makes it.

        """
        self.source, self._factory, self.name, self._ever, self._reason = source, factory, "", False, ""
        self._began, self._opening_s = time.monotonic(), OPENING_S
        self._switched.set()

    def take_channel(self, number: int, callback: TakeBlock) -> None:
        """A channel of the source, from 1, is somebody's instead of the show's; from the next start of a source on.

        callback: gets its blocks, in the thread of the pump.
        """
        self._taken[number] = callback

    @property
    def position_s(self) -> float | None:
        """Second of a file that the source has come to; None where the source has no position."""
        return getattr(self._playing, "position_s", None)

    def close(self) -> None:
        """End, at most some seconds later."""
        self._closing.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(4.0)

    @property
    def alive(self) -> bool:
        """Whether the source gives sound right now."""
        return self._reader is not None and not self._silent()

    def _silent(self) -> bool:
        return time.monotonic() - self._heard_at > self._patience

    def faults(self) -> list[str]:
        """One line for each thing that is wrong now; empty when all is well."""
        lines = []
        if self._reason and self._timed_out:
            lines.append(f"{self.source}: {self._reason}. Silence until it gives sound")
        elif self._reason:
            now, then = ("gone", "returns") if self._ever else ("not there", "is")
            lines.append(f"{self.source} is {now}: silence until it {then} ({self._reason})")
        elif time.monotonic() - max(self._heard_at, self._began) > (GONE_S if self._ever else self._opening_s):
            lines.append(f"No sound from {self.source}: silence until it gives some")
        if time.monotonic() - self._moved[0] < _MOVED_S:
            lines.append(self._moved[1])
        if (reader := self._reader) is not None and reader.cancelled_s > _CANCELLED_S:
            lines.append(f"{self.source} is loud, but its channels cancel out to silence: choose some, as in #1,2")
        if reader is not None and reader.missing:
            lines.append(f"{self.source} has no channel {reader.missing[0]}, which a bridge listens to")
        if time.monotonic() - self._broken_at < _FAULT_S:
            lines.append(f"{self.source} gives broken samples: they are heard as silence")
        return lines

    # --- the restart thread

    def _keep(self) -> None:
        while not self._closing.is_set():
            source: SoundSource | None = None
            if self._switched.is_set():
                self._switched.clear()
                self._ever, self._reason = False, ""  # blocks of the source before may have come meanwhile
            try:
                source = self._playing = self._factory()
                self._play(source)
                self._reason = "" if self._switched.is_set() else self._reason or "it ended"
            except SonoramaError as error:
                self._failed(f"{error.message}. {error.hint}".rstrip("."), isinstance(error, TimedOut))
            except Exception as error:  # (a source is a plug-in, whatever it raises must not end the show)
                log.exception("The source %s failed", self.source)
                self._failed(one_line_error(error))
            self._reader = self._playing = None
            if source is not None:
                stop_source(source)
            again = time.monotonic() + RETRY_S
            while not self._switched.is_set() and time.monotonic() < again and not self._closing.wait(_TICK_S):
                pass

    def _failed(self, reason: str, timed_out: bool = False) -> None:
        """Why there is no sound; of a source that is no longer asked for nothing is said."""
        if not self._switched.is_set():
            self._reason, self._timed_out = reason, timed_out

    def _play(self, source: SoundSource) -> None:
        """Start the source and stay until it is gone. Raises what it raises."""
        own: RingMemory | None = None  # until `start` has returned rate and channels are not known
        came = threading.Event()

        def write(block: Samples, captured_ns: int) -> None:
            if own is not None:
                self._write(own, block, captured_ns)
                came.set()

        def wait(timeout_s: float) -> None:
            came.wait(timeout_s)
            came.clear()

        if not start_source(source, write, lambda: not (self._closing.is_set() or self._switched.is_set())):
            return  # a device may take ten seconds to open, and another one is asked for
        self._note_name(str(getattr(source, "name", "")))
        began = time.monotonic()
        if not possible_format(source.rate, source.channels):
            raise SonoramaError(f"it has {source.channels} channels at {source.rate} Hz", "Choose another source.")
        if isinstance(source, SharedSource) and source.ring is not None:
            self._reader = BlockReader(source.ring, source.wait, self._taken)
        else:
            own = RingMemory.anonymous(source.rate, source.channels, round(BLOCKS_S * source.rate))
            self._reader = BlockReader(own, wait, self._taken)
        while not self._closing.wait(0.05):
            if self._switched.is_set():
                return
            if not source.alive():
                self._failed("it ended")
                return
            if time.monotonic() - max(began, self._heard_at) > GONE_S:
                message = f"it gave no sound for {GONE_S:g} s (time-out)"
                raise TimedOut(message, "It is opened again; a computer that has too much to do is slow, too")

    def _note_name(self, name: str) -> None:
        """The device that plays now. Without a choice, it is another one where the system's default has moved."""
        if self._switched.is_set():
            return
        before, self.name = self.name, name
        if before and name and name != before:
            line = f"The sound comes from {name} now: the default input was {before}"
            log.warning("%s", line)
            self._moved = time.monotonic(), line

    def _write(self, ring: RingMemory, block: Samples, captured_ns: int) -> None:
        """What a source calls for each block, from its own thread; it may give anything."""
        try:
            with np.errstate(over="ignore"):
                ring.write(np.asarray(block, np.float32), int(captured_ns))
        except (TypeError, ValueError, OverflowError):
            if time.monotonic() - self._broken_at > _FAULT_S:
                log.exception("The source %s gave a block that cannot be used", self.source)
            self._broken_at = time.monotonic()

    # --- the pump

    def _pump(self) -> None:
        while not self._closing.is_set():
            if (reader := self._reader) is None:
                time.sleep(_TICK_S)
            else:
                reader.wait(_TICK_S)
                try:
                    self._take(reader)
                except (SonoramaError, OSError, ValueError):  # FFmpeg's resampler raises many kinds of these
                    log.exception("The sound of %s cannot be converted", self.source)
                    self._broken_at = time.monotonic()
            if self._silent():
                self._clock.fill()

    def _take(self, reader: BlockReader) -> None:
        broken = reader.broken
        taken = reader.take()
        if taken is None or reader is not self._reader:  # another source is being opened
            return
        sound, captured_ns, seconds = taken
        if reader.broken > broken:
            self._broken_at = time.monotonic()
        resumed = self._silent()
        self._heard_at, self._ever = time.monotonic(), True
        self._patience = min(max(SILENT_S, 1.5 * seconds), 0.8 * GONE_S)
        self._reason = ""
        self._clock.write(sound, captured_ns, resumed)


class Clock:
    """Writes the ring so that its count follows the monotonic clock, whatever the clock of the device does."""

    def __init__(self, writer: SampleRingWriter) -> None:
        self._writer = writer
        self._began_ns, self._began = time.monotonic_ns(), writer.count
        self._off = 0.0
        self._setting_in = False

    def begin(self) -> None:
        """Count from now."""
        self._began_ns, self._began = time.monotonic_ns(), self._writer.count

    def due(self, ns: int) -> int:
        """The count that the ring ought to have at a moment."""
        return self._began + (ns - self._began_ns) * SAMPLE_RATE // 1_000_000_000

    def fill(self) -> None:
        """Silence up to now."""
        now = time.monotonic_ns()
        self._silence(self.due(now) - self._writer.count, now)

    def _silence(self, n: int, ns: int) -> None:
        most = 60 * SAMPLE_RATE  # after a suspend: more than the ring holds helps nobody
        while n > 0:
            part = min(n, most)
            self._writer.write(np.zeros((2, part), np.float32), ns - (n - part) * 1_000_000_000 // SAMPLE_RATE)
            n -= part

    def write(self, sound: Samples, captured_ns: int, resumed: bool) -> None:
        """A block whose last sample was captured at `captured_ns`; resumed: after silence, so set it in exactly."""
        if not sound.shape[1]:
            return
        now = time.monotonic_ns()
        if not now - 1_000_000_000 < captured_ns <= now:
            captured_ns = now
        missing = self.due(captured_ns) - sound.shape[1] - self._writer.count
        if resumed or self._setting_in or abs(missing) > JUMP_S * SAMPLE_RATE:
            self._off = 0.0
            self._silence(missing, captured_ns - sound.shape[1] * 1_000_000_000 // SAMPLE_RATE)
            sound = sound[:, max(0, -missing) :]
            self._setting_in = not sound.shape[1]  # all of it lies before now: so may a part of the next one
        else:
            self._off += 0.02 * (missing - self._off)
            if abs(self._off) > _SLACK:
                sound = _stretch(sound, round(min(max(self._off, -1.0), 1.0) * max(1, sound.shape[1] // _STRETCH)))
        self._writer.write(np.ascontiguousarray(sound), captured_ns)


def _stretch(sound: Samples, more: int) -> Samples:
    """The same sound on `more` samples more (or fewer)."""
    n = sound.shape[1]
    if n + more < 2 or n < 64:
        return sound
    places = np.linspace(0, n - 1, n + more)
    return np.stack([np.interp(places, np.arange(n), row) for row in sound]).astype(np.float32)
