"""The thread of a MIDI bridge: takes what drivers and the show send, in order, and looks for ports once a second."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import mido

from sonorama.engine.control.addresses import MIDI_CLOCK_OUT
from sonorama.engine.control.parameters import Change, Value
from sonorama.engine.errors import one_line_error
from sonorama.engine.faults import Faults
from sonorama.engine.plugins.interfaces import BridgePort

from ..show_timecode import ShowTimecode
from .clock_out import ClockOut
from .clocks import Clocks
from .decoder import Decoder
from .mapping_file import MappingFile
from .ports import Ports
from .session import Session, find_parameter
from .timecode_in import TimecodeIn

POLL_S, SHOW_S = 1.0, 0.02
MOST_WAITING = 20_000
"""Messages that wait at most; what comes faster is dropped, and said."""


class Worker:
    """The bridge at work, from `start` to `close`.

    Args:
        port: the show.
        path: file of the mappings.
        wanted, virtual, api: see Ports.

    Raises:
        SonoramaError: there is no MIDI here.

    """

    def __init__(self, port: BridgePort, path: Path, wanted: Sequence[str], virtual: bool, api: str) -> None:
        self._port, self._faults = port, Faults()
        self._queue: queue.Queue[tuple[str, list[int], int] | list[Change] | None] = queue.Queue(MOST_WAITING)
        self._decoders: dict[str, Decoder] = {}
        self._ports = Ports(wanted, virtual, api, self._receive)
        file = MappingFile(path, lambda address: find_parameter(port, address))
        self._session = Session(port, file, self._send, self._faults.note)
        self._clocks, self._timecode = Clocks(port), TimecodeIn(ShowTimecode(port, "midi"))
        self._clock_out = ClockOut(self._ports.send_all)
        self._clock_out.on = bool(port.values[MIDI_CLOCK_OUT])
        self._polled = self._shown = 0.0
        self._thread = threading.Thread(target=self._run, name="midi", daemon=True)

    @property
    def facts(self) -> Mapping[str, Value]:
        """See MidiBridge.facts."""
        file, session = self._session.file, self._session
        return {
            "midi_ports": ", ".join(self._ports.names), "midi_mappings": len(file.mapped),
            "midi_file": str(file.path), "midi_learned": session.learned, "midi_timecode": self._timecode.said,
        }  # fmt: skip

    def start(self) -> None:
        """Open the ports that are there and begin."""
        self._poll(time.monotonic())
        self._port.subscribe(lambda changes: self._put(list(changes)))
        self._port.subscribe_meters(self._meters)
        self._clock_out.start()
        self._thread.start()

    def problems(self) -> Iterable[str]:
        """What is wrong now, one line each."""
        return [*self._ports.faults(), *self._session.file.faults, *self._faults.recent()]

    def close(self) -> None:
        """End; may be called twice."""
        if self._thread.is_alive():
            self._clock_out.close()
            self._put(None)
            self._thread.join(3.0)
        self._ports.close()

    # --- from other threads

    def _receive(self, name: str, raw: list[int], at_ns: int) -> None:
        self._put((name, raw, at_ns))

    def _put(self, what: tuple[str, list[int], int] | list[Change] | None) -> None:
        try:
            self._queue.put_nowait(what)
        except queue.Full:
            self._faults.note("flood", "MIDI messages come faster than they can be taken; some were dropped")

    def _meters(self, values: Mapping[str, Value]) -> None:
        if "/sound/beat" in values:
            self._clock_out.follow(float(values["/sound/bpm"]), float(values["/sound/beat"]), time.monotonic())

    # --- the thread

    def _run(self) -> None:
        while True:
            try:
                what = self._queue.get(timeout=SHOW_S)
            except queue.Empty:
                what = ()
            if what is None:
                return
            try:
                self._take(what)
            except Exception as error:  # noqa: BLE001 (whatever a message does, the next one must be taken)
                self._faults.note("message", f"A MIDI message failed and was skipped: {one_line_error(error)}", error)

    def _take(self, what: tuple[str, list[int], int] | list[Change] | tuple[()]) -> None:
        now = time.monotonic()
        if isinstance(what, list):
            for change in what:
                if change.path == MIDI_CLOCK_OUT:
                    self._clock_out.on = bool(change.value)
            self._session.changed(what)
        elif what:
            self._hear(*what)
        if now >= self._shown + SHOW_S:
            self._shown = now
            self._session.settle(now)
            self._session.show()
            self._clocks.watch(time.monotonic_ns())
            self._timecode.watch(time.monotonic_ns())
        if now >= self._polled + POLL_S:
            self._poll(now)

    def _hear(self, name: str, raw: list[int], at_ns: int) -> None:
        try:
            message = mido.Message.from_bytes(raw)
        except ValueError:  # half a message, as of a cable that is pulled
            return
        if not (self._clocks.hear(name, message, at_ns) or self._timecode.hear(name, message, at_ns)):
            for moved in self._decoders.setdefault(name, Decoder()).decode(message):
                self._session.moved(name, moved, at_ns / 1e9)

    def _poll(self, now: float) -> None:
        self._polled = now
        came = self._ports.poll()
        if self._session.file.read() or came:
            self._session.refresh()

    def _send(self, name: str, message: mido.Message) -> None:
        for output in self._ports.outputs_of(name):
            self._ports.send(output, message)
