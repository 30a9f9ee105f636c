"""The MIDI ports of a bridge: opened by name, closed when they are unplugged, opened again when they return.

Messages are fetched. A callback of python-rtmidi waits for the interpreter in the driver's thread, and the module keeps
the interpreter while it closes a port and waits for that thread: a port that was closed while it played would stop the
whole process.
"""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import mido
import rtmidi as compiled_module

from sonorama.engine.errors import SonoramaError, TimedOut

rtmidi: Any = compiled_module  # a compiled module without types
CLIENT = "sonorama"
VIRTUAL = "virtual"
"""Name of the virtual ports, in mappings and facts."""
_OURS = re.compile(rf"({CLIENT}(-out)?(-\d+)?:|.*\bMidi Through\b)", re.IGNORECASE)
_NUMBERS = re.compile(r"\s+\d+:\d+$")
"""What ALSA adds to a name, which is another one each time a controller is plugged in."""
_BRIDGED = re.compile(r"(a2j|Midi-Bridge):")
"""What programs that bring ALSA's ports to JACK put before every name."""
_NEAR = 0.75
"""Least similarity (difflib's ratio) of two names of one device."""
ANSWER_S = 15.0
"""Seconds that a driver has to answer."""
_ASK = f"""
import sys, rtmidi
for number in map(int, sys.argv[1:]):
    try:
        rtmidi.MidiIn(number, name={CLIENT!r}).delete()
    except (rtmidi.SystemError, rtmidi.InvalidUseError):
        continue
    print(number)
    break
"""
"""Prints the first interface that works."""
MOST = 20_000
"""Messages of a port that wait at most."""


class Heard(NamedTuple):
    """A message. port: its name; raw: its bytes; at_ns: monotonic nanoseconds at which it came."""

    port: str
    raw: list[int]
    at_ns: int


def open_api(name: str) -> int:
    """The number of an interface to MIDI of this system: `alsa`, `jack`, `core`, `winmm`, or the first that works.

    Raises:
        SonoramaError: there is none.
        TimedOut: it does not answer.

    """
    compiled = {rtmidi.get_api_name(api): api for api in rtmidi.get_compiled_api()}
    if name and name not in compiled:
        raise SonoramaError(f"There is no MIDI interface {name} here", f"Use {' or '.join(compiled)}.")
    answer = _first_that_works([compiled[name]] if name else list(compiled.values()))
    if answer is not None:
        return answer
    hint = "Install the system's MIDI driver."
    if "alsa" in compiled:
        hint = "Load ALSA's sequencer (sudo modprobe snd-seq), or start a JACK server."
    raise SonoramaError(f"MIDI does not answer here ({', '.join(compiled)})", hint)


def _first_that_works(numbers: list[int]) -> int | None:
    """Ask in another process: a server that hangs would stop this one with all its threads, since python-rtmidi holds
    the interpreter while it waits. What the libraries print where there is no driver is dropped, too.
    """
    command = [sys.executable, "-c", _ASK, *map(str, numbers)]
    try:
        asked = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=ANSWER_S,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        message = f"MIDI did not answer within {ANSWER_S:.0f} s (time-out): the sound server may hang, or be busy"
        raise TimedOut(
            message, "Start the JACK server again, name another interface with api=, or leave MIDI out."
        ) from error
    return int(asked.stdout) if asked.stdout.strip().isdigit() else None


def plain_names(names: Iterable[str]) -> list[str]:
    """Names of ports without numbers that change; a second one of a name has ` #2` after it."""
    plain: list[str] = []
    for name in names:
        short = _NUMBERS.sub("", name).strip()
        again = sum(other == short or other.startswith(f"{short} #") for other in plain)
        plain.append(f"{short} #{again + 1}" if again else short)
    return plain


def same_device(name: str, others: Iterable[str]) -> list[str]:
    """Those of the other names that are of the same controller: the same name, else one that is nearly the same, else
    those that begin with the same word, since systems name the two directions of a device alike, but not equally.
    """
    others = list(others)
    if name in others:
        return [name]
    if near := difflib.get_close_matches(name, others, 1, _NEAR):
        return near
    return [one for one in others if _first_word(one) == _first_word(name)]


def stand_ins(mapped: Collection[str], there: Collection[str]) -> dict[str, str]:
    """Ports that take the place of others which are not there, as where a controller comes back under another name.

    Args:
        mapped: names of the ports that something is mapped to.
        there: names of the ports that are open.

    Returns:
        the name that is missing, by the name of the port that is most like it and to which nothing is mapped.

    """
    free = [name for name in there if name not in mapped and name != VIRTUAL]
    found: dict[str, str] = {}
    for missing in sorted(set(mapped) - {*there, VIRTUAL}):
        if near := same_device(missing, [name for name in free if name not in found]):
            found[near[0]] = missing
    return found


def _first_word(name: str) -> str:
    return re.split(r"[ :]", _BRIDGED.sub("", name))[0]


class _Side:
    """All inputs, or all outputs."""

    def __init__(
        self, make: Callable[[str], Any], client: str, wanted: Sequence[str], opened: Callable[[str, Any], None]
    ) -> None:
        self._make, self._wanted, self._opened = lambda: make(client), [part.lower() for part in wanted], opened
        self._lister = make(f"{CLIENT} ports")
        self.ports: dict[str, Any] = {}
        self._raw: dict[str, str] = {}  # as the system names them: of two equal ones another may take the first's name

    def poll(self) -> tuple[list[str], list[str], list[str]]:
        """Open what is there and wanted, close what is gone; names of those that came, that went, and of all there."""
        raw = self._lister.get_ports() if self._lister is not None else []
        there = dict(zip(plain_names(raw), raw, strict=True))
        gone = [name for name in self.ports if name != VIRTUAL and there.get(name) != self._raw[name]]
        for name in gone:
            _close(self.ports.pop(name))
        came: list[str] = []
        for number, name in enumerate(there):
            if name in self.ports or _OURS.match(name) or not self._is_wanted(name):
                continue
            port = self._make()
            try:
                self._opened(name, port)
                port.open_port(number, name=name.replace(":", " "))
            except (rtmidi.SystemError, rtmidi.InvalidPortError, rtmidi.NoDevicesError):  # gone, or of another program
                _close(port)
                continue
            self.ports[name], self._raw[name] = port, there[name]
            came.append(name)
        return came, gone, [name for name in there if not _OURS.match(name)]

    def _is_wanted(self, name: str) -> bool:
        return not self._wanted or any(part in name.lower() for part in self._wanted)

    def open_virtual(self) -> None:
        """A port that other programs may connect to. Raises SonoramaError where the system has none."""
        port = self._make()
        try:
            self._opened(VIRTUAL, port)
            port.open_virtual_port(CLIENT)
        except (rtmidi.SystemError, rtmidi.UnsupportedOperationError, NotImplementedError) as error:
            _close(port)
            raise SonoramaError(f"No virtual MIDI port: {error}", "Use a loopback driver, and its port.") from error
        self.ports[VIRTUAL] = port

    def close(self) -> None:
        """Close all, once: the module crashes where a port is deleted twice."""
        ports, self.ports = [*self.ports.values()], {}
        lister, self._lister = self._lister, None
        for port in (*ports, lister):
            if port is not None:
                _close(port)


class Ports:
    """Inputs and outputs.

    Args:
        wanted: parts of the names of ports, in any case; none: all of them.
        virtual: whether to open virtual ports, too.
        api: as `open_api` takes it.

    Raises:
        SonoramaError: no MIDI here, or no virtual ports.

    """

    def __init__(self, wanted: Sequence[str], virtual: bool, api: str) -> None:
        self._wanted, self._missing, self._taken_ns = wanted, list[str](), time.monotonic_ns()
        number = open_api(api)
        self._inputs = _Side(lambda name: rtmidi.MidiIn(number, name, MOST), CLIENT, wanted, _listen)
        outputs = f"{CLIENT}-out"
        self._outputs = _Side(lambda name: rtmidi.MidiOut(number, name=name), outputs, wanted, lambda _, __: None)
        try:
            if virtual:
                self._inputs.open_virtual()
                self._outputs.open_virtual()
        except SonoramaError:
            self.close()
            raise

    def take(self) -> list[Heard]:
        """What has come since the last call, by ports."""
        since, self._taken_ns = self._taken_ns, time.monotonic_ns()
        return [heard for name, port in [*self._inputs.ports.items()] for heard in _fetched(name, port, since)]

    def poll(self) -> tuple[list[str], list[str]]:
        """Open and close what came and went; names of the outputs that came, and of the inputs that went."""
        _, gone, there = self._inputs.poll()
        came, _, _ = self._outputs.poll()
        inputs = [name.lower() for name in self._inputs.ports]
        missing = [part for part in self._wanted if not any(part.lower() in name for name in inputs)]
        known = ", ".join(there) or "none"
        self._missing = [f"The MIDI port {part} is not there. There are: {known}" for part in missing]
        if not self._wanted and not inputs:
            self._missing = ["No MIDI controller is connected"]
        return came, gone

    @property
    def names(self) -> list[str]:
        """Inputs that are open."""
        return list(self._inputs.ports)

    def faults(self) -> list[str]:
        """Which ports are not there, one line each."""
        return list(self._missing)

    def outputs_of(self, name: str) -> list[str]:
        """The outputs of the controller whose input has that name; of an empty name, all."""
        outputs = list(self._outputs.ports)
        return same_device(name, outputs) if name else outputs

    def send(self, name: str, message: mido.Message) -> None:
        """Send to an output; without effect if it is gone."""
        port = self._outputs.ports.get(name)
        if port is not None:
            with suppress(rtmidi.SystemError, rtmidi.InvalidUseError, ValueError):
                port.send_message(message.bytes())

    def send_all(self, message: mido.Message) -> None:
        """Send to every output."""
        for name in list(self._outputs.ports):
            self.send(name, message)

    def close(self) -> None:
        """Close all."""
        self._inputs.close()
        self._outputs.close()


def _listen(_: str, port: Any) -> None:
    port.ignore_types(sysex=False, timing=False, active_sense=True)


def _fetched(name: str, port: Any, since_ns: int) -> list[Heard]:
    """The messages of a port, none older than `since_ns`; the driver has measured the time between them."""
    events: list[tuple[list[int], float]] = []
    with suppress(rtmidi.SystemError, rtmidi.InvalidUseError):
        while len(events) < MOST and (event := port.get_message()) is not None:
            events.append(event)
    found, at_ns = list[Heard](), time.monotonic_ns()
    for raw, after_s in reversed(events):
        found.append(Heard(name, raw, max(at_ns, since_ns)))
        at_ns -= round(after_s * 1e9)
    return found[::-1]


def _close(port: Any) -> None:
    with suppress(rtmidi.SystemError, rtmidi.InvalidUseError):
        port.close_port()
    with suppress(rtmidi.SystemError, rtmidi.InvalidUseError):
        port.delete()
