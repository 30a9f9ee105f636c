"""A show for tests of MIDI: its values follow what a bridge posts."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import mido

from sonorama.engine.control.accept import valid_change
from sonorama.engine.control.live_table import SHOW
from sonorama.engine.control.parameters import Change, Parameter, Value
from sonorama.plugin.bridges.midi.decoder import Decoder
from sonorama.plugin.bridges.midi.learn import LISTEN_S
from sonorama.plugin.bridges.midi.mapping_file import MappingFile
from sonorama.plugin.bridges.midi.session import Session, find_parameter


class Show:
    """What BridgePort says, in one thread. second: what `second_at` adds to the monotonic time."""

    table: Mapping[str, Parameter] = SHOW
    name = "test"

    def __init__(self, second: float = 0.0) -> None:
        self._values: dict[str, Value] = {path: param.default for path, param in SHOW.items()}
        self.posted: list[Change] = []
        self.batches: list[tuple[Change, ...]] = []
        self.tell: list[Callable[[Iterable[Change]], None]] = []
        self._second = second

    @property
    def values(self) -> Mapping[str, Value]:
        return dict(self._values)

    def post(self, *changes: Change) -> None:
        accepted = [valid_change(SHOW, one.path, one.value, one.source) for one in changes]
        self.batches.append(tuple(accepted))
        self.posted += accepted
        self._values |= {one.path: one.value for one in accepted if not SHOW[one.path].event}
        for callback in self.tell:
            callback(accepted)

    def set(self, path: str, value: Value) -> None:
        """Somebody else changes a value."""
        self.post(Change(path, value, "osc"))

    def subscribe(self, callback: Callable[[Iterable[Change]], None]) -> None:
        self.tell.append(callback)

    def subscribe_meters(self, callback: Callable[[Mapping[str, Value]], None]) -> None:
        del callback

    def second_at(self, monotonic_ns: int) -> float:
        return monotonic_ns / 1e9 + self._second


class Desktop:
    """A session with a controller called `nano`, whose lights are in `lit`."""

    def __init__(self, folder: Path) -> None:
        self.show, self.faults, self.lit = Show(), list[str](), list[mido.Message]()
        self.path, self.now = folder / "test.midi.json", 100.0
        file = MappingFile(self.path, lambda address: find_parameter(self.show, address))
        self.session = Session(self.show, file, self._send, lambda _, line: self.faults.append(line))
        self.show.subscribe(self.session.changed)
        self._decoder = Decoder()

    def _send(self, name: str, message: mido.Message) -> None:
        assert name in ("", "nano")
        self.lit.append(message)

    def send(self, *messages: str, port: str = "nano") -> None:
        """Messages as mido writes them, such as `control_change control=7 value=3`."""
        for text in messages:
            for moved in self._decoder.decode(mido.Message.from_str(text)):
                self.session.moved(port, moved, self.now)
            self.now += 0.01

    def cc(self, number: int, *values: int) -> None:
        self.send(*(f"control_change channel=0 control={number} value={value}" for value in values))

    def learn(self, wish: str, *messages: str) -> None:
        """Choose a parameter, and move a control."""
        self.show.set("/midi/learn", wish)
        self.send(*messages)
        self.now += LISTEN_S
        self.session.settle(self.now)

    def lights(self) -> list[str]:
        """What was sent since the last call."""
        self.session.show()
        lit, self.lit = self.lit, []
        return [str(message).removesuffix(" time=0") for message in lit]

    def value(self, path: str) -> Value:
        return self.show.values[path]
