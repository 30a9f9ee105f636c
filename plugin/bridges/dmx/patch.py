"""The patch: which DMX channel plays which parameter; a JSON file, of the user's or patch.json beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Literal

import msgspec

from sonorama.engine.control.parameters import Parameter, Value
from sonorama.engine.errors import SonoramaError

from ...dmx.levels import CHANNELS
from ..map_file import read_map
from ..positions import PRESSED, value_at

FORMAT = "sonorama-dmx"
_ROOT = "/sonorama"


class Patched(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a patch.

    Attributes:
        channel: 1 to 512, counted from the start address; of two channels the first, the coarse one.
        address: of the parameter.
        bits: 8, or 16 for two channels.
        universe: that of the bridge, if None.
        low, high: positions in the parameter's range, 0 to 1, of the lowest and the highest level.
        value: is set when the level rises to the upper half, in place of all that.

    """

    channel: int
    address: str
    bits: Literal[8, 16] = 8
    universe: int | None = None
    low: float = 0.0
    high: float = 1.0
    value: bool | int | float | str | None = None


class _Page(msgspec.Struct):
    format: str
    channels: list[Patched]


def read_patch(path: str) -> list[Patched]:
    """The lines of a file, or those that come with sonorama, if the path is empty.

    Raises:
        InputError: the file cannot be read, or holds no patch.

    """
    own = resources.files(__package__ or "") / "patch.json"
    return read_map(path, own, _Page, FORMAT, "patch").channels


class Channel:
    """A line of a patch in use, with the level that it had last.

    Args:
        line: of the patch.
        table: parameters by address.
        start: the channel that is channel 1 of the patch.
        follow: whether the first levels set the parameter; otherwise it waits until they change.

    Raises:
        SonoramaError: there is no such parameter or channel, or the parameter needs another value.

    """

    def __init__(self, line: Patched, table: Mapping[str, Parameter], start: int, follow: bool = False) -> None:
        param = table.get(line.address.removeprefix(_ROOT))
        if param is None:
            raise SonoramaError(f"The patch: there is no parameter {line.address[:80]}", "See docs/osc.md")
        self._at, self._bytes = start + line.channel - 2, line.bits // 8
        if line.channel < 1 or self._at + self._bytes > CHANNELS:
            message = f"The patch: {param.path} lies outside channels {start} to {CHANNELS}"
            raise SonoramaError(message, "Choose another channel, or a lower start address.")
        if line.value is not None:
            param.clip(line.value)
        elif param.kind == "text":
            raise SonoramaError(f"The patch: {param.path} takes text", 'Give the text as "value".')
        self.param, self._line, self._follow = param, line, follow
        self._raw: int | None = None

    def play(self, levels: bytes) -> Value | None:
        """What the parameter becomes; None: it stays, since its channels are as they were, or are not sent.

        The first levels set the parameter only where it follows, and fire nothing: triggers, slots and values wait for
        a movement.

        """
        own = levels[self._at : self._at + self._bytes]
        raw = int.from_bytes(own, "big")
        if len(own) < self._bytes or raw == self._raw:
            return None
        before, self._raw = self._raw, raw
        if before is None and not self._follow:
            return None
        position = self._position(raw)
        if self._line.value is None and self.param.kind != "trigger":
            value = value_at(self.param, self._line.low + (self._line.high - self._line.low) * position)
            return None if self.param.kind == "slot" and (before is None or not value) else value
        if before is None or not self._position(before) < PRESSED <= position:
            return None
        return True if self._line.value is None else self.param.clip(self._line.value)

    def _position(self, raw: int) -> float:
        return raw / ((1 << 8 * self._bytes) - 1)
