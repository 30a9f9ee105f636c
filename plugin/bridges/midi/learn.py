"""MIDI learn: which mapping is meant when a control is moved for a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sonorama.engine.control.parameters import Parameter, Value
from sonorama.engine.errors import ValueRefused

from .decoder import Control, Moved
from .mapping import Encoding, Mapping

LISTEN_S = 0.6
"""Seconds for which a control is watched from its first movement, to tell knobs, encoders and buttons apart."""
_FEW = range(1, 5)
"""Steps of an encoder that is turned slowly."""
_ENCODERS: tuple[tuple[set[int], Encoding], ...] = (
    ({*_FEW, *(128 - step for step in _FEW)}, "twos-complement"),
    ({*(64 + step for step in _FEW), *(64 - step for step in _FEW)}, "offset"),
    ({*_FEW, *(64 + step for step in _FEW)}, "sign-magnitude"),
)


def wish(text: str) -> tuple[str, str | None]:
    """Address and value of a text such as "/scene/recall 3"; without a value, None."""
    address, space, value = text.strip().partition(" ")
    return address, value.strip() if space else None


def typed(param: Parameter, text: str | None) -> Value | None:
    """The value that a text means for a parameter. Raises ValueRefused."""
    if text is None:
        return None
    if param.kind in ("choice", "text"):
        return param.clip(text)
    try:
        number = {"on": 1.0, "off": 0.0}.get(text.lower())
        return param.clip(float(text) if number is None else number)
    except ValueError:
        raise ValueRefused(f"{param.path} does not take {text[:40]!r}", f"Say {param.allowed()}.") from None


def encoding_of(raws: Sequence[int]) -> Encoding:
    """How a control of 7 bits sends, by what it sent in its first moments.

    A knob never sends one value twice in a row; an encoder sends its small steps again and again.
    """
    if len(raws) < 3 or not any(one == other for one, other in pairwise(raws)):
        return "absolute"
    seen = set(raws)
    for steps, encoding in _ENCODERS:
        if seen <= steps:
            return encoding
    return "absolute"


class Learner:
    """Watches the control that is moved first, and then says what it is."""

    def __init__(self) -> None:
        self.wish = ""
        self._moves: list[Moved] = []
        self._port, self._since = "", 0.0

    def begin(self, text: str) -> None:
        """Wait for a control; with an empty text, for none."""
        self.wish, self._moves = text.strip(), []

    def hear(self, port: str, moved: Moved, now: float) -> None:
        """A control of a port was moved at `now` (seconds, monotonic)."""
        if not self.wish or (moved.control.kind == "note" and not moved.raw and not self._moves):
            return
        if not self._moves:
            self._port, self._since = port, now
        if port == self._port:
            self._moves.append(moved)

    @property
    def due(self) -> float | None:
        """When `found` is known; None while nothing was moved."""
        return self._since + LISTEN_S if self._moves else None

    def found(self, param: Parameter, value: Value | None) -> Mapping:
        """What the control that was moved is mapped by. Waits for the next one afterwards."""
        control = self._control()
        raws = [one.raw for one in self._moves if one.control == control]
        self._moves = []
        encoding = encoding_of(raws) if control.kind == "cc" else "absolute"
        momentary = control.kind == "note" or (len(raws) > 1 and raws[0] > 0 and raws[-1] == 0 and len(set(raws)) == 2)
        return Mapping(
            address=param.path, port=self._port, kind=control.kind, channel=control.channel, number=control.number,
            encoding=encoding, press="toggle" if momentary and param.kind == "switch" else "follow", value=value,
        )  # fmt: skip

    def _control(self) -> Control:
        """The control that was moved first; the pair of 14 bits of which it is a half, if there was one."""
        first, controls = self._moves[0].control, {one.control for one in self._moves}
        wide = Control("cc14", first.channel, first.number % 32)
        return wide if first.kind == "cc" and wide in controls else first
