"""What a MIDI bridge does with movements and changes: parameters are set, mappings learned, lights kept up to date.

Belongs to one thread, the bridge's worker. It knows no driver: movements come in, messages go out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import mido

from sonorama.engine.control.addresses import MIDI_FEEDBACK, MIDI_FORGET, MIDI_LEARN, MIDI_TAKEOVER
from sonorama.engine.control.parameters import Change, Parameter, Value
from sonorama.engine.errors import SonoramaError, ValueRefused
from sonorama.engine.osc.suggest import Suggestions
from sonorama.engine.plugins.interfaces import BridgePort

from .decoder import Control, Moved, encode
from .learn import Learner, typed, wish
from .mapping import Mapped
from .mapping_file import MappingFile

SOURCE = "midi"
_ROOT = "/sonorama"


class Session:
    """The mappings at work.

    Args:
        port: the show.
        file: the mappings.
        send: (name of an input, message) sends a message to the outputs of its controller; an empty name: to all.
        fault: called with (kind, line) for what cannot be done.

    Attributes:
        learned: the last mapping that was learned, in words.
        stand_ins: ports that play what is mapped to another one, which is not there: its name by theirs.

    """

    def __init__(
        self,
        port: BridgePort,
        file: MappingFile,
        send: Callable[[str, mido.Message], None],
        fault: Callable[[str, str], None],
    ) -> None:
        self._port, self.file, self._send, self._fault = port, file, send, fault
        self._values = dict(port.values)
        self.learner, self.learned = Learner(), ""
        self.stand_ins: dict[str, str] = {}
        self._levels: dict[str, Change] = {}
        self._stale: dict[int, Mapped] = {}  # mappings whose lights are to be renewed
        self._suggestions = Suggestions((_ROOT + path for path in port.table), _ROOT)
        self.learner.begin(str(self._values[MIDI_LEARN]))

    # --- from the controllers

    def moved(self, name: str, moved: Moved, now: float) -> None:
        """A control of the port `name` was moved, at `now` (seconds, monotonic)."""
        self.hear(name, moved, now)
        self.post()

    def hear(self, name: str, moved: Moved, now: float) -> None:
        """The same for one of many movements; `post` then asks for what comes of all of them."""
        if self.learner.wish:
            self.learner.hear(name, moved, now)
            return
        for mapped in self._played_by(name, moved.control):
            self._move(mapped, moved.raw)

    def post(self) -> None:
        """Ask for the levels that knobs and faders have come to: of each parameter the last one, so that a flood of
        movements leaves time for everything else.
        """
        levels, self._levels = self._levels, {}
        for change in levels.values():
            self._ask(change)

    def _played_by(self, name: str, control: Control) -> list[Mapped]:
        ports = ("", name, self.stand_ins.get(name, name))
        return [mapped for mapped in self.file.of(control) if mapped.mapping.port in ports]

    def unplugged(self, name: str, held: Collection[Control], now: float) -> None:
        """A port is gone: its keys are let go, and its knobs have to take over anew."""
        for control in held:
            self.moved(name, Moved(control, 0), now)
        for mapped in self.file.mapped:
            if mapped.mapping.port in ("", name, self.stand_ins.get(name, name)):
                mapped.unplugged()

    def _move(self, mapped: Mapped, raw: int) -> None:
        path = mapped.param.path
        value = mapped.moved(raw, self._values[path], str(self._values[MIDI_TAKEOVER]))
        if value is None or (value == self._values[path] and not mapped.param.event):
            return
        change = Change(path, value, mapped.source)
        if mapped.is_level:
            self._levels[path] = change
            self._hold(path, value, mapped.source)
        else:
            self.post()  # in order
            self._ask(change)

    def _ask(self, change: Change) -> None:
        try:
            self._port.post(change)
        except ValueRefused as error:
            self._fault(change.path, f"{error.message}. {error.hint}")
            return
        if not self._port.table[change.path].event:
            self._hold(change.path, change.value, change.source)

    # --- from the show

    def changed(self, changes: Iterable[Change]) -> None:
        """These changes hold now."""
        for change in changes:
            if change.path == MIDI_FORGET:
                self._forget()
            elif change.path == MIDI_LEARN:
                self._values[MIDI_LEARN] = change.value
                self.learner.begin(str(change.value))
            elif change.path == MIDI_FEEDBACK:
                self._values[MIDI_FEEDBACK] = change.value
                self.refresh()
            elif not self._port.table[change.path].event and not change.source.startswith(f"{SOURCE}:"):
                self._hold(change.path, change.value, change.source)

    def _hold(self, path: str, value: Value, source: str) -> None:
        """A parameter has that value; controls that stand elsewhere have to take it over."""
        if self._values[path] == value:
            return
        self._values[path] = value
        for mapped in self.file.mapped:
            if mapped.param.path == path:
                self._stale[id(mapped)] = mapped
                if mapped.source != source:
                    mapped.changed()

    def refresh(self) -> None:
        """Renew the lights of all controllers, as when one was plugged in."""
        for mapped in self.file.mapped:
            mapped.raw = -1
            self._stale[id(mapped)] = mapped

    def show(self) -> None:
        """Send the lights that are not up to date; call it some fifty times a second."""
        stale, self._stale = self._stale, {}
        if not self._values[MIDI_FEEDBACK]:
            return
        for mapped in stale.values():
            if mapped.param.event:
                continue
            raw = mapped.shown(self._values[mapped.param.path])
            if raw != mapped.raw or mapped.param.kind == "switch":  # else the control stands there already
                for message in encode(mapped.mapping.control, raw):
                    self._send(mapped.mapping.port, message)

    # --- learning

    def find(self, address: str) -> Parameter | None:
        """The parameter of an address as a person writes it."""
        return find_parameter(self._port, address)

    def settle(self, now: float) -> None:
        """Map the control that was watched for long enough."""
        if self.learner.due is None or now < self.learner.due:
            return
        address, text = wish(self.learner.wish)
        try:
            param = self._known(address)
            self.file.learn(mapping := self.learner.found(param, typed(param, text)))
            self.learned = str(mapping)
        except SonoramaError as error:
            self._fault("learn", f"MIDI learn: {error.message}. {error.hint}")
        self.learner.begin("")
        self.refresh()
        self._port.post(Change(MIDI_LEARN, "", SOURCE))

    def _known(self, address: str) -> Parameter:
        param = self.find(address)
        if param is None:
            near = self._suggestions.nearest(address)
            raise ValueRefused(
                f"There is no parameter {address[:80]}", f"Did you mean {near}?" if near else "See docs/osc.md"
            )
        return param

    def _forget(self) -> None:
        address, text = wish(str(self._values[MIDI_LEARN]))
        try:
            param = self._known(address)
            if not self.file.forget(param.path, typed(param, text)):
                self._fault("forget", f"No MIDI control is mapped to {param.path}")
        except SonoramaError as error:
            self._fault("forget", f"MIDI: {error.message}. {error.hint}")
        self.learner.begin("")
        self._port.post(Change(MIDI_LEARN, "", SOURCE))


def find_parameter(port: BridgePort, address: str) -> Parameter | None:
    """The parameter of an address, with or without /sonorama; None if there is none. Classes are mapped by slot."""
    return port.table.get(address.removeprefix(_ROOT))
