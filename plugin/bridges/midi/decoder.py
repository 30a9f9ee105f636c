"""Decodes the messages of one MIDI port into movements of its controls, with 14-bit pairs and NRPN put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import mido

Kind = Literal["cc", "cc14", "nrpn", "note", "bend", "pressure"]
LARGEST = {"cc": 127, "cc14": 16_383, "nrpn": 16_383, "note": 127, "bend": 16_383, "pressure": 127}
"""Largest value of each kind of control."""
NUMBERS = {"cc": 127, "cc14": 31, "nrpn": 16_383, "note": 127, "bend": 0, "pressure": 0}
"""Largest number of each kind of control."""
_DATA_MSB, _DATA_LSB, _NRPN_LSB, _NRPN_MSB, _RPN_LSB, _RPN_MSB = 6, 38, 98, 99, 100, 101
_SHORT = (0xC0, 0xD0)
"""Kinds of messages with one byte of data: program change and pressure."""
_NONE = 0x3FFF
"""The number that selects no parameter."""


class Control(NamedTuple):
    """A knob, fader, key or pad of a controller.

    Attributes:
        kind: cc (control change), cc14 (two of them, `number` and `number` + 32), nrpn, note, bend or pressure.
        channel: 1 to 16.
        number: of the controller, parameter or key; 0 for bend and pressure.

    """

    kind: Kind
    channel: int
    number: int = 0

    def __str__(self) -> str:
        number = "" if self.kind in ("bend", "pressure") else f" {self.number}"
        return f"{self.kind}{number} channel {self.channel}"


@dataclass(frozen=True, slots=True)
class Moved:
    """A movement.

    Attributes:
        control: which one.
        raw: its value, 0 to LARGEST of its kind; a released key is 0.

    """

    control: Control
    raw: int

    @property
    def position(self) -> float:
        """0 to 1."""
        return self.raw / LARGEST[self.control.kind]


class Decoder:
    """Remembers what 14-bit values and NRPN need; one for each port.

    Attributes:
        held: keys that are down, or pressed further down.

    """

    def __init__(self) -> None:
        self.held: set[Control] = set()
        self._coarse: dict[tuple[int, int], int] = {}
        self._selected: dict[int, tuple[int, int]] = {}  # channel -> (MSB, LSB) of the NRPN
        self._fine: set[Control] = set()  # NRPN that also send the lower seven bits

    def decode(self, raw: Sequence[int]) -> list[Moved]:
        """The movements that a channel message means; a control change may be one of 7 and of 14 bits at once.

        Args:
            raw: its bytes; half a message, as of a cable that is pulled, means nothing.

        """
        kind, channel = raw[0] & 0xF0, (raw[0] & 0x0F) + 1
        if len(raw) != (2 if kind in _SHORT else 3) or max(raw[1:]) > 127:
            return []
        match kind:
            case 0x90:
                return [self._key(Control("note", channel, raw[1]), raw[2])]
            case 0x80:
                return [self._key(Control("note", channel, raw[1]), 0)]
            case 0xE0:
                return [Moved(Control("bend", channel), raw[2] << 7 | raw[1])]
            case 0xD0:
                return [self._key(Control("pressure", channel), raw[1])]
            case 0xB0:
                return [*self._change(channel, raw[1], raw[2])]
            case _:
                return []

    def _key(self, control: Control, raw: int) -> Moved:
        (self.held.add if raw else self.held.discard)(control)
        return Moved(control, raw)

    def _change(self, channel: int, number: int, value: int) -> Iterator[Moved]:
        if number in (_NRPN_MSB, _NRPN_LSB):
            msb, lsb = self._selected.get(channel, (127, 127))
            self._selected[channel] = (value, lsb) if number == _NRPN_MSB else (msb, value)
            return
        if number in (_RPN_MSB, _RPN_LSB):
            self._selected.pop(channel, None)
            return
        if number in (_DATA_MSB, _DATA_LSB) and channel in self._selected:
            yield from self._nrpn(channel, number, value)
            return
        yield Moved(Control("cc", channel, number), value)
        if number < 32:
            self._coarse[channel, number] = value
        elif number < 64 and (coarse := self._coarse.get((channel, number - 32))) is not None:
            yield Moved(Control("cc14", channel, number - 32), coarse << 7 | value)

    def _nrpn(self, channel: int, number: int, value: int) -> Iterator[Moved]:
        msb, lsb = self._selected[channel]
        if (parameter := msb << 7 | lsb) == _NONE:
            return
        control = Control("nrpn", channel, parameter)
        if number == _DATA_MSB:
            self._coarse[channel, _DATA_MSB] = value
            if control not in self._fine:  # a coarse value over the whole range, until a fine one comes
                yield Moved(control, round(value / 127 * LARGEST["nrpn"]))
        else:
            self._fine.add(control)
            yield Moved(control, self._coarse.get((channel, _DATA_MSB), 0) << 7 | value)


def encode(control: Control, raw: int) -> list[mido.Message]:
    """The messages that show a value on a control, such as its lights."""
    channel = control.channel - 1

    def change(number: int, value: int) -> mido.Message:
        return mido.Message("control_change", channel=channel, control=number, value=value)

    match control.kind:
        case "cc":
            return [change(control.number, raw)]
        case "cc14":
            return [change(control.number, raw >> 7), change(control.number + 32, raw & 127)]
        case "nrpn":
            selected = [change(_NRPN_MSB, control.number >> 7), change(_NRPN_LSB, control.number & 127)]
            return [*selected, change(_DATA_MSB, raw >> 7), change(_DATA_LSB, raw & 127)]
        case "note":
            return [mido.Message("note_on", channel=channel, note=control.number, velocity=raw)]
        case "bend":
            return [mido.Message("pitchwheel", channel=channel, pitch=raw - 8192)]
        case "pressure":
            return []
