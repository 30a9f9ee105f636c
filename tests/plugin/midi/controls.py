"""A controller for tests of MIDI, and the session that it plays."""

from pathlib import Path

import mido

from sonorama.engine.control.parameters import Value
from sonorama.plugin.bridges.midi.decoder import Control, Decoder
from sonorama.plugin.bridges.midi.learn import LISTEN_S
from sonorama.plugin.bridges.midi.mapping_file import MappingFile
from sonorama.plugin.bridges.midi.session import Session, find_parameter

from ..show import Show


class Desktop:
    """A session with a controller called `nano`, whose lights are in `lit`."""

    def __init__(self, folder: Path) -> None:
        self.show, self.faults, self.lit = Show(), list[str](), list[mido.Message]()
        self.path, self.now = folder / "test.midi.json", 100.0
        file = MappingFile(self.path, lambda address: find_parameter(self.show, address))
        self.session = Session(self.show, file, self._send, lambda _, line: self.faults.append(line))
        self.show.subscribe(self.session.changed)
        self._decoder = Decoder()

    @property
    def held(self) -> set[Control]:
        """Keys that are down."""
        return set(self._decoder.held)

    def _send(self, name: str, message: mido.Message) -> None:
        assert name in ("", "nano")
        self.lit.append(message)

    def send(self, *messages: str, port: str = "nano") -> None:
        """Messages as mido writes them, such as `control_change control=7 value=3`."""
        for text in messages:
            for moved in self._decoder.decode(mido.Message.from_str(text).bytes()):
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
