"""A mapping of a MIDI control to a parameter, and what a movement of it makes of the parameter's value."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from sonorama.engine.control.parameters import Parameter, Value, show
from sonorama.engine.errors import ValueRefused

from ..positions import PRESSED, position_of, value_at
from .decoder import LARGEST, NUMBERS, Control, Kind
from .takeover import Takeover

Encoding = Literal["absolute", "twos-complement", "offset", "sign-magnitude"]
Press = Literal["toggle", "follow"]
ENCODER_STEP = 1 / 127
"""Part of the range that one step of a relative encoder is."""


class Mapping(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the file of mappings.

    Attributes:
        address: of the parameter.
        port: of the controller; empty: any.
        kind, channel, number: of the control, see Control.
        encoding: `absolute`, or what a relative encoder sends: 1 and 127 (`twos-complement`), 65 and 63 (`offset`) or
            1 and 65 (`sign-magnitude`) for a step up and down.
        press: a switch changes at each press (`toggle`), or is on while the control is (`follow`).
        low, high: positions in the parameter's range, 0 to 1, of the control's ends; low above high turns it round.
        value: set by a press, in place of all that.

    Raises:
        ValueError: there is no such control (from a file: msgspec.ValidationError).

    """

    address: str
    port: str = ""
    kind: Kind
    channel: Annotated[int, msgspec.Meta(ge=1, le=16)]
    number: Annotated[int, msgspec.Meta(ge=0)] = 0
    encoding: Encoding = "absolute"
    press: Press = "follow"
    low: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.0
    high: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 1.0
    value: bool | int | float | str | None = None

    def __post_init__(self) -> None:
        if self.number > NUMBERS[self.kind]:
            raise ValueError(f"the number of a {self.kind} is at most {NUMBERS[self.kind]}")

    @property
    def control(self) -> Control:
        """Which control it is."""
        return Control(self.kind, self.channel, self.number)

    def __str__(self) -> str:
        value = "" if self.value is None else f" {show(self.value)}"
        return f"{self.control}{f' of {self.port}' if self.port else ''} -> {self.address}{value}"


def steps(encoding: Encoding, raw: int) -> int:
    """How many steps a relative encoder went up (or down, below 0), of what it sent, 0 to 127."""
    match encoding:
        case "twos-complement":
            return raw - 128 if raw >= 64 else raw
        case "offset":
            return raw - 64
        case _:
            return -(raw & 63) if raw & 64 else raw & 63


class Mapped:
    """A mapping in use, with what it remembers of its control.

    Args:
        mapping: what it is.
        param: the parameter of its address.

    Attributes:
        raw: what the control sent last, and so shows; -1: not known.

    Raises:
        ValueRefused: the parameter does not take the mapping's value, or needs one.

    """

    def __init__(self, mapping: Mapping, param: Parameter) -> None:
        self.mapping, self.param, self.raw = mapping, param, -1
        self.source = f"midi:{mapping.port} {mapping.control}"
        self._takeover = Takeover()
        self._pressed = False
        if mapping.value is not None:
            param.clip(mapping.value)
        elif param.kind in ("slot", "text"):
            raise ValueRefused(
                f"{param.path} needs a value to map", f"Say which, such as: {param.path} {_usual(param)}"
            )

    @property
    def is_level(self) -> bool:
        """Whether only what it comes to counts, as of a knob, fader or encoder, and not each press."""
        is_pressed = self.mapping.value is not None or self.param.kind in ("switch", "trigger")
        return self.mapping.kind != "note" and not is_pressed

    def unplugged(self) -> None:
        """Its control is gone: what it does when it returns has nothing to do with where it was."""
        self._pressed, self._takeover = False, Takeover()

    def moved(self, raw: int, current: Value, takeover: str) -> Value | None:
        """What the parameter becomes when its control sends `raw`; None: it stays.

        Args:
            raw: as Moved.raw.
            current: the parameter's value.
            takeover: value of /midi/takeover.

        """
        mapping, param, position = self.mapping, self.param, raw / LARGEST[self.mapping.kind]
        self.raw = raw
        if mapping.encoding != "absolute":
            return self._turned(steps(mapping.encoding, raw), current)
        if mapping.value is not None or param.kind in ("switch", "trigger"):
            return self._press(raw, position, current)
        position = mapping.low + (mapping.high - mapping.low) * position
        if mapping.kind == "note":
            return value_at(param, position)
        at = self._takeover.moved(position, position_of(param, current), takeover, 1.5 / LARGEST[mapping.kind])
        return None if at is None else value_at(param, at)

    def _turned(self, by: int, current: Value) -> Value | None:
        param = self.param
        match param.kind:
            case "float":
                return value_at(param, position_of(param, current) + by * ENCODER_STEP)
            case "int":
                return param.clip(int(current) + by)
            case "choice":
                at = param.choices.index(str(current)) + by
                return param.choices[min(max(at, 0), len(param.choices) - 1)]
            case "switch":
                return by > 0 if by else None
            case _:
                return None

    def _press(self, raw: int, position: float, current: Value) -> Value | None:
        before, self._pressed = self._pressed, raw > 0 if self.mapping.kind == "note" else position >= PRESSED
        risen = self._pressed and not before
        if self.mapping.value is not None:
            return self.param.clip(self.mapping.value) if risen else None
        if self.param.kind == "trigger":
            return True if risen else None
        if self.mapping.press == "toggle":
            return not current if risen else None
        return self._pressed if self._pressed != before else None

    def changed(self) -> None:
        """Somebody else has set the parameter: the control no longer stands where it does."""
        self._takeover.release()

    def shown(self, current: Value) -> int:
        """What the control shows of the parameter's value, as Moved.raw."""
        largest = LARGEST[self.mapping.kind]
        if self.mapping.value is not None:
            return largest if current == self.param.clip(self.mapping.value) else 0
        low, high, at = self.mapping.low, self.mapping.high, position_of(self.param, current)
        if self.param.kind != "switch" and high != low and self.mapping.encoding == "absolute":
            at = min(max((at - low) / (high - low), 0.0), 1.0)
        return round(at * largest)


def _usual(param: Parameter) -> str:
    return "1" if param.kind == "slot" else "a storm"
