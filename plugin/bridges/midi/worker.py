"""The thread of a MIDI bridge: takes what drivers and the show send, and looks for ports that come and go."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from .ports import MOST, Heard, Ports, stand_ins
from .session import Session, find_parameter
from .timecode_in import TimecodeIn

POLL_S, READ_S, SHOW_S = 0.2, 1.0, 0.02
"""Seconds between two looks at the ports (a plug that is loose for longer is noticed), at the file,
and at lights and clocks."""
_SYSTEM = 0xF0
"""First bytes from which a message is of no channel."""
TURN_S, IDLE_S, BUSY_S = 0.001, 0.004, 1.0
"""Seconds between two looks for messages, and where none has come for BUSY_S."""


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
        self._changes: queue.SimpleQueue[list[Change]] = queue.SimpleQueue()
        self._bell, self._closing = threading.Event(), threading.Event()
        self._decoders: dict[str, Decoder] = {}
        self._ports = Ports(wanted, virtual, api)
        file = MappingFile(path, lambda address: find_parameter(port, address))
        self._session = Session(port, file, self._send, self._faults.note)
        self._clocks, self._timecode = Clocks(port), TimecodeIn(ShowTimecode(port, "midi"))
        self._clock_out = ClockOut(self._ports.send_all)
        self._clock_out.on = bool(port.values[MIDI_CLOCK_OUT])
        self._polled = self._shown = self._read = self._heard = 0.0
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
        self._port.subscribe(self._changed)
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
            self._closing.set()
            self._bell.set()
            self._thread.join(3.0)
        self._ports.close()

    # --- from other threads

    def _changed(self, changes: Iterable[Change]) -> None:
        self._changes.put(list(changes))
        self._bell.set()

    def _meters(self, values: Mapping[str, Value]) -> None:
        if "/sound/beat" in values:
            self._clock_out.follow(float(values["/sound/bpm"]), float(values["/sound/beat"]), time.monotonic())

    # --- the thread

    def _run(self) -> None:
        while not self._closing.is_set():
            is_busy = time.monotonic() < self._heard + BUSY_S
            self._bell.wait(TURN_S if is_busy else IDLE_S)
            self._bell.clear()
            self._guarded(self._turn)

    def _guarded(self, call: Callable[..., object], *given: object) -> None:
        try:
            call(*given)
        except Exception as error:  # noqa: BLE001 (whatever one thing does, the next one must be done)
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._faults.note("message", f"A MIDI message failed and was skipped: {one_line_error(error)}", error)

    def _turn(self) -> None:
        while not self._changes.empty():
            self._guarded(self._change, self._changes.get())
        heard, now = self._ports.take(), time.monotonic()
        if heard:
            self._heard = now
            self._play(heard)
        if now >= self._shown + SHOW_S:
            self._shown = now
            self._guarded(self._show, now)
        if now >= self._polled + POLL_S:
            self._poll(now)

    def _play(self, heard: Sequence[Heard]) -> None:
        if len(heard) >= MOST:
            self._faults.note("flood", "MIDI messages come faster than they can be taken; some were dropped")
        hear = self._hear
        for one in heard:
            try:
                hear(one)
            except Exception as error:  # noqa: BLE001 (whatever a message does, the next one must be taken)
                self._failed(error)
        self._guarded(self._session.post)

    def _change(self, changes: list[Change]) -> None:
        for change in changes:
            if change.path == MIDI_CLOCK_OUT:
                self._clock_out.on = bool(change.value)
        self._session.changed(changes)

    def _show(self, now: float) -> None:
        self._session.settle(now)
        self._session.show()
        self._clocks.watch(time.monotonic_ns())
        self._timecode.watch(time.monotonic_ns())

    def _hear(self, heard: Heard) -> None:
        name, raw, at_ns = heard
        if raw[0] < _SYSTEM:
            decoder = self._decoders.get(name) or self._decoders.setdefault(name, Decoder())
            for moved in decoder.decode(raw):
                self._session.hear(name, moved, at_ns / 1e9)
            return
        try:
            message = mido.Message.from_bytes(raw)
        except ValueError:  # half a message, as of a cable that is pulled
            return
        if not self._clocks.hear(name, message, at_ns):
            self._timecode.hear(name, message, at_ns)

    def _poll(self, now: float) -> None:
        """Ports that came and went, and once a second the file."""
        self._polled = now
        came, gone = self._ports.poll()
        for name in gone:
            self._session.unplugged(name, self._decoders.pop(name, Decoder()).held, now)
        is_new = now >= self._read + READ_S and self._session.file.read()
        self._read = now if now >= self._read + READ_S else self._read
        self._stand_in()
        if is_new or came:
            self._session.refresh()

    def _stand_in(self) -> None:
        """Let a controller that came back under another name play what is mapped to the one before."""
        found = stand_ins(self._session.file.ports, self._ports.names)
        for name, mapped in found.items() - self._session.stand_ins.items():
            self._faults.note(f"port {mapped}", f"MIDI: {name} plays what is mapped to {mapped}, which is not there")
        self._session.stand_ins = found

    def _send(self, name: str, message: mido.Message) -> None:
        for output in self._ports.outputs_of(name):
            self._ports.send(output, message)
